/**
 * For tests: makes a run with a network and, inside it, a process that does not die with its parent, says what it made
 * in one line of JSON, and waits to be killed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Network } from '../network.ts';
import { waitFor } from '../wait-for.ts';
import { Run } from './run.ts';

const run = await Run.start();
const network = await Network.create(run, ['eu']);
const namespace = network.regions[0]?.namespace ?? '';
const pidFile = join(run.directory, 'orphan.pid');
// The shell ends at once; what it left behind has no parent that could take it along.
run.spawn(['sh', '-c', `setsid sleep 600 & echo $! > ${pidFile}`], {
  log: join(run.directory, 'orphan.log'),
  namespace,
});
const orphan = await waitFor(() => Number(readFileSync(pidFile, 'utf8')), { what: 'the orphan', timeoutMs: 10_000 });
console.log(JSON.stringify({ slot: run.slot, directory: run.directory, namespace, orphan }));
setInterval(() => undefined, 60_000);
