import type { Timer } from '../../../src/edges/clock.ts';
import type { Random } from '../../../src/edges/random.ts';
import { schedule, type ActorClock } from './actor-clock.ts';
import { draw, type Bounds } from './timing.ts';

/** Work of one kind that is due soon, at most once per key: what is asked for again before it begins is one piece. */
export class PendingWork {
  readonly #clock: ActorClock;
  readonly #random: Random;
  readonly #delay: Bounds;
  readonly #work: (key: string) => void;
  readonly #timers = new Map<string, Timer>();

  constructor(clock: ActorClock, random: Random, delay: Bounds, work: (key: string) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#delay = delay;
    this.#work = work;
  }

  add(key: string): void {
    if (this.#timers.has(key)) return;
    const timer = schedule(this.#clock, draw(this.#random, this.#delay), () => {
      this.#timers.delete(key);
      this.#work(key);
    });
    this.#timers.set(key, timer);
  }

  cancel(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
