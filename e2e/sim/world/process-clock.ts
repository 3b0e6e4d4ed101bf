import type { Clock, Timer } from '../../../src/edges/clock.ts';
import type { SimulationClock } from './clock.ts';

/**
 * The time as one process of the world has it: its wall clock may be wrong, it may stand still while the world goes
 * on, and when the process is killed nothing it had planned happens any more.
 */
export class ProcessClock implements Clock {
  readonly world: SimulationClock;
  /** How far its wall clock is ahead, milliseconds. */
  skewMs = 0;
  #state: 'running' | 'paused' | 'dead' = 'running';
  #held: (() => void)[] = [];

  constructor(world: SimulationClock) {
    this.world = world;
  }

  now(): number {
    return this.world.now() + this.skewMs;
  }

  monotonic(): number {
    return this.world.monotonic();
  }

  timer(delayMs: number, fire: () => void): Timer {
    if (this.#state === 'dead') return { cancel: () => undefined };
    return this.world.timer(delayMs, () => this.do(fire));
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Does `work` in this process: now, or when it goes on, or never. */
  do(work: () => void): void {
    if (this.#state === 'paused') this.#held.push(work);
    else if (this.#state === 'running') {
      this.world.wakePromises();
      work();
    }
  }

  /** Lets the process stand still, as one that is swapped out or whose machine is suspended. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const held = this.#held;
    this.#held = [];
    // One after the other, as the operating system would hand them over: each may go on before the next comes.
    for (const work of held) this.timer(0, work);
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}
