import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';

/*
 * What a run of all tests simulates, within five minutes on two cores. The same programs go further by hand: `make sim
 * SEEDS=100000`, `make sim-crash`, `make sim-mutants`.
 */

/** Histories of `make test`; all of them have to be right. */
const histories = process.env['SIM_HISTORIES'] ?? '500';
/** One of so many crash points. */
const crashSample = process.env['SIM_CRASH_SAMPLE'] ?? '25';

/** Runs a program of the simulation, and passes its last lines on. @throws when it ends with a failure */
async function run(context: TestContext, program: string, ...flags: string[]): Promise<void> {
  const child = spawn(process.execPath, [new URL(program, import.meta.url).pathname, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: context.signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise((resolve, reject) => {
    child.on('exit', resolve);
    child.on('error', reject);
  });
  const lines = output.trimEnd().split('\n');
  for (const line of lines.slice(-8)) context.diagnostic(line.slice(0, 1000));
  assert.equal(code, 0, lines.slice(-60).join('\n'));
}

test('random histories break no invariant', (context) =>
  run(context, 'main.ts', '--seeds', histories, '--coverage', '40'));

test('a controller that dies on the way of a request breaks none either', (context) =>
  run(context, 'crash.ts', '--sample', crashSample));

/** Mistakes that some twenty histories are enough to find, each by another invariant; `make sim-mutants` looks for all. */
const mistakes = [
  'a cluster that was unreachable once stays so',
  'a region joins without a look at the ring',
  'the guard says when it was written',
  'a host is called a stranger while pods have not told who they are',
  'the time of a condition is the time of the last look',
  'what was recorded of a region goes when the region cannot be seen',
  'a region gets its own seeds only',
  'the seeds do not stand in the spec when the member is created',
  'the wait of the guard is written once and never again',
  'writers are told apart by name and not by uid',
  'a region that left the spec is let go of',
  'the finalizer goes when the object is deleted',
  'volumes without a member are cleaned up',
  'the answer to a write is thrown away',
  'a leader goes on after its renew deadline',
];

test('mistakes that are put into the controller are found', (context) =>
  run(context, 'mutants/main.ts', '--seeds', '300', ...mistakes.flatMap((name) => ['--name', name])));
