import { execFile } from 'node:child_process';
import { argv, execPath, resourceUsage } from 'node:process';
import { promisify } from 'node:util';
import { systemClock } from '../../src/edges/clock.ts';
import type { KubeClient, WatchOptions } from '../../src/kube/client.ts';
import { loadContexts } from '../../src/kube/contexts.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { type KubeObject, resources } from '../../src/kube/objects.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { UndiciTransport } from '../../src/kube/undici-transport.ts';
import { startLoneApiServer } from '../api/server.ts';

/**
 * How long the first sync of a reflector takes, and how much memory: by pages of a list, as the reflector does it, and by
 * a watch with sendInitialEvents. Each in a process of its own, against a real API server.
 */

const counts = [40, 2_000];
const repeats = 7;
/** About as much as a pod's spec and status. */
const payload = 'x'.repeat(4_000);
const signal = new AbortController().signal;

interface Sample {
  ms: number;
  peakMiB: number;
}

const ways = {
  async nothing(): Promise<number> {
    return Promise.resolve(0);
  },
  async pages(client: KubeClient, namespace: string): Promise<number> {
    const store = new ObjectStore();
    store.beginList();
    const items: KubeObject[] = [];
    let next: string | undefined;
    do {
      const page = await client.list(
        resources.configMaps,
        { namespace, limit: 500, ...(next !== undefined && { continue: next }) },
        signal,
      );
      items.push(...page.items);
      next = page.metadata.continue;
      if (!next) store.replace(items, page.metadata.resourceVersion);
    } while (next);
    return store.list().length;
  },
  async stream(client: KubeClient, namespace: string): Promise<number> {
    const store = new ObjectStore();
    const options: WatchOptions & Record<string, unknown> = {
      namespace,
      resourceVersion: '',
      resourceVersionMatch: 'NotOlderThan',
      sendInitialEvents: true,
      timeoutSeconds: 60,
    };
    for await (const { type, object } of client.watch(resources.configMaps, options, signal)) {
      if (type === 'ERROR') throw new Error(JSON.stringify(object));
      if (type === 'BOOKMARK') break;
      store.put(object);
    }
    return store.list().length;
  },
};

async function measureHere(way: keyof typeof ways, kubeconfig: string, namespace: string): Promise<void> {
  const [context] = loadContexts([kubeconfig], ['lone']);
  if (!context) throw new Error('no context lone');
  const transport = new UndiciTransport(context, systemClock);
  const client = createKubeClient({
    transport,
    clock: systemClock,
    fieldManager: 'ringmaster',
    userAgent: 'first-list',
    requestDeadlineMs: 30_000,
  });
  await client.getPath('/readyz', signal);
  const started = performance.now();
  const objects = await ways[way](client, namespace);
  const ms = performance.now() - started;
  console.log(JSON.stringify({ objects, ms, peakMiB: resourceUsage().maxRSS / 1024 }));
  await transport.close();
}

async function measure(way: string, kubeconfig: string, namespace: string): Promise<Sample> {
  const { stdout } = await promisify(execFile)(execPath, [import.meta.filename, way, kubeconfig, namespace]);
  return JSON.parse(stdout) as Sample;
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(): Promise<void> {
  const server = await startLoneApiServer();
  try {
    for (const count of counts) {
      const namespace = `of-${count}`;
      await server.client.create(resources.namespaces, { metadata: { name: namespace } }, signal);
      for (let first = 0; first < count; first += 20) {
        await Promise.all(
          Array.from({ length: 20 }, (_, index) => {
            const metadata = { name: `object-${first + index}`, namespace };
            return server.client.apply(resources.configMaps, { metadata, data: { payload } }, signal);
          }),
        );
      }
      const samples = new Map<string, Sample[]>(Object.keys(ways).map((way) => [way, []]));
      for (let repeat = 0; repeat < repeats; repeat++) {
        for (const [way, taken] of samples) taken.push(await measure(way, server.kubeconfig, namespace));
      }
      for (const [way, taken] of samples) {
        const ms = median(taken.map((each) => each.ms));
        const peakMiB = median(taken.map((each) => each.peakMiB));
        console.log(`${count} objects by ${way}: ${ms.toFixed(0)} ms, peak ${peakMiB.toFixed(0)} MiB`);
      }
    }
  } finally {
    await server.stop();
  }
}

const [, , way, kubeconfig = '', namespace = ''] = argv;
if (way === undefined) await compare();
else await measureHere(way as keyof typeof ways, kubeconfig, namespace);
