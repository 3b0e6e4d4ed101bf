import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import PQueue from 'p-queue';
import { invariants } from '../invariants/all.ts';
import { mutants } from './all.ts';
import type { Hunt } from './hunt.ts';
import type { Mutant } from './mutant.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    /** Only mutants whose name holds this. */
    only: { type: 'string', default: '' },
  },
});

/** How long a mutant may let one process run, milliseconds; some never come to an end. */
const huntMaxMs = 600_000;

const wanted = mutants.filter(({ name }) => name.includes(values.only));
const lane = new PQueue({ concurrency: Number(values.workers) });
const hunts = await Promise.all(wanted.map((mutant) => lane.add(() => hunt(mutant))));

let found = 0;
wanted.forEach((mutant, index) => {
  const result = hunts[index];
  if (result?.found) found++;
  const what = result?.found
    ? `found at history ${result.tried} by: ${result.found.violation.invariant}`
    : `NOT FOUND in ${result?.tried ?? 0} histories`;
  console.log(`${mutant.name}\n  breaks: ${mutant.breaks}\n  ${what}`);
  if (result?.found) console.log(`  seed ${result.found.seed}: ${result.found.violation.sentence}`);
});
if (values.only === '') {
  for (const { name } of invariants) {
    const own = wanted.filter((mutant) => mutant.breaks === name);
    const by = hunts.filter((each) => each?.found?.violation.invariant === name).length;
    console.log(`invariant "${name}": ${own.length} mutants are meant for it, it found ${by}`);
  }
}
const tried = hunts.map((each) => each?.tried ?? 0).sort((one, other) => one - other);
console.log(`histories needed: median ${tried[tried.length >> 1]}, at most ${tried.at(-1)}`);
console.log(`mutants found ${found} / ${wanted.length}`);
if (found < wanted.length) process.exitCode = 1;

/** Runs histories with the mutant in the controller until one breaks an invariant. */
function hunt(mutant: Mutant): Promise<Hunt> {
  const child = fork(new URL('hunt.ts', import.meta.url), [values.first, values.seeds], {
    env: { ...process.env, RINGMASTER_MUTANT: mutant.name },
    execArgv: ['--import', new URL('load.ts', import.meta.url).href],
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), huntMaxMs);
  return new Promise((resolve, reject) => {
    let result: Hunt | undefined;
    child.on('message', (message) => (result = message as Hunt));
    child.on('exit', (code, signal) => {
      clearTimeout(deadline);
      if (result) resolve(result);
      else if (signal === 'SIGKILL') resolve({ tried: 0, found: undefined });
      else reject(new Error(`the hunt for "${mutant.name}" ended without a result (${code ?? signal})`));
    });
  });
}
