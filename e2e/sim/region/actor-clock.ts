import type { Clock, Timer } from '../../../src/edges/clock.ts';

/**
 * The clock of an actor that waits for no promise. A clock that has to let promises run between two timers may offer
 * `schedule`, which spares it that round, and `wakePromises`, for the moments at which such an actor does resolve one.
 */
export interface ActorClock extends Clock {
  schedule?(delayMs: number, fire: () => void): Timer;
  wakePromises?(): void;
}

/** As `clock.timer`, for work that waits for no promise. */
export function schedule(clock: ActorClock, delayMs: number, fire: () => void): Timer {
  return clock.schedule ? clock.schedule(delayMs, fire) : clock.timer(delayMs, fire);
}
