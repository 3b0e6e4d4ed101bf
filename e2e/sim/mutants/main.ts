import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { invariants } from '../invariants/all.ts';
import { mutants, provenByTests } from './all.ts';
import type { Hunt, Order } from './hunt.ts';
import type { Mutant } from './mutant.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '150' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    /** Only mutants whose name, or whose invariant, holds this. */
    only: { type: 'string', default: '' },
    /** Only these, by their whole names; may be given more than once. */
    name: { type: 'string', multiple: true, default: [] },
    /** How long one mutant may be looked for. */
    seconds: { type: 'string', default: '300' },
  },
});

/** A mutant that lets a history never end is given up this long after its time, milliseconds. */
const graceMs = 30_000;
/** A process that has run so many histories is replaced by a new one, for it has grown. */
const historiesMax = 200;

/** Of what an invariant has to say, characters. */
const sentenceMax = 240;

const startedAt = performance.now();
const wanted = mutants.filter(
  ({ name, breaks }) =>
    `${name}\n${breaks}`.includes(values.only) && (values.name.length === 0 || values.name.includes(name)),
);
const isEverything = wanted.length === mutants.length;
const hunts = new Map<Mutant, Hunt | undefined>();
const queue = [...wanted];
await Promise.all(Array.from({ length: Number(values.workers) }, work));
report();

/** One process after the other, each for as many mutants as it survives. */
async function work(): Promise<void> {
  let hunter: ChildProcess | undefined;
  let histories = 0;
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    hunter ??= fork(new URL('hunt.ts', import.meta.url));
    const hunt = await ask(hunter, mutant);
    hunts.set(mutant, hunt);
    tell(mutant, hunt);
    histories += hunt?.tried ?? 0;
    if (hunt && histories < historiesMax) continue;
    if (hunter.connected) hunter.disconnect();
    hunter = undefined;
    histories = 0;
  }
  if (hunter?.connected) hunter.disconnect();
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

function tell({ name, breaks }: Mutant, hunt: Hunt | undefined): void {
  const time = `${((hunt?.cpuMs ?? 0) / 1000).toFixed(1)} s`;
  if (!hunt?.found) {
    const why = hunt ? `${hunt.tried} histories, ${time}` : 'its process did not come back';
    console.log(`NOT FOUND: ${name} (${why})\n  meant to break "${breaks}"`);
    return;
  }
  const { history, violation } = hunt.found;
  const meant = violation.invariant === breaks ? '' : ` (meant to break "${breaks}")`;
  console.log(`${name}: history ${hunt.tried}, ${time}\n  ${violation.invariant}${meant}`);
  console.log(`  ${history}: ${violation.sentence.slice(0, sentenceMax)}`);
}

function report(): void {
  const all = [...hunts.values()];
  const found = all.filter((hunt) => hunt?.found);
  let isWhole = found.length === wanted.length;
  for (const { name } of isEverything ? invariants : []) {
    const meant = wanted.filter(({ breaks }) => breaks === name).length;
    const by = found.filter((hunt) => hunt?.found?.violation.invariant === name).length;
    console.log(
      `invariant "${name}": meant for it ${meant}, found by it ${by}${provenByTests.has(name) ? ', proven by a test' : ''}`,
    );
    if (by === 0 && !provenByTests.has(name)) isWhole = false;
  }
  const otherwise = [...hunts].filter(([{ breaks }, hunt]) => hunt?.found && hunt.found.violation.invariant !== breaks);
  if (otherwise.length > 0) {
    console.log(`reported by another invariant than they name: ${otherwise.map(([{ name }]) => name).join('; ')}`);
    if (isEverything) isWhole = false;
  }
  const alsoWithout = [...new Set(all.flatMap((hunt) => hunt?.alsoWithout ?? []))].sort();
  if (alsoWithout.length > 0) {
    console.log(`histories that break an invariant also without the mutant: ${alsoWithout.join(', ')}`);
    isWhole = false;
  }
  const tried = found.map((hunt) => hunt?.tried ?? 0).sort((one, other) => one - other);
  const cpu = all.reduce((sum, hunt) => sum + (hunt?.cpuMs ?? 0), 0) / 1000;
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`histories needed: median ${tried[tried.length >> 1]}, at most ${tried.at(-1)}`);
  console.log(`${seconds.toFixed(0)} s, ${cpu.toFixed(0)} s of CPU time`);
  console.log(`mutants found ${found.length} / ${wanted.length}`);
  if (!isWhole) process.exitCode = 1;
}
