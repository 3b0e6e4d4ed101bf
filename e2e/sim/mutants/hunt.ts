import { directed } from '../schedule/directed.ts';
import { historyOf } from '../schedule/generate.ts';
import type { History } from '../schedule/history.ts';
import { simulate } from '../schedule/simulate.ts';
import type { Violation } from '../world/inspection.ts';
import { mutants } from './all.ts';
import { loadMutant } from './loader.ts';
import type { Mutant } from './mutant.ts';

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
  readonly found: { readonly history: string; readonly violation: Violation } | undefined;
  /** Histories that break an invariant without the mutant, too: they prove nothing. */
  readonly alsoWithout: readonly string[];
}

/** Histories that were tried with the controller as it is, and whether an invariant broke. */
const withoutMutant = new Map<string, boolean>();

/** What a mutant is looked for in: the history that is meant for it, and then random ones. */
function* historiesFor({ history }: Mutant, first: number, count: number): Generator<[name: string, history: History]> {
  if (history !== undefined) yield [history, directed[history]];
  for (let seed = first; seed < first + count; seed++) yield [`seed ${seed}`, historyOf(seed)];
}

async function hunt({ name, first, count, maxMs }: Order): Promise<Hunt> {
  const mutant = mutants.find((each) => each.name === name);
  if (!mutant) throw new RangeError(`there is no mutant "${name}"`);
  const cpu = process.cpuUsage();
  const endsAt = performance.now() + maxMs;
  const simulateMutant = await loadMutant(mutant);
  const alsoWithout: string[] = [];
  let tried = 0;
  let found: Hunt['found'];
  for (const [label, history] of historiesFor(mutant, first, count)) {
    if (found || performance.now() >= endsAt) break;
    tried++;
    const { violation } = await simulateMutant(history);
    if (!violation) continue;
    let isBroken = withoutMutant.get(label);
    if (isBroken === undefined) {
      isBroken = (await simulate(history)).violation !== undefined;
      withoutMutant.set(label, isBroken);
    }
    if (isBroken) alsoWithout.push(label);
    else found = { history: label, violation };
  }
  const { user, system } = process.cpuUsage(cpu);
  return { tried, cpuMs: (user + system) / 1000, found, alsoWithout };
}

// A process of its own, which is handed one mutant after the other.
process.on('message', (order) => {
  void hunt(order as Order).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
