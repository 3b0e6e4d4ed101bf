import type { Clock } from '../edges/clock.ts';
import { TransportError, type HttpRequest } from '../edges/transport.ts';
import { BodyError } from './body.ts';
import type { WatchEvent } from './client.ts';
import { errorFromStatus, KubeError, type StatusBody } from './errors.ts';
import type { KubeObject } from './objects.ts';

/** One request, before headers and deadline. */
export interface Call {
  /** A GET that changes something all the same. */
  changes?: boolean;
  method: HttpRequest['method'];
  path: string;
  body?: unknown;
  contentType?: string;
}

/** A complete answer. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** Verb and path, for messages; the query is left out. */
export function describe(call: Call): string {
  return `${call.method} ${call.path.replace(/\?.*/s, '')}`;
}

/** @throws KubeError `BadAnswer` unless `text` is a JSON object. */
export function parse(call: Call, text: string): Record<string, unknown> {
  const value = parseObject(text);
  if (value) return value;
  const start = text.slice(0, 200);
  throw new KubeError('BadAnswer', `${describe(call)}: the answer is not a JSON object: ${start}`, {
    mayHaveActed: true,
  });
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The Status in an answer; undefined for anything else, such as a pod's own words through the proxy. */
export function statusBody(text: string): StatusBody | undefined {
  const body = parseObject(text);
  return body?.['kind'] === 'Status' && body['apiVersion'] === 'v1' ? body : undefined;
}

/** The error for an answer that is no success. */
export function refusal(call: Call, answer: Answer, clock: Clock): KubeError {
  const body = statusBody(answer.text) ?? { message: answer.text.slice(0, 500) };
  return errorFromStatus(describe(call), answer.status, body, retryAfterMs(answer.headers['retry-after'], clock));
}

/** Retry-After is a number of seconds or an HTTP date; anything else is as good as none. */
function retryAfterMs(value: string | undefined, clock: Clock): number | undefined {
  if (value === undefined || value === '') return undefined;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - clock.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

/** What to throw for `error`: the caller's own abort wins, then what the error says. */
export function failure(call: Call, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof KubeError) return error;
  const message = `${describe(call)}: ${error instanceof Error ? error.message : String(error)}`;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new KubeError('Timeout', message, { mayHaveActed: true, cause: error });
  }
  if (error instanceof BodyError) return new KubeError('BadAnswer', message, { mayHaveActed: true, cause: error });
  if (!(error instanceof TransportError)) return error;
  const neverSent = ['refused', 'dns', 'tls', 'credentials', 'circuit-open', 'limited'].includes(error.failure);
  const code =
    error.failure === 'circuit-open'
      ? 'CircuitOpen'
      : error.failure === 'timeout' || error.failure === 'limited'
        ? 'Timeout'
        : 'Unreachable';
  return new KubeError(code, message, { mayHaveActed: !neverSent, cause: error });
}

/** @throws KubeError `BadAnswer` for a line that is no watch event. */
export function watchEvent(call: Call, line: string): WatchEvent {
  const event = parseObject(line);
  const object = event?.['object'];
  const type = event?.['type'];
  if (typeof object !== 'object' || object === null) {
    throw new KubeError('BadAnswer', `${describe(call)}: not a watch event: ${line.slice(0, 200)}`);
  }
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      if (typeof (object as Partial<KubeObject>).metadata?.resourceVersion !== 'string') {
        throw new KubeError('BadAnswer', `${describe(call)}: a watch event without a resourceVersion`);
      }
      return { type, object: object as KubeObject };
    case 'ERROR':
      return { type, object };
    default:
      throw new KubeError('BadAnswer', `${describe(call)}: unknown watch event ${String(type)}`);
  }
}
