import type { Clock, Timer } from '../edges/clock.ts';

/** One watch's signal: aborts with `signal`, after `idleMs` without progress, or after `capMs` whatever happens. */
export class WatchAttempt {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  readonly #armIdle: () => Timer;
  readonly #cap: Timer;
  #idle: Timer;
  /** Which of the two limits ended it. */
  expired: 'idle' | 'overrun' | undefined;

  constructor(clock: Clock, signal: AbortSignal, idleMs: number, capMs: number) {
    this.#outer = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#armIdle = () => clock.timer(idleMs, () => this.#expire('idle', idleMs));
    this.#idle = this.#armIdle();
    this.#cap = clock.timer(capMs, () => this.#expire('overrun', capMs));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progress(): void {
    this.#idle.cancel();
    if (!this.#controller.signal.aborted) this.#idle = this.#armIdle();
  }

  [Symbol.dispose](): void {
    this.#idle.cancel();
    this.#cap.cancel();
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  #expire(limit: 'idle' | 'overrun', milliseconds: number): void {
    this.expired = limit;
    const what = limit === 'idle' ? 'nothing heard' : 'the watch did not end';
    this.#controller.abort(new Error(`${what} for ${milliseconds} ms`));
  }
}
