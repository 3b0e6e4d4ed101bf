import type { Clock, Timer } from '../../src/edges/clock.ts';
import type { Outcome } from './operator.ts';

const firstRetryMs = 5;
const longestRetryMs = 1_000_000;

/**
 * One worker over the names of clusters, as CassKop's work queue: a change is looked at at once, or right after the
 * pass that is under way; a later look that was planned stays planned and only ever moves forward.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #ready = new Set<string>();
  readonly #planned = new Map<string, { at: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Look at `name` as soon as the worker is free. */
  add(name: string): void {
    this.#ready.add(name);
    this.#wake();
  }

  /** Look at `name` in `delayMs` milliseconds, unless a sooner look is planned. */
  addAfter(name: string, delayMs: number): void {
    const at = this.#clock.monotonic() + delayMs;
    const planned = this.#planned.get(name);
    if (planned && planned.at <= at) return;
    planned?.timer.cancel();
    const timer = this.#clock.timer(delayMs, () => {
      this.#planned.delete(name);
      this.add(name);
    });
    this.#planned.set(name, { at, timer });
  }

  /** Works until `signal` aborts; then resolves with every timer cancelled. A look that throws is a failed one. */
  async work(look: (name: string) => Promise<Outcome>, signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      const [name] = this.#ready;
      if (name === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      this.#ready.delete(name);
      this.#plan(name, await look(name).catch((): Outcome => 'retry'));
    }
    signal.removeEventListener('abort', stop);
    for (const { timer } of this.#planned.values()) timer.cancel();
  }

  #plan(name: string, outcome: Outcome): void {
    if (outcome === 'retry') {
      const failures = this.#failures.get(name) ?? 0;
      this.#failures.set(name, failures + 1);
      this.addAfter(name, Math.min(firstRetryMs * 2 ** failures, longestRetryMs));
      return;
    }
    this.#failures.delete(name);
    if (outcome !== 'onChange') this.addAfter(name, outcome.afterMs);
  }
}
