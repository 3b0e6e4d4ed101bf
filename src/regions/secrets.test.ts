import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { constantRandom, VirtualClock } from '../edges/testing.ts';
import type { KubeClient, WatchEvent } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { isRefused, type RefusedRegistration, type Registration } from './registration.ts';
import { KubeconfigSecrets, kubeconfigLabels } from './secrets.ts';
import { listening } from './testing.ts';

const kubeconfig = stringify({
  clusters: [{ name: 'c', cluster: { server: 'https://region.example' } }],
  users: [{ name: 'u', user: { token: 't' } }],
  contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
  'current-context': 'x',
});

function secret(name: string, annotations: Record<string, string> = {}, more: Partial<KubeObject> = {}): KubeObject {
  return {
    metadata: {
      name,
      namespace: 'ringmaster',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations,
    },
    data: { kubeconfig: Buffer.from(kubeconfig).toString('base64') },
    ...more,
  };
}

/** What is registered by these Secrets, the first ones under the first label. */
async function registered(
  first: readonly KubeObject[],
  second: readonly KubeObject[] = [],
): Promise<(Registration | RefusedRegistration)[]> {
  const clock = new VirtualClock();
  const asked = new Set<string>();
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    list: (_resource, { namespace, labelSelector }) => {
      asked.add(`${namespace}: ${labelSelector}`);
      const items = labelSelector === `${kubeconfigLabels[0]}=true` ? first : second;
      return Promise.resolve({ items: [...items], metadata: { resourceVersion: '1' } });
    },
    watch: (_resource, _options, signal): AsyncIterable<WatchEvent> => ({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      }),
    }),
  };
  const secrets = new KubeconfigSecrets({
    client,
    namespace: 'ringmaster',
    clock,
    random: constantRandom(0.5),
    logger: listening(),
  });
  const stop = new AbortController();
  assert.match(secrets.pending ?? '', /Secrets of namespace ringmaster .* not read yet/);
  let changes = 0;
  const running = secrets.run(stop.signal, () => changes++);
  await clock.until('they are read', () => secrets.pending === undefined);
  stop.abort();
  await running;
  assert.ok(changes > 0);
  assert.deepEqual(
    [...asked],
    ['ringmaster: ringmaster.dev/kubeconfig=true', 'ringmaster: sigs.k8s.io/multicluster-runtime-kubeconfig=true'],
  );
  return secrets.read();
}

test('each Secret registers a region of its own name, or of the one it is annotated with', async () => {
  const found = await registered([secret('eu'), secret('b', { 'ringmaster.dev/region': 'arn:aws:eks/us' })]);
  assert.deepEqual(
    found.map(({ name, origin, tenancy }) => ({ name, origin, tenancy })),
    [
      { name: 'arn:aws:eks/us', origin: 'Secret ringmaster/b' },
      { name: 'eu', origin: 'Secret ringmaster/eu' },
    ].map((each) => ({ ...each, tenancy: { hubNamespaces: 'all', regionNamespaces: 'own' } })),
  );
});

test('a Secret with both labels registers once, and the oldest comes first', async () => {
  const old = secret('z');
  old.metadata.creationTimestamp = '2025-01-01T00:00:00Z';
  const both = secret('eu');
  assert.deepEqual(
    (await registered([both], [both, old])).map(({ name }) => name),
    ['z', 'eu'],
  );
});

test('annotations say who may use the region, and one that cannot be read lets nobody', async () => {
  const [found, wrong] = await registered([
    secret('eu', { 'ringmaster.dev/hub-namespaces': 'orders,billing', 'ringmaster.dev/region-namespaces': '*' }),
    secret('us', { 'ringmaster.dev/hub-namespaces': 'Orders' }),
  ]);
  assert.deepEqual(found?.tenancy, { hubNamespaces: new Set(['orders', 'billing']), regionNamespaces: 'all' });
  assert.ok(wrong && isRefused(wrong));
  assert.equal(wrong.tenancy, undefined);
  assert.match(wrong.problem, /^Secret ringmaster\/us: annotation ringmaster.dev\/hub-namespaces: "Orders" is no name/);
});

test('a Secret that cannot be used says why: no key, a wrong name, a kubeconfig that reaches too far', async () => {
  const evil = Buffer.from(kubeconfig.replace('token: t', 'tokenFile: /etc/passwd')).toString('base64');
  const found = await registered([
    secret('a', {}, { data: {} }),
    secret('b', { 'ringmaster.dev/region': '../b' }),
    secret('c', {}, { data: { kubeconfig: evil } }),
  ]);
  assert.deepEqual(
    found.map((each) => [each.name, isRefused(each) && each.problem]),
    [
      ['a', 'Secret ringmaster/a: it has no key kubeconfig'],
      [undefined, 'Secret ringmaster/b: annotation ringmaster.dev/region is "../b", which is no name for a region'],
      [
        'c',
        "Secret ringmaster/c: user.tokenFile is not allowed in a Secret's kubeconfig: it would read a file of the controller; put the token itself in token",
      ],
    ],
  );
});
