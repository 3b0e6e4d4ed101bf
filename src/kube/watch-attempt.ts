import type { Clock, Timer } from '../edges/clock.ts';

/** How long one watch may go on, milliseconds. */
export interface WatchLimits {
  /** Without progress. */
  idleMs: number;
  /** Without progress, while something is known that it has yet to bring. */
  behindMs: number;
  /** Whatever happens. */
  capMs: number;
}

type Limit = 'idle' | 'behind' | 'overrun';

/** One watch's signal: aborts with `signal`, or when one of its limits is reached. */
export class WatchAttempt {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #limits: WatchLimits;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  readonly #cap: Timer;
  #idle: Timer;
  #behind: Timer | undefined;
  #isOpen = false;
  /** Which of the limits ended it. */
  expired: Limit | undefined;

  constructor(clock: Clock, signal: AbortSignal, limits: WatchLimits) {
    this.#clock = clock;
    this.#outer = signal;
    this.#limits = limits;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#idle = this.#arm('idle', limits.idleMs);
    this.#cap = this.#arm('overrun', limits.capMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progress(): void {
    this.#idle.cancel();
    if (this.#controller.signal.aborted) return;
    this.#isOpen = true;
    this.#idle = this.#arm('idle', this.#limits.idleMs);
    if (!this.#behind) return;
    this.caughtUp();
    this.fellBehind();
  }

  /** The server is known to hold what the watch has not brought. One that is still being opened has a deadline of its own. */
  fellBehind(): void {
    if (this.#isOpen && !this.#controller.signal.aborted) this.#behind ??= this.#arm('behind', this.#limits.behindMs);
  }

  caughtUp(): void {
    this.#behind?.cancel();
    this.#behind = undefined;
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    for (const timer of [this.#idle, this.#behind, this.#cap]) timer?.cancel();
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  #arm(limit: Limit, milliseconds: number): Timer {
    return this.#clock.timer(milliseconds, () => {
      this.expired = limit;
      const what = limit === 'overrun' ? 'the watch did not end' : 'nothing heard';
      this.#controller.abort(new Error(`${what} for ${milliseconds} ms`));
    });
  }
}
