import type { Clock, Timer } from '../../../src/edges/clock.ts';
import { paces } from '../../casskop/pace.ts';
import type { ActorClock } from './actor-clock.ts';

const { resyncMs, blindMs } = paces.true;

/** What CassKop's passes depend on besides the time. */
export interface PassInputs {
  /** Grows with every change of what CassKop reads. */
  version(): number;
  /** Whether the next pass may differ from the last for another reason than its inputs and the time. */
  isUnsettled(): boolean;
}

interface Withheld {
  readonly dueMs: number;
  readonly fire: () => void;
  /** Set once it is withheld no longer. */
  timer: Timer | undefined;
}

/**
 * The clock of CassKop's process. CassKop looks at its objects every five seconds, and mostly finds them as it left
 * them. A pass that changed nothing would change nothing again: until something changes, this clock withholds the
 * timer for the next one, and then lets it fire at the time at which the next would have been due. So what CassKop
 * does, and when, is the same as if every pass had run.
 *
 * A process that was killed does nothing any more.
 */
export class CasskopClock implements Clock {
  readonly #clock: ActorClock;
  readonly #inputs: PassInputs;
  readonly #timers = new Set<Timer>();
  readonly #withheld = new Set<Withheld>();
  /** The version when the present pass began; undefined between passes. */
  #passFrom: number | undefined;
  #readTime = false;
  #changedAtMs = 0;
  #isDead = false;

  constructor(clock: ActorClock, inputs: PassInputs) {
    this.#clock = clock;
    this.#inputs = inputs;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  now(): number {
    this.#readTime = true;
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  timer(delayMs: number, fire: () => void): Timer {
    if (this.#isDead) return { cancel: () => undefined };
    if (delayMs !== resyncMs) return this.#set(delayMs, fire);
    if (!this.#endsQuietPass()) return this.#set(delayMs, () => this.#nextPass(fire));
    const withheld: Withheld = { dueMs: this.#clock.monotonic() + resyncMs, fire, timer: undefined };
    this.#withheld.add(withheld);
    const cancel = (): void => {
      this.#withheld.delete(withheld);
      withheld.timer?.cancel();
    };
    return { cancel };
  }

  /** To be called before anything is read or written. */
  passGoesOn(): void {
    this.#passFrom ??= this.#inputs.version();
  }

  /** To be called whenever the version of the inputs has changed. */
  inputsChanged(): void {
    const now = (this.#changedAtMs = this.#clock.monotonic());
    if (this.#withheld.size === 0) return;
    for (const withheld of this.#withheld) {
      const lateMs = Math.max(0, now - withheld.dueMs);
      const dueMs = withheld.dueMs + Math.ceil(lateMs / resyncMs) * resyncMs;
      withheld.timer = this.#set(dueMs - now, () => this.#nextPass(withheld.fire));
    }
    this.#withheld.clear();
  }

  kill(): void {
    this.#isDead = true;
    this.#withheld.clear();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #nextPass(fire: () => void): void {
    this.#passFrom = undefined;
    this.#readTime = false;
    fire();
  }

  #endsQuietPass(): boolean {
    const isQuiet = this.#passFrom === this.#inputs.version() && !this.#inputs.isUnsettled();
    // For so long an action that began with the last change, counted in whole seconds, still decides by the time.
    const isTimeless = !this.#readTime || this.#clock.monotonic() - this.#changedAtMs > blindMs + 1000;
    this.#passFrom = undefined;
    this.#readTime = false;
    return isQuiet && isTimeless;
  }

  #set(delayMs: number, fire: () => void): Timer {
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      fire();
    });
    this.#timers.add(timer);
    const cancel = (): void => {
      this.#timers.delete(timer);
      timer.cancel();
    };
    return { cancel };
  }
}
