import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { invariants } from '../invariants/all.ts';
import { mutants, provenByTests } from './all.ts';
import type { Hunt, Order } from './hunt.ts';
import type { Mutant } from './mutant.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    /** Only mutants whose name, or whose invariant, holds this. */
    only: { type: 'string', default: '' },
    /** How long one mutant may be looked for. */
    seconds: { type: 'string', default: '300' },
  },
});

/** A mutant that lets a history never end is given up this long after its time, milliseconds. */
const graceMs = 30_000;

const startedAt = performance.now();
const wanted = mutants.filter(({ name, breaks }) => `${name}\n${breaks}`.includes(values.only));
const hunts = new Map<Mutant, Hunt | undefined>();
const queue = [...wanted];
await Promise.all(Array.from({ length: Number(values.workers) }, work));
report();

/** One process after the other, each for as many mutants as it survives. */
async function work(): Promise<void> {
  let hunter: ChildProcess | undefined;
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    hunter ??= fork(new URL('hunt.ts', import.meta.url));
    const hunt = await ask(hunter, mutant);
    hunts.set(mutant, hunt);
    if (!hunt) hunter = undefined;
  }
  hunter?.disconnect();
}

/** Undefined: the process has not come back. */
function ask(hunter: ChildProcess, { name }: Mutant): Promise<Hunt | undefined> {
  const maxMs = Number(values.seconds) * 1000;
  const order: Order = { name, first: Number(values.first), count: Number(values.seeds), maxMs };
  return new Promise((resolve) => {
    const end = (hunt: Hunt | undefined): void => {
      clearTimeout(deadline);
      hunter.removeAllListeners();
      if (!hunt) hunter.kill('SIGKILL');
      resolve(hunt);
    };
    const deadline = setTimeout(() => end(undefined), maxMs + graceMs);
    hunter.once('message', (message) => end(message as Hunt));
    hunter.once('exit', () => end(undefined));
    hunter.send(order);
  });
}

function report(): void {
  const finders = new Map<string, number>();
  let found = 0;
  for (const mutant of wanted) {
    const hunt = hunts.get(mutant);
    const what = hunt?.found
      ? `found by history ${hunt.tried}: ${hunt.found.violation.invariant}`
      : `NOT FOUND: ${hunt ? `${hunt.tried} histories` : 'the process did not come back'}`;
    console.log(`${mutant.name}\n  breaks: ${mutant.breaks}\n  ${what} (${Math.round(hunt?.cpuMs ?? 0)} ms)`);
    if (!hunt?.found) continue;
    found++;
    const { seed, violation } = hunt.found;
    console.log(`  seed ${seed}: ${violation.sentence}`);
    finders.set(violation.invariant, (finders.get(violation.invariant) ?? 0) + 1);
  }
  const all = [...hunts.values()];
  const alsoWithout = new Set(all.flatMap((hunt) => hunt?.alsoWithout ?? []));
  const tried = all.map((hunt) => hunt?.tried ?? 0).sort((one, other) => one - other);
  const withoutFinder = invariants.filter(({ name }) => values.only === '' && !finders.has(name) && !provenByTests.has(name));
  for (const { name } of invariants) {
    const meant = wanted.filter(({ breaks }) => breaks === name).length;
    if (meant > 0)
      console.log(`invariant "${name}": ${meant} mutants are meant for it, it found ${finders.get(name) ?? 0}`);
  }
  for (const { name } of withoutFinder) console.log(`invariant "${name}" found NO mutant`);
  if (alsoWithout.size > 0) console.log(`seeds that fail also without the mutant: ${[...alsoWithout].join(', ')}`);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`histories needed: median ${tried[tried.length >> 1]}, at most ${tried.at(-1)}; ${seconds.toFixed(0)} s`);
  console.log(`mutants found ${found} / ${wanted.length}`);
  if (found < wanted.length || withoutFinder.length > 0 || alsoWithout.size > 0) process.exitCode = 1;
}
