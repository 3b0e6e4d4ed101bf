import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { WatchEvent } from '../../src/kube/client.ts';
import { isKubeError, KubeError } from '../../src/kube/errors.ts';
import { resources } from '../../src/kube/objects.ts';
import { eventually } from './gadgets.ts';
import { startLoneApiServer, type LoneApiServer } from './server.ts';

const signal = new AbortController().signal;
let server: LoneApiServer;

before(async () => {
  server = await startLoneApiServer();
});
after(() => server?.stop());

function configMap(name: string, value: string): { metadata: { name: string; namespace: string }; data: object } {
  return { metadata: { name, namespace: 'default' }, data: { value } };
}

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof KubeError, String(error));
    return error;
  }
  throw new Error('it succeeded');
}

test('pages of a list belong to one version, whatever is written between them', async () => {
  for (let index = 0; index < 5; index++) {
    await server.client.apply(resources.configMaps, configMap(`page-${index}`, 'a'), signal);
  }
  const first = await server.client.list(resources.configMaps, { namespace: 'default', limit: 3 }, signal);
  await server.client.apply(resources.configMaps, configMap('page-9', 'late'), signal);
  const next = first.metadata.continue ?? '';
  const second = await server.client.list(
    resources.configMaps,
    { namespace: 'default', limit: 3, continue: next },
    signal,
  );
  const names = [...first.items, ...second.items].map((item) => item.metadata.name);
  assert.deepEqual(names, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  assert.equal(second.items[0]?.kind, 'ConfigMap');
});

test('a page is served from its version even after a compaction, but not by a server that started since', async () => {
  const list = (next?: string) =>
    server.client.list(
      resources.configMaps,
      { namespace: 'default', limit: 1, ...(next !== undefined && { continue: next }) },
      signal,
    );
  const first = await list();
  await server.client.apply(resources.configMaps, configMap('after-the-page', 'a'), signal);
  await server.compact();
  const second = await list(first.metadata.continue);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  await server.kill();
  await server.start();
  assert.equal((await errorOf(list(second.metadata.continue))).code, 'Expired');
});

test('a watch delivers what happens from its version on, bookmarks, and ends in good order when its time is up', async () => {
  const { metadata } = await server.client.list(resources.configMaps, { namespace: 'default' }, signal);
  const events: WatchEvent[] = [];
  let heard = 0;
  const stream = server.client.watch(
    resources.configMaps,
    { namespace: 'default', resourceVersion: metadata.resourceVersion, timeoutSeconds: 3 },
    signal,
    () => heard++,
  );
  const reading = (async () => {
    for await (const event of stream) events.push(event);
  })();
  const created = await server.client.apply(resources.configMaps, configMap('watched', 'a'), signal);
  await server.client.apply(resources.configMaps, configMap('watched', 'b'), signal);
  await server.other.delete('/api/v1/namespaces/default/configmaps/watched');
  await reading;
  const seen = events.flatMap((event) => (event.type === 'ERROR' ? [] : [event]));
  const changes = seen.filter((event) => event.type !== 'BOOKMARK');
  const versions = changes.map((event) => event.object.metadata.resourceVersion);
  assert.deepEqual(
    changes.map((event) => event.type),
    ['ADDED', 'MODIFIED', 'DELETED'],
  );
  assert.equal(versions[0], created.metadata.resourceVersion);
  assert.equal(new Set(versions).size, 3, 'a deletion has a version of its own');
  assert.ok(changes.length < seen.length, 'there are bookmarks');
  assert.ok(heard >= 2);
});

test('a watch from a version the server has not reached is accepted and brings nothing, not even bookmarks', async () => {
  const { metadata } = await server.client.list(resources.configMaps, { namespace: 'default' }, signal);
  const ahead = String(Number(metadata.resourceVersion) + 1_000_000);
  let accepted = false;
  const stream = server.client.watch(
    resources.configMaps,
    { namespace: 'default', resourceVersion: ahead, timeoutSeconds: 5 },
    signal,
    () => (accepted = true),
  );
  for await (const event of stream) assert.fail(`an event: ${JSON.stringify(event)}`);
  assert.equal(accepted, true);
});

test('who is not known, not allowed or asks for what is not there is told so', async () => {
  const ask = (client: typeof server.client): Promise<KubeError> =>
    errorOf(client.list(resources.configMaps, { namespace: 'default' }, signal));
  assert.equal((await ask(server.clientOf('stranger'))).code, 'Unauthorized');
  const forbidden = await ask(server.clientOf('nobody'));
  assert.equal(forbidden.code, 'Forbidden');
  assert.match(forbidden.message, /"nobody" cannot list resource "configmaps"/);
  const absent = { group: 'no.such.group', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };
  assert.equal((await errorOf(server.client.list(absent, {}, signal))).code, 'NotFound');
  const ref = { namespace: 'default', name: 'absent' };
  assert.equal((await errorOf(server.client.get(resources.configMaps, ref, signal))).code, 'NotFound');
});

test('a pod that cannot be reached is an error of the API server, not an answer of the pod', async () => {
  const ask = (name: string): Promise<KubeError> =>
    errorOf(server.client.podProxyGet('default', name, 8778, '/jolokia', signal));
  assert.equal((await ask('absent')).code, 'NotFound');
  await server.other.post('/api/v1/namespaces/default/pods', {
    metadata: { name: 'unscheduled' },
    spec: { containers: [{ name: 'c', image: 'none' }] },
  });
  const unscheduled = await ask('unscheduled');
  assert.ok(isKubeError(unscheduled, 'BadRequest', 'ServerError'), unscheduled.message);
});

test('paths outside the resources answer as they are', async () => {
  const ready = await server.client.getPath('/readyz', signal);
  assert.deepEqual(ready, { status: 200, body: 'ok' });
  assert.match((await server.client.getPath('/version', signal)).body, /"gitVersion"/);
  assert.equal((await server.clientOf('stranger').getPath('/readyz', signal)).status, 401);
});

test('while the server is down a request fails at once and certainly did nothing, and works again afterwards', async () => {
  await server.kill();
  const ask = (): Promise<KubeError> => errorOf(server.client.get(resources.namespaces, { name: 'default' }, signal));
  // The first requests may still meet connections that have just broken, and then nobody knows.
  await eventually('the connection is refused', async () => {
    const error = await ask();
    assert.equal(error.code, 'Unreachable');
    return !error.mayHaveActed;
  });
  await server.start();
  assert.equal((await server.client.get(resources.namespaces, { name: 'default' }, signal)).metadata.name, 'default');
});
