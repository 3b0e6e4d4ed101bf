import type { Gauges } from './gauges.ts';

/**
 * How much more of each there may be late than early, medians of calm moments: a share of what there was, or this many,
 * whichever is more. What is not named here is only shown.
 */
const tolerances: Partial<Record<keyof Gauges, { readonly share: number; readonly atLeast: number }>> = {
  heapBytes: { share: 0.05, atLeast: 1.5e6 },
  externalBytes: { share: 0.2, atLeast: 1e6 },
  activeTimers: { share: 0.2, atLeast: 4 },
  timerObjects: { share: 0.2, atLeast: 10 },
  socketObjects: { share: 0.2, atLeast: 8 },
  abortSignals: { share: 0.1, atLeast: 15 },
  promises: { share: 0.05, atLeast: 50 },
  closures: { share: 0, atLeast: 250 },
  openSockets: { share: 0.2, atLeast: 8 },
  openFiles: { share: 0, atLeast: 2 },
  listenerWarnings: { share: 0, atLeast: 0 },
};

/**
 * Says in one sentence for each gauge what has grown between the first and the last third of these calm moments; empty
 * if nothing has.
 * @throws RangeError for fewer than three moments.
 */
export function leaksIn(moments: readonly Gauges[]): string[] {
  if (moments.length < 3) throw new RangeError(`${moments.length} calm moments are too few to compare`);
  const third = Math.floor(moments.length / 3);
  const [early, late] = [moments.slice(0, third), moments.slice(-third)];
  const found: string[] = [];
  for (const [gauge, { share, atLeast }] of Object.entries(tolerances)) {
    const name = gauge as keyof Gauges;
    const [from, to] = [median(early.map((each) => each[name])), median(late.map((each) => each[name]))];
    if (to - from > Math.max(from * share, atLeast)) found.push(`${name} grew from ${from} to ${to}`);
  }
  const warned = Math.max(...moments.map(({ listenerWarnings }) => listenerWarnings));
  if (warned > 0) found.push(`${warned} warnings of too many listeners`);
  return found;
}

/** One line a gauge: all calm moments in their order. */
export function describeMoments(moments: readonly Gauges[]): string {
  const names = Object.keys(moments[0] ?? {}) as (keyof Gauges)[];
  return names
    .map((name) => `${name.padEnd(17)}${moments.map((each) => shown(name, each[name]).padStart(8)).join('')}`)
    .join('\n');
}

function shown(name: keyof Gauges, value: number): string {
  return name.endsWith('Bytes') ? `${(value / 1e6).toFixed(1)}M` : String(value);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
