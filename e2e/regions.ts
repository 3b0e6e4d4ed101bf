/**
 * Real regions for a person to play with:
 *
 *   node e2e/regions.ts up [--regions eu,us,ap] [--namespace cassandra] [--nodes cassandra|light] [--detach]
 *   node e2e/regions.ts down
 *
 * `up` stays until Ctrl-C and then removes everything; with --detach it goes to the background and `down` ends it.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HarnessError, startRegions, waitFor, type Regions } from './harness/index.ts';
import { isRunning, sendSignal } from './harness/run/processes.ts';
import { forgetRunning, listRunning, rememberRunning, upLog } from './harness/run/running.ts';
import { Run } from './harness/run/run.ts';

const stopTimeoutMs = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    regions: { type: 'string', default: 'eu,us,ap' },
    namespace: { type: 'string', default: 'cassandra' },
    nodes: { type: 'string', default: 'cassandra' },
    detach: { type: 'boolean', default: false },
  },
});

async function up(): Promise<void> {
  const { nodes } = values;
  if (nodes !== 'cassandra' && nodes !== 'light')
    throw new HarnessError('BadArgument', '--nodes is cassandra or light');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const names = values.regions.split(',').filter(Boolean);
  rememberRunning();
  let regions: Regions | undefined;
  try {
    regions = await startRegions({ regions: names, nodes, signal: stop.signal });
    await regions.prepareNamespace(values.namespace);
    console.log(greeting(regions, values.namespace));
    await untilAborted(stop.signal);
    console.log('\nremoving the regions ...');
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await regions?.stop();
    forgetRunning();
  }
}

function greeting({ kubeconfig, kubectl, directory, all }: Regions, namespace: string): string {
  const names = all.map(({ name }) => name);
  const [hub] = names;
  return `
Regions ${names.join(', ')} are up: one Kubernetes API server each, with CassKop for namespace ${namespace}.

  kubeconfig   ${kubeconfig}
  kubectl      ${kubectl}
  files, logs  ${directory}

Try:
  export PATH=${join(directory, 'bin')}:$PATH KUBECONFIG=${kubeconfig}
  kubectl config get-contexts
  kubectl --context ${hub} get nodes,namespaces
  npx ringmaster crds | kubectl --context ${hub} apply -f -
  npx ringmaster run --kubeconfig ${kubeconfig} ${names.map((name) => `--context ${name}`).join(' ')}
`;
}

/** The same command in the background; resolves when its regions are up. */
async function detach(): Promise<void> {
  const log = upLog();
  const output = openSync(log, 'w');
  const args = process.argv.slice(2).filter((each) => each !== '--detach');
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  child.unref();
  const read = (): string => readFileSync(log, 'utf8');
  let shown = 0;
  await waitFor(
    () => {
      const text = read();
      process.stdout.write(text.slice(shown));
      shown = text.length;
      return text.includes('\nTry:');
    },
    {
      what: 'the regions',
      timeoutMs: 60 * 60_000,
      giveUp: () => (child.exitCode === null ? undefined : `they ended with exit code ${child.exitCode}: see ${log}`),
    },
  );
  console.log('They stay up; end them with: node e2e/regions.ts down');
}

async function down(): Promise<void> {
  const running = listRunning();
  for (const each of running) sendSignal(each, 'SIGTERM');
  await waitFor(() => !running.some(isRunning), { what: 'the regions to go', timeoutMs: stopTimeoutMs });
  // Starting a run removes what runs that were killed have left.
  await (await Run.start()).stop();
  console.log(running.length === 0 ? 'No regions were up.' : 'The regions are gone.');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    const end = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

try {
  const [verb] = positionals;
  if (verb === 'up') await (values.detach ? detach() : up());
  else if (verb === 'down') await down();
  else throw new HarnessError('BadArgument', 'usage: node e2e/regions.ts up|down [--regions eu,us,ap] [--detach]');
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  console.error(error.message);
  process.exitCode = error.code === 'BadArgument' ? 2 : 1;
}
