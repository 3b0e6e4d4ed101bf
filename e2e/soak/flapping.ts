import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../src/edges/testing.ts';
import type { TcpFault, TcpProxy } from '../proxy/tcp-proxy.ts';

/** Something that a region's network does for a while. */
export interface Flap {
  /** It works this long before, milliseconds. */
  readonly afterMs: number;
  readonly fault: TcpFault;
  readonly forMs: number;
}

const faults: readonly ((random: SeededRandom) => TcpFault)[] = [
  () => ({ kind: 'reset' }),
  () => ({ kind: 'black hole' }),
  () => ({ kind: 'half-open' }),
  () => ({ kind: 'freeze' }),
  (random) => ({ kind: 'latency', ms: between(random, 200, 4_000) }),
  (random) => ({ kind: 'truncate', bytes: between(random, 100, 5_000) }),
  (random) => ({ kind: 'drip', bytes: between(random, 20, 400), everyMs: 5 }),
];
/** One in so many lasts longer than it takes until a region is said to be away. */
const longOneIn = 4;

/** The next thing to happen to a region. */
export function nextFlap(random: SeededRandom): Flap {
  const fault = faults[between(random, 0, faults.length - 1)]?.(random) ?? { kind: 'none' };
  const isLong = between(random, 1, longOneIn) === 1;
  const forMs = isLong ? between(random, 10_000, 18_000) : between(random, 200, 4_000);
  return { afterMs: between(random, 100, 3_000), fault, forMs };
}

/** Lets a region's network flap until `signal` aborts, then leaves it whole. Resolves with the faults there were. */
export async function flap(proxy: TcpProxy, random: SeededRandom, signal: AbortSignal): Promise<TcpFault['kind'][]> {
  const seen: TcpFault['kind'][] = [];
  try {
    while (!signal.aborted) {
      const { afterMs, fault, forMs } = nextFlap(random);
      await delay(afterMs, undefined, { signal });
      proxy.fault = fault;
      seen.push(fault.kind);
      await delay(forMs, undefined, { signal });
      proxy.fault = { kind: 'none' };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    proxy.fault = { kind: 'none' };
  }
  return seen;
}

function between(random: SeededRandom, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1));
}
