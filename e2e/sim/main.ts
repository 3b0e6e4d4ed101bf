import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { CoverageWatch } from './coverage.ts';
import { type BatchResult, runBatch, together } from './schedule/batch.ts';
import { historyOf } from './schedule/generate.ts';
import { shrink } from './schedule/shrink.ts';
import { simulate } from './schedule/simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '3600' },
    replay: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    part: { type: 'string' },
    coverage: { type: 'string', default: '200' },
  },
});

/** A run that goes wrong everywhere says so often enough after this many failures. */
const failuresMax = 20;

if (values.replay !== undefined) await replay(number('replay', values.replay));
else if (values.part !== undefined) await runPart(number('part', values.part));
else await runAll();

/** One seed, with everything that happens. */
async function replay(seed: number): Promise<void> {
  const history = values.shrink ? await shrink(historyOf(seed)) : historyOf(seed);
  const { timeline, violation } = await simulate(history, { keepTimeline: true });
  console.log(timeline);
  console.log(`\nhistory ${JSON.stringify(history, null, 1)}`);
  if (!violation) {
    console.log(`\nseed ${seed}: nothing was wrong`);
    return;
  }
  console.log(
    `\nseed ${seed}, after ${violation.atMs / 1000} s: ${violation.invariant}\n${violation.sentence}\n${violation.statement}`,
  );
  process.exitCode = 1;
}

async function runPart(part: number): Promise<void> {
  const workers = number('workers', values.workers);
  const endsAt = Date.now() + number('seconds', values.seconds) * 1000;
  const result = await runBatch({
    first: number('first', values.first) + part,
    count: number('seeds', values.seeds) - part,
    step: workers,
    failuresMax,
    isOver: () => Date.now() > endsAt,
  });
  process.send?.(result);
}

async function runAll(): Promise<void> {
  const workers = number('workers', values.workers);
  const startedAt = performance.now();
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, part) => {
      const child = fork(import.meta.filename, [
        ...process.argv.slice(2),
        '--part',
        String(part),
        '--workers',
        String(workers),
      ]);
      return new Promise<BatchResult>((resolve, reject) => {
        let result: BatchResult | undefined;
        child.on('message', (message) => (result = message as BatchResult));
        child.on('exit', (code, signal) => {
          if (result) resolve(result);
          else reject(new Error(`a worker of the simulation ended without a result (${code ?? signal})`));
        });
      });
    }),
  );
  const result = parts.reduce(together);
  const minutes = (performance.now() - startedAt) / 60_000;
  report(result, minutes);
  await reportCoverage();
  if (result.failures.length > 0 || result.histories === 0) process.exitCode = 1;
}

function report(result: BatchResult, minutes: number): void {
  const { histories, cpuSeconds, virtualHours, requests, writes, checks, actions, states, failures } = result;
  for (const { seed, violation } of failures) {
    console.log(`seed ${seed}, after ${violation.atMs / 1000} s: ${violation.invariant}: ${violation.sentence}`);
    console.log(`  replay it: make sim-replay SEED=${seed}`);
  }
  const kinds = Object.entries(actions).sort(([one], [other]) => (one < other ? -1 : 1));
  console.log(`faults and edits: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  console.log(
    `requests ${requests}, writes ${writes}, invariants asked ${checks} times, states of the status ${states.length}`,
  );
  console.log(`virtual hours per real minute ${(virtualHours / minutes).toFixed(0)}`);
  console.log(`histories per second and core ${(histories / cpuSeconds).toFixed(1)}`);
  console.log(`histories ${histories}, failures ${failures.length}`);
}

/** Which branches of the planner the first seeds reach; measured apart, since it costs speed. */
async function reportCoverage(): Promise<void> {
  const count = Math.min(number('coverage', values.coverage), number('seeds', values.seeds));
  if (count === 0) return;
  const watch = await CoverageWatch.start();
  await runBatch({ first: number('first', values.first), count, step: 1, failuresMax: Infinity, isOver: () => false });
  const { covered, total } = await watch.stop(
    (url) => /\/src\/federation\/[a-z-]+\.ts$/.test(url) && !url.includes('.test.'),
  );
  console.log(`branches of the planner reached by ${count} histories ${covered} of ${total}`);
}

/** @throws RangeError naming the flag when its value is no whole number. */
function number(flag: string, value: string): number {
  const parsed = Number(value);
  if (!Number.isSafeInteger(parsed) || parsed < 0)
    throw new RangeError(`--${flag}: expected a whole number, got ${value}`);
  return parsed;
}
