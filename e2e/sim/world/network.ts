import type { Random } from '../../../src/edges/random.ts';

/**
 * How packets fare on the way from one place to another.
 * - `refused`: answered at once by a reset.
 * - `dropped`: swallowed; whoever sent them waits for ever.
 */
export type Passage = 'open' | 'refused' | 'dropped';

/** Which places of the world reach each other, each direction for itself, and how long that takes. */
export class Network {
  readonly #random: Random;
  readonly #passages = new Map<string, Passage>();
  readonly #listeners = new Set<() => void>();
  /** Bounds of the time one message takes, milliseconds. */
  latencyMs: { least: number; most: number };

  constructor(random: Random, latencyMs: { least: number; most: number }) {
    this.#random = random;
    this.latencyMs = latencyMs;
  }

  passage(from: string, to: string): Passage {
    return this.#passages.get(`${from}>${to}`) ?? 'open';
  }

  isOpen(from: string, to: string): boolean {
    return this.#passages.size === 0 || this.passage(from, to) === 'open';
  }

  set(from: string, to: string, passage: Passage): void {
    if (passage === 'open') this.#passages.delete(`${from}>${to}`);
    else this.#passages.set(`${from}>${to}`, passage);
    for (const listener of this.#listeners) listener();
  }

  /** Opens everything. */
  heal(): void {
    this.#passages.clear();
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Milliseconds for one message. */
  delay(): number {
    const { least, most } = this.latencyMs;
    return least + this.#random.next() * (most - least);
  }
}
