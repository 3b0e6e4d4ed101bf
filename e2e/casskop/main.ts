import { parseArgs } from 'node:util';
import { systemClock } from '../../src/edges/clock.ts';
import { systemRandom } from '../../src/edges/random.ts';
import { ApiServer } from '../harness/api-server.ts';
import { askNode } from './jolokia.ts';
import { paces } from './pace.ts';
import { run } from './run.ts';

const usage = 'usage: main.ts --kubeconfig FILE [--context NAME] --namespace NAME [--pace true|fast]';

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    namespace: { type: 'string' },
    pace: { type: 'string', default: 'true' },
  },
});
const { kubeconfig, context, namespace, pace } = values;
if (!kubeconfig || !namespace || (pace !== 'true' && pace !== 'fast')) {
  console.error(usage);
  process.exit(2);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)));

/** Most passes end as the one before: what is said again is left out. */
let lastLine = '';
function logOnce(message: string, error?: unknown): void {
  const line = error instanceof Error ? `${message}: ${error.message}` : message;
  if (line !== lastLine) console.log(new Date().toISOString(), line);
  lastLine = line;
}

const api = ApiServer.fromKubeconfig(kubeconfig, context);
console.log(`in place of CassKop: namespace ${namespace} at ${api.url}, pace ${pace}`);
await run(
  {
    api,
    namespace,
    pace: paces[pace],
    ask: askNode,
    clock: systemClock,
    random: systemRandom,
    operatorName: process.env['POD_NAME'] ?? 'casskop',
    log: logOnce,
  },
  stop.signal,
);
await api.close();
