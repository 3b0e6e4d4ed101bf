/** One line of what happened. */
export interface Moment {
  /** Milliseconds since the world began. */
  readonly atMs: number;
  /** Who did it or whom it befell: `controller-1`, `casskop eu`, `user`, `fault`. */
  readonly who: string;
  readonly what: string;
}

/** What happened in a world, in order; costs nothing unless somebody wants to read it. */
export class Timeline {
  readonly moments: Moment[] = [];
  readonly #isKept: boolean;
  readonly #now: () => number;

  constructor(isKept: boolean, now: () => number) {
    this.#isKept = isKept;
    this.#now = now;
  }

  /** `what` is only asked for when the timeline is kept. */
  note(who: string, what: () => string): void {
    if (this.#isKept) this.moments.push({ atMs: this.#now(), who, what: what() });
  }

  /** For people: one line each, with the time in seconds. */
  toString(): string {
    return this.moments
      .map(({ atMs, who, what }) => `${(atMs / 1000).toFixed(3).padStart(10)}  ${who.padEnd(14)} ${what}`)
      .join('\n');
  }
}
