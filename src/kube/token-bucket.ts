import type { Clock, Timer } from '../edges/clock.ts';

export interface TokenBucketOptions {
  clock: Clock;
  /** Requests a second that may go on for ever. */
  perSecond: number;
  /** Requests that may go at once after a rest; at least 1. */
  burst: number;
}

interface Waiter {
  readonly urgent: boolean;
  readonly go: () => void;
}

/** Spares one API server: a request goes when there is a token for it, writes before reads, else first come, first served. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  readonly #waiters: Waiter[] = [];
  #tokens: number;
  #filledAt: number;
  #timer: Timer | undefined;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAt = options.clock.monotonic();
  }

  /**
   * Resolves with the milliseconds it waited once there is a token.
   * @throws the signal's reason when it aborts first; no token is taken then.
   */
  async take(signal: AbortSignal, urgent: boolean): Promise<number> {
    signal.throwIfAborted();
    const { clock } = this.#options;
    const since = clock.monotonic();
    this.#fill();
    if (this.#waiters.length === 0 && this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        if (this.#waiters.length === 0) this.#timer?.cancel();
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        urgent,
        go: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const place = urgent ? this.#waiters.findIndex((each) => !each.urgent) : -1;
      this.#waiters.splice(place < 0 ? this.#waiters.length : place, 0, waiter);
      this.#serve();
    });
    return clock.monotonic() - since;
  }

  #fill(): void {
    const { clock, perSecond, burst } = this.#options;
    const now = clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }

  #serve(): void {
    this.#timer?.cancel();
    this.#fill();
    while (this.#waiters.length > 0 && this.#tokens >= 1) {
      this.#tokens--;
      this.#waiters.shift()?.go();
    }
    if (this.#waiters.length === 0) return;
    const { clock, perSecond } = this.#options;
    // A rounding error must not make it wait for nothing, again and again.
    const waitMs = Math.max(1, ((1 - this.#tokens) / perSecond) * 1000);
    this.#timer = clock.timer(waitMs, () => this.#serve());
  }
}
