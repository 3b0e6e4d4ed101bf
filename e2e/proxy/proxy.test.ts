import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { startLoneApiServer, type LoneApiServer } from '../api/server.ts';
import { ApiServer } from '../harness/api-server.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ControllerProxies } from './controller-proxies.ts';
import { delayWrites, holdWrites } from './hold.ts';
import { describeWrite } from './write.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
let server: LoneApiServer;
let directory: string;
let proxies: ControllerProxies;
let eu: ApiServer;
let us: ApiServer;
let names = 0;

before(async () => {
  server = await startLoneApiServer();
  directory = mkdtempSync(join(tmpdir(), 'ringmaster-proxy-'));
});
after(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});
// Two regions with one API server behind them: what is counted is the controller's writes, not the server's.
beforeEach(async () => {
  const { tls, headers } = await server.context.credentials();
  const token = headers['authorization']?.replace('Bearer ', '') ?? '';
  const target = {
    url: server.context.server,
    authority: String(tls.ca),
    tokens: { admin: token, kubelet: token, 'regional-operator': token, ringmaster: token },
  };
  const targets = ['eu', 'us'].map((name) => ({ name, ...target }));
  proxies = await ControllerProxies.start({ targets, directory, name: 'test' });
  eu = ApiServer.fromKubeconfig(proxies.kubeconfig, 'eu');
  us = ApiServer.fromKubeconfig(proxies.kubeconfig, 'us');
});
afterEach(async () => {
  await Promise.all([eu.close(), us.close()]);
  await proxies.close();
});

function configMap(): { metadata: { name: string }; data: Record<string, string> } {
  names += 1;
  return { metadata: { name: `map-${names}` }, data: { text: 'ä€😀' } };
}

test('what is read and written through it is what the server has', async () => {
  const object = configMap();
  await eu.post(configMaps, object);
  const direct = await server.other.get(`${configMaps}/${object.metadata.name}`);
  assert.deepEqual(direct['data'], object.data);
  assert.deepEqual(await eu.get(`${configMaps}/${object.metadata.name}`), direct);
  await assert.rejects(eu.get(`${configMaps}/absent`), { status: 404 });
});

test('a watch passes each event on as it happens', async () => {
  const stop = new AbortController();
  const { metadata } = await eu.get(configMaps);
  const events = eu.watch(configMaps, metadata.resourceVersion ?? '', stop.signal);
  for (const _ of [1, 2, 3]) {
    const object = configMap();
    await server.other.post(configMaps, object);
    const next = await events.next();
    assert.ok(!next.done);
    assert.equal(next.value.object.metadata.name, object.metadata.name);
  }
  stop.abort();
});

test('writes are numbered as one sequence over all regions', async () => {
  const [one, other] = [configMap(), configMap()];
  await eu.post(configMaps, one);
  await us.post(configMaps, other);
  await eu.get(configMaps);
  await us.patch(`${configMaps}/${one.metadata.name}`, 'merge', { data: { more: 'yes' } });
  await eu.delete(`${configMaps}/${other.metadata.name}`);
  await assert.rejects(eu.patch('/api/v1/namespaces/default/pods/absent/status', 'merge', {}), { status: 404 });
  await us.post('/api/v1/namespaces', { metadata: { name: 'another' } });
  assert.deepEqual(proxies.writes.map(describeWrite), [
    '1: POST configmaps in eu',
    '2: POST configmaps in us',
    '3: PATCH configmaps in us',
    '4: DELETE configmaps in eu',
    '5: PATCH pods/status in eu',
    '6: POST namespaces in us',
  ]);
});

test('a write that is dropped on arrival never reaches the server', async () => {
  const object = configMap();
  proxies.use({ arrived: () => 'drop' });
  await assert.rejects(eu.post(configMaps, object));
  assert.equal(await server.other.find(`${configMaps}/${object.metadata.name}`), undefined);
});

test('a reply that is dropped leaves the write done', async () => {
  const object = configMap();
  const answers: number[] = [];
  proxies.use({
    answered(_write, status) {
      answers.push(status);
      return 'drop';
    },
  });
  await assert.rejects(eu.post(configMaps, object));
  assert.deepEqual(answers, [201]);
  assert.ok(await server.other.find(`${configMaps}/${object.metadata.name}`));
});

test('the last hook runs when the controller has its reply', async () => {
  const order: string[] = [];
  proxies.use({
    arrived: () => void order.push('arrived'),
    answered: (_write, status) => void order.push(`answered ${status}`),
    replied: (_write, status) => void order.push(`replied ${status}`),
  });
  await eu.post(configMaps, configMap());
  await waitFor(() => order.length === 3, { what: 'the hooks', timeoutMs: 10_000, intervalMs: 5 });
  assert.deepEqual(order, ['arrived', 'answered 201', 'replied 201']);
});

test('a held kind of write waits for its release, other kinds pass', async () => {
  const [held, other] = [configMap(), configMap()];
  const hold = holdWrites(proxies, ({ method, region }) => method === 'POST' && region === 'eu');
  const sent = eu.post(configMaps, held);
  await us.post(configMaps, other);
  await waitFor(() => hold.held.length === 1, { what: 'the write', timeoutMs: 10_000, intervalMs: 5 });
  assert.equal(await server.other.find(`${configMaps}/${held.metadata.name}`), undefined);
  hold.release();
  await sent;
  assert.ok(await server.other.find(`${configMaps}/${held.metadata.name}`));
});

test('a held write that its sender gave up is never sent', async () => {
  const object = configMap();
  const hold = holdWrites(proxies, () => true);
  const impatient = new AbortController();
  const sent = eu.post(configMaps, object, impatient.signal);
  await waitFor(() => hold.held.length === 1, { what: 'the write', timeoutMs: 10_000, intervalMs: 5 });
  impatient.abort(new Error('enough'));
  await assert.rejects(sent);
  await us.get(configMaps);
  hold.release();
  await us.post(configMaps, configMap());
  assert.equal(await server.other.find(`${configMaps}/${object.metadata.name}`), undefined);
});

test('a delayed kind of write arrives late', async () => {
  const stop = delayWrites(proxies, ({ resource }) => resource === 'configmaps', 300);
  const started = performance.now();
  await eu.post(configMaps, configMap());
  assert.ok(performance.now() - started >= 299);
  stop();
});

test('after a disconnect, what was held from before is not sent', async () => {
  const object = configMap();
  const hold = holdWrites(proxies, () => true);
  const sent = assert.rejects(eu.post(configMaps, object));
  await waitFor(() => hold.held.length === 1, { what: 'the write', timeoutMs: 10_000, intervalMs: 5 });
  proxies.disconnect();
  await sent;
  hold.release();
  await eu.post(configMaps, configMap());
  assert.equal(await server.other.find(`${configMaps}/${object.metadata.name}`), undefined);
});
