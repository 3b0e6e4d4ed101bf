/**
 * The one way out of the process: HTTP to an API server. Tests and the simulator put an in-memory server here;
 * production uses pooled connections (src/kube/undici-transport.ts).
 */
export interface Transport {
  /**
   * Sends one request and resolves once the response's headers are there, whatever the status code.
   * @throws TransportError when there is no response (refused, reset, name, TLS, time-out), or the signal's reason.
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, e.g. `/api/v1/namespaces/default/pods?limit=500`. The transport knows the server. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** A GET that changes something all the same, such as an order to a node: it is fenced as a write is. */
  changes?: boolean;
  /** A watch: goes over connections of its own, so that it can never starve a write. */
  streaming?: boolean;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The body in chunks, as they arrive. Read it to the end or cancel it by the request's signal. */
  body: AsyncIterable<Uint8Array>;
}

/**
 * Why there was no HTTP response. Two of them are our own doing: `circuit-open`, the server is taken for dead;
 * `limited`, others came first for too long.
 */
export type TransportFailure =
  | 'refused'
  | 'unreachable'
  | 'reset'
  /** We have ended the connection ourselves, for there is another one by now. */
  | 'replaced'
  | 'timeout'
  | 'dns'
  | 'tls'
  | 'credentials'
  | 'circuit-open'
  | 'limited'
  | 'other';

/** No HTTP response came. Whether the server acted on the request is unknown, unless the failure is `refused`, `dns`, `tls`, `credentials`, `circuit-open` or `limited`. The body of a response can fail with it too. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code = 'TransportError';
  readonly failure: TransportFailure;

  constructor(failure: TransportFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.failure = failure;
  }
}
