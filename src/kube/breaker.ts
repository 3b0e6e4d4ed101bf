import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import { Backoff } from './recovery.ts';

/** So many requests in a row without any answer mean that the next one gets none either. */
const failuresUntilOpen = 3;
/** The wait before one request may try again; it doubles with each that fails, with full jitter. Milliseconds. */
const backoff = { firstMs: 1_000, maxMs: 10_000, resetMs: 120_000, slowMs: 10_000, serverMaxMs: 10_000 };

/**
 * Keeps requests from waiting for a server that does not answer. It opens after a few failures in a row; from then on
 * requests fail at once. Once the server has answered a probe and a wait is over, one request may try: its answer
 * closes the breaker.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<() => void>();
  #failures = 0;
  #problem: string | undefined;
  #closedUntil = 0;
  #isProbed = false;
  #isTrying = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#backoff = new Backoff(backoff, random);
  }

  /** Why nothing is sent now, as a sentence; undefined: a request may try. */
  get problem(): string | undefined {
    if (this.#problem === undefined) return undefined;
    const mayTry = this.#isProbed && !this.#isTrying && this.#clock.monotonic() >= this.#closedUntil;
    return mayTry ? undefined : this.#problem;
  }

  /** Takes note of a request that is about to be sent; while the breaker is open it is the one that tries. */
  begin(): void {
    if (this.#problem !== undefined) this.#isTrying = true;
  }

  /** The server answered it, whatever it said. */
  succeeded(): void {
    this.#failures = 0;
    this.#problem = undefined;
    this.#isTrying = false;
  }

  /** No answer came to it. */
  failed(why: string): void {
    this.#failures++;
    this.#isTrying = false;
    if (this.#failures >= failuresUntilOpen) {
      this.#problem = `not sent, since ${failuresUntilOpen} requests in a row had no answer, the last: ${why}`;
      this.#isProbed = false;
      const now = this.#clock.monotonic();
      this.#closedUntil = now + this.#backoff.next({ pace: 'backoff', leastMs: 0 }, now);
    }
    for (const listener of this.#listeners) listener();
  }

  /** It was given up before anybody could know. */
  abandoned(): void {
    this.#isTrying = false;
  }

  /** A probe, which goes past the breaker, was answered. */
  serverAnswers(): void {
    this.#isProbed = true;
  }

  /** An outage is over: one request may try at once. */
  retryNow(): void {
    this.#isProbed = true;
    this.#closedUntil = 0;
  }

  /** Calls `listener` at every failure: it is time to ask whether the server is there. Returns what ends that. */
  onFailure(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
