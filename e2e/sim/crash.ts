import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import type { Action, History } from './schedule/history.ts';
import { simulate } from './schedule/simulate.ts';
import { workloads } from './schedule/workloads.ts';

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    part: { type: 'string' },
    /** Die at every `every`th request that is no write, too; 0: at writes only. */
    every: { type: 'string', default: '10' },
    /** Only every so many of these points. */
    sample: { type: 'string', default: '1' },
    workload: { type: 'string' },
    point: { type: 'string' },
    nth: { type: 'string' },
    of: { type: 'string' },
  },
});

type Crash = Extract<Action, { do: 'crash at' }>;

const points = ['before send', 'after commit', 'after reply'] as const;
/** How long the controller stays away, milliseconds. */
const backAfterMs = 2_000;

interface Point {
  workload: string;
  /** How long the workload takes without a crash, milliseconds. */
  lastsMs: number;
  crash: Crash;
}

interface Result {
  tried: number;
  failures: { point: Point; sentence: string }[];
  byWorkload: Record<string, number>;
}

if (values.workload !== undefined) await replay();
else if (values.part !== undefined) await runPart(Number(values.part), Number(values.workers));
else await runAll();

function withCrash(history: History, lastsMs: number, crash: Crash): History {
  return { ...history, lastsMs, steps: [{ atMs: 0, action: crash }, ...history.steps] };
}

/** Every write of each workload, and some of its reads, at each of the points of its way. */
async function pointsOf(): Promise<Point[]> {
  const every = Number(values.every);
  const all: Point[] = [];
  for (const [workload, history] of Object.entries(workloads)) {
    const { violation, writes, requests, virtualMs: lastsMs } = await simulate(history);
    if (violation) throw new Error(`workload "${workload}" fails without a crash: ${violation.sentence}`);
    for (const point of points) {
      const crash = (nth: number, of: Crash['of']): void => {
        all.push({ workload, lastsMs, crash: { do: 'crash at', nth, of, point, backAfterMs } });
      };
      for (let nth = 1; nth <= writes; nth++) crash(nth, 'writes');
      // A read changes nothing: dying after the server has answered it is dying before it hears the answer.
      if (point === 'before send') continue;
      if (every === 0) continue;
      for (let nth = 1; nth <= requests; nth += every) crash(nth, 'requests');
    }
  }
  return all.filter((_, index) => index % Number(values.sample) === 0);
}

async function runPart(part: number, workers: number): Promise<void> {
  const result: Result = { tried: 0, failures: [], byWorkload: {} };
  const all = await pointsOf();
  for (let index = part; index < all.length; index += workers) {
    const point = all[index]!;
    const history = workloads[point.workload]!;
    const { violation } = await simulate(withCrash(history, point.lastsMs, point.crash));
    result.tried++;
    result.byWorkload[point.workload] = (result.byWorkload[point.workload] ?? 0) + 1;
    if (violation) result.failures.push({ point, sentence: `${violation.invariant}: ${violation.sentence}` });
  }
  process.send?.(result);
}

async function runAll(): Promise<void> {
  const workers = Number(values.workers);
  const startedAt = performance.now();
  const results = await Promise.all(
    Array.from({ length: workers }, (_, part) => {
      const child = fork(import.meta.filename, [
        ...process.argv.slice(2),
        '--part',
        String(part),
        '--workers',
        String(workers),
      ]);
      return new Promise<Result>((resolve, reject) => {
        let result: Result | undefined;
        child.on('message', (message) => (result = message as Result));
        child.on('exit', (code) => (result ? resolve(result) : reject(new Error(`a worker ended with ${code}`))));
      });
    }),
  );
  const failures = results.flatMap((each) => each.failures);
  for (const { point, sentence } of failures) {
    const { workload, crash } = point;
    console.log(`workload "${workload}", ${crash.point} of number ${crash.nth} of its ${crash.of}: ${sentence}`);
    console.log(
      `  replay it: node e2e/sim/crash.ts --workload '${workload}' --point '${crash.point}' --of ${crash.of} --nth ${crash.nth}`,
    );
  }
  for (const workload of Object.keys(workloads)) {
    const count = results.reduce((sum, each) => sum + (each.byWorkload[workload] ?? 0), 0);
    console.log(`${workload}: ${count} crash points`);
  }
  const tried = results.reduce((sum, each) => sum + each.tried, 0);
  console.log(
    `crash points ${tried}, failures ${failures.length}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
  );
  if (failures.length > 0) process.exitCode = 1;
}

async function replay(): Promise<void> {
  const history = workloads[values.workload ?? ''];
  if (!history)
    throw new RangeError(`--workload: expected one of ${Object.keys(workloads).join(', ')}, got ${values.workload}`);
  const point = points.find((each) => each === values.point);
  const of = values.of === 'requests' ? 'requests' : 'writes';
  const crash: Crash | undefined = point && { do: 'crash at', nth: Number(values.nth ?? 1), of, point, backAfterMs };
  const { timeline, violation } = await simulate(
    crash ? withCrash(history, (await simulate(history)).virtualMs, crash) : history,
    { keepTimeline: true },
  );
  console.log(timeline);
  console.log(
    violation ? `\n${violation.invariant}\n${violation.sentence}\n${violation.statement}` : '\nnothing was wrong',
  );
  if (violation) process.exitCode = 1;
}
