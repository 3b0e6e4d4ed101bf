/**
 * What a request came to when it did not succeed. Closed: code that decides by it can be checked for completeness.
 *
 * | code | HTTP | what the caller does |
 * |---|---|---|
 * | Conflict | 409, 422 | a precondition failed, be it a `test` of a JSON patch: read live, decide again |
 * | AlreadyExists | 409 | read live |
 * | NotFound | 404 | the object, or the whole kind, is absent |
 * | Invalid | 422, 500 | refused by validation; also a changed uid, an undeclared field in an apply |
 * | BadRequest | other 4xx | a fault of ours: do not repeat |
 * | Unauthorized | 401 | credentials are renewed by the transport; repeat with backoff |
 * | Forbidden | 403 | repeat slowly; a person must grant it |
 * | TooManyRequests | 429 | repeat after `retryAfterMs` |
 * | Expired | 410 | the resourceVersion or continue token is too old: list again |
 * | ResourceVersionTooLarge | 504 | the server has not seen this resourceVersion yet: repeat, or list without one |
 * | ServerError | 5xx | repeat with backoff, after `retryAfterMs` if given |
 * | Unreachable | none | no answer: refused, reset, name, TLS, credentials |
 * | Timeout | none | no answer within the deadline |
 * | CircuitOpen | none | not sent: the server has not answered lately; repeat with backoff |
 * | BadAnswer | any | an answer that is not what the API promises, such as a proxy's HTML page |
 * | NotLeader | none | a write by a process that does not lead, or no longer: whoever leads does it |
 */
export type KubeErrorCode =
  | 'Conflict'
  | 'AlreadyExists'
  | 'NotFound'
  | 'Invalid'
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'TooManyRequests'
  | 'Expired'
  | 'ResourceVersionTooLarge'
  | 'ServerError'
  | 'Unreachable'
  | 'Timeout'
  | 'CircuitOpen'
  | 'BadAnswer'
  | 'NotLeader';

/** A Kubernetes Status object as it comes, or the `object` of a watch's ERROR event. */
export interface StatusBody {
  code?: number;
  reason?: string;
  message?: string;
  details?: { kind?: string; retryAfterSeconds?: number; causes?: { reason?: string }[] };
}

/** A request that did not succeed; the message names verb and path and keeps the server's own words. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  /** The HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** The server's machine-readable reason, e.g. `NotFound`; empty when it gave none. */
  readonly reason: string;
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /**
   * For a write: whether the server may have carried it out although it failed. False only where that is certain.
   */
  readonly mayHaveActed: boolean;

  constructor(
    code: KubeErrorCode,
    message: string,
    details: { status?: number; reason?: string; retryAfterMs?: number; mayHaveActed?: boolean; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.reason = details.reason ?? '';
    this.retryAfterMs = details.retryAfterMs;
    this.mayHaveActed = details.mayHaveActed ?? false;
  }
}

/** Whether `error` is a KubeError with one of these codes. */
export function isKubeError(error: unknown, ...codes: KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * The error for a Status that answered `call` (verb and path).
 * `retryAfterMs` is the Retry-After header's; the Status's own value counts when there was no header.
 */
export function errorFromStatus(call: string, httpStatus: number, body: StatusBody, retryAfterMs?: number): KubeError {
  const reason = body.reason ?? '';
  const waitMs =
    retryAfterMs ?? (body.details?.retryAfterSeconds === undefined ? undefined : body.details.retryAfterSeconds * 1000);
  const code = codeOf(httpStatus, body);
  const words = [String(httpStatus), reason].filter(Boolean).join(' ');
  return new KubeError(code, `${call}: ${words}${body.message ? `: ${body.message.trim()}` : ''}`, {
    status: httpStatus,
    reason,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    mayHaveActed: httpStatus >= 500 && code !== 'Invalid',
  });
}

function codeOf(httpStatus: number, body: StatusBody): KubeErrorCode {
  switch (httpStatus) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return body.reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
    case 410:
      return 'Expired';
    case 422:
      return isImpossiblePatch(body) ? 'Conflict' : 'Invalid';
    case 429:
      return 'TooManyRequests';
    default:
      if (body.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge')) {
        return 'ResourceVersionTooLarge';
      }
      // What an apply with a field unknown to the schema is answered with: a 500 without a reason (measured on 1.36).
      if (httpStatus === 500 && body.message?.startsWith('failed to create typed patch object')) return 'Invalid';
      if (httpStatus >= 500) return 'ServerError';
      return httpStatus >= 400 ? 'BadRequest' : 'BadAnswer';
  }
}

/**
 * Whether a JSON patch did not fit the object: a `test` failed, or a path leads nowhere, which is not told apart. Validation answers
 * 422 too, and says of which kind the object is and what is wrong with it (measured on 1.36).
 */
function isImpossiblePatch({ reason, message, details }: StatusBody): boolean {
  return (
    reason === 'Invalid' &&
    message === 'the server rejected our request due to an error in our request' &&
    details?.kind === undefined &&
    details?.causes === undefined
  );
}
