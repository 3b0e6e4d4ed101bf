import type { Clock, Timer } from '../../../src/edges/clock.ts';
import { runPromises } from './promises.ts';

interface Pending {
  at: number;
  order: number;
  /** Undefined once it was cancelled or has fired. */
  fire: (() => void) | undefined;
  /** Whether what it does goes on in promises. */
  wakesPromises: boolean;
}

/**
 * The time of a whole simulated world. It moves from one timer to the next, however far that is; timers fire in the
 * order of their times, timers of one time in the order they were set, and between two of them all promises run as
 * far as they can. So one seed gives one history.
 */
export class SimulationClock implements Clock {
  readonly #epochMs: number;
  readonly #heap: Pending[] = [];
  #elapsedMs = 0;
  #order = 0;
  #promisesWake = true;

  /** `epochMs` is the wall-clock time at which it starts, milliseconds since 1970. */
  constructor(epochMs: number = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  timer(delayMs: number, fire: () => void): Timer {
    return this.#set(delayMs, fire, true);
  }

  /** As `timer`, for work that waits for no promise: it spares the round through the event loop. */
  schedule(delayMs: number, fire: () => void): Timer {
    return this.#set(delayMs, fire, false);
  }

  /** Says that the work under way has resolved a promise, although its timer was set by `schedule`. */
  wakePromises(): void {
    this.#promisesWake = true;
  }

  /** Runs until `done` answers true, which is asked after every timer, or for `limitMs` milliseconds; answers which it was. */
  run(limitMs: number, done: () => boolean = () => false): Promise<boolean> {
    const limit = this.#elapsedMs + limitMs;
    // From the event loop, because promises run in nobody's promise.
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          resolve(this.#runUntil(limit, done));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #runUntil(limit: number, done: () => boolean): boolean {
    for (;;) {
      if (this.#promisesWake) {
        this.#promisesWake = false;
        runPromises();
      }
      if (done()) return true;
      const next = this.#heap[0];
      if (!next || next.at > limit) {
        this.#elapsedMs = limit;
        return false;
      }
      this.#takeFirst();
      const { fire } = next;
      if (!fire) continue;
      next.fire = undefined;
      this.#elapsedMs = next.at;
      if (next.wakesPromises) this.#promisesWake = true;
      fire();
    }
  }

  #set(delayMs: number, fire: () => void, wakesPromises: boolean): Timer {
    if (!(delayMs >= 0)) throw new RangeError(`timer: expected a delay of at least 0 ms, got ${delayMs}`);
    const pending: Pending = { at: this.#elapsedMs + delayMs, order: this.#order++, fire, wakesPromises };
    this.#add(pending);
    return { cancel: () => void (pending.fire = undefined) };
  }

  #add(pending: Pending): void {
    const heap = this.#heap;
    let index = heap.push(pending) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(pending, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = pending;
  }

  #takeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Pending, other: Pending): boolean {
  return one.at !== other.at ? one.at < other.at : one.order < other.order;
}
