import type { Clock } from '../edges/clock.ts';
import { type Transport, TransportError } from '../edges/transport.ts';

/** However often a cluster comes and goes, its listeners are told at most so often; the pause doubles. Milliseconds. */
const pauseFirstMs = 5_000;
const pauseMaxMs = 60_000;
/** After so long without an outage the pause is the first again, milliseconds. */
const calmMs = 120_000;

/** No answer, or none in time; not what was given up, nor what never left because of our own credentials. */
export function isUnanswered(error: unknown): error is Error {
  if (error instanceof TransportError) return error.failure !== 'credentials' && error.failure !== 'replaced';
  return error instanceof DOMException && error.name === 'TimeoutError';
}

/**
 * Notices when a cluster answers again after it did not: from then on it is in vain to wait, and connections of before
 * may be dead without a sign. What shows that is an answer to a request that began after the last failure.
 */
export class Outages {
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  /** Signs of trouble so far, and how many there were when an outage was last told to be over. */
  #signs = 0;
  #overSigns = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #pauseMs = pauseFirstMs;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `transport`, overheard. */
  guard(transport: Transport): Transport {
    return {
      send: async (request, signal) => {
        const signs = this.#signs;
        try {
          const response = await transport.send(request, signal);
          if (signs === this.#signs) this.#answered();
          return response;
        } catch (error) {
          // How long a node takes behind the API server's proxy says nothing of the API server.
          const isOfNode = error instanceof DOMException && request.path.includes('/proxy/');
          if (isUnanswered(error) && !isOfNode) this.suspect();
          throw error;
        }
      },
    };
  }

  /** Something speaks for connections that are dead: the next answer tells that others would live. */
  suspect(): void {
    this.#signs++;
  }

  /** Calls `listener` when an outage is over. Returns what ends that. */
  onOver(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #answered(): void {
    if (this.#signs === this.#overSigns) return;
    const now = this.#clock.monotonic();
    const sinceMs = now - this.#toldAt;
    // Within the pause the signs are kept: an answer after it tells.
    if (sinceMs < this.#pauseMs) return;
    this.#pauseMs = sinceMs > calmMs ? pauseFirstMs : Math.min(pauseMaxMs, this.#pauseMs * 2);
    this.#toldAt = now;
    this.#overSigns = this.#signs;
    for (const listener of this.#listeners) listener();
  }
}
