import { runBatch } from '../schedule/batch.ts';
import type { Violation } from '../world/inspection.ts';

/** What became of the search for one mutant. */
export interface Hunt {
  /** Histories run, the one that found it included. */
  readonly tried: number;
  readonly found: { readonly seed: number; readonly violation: Violation } | undefined;
}

// A process of its own, which load.ts has put the mutant into.
const [first = '1', count = '1000'] = process.argv.slice(2);
const { histories, failures } = await runBatch({
  first: Number(first),
  count: Number(count),
  step: 1,
  failuresMax: 1,
  isOver: () => false,
});
const hunt: Hunt = { tried: histories, found: failures[0] };
process.send?.(hunt);
