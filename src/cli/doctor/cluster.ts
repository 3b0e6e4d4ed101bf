import { type Clock, withDeadline } from '../../edges/clock.ts';
import type { Transport } from '../../edges/transport.ts';
import { readText } from '../../kube/body.ts';

/** Questions that are asked by POST, and of which the server stores nothing. */
export const reviewPaths = {
  self: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  other: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
} as const;

/** An answer of an API server, whatever its status. */
export interface Answer {
  readonly status: number;
  /** Parsed, or the text where that is no JSON. */
  readonly body: unknown;
  /** The server's own clock when it answered, milliseconds since 1970, to the second below; undefined if it did not say. */
  readonly serverMs: number | undefined;
  /** This machine's clock before and after. */
  readonly sentMs: number;
  readonly receivedMs: number;
}

const answerLimitBytes = 16 * 1024 * 1024;

/** A cluster's API server, for questions that the controller never asks. */
export class Cluster {
  readonly name: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #deadlineMs: number;

  constructor(name: string, transport: Transport, clock: Clock, deadlineMs: number) {
    this.name = name;
    this.#transport = transport;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * GET of any path, or POST of one of {@link reviewPaths}.
   * @throws TransportError when no answer came; a DOMException TimeoutError when none came in time; the signal's reason.
   */
  async ask(path: string, signal: AbortSignal, review?: object): Promise<Answer> {
    using deadline = withDeadline(this.#clock, this.#deadlineMs, signal);
    const sentMs = this.#clock.now();
    const response = await this.#transport.send(
      {
        method: review ? 'POST' : 'GET',
        path,
        headers: { accept: 'application/json', ...(review && { 'content-type': 'application/json' }) },
        ...(review && { body: JSON.stringify(review) }),
      },
      deadline.signal,
    );
    const receivedMs = this.#clock.now();
    const text = await readText(response.body, answerLimitBytes);
    const serverMs = Date.parse(response.headers['date'] ?? '');
    return {
      status: response.status,
      body: json(text),
      serverMs: Number.isNaN(serverMs) ? undefined : serverMs,
      sentMs,
      receivedMs,
    };
  }

  /** An object, or why there is none to be seen: `absent`, or a sentence. */
  async find(path: string, signal: AbortSignal): Promise<{ object: unknown } | { absent: true } | { why: string }> {
    try {
      const { status, body } = await this.ask(path, signal);
      if (status === 200) return { object: body };
      if (status === 404) return { absent: true };
      return { why: `${status} ${messageIn(body)}`.trim() };
    } catch (error) {
      if (signal.aborted) throw error;
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }
}

/** The server's own words in a Status. */
export function messageIn(body: unknown): string {
  if (typeof body === 'string') return body.slice(0, 200).trim();
  const { message } = (body ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : '';
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
