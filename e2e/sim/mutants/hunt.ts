import { historyOf } from '../schedule/generate.ts';
import { simulate } from '../schedule/simulate.ts';
import type { Violation } from '../world/inspection.ts';
import { mutants } from './all.ts';
import { loadMutant } from './loader.ts';

/** What a hunter is asked for: the mutant of this name, in histories of these seeds. */
export interface Order {
  readonly name: string;
  readonly first: number;
  readonly count: number;
  /** How long to look, milliseconds. */
  readonly maxMs: number;
}

/** What became of the search for one mutant. */
export interface Hunt {
  /** Histories run, the one that found it included. */
  readonly tried: number;
  readonly cpuMs: number;
  readonly found: { readonly seed: number; readonly violation: Violation } | undefined;
  /** Seeds whose histories break an invariant without the mutant, too: they prove nothing. */
  readonly alsoWithout: readonly number[];
}

/** Seeds that were tried with the controller as it is, and whether an invariant broke. */
const withoutMutant = new Map<number, boolean>();

async function hunt({ name, first, count, maxMs }: Order): Promise<Hunt> {
  const mutant = mutants.find((each) => each.name === name);
  if (!mutant) throw new RangeError(`there is no mutant "${name}"`);
  const cpu = process.cpuUsage();
  const endsAt = performance.now() + maxMs;
  const simulateMutant = await loadMutant(mutant);
  const alsoWithout: number[] = [];
  let tried = 0;
  let found: Hunt['found'];
  for (let seed = first; seed < first + count && !found && performance.now() < endsAt; seed++) {
    tried++;
    const { violation } = await simulateMutant(historyOf(seed));
    if (!violation) continue;
    let isBroken = withoutMutant.get(seed);
    if (isBroken === undefined) {
      isBroken = (await simulate(historyOf(seed))).violation !== undefined;
      withoutMutant.set(seed, isBroken);
    }
    if (isBroken) alsoWithout.push(seed);
    else found = { seed, violation };
  }
  const { user, system } = process.cpuUsage(cpu);
  return { tried, cpuMs: (user + system) / 1000, found, alsoWithout };
}

// A process of its own, which is handed one mutant after the other.
process.on('message', (order) => {
  void hunt(order as Order).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
