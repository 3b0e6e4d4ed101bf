import { type Clock, sleep } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';

/** Milliseconds between two rounds; each is a tenth longer or shorter, so that many controllers do not come at once. */
const everyMs = 600_000;

/**
 * Calls `round` about every ten minutes until `signal` aborts, then resolves. What no event has told of, a mistake of
 * ours or of somebody else, is put right in that time.
 */
export async function resync(clock: Clock, random: Random, round: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, everyMs * (0.9 + random.next() * 0.2), signal).catch(() => undefined);
    if (!signal.aborted) round();
  }
}
