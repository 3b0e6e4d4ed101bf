import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { systemClock } from '../../src/edges/clock.ts';
import { systemRandom } from '../../src/edges/random.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { defaultBackoff } from '../../src/kube/recovery.ts';
import { defaultReflectorLimits, type ReflectorLimits } from '../../src/kube/reflector-options.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { definitionPath, eventually, gadget, gadgets, gadgetsPath, installGadgets } from './gadgets.ts';
import { startLoneApiServer, type LoneApiServer } from './server.ts';

const signal = new AbortController().signal;
let server: LoneApiServer;

before(async () => {
  server = await startLoneApiServer();
});
after(() => server?.stop());

/** Short waits, so that a test of a recovery takes seconds. */
const impatient: ReflectorLimits = {
  ...defaultReflectorLimits,
  backoff: { ...defaultBackoff, firstMs: 100, maxMs: 500, slowMs: 200 },
};

interface Followed {
  reflector: Reflector;
  changes: string[];
  names: () => string[];
  stop: () => Promise<void>;
}

const running = new Set<Followed>();
afterEach(async () => {
  for (const each of running) await each.stop();
  await removeAll();
});

function follow(limits: ReflectorLimits = impatient, client: KubeClient = server.client): Followed {
  const stop = new AbortController();
  const changes: string[] = [];
  const reflector = new Reflector({
    client,
    resource: gadgets,
    selection: { namespace: 'default' },
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onChange: (change) => changes.push(`${change.type} ${change.object.metadata.name}`),
    limits,
  });
  const run = reflector.run(stop.signal);
  const followed: Followed = {
    reflector,
    changes,
    names: () =>
      reflector.store
        .list()
        .map((object) => object.metadata.name)
        .sort(),
    async stop() {
      stop.abort();
      await run;
      running.delete(followed);
    },
  };
  running.add(followed);
  return followed;
}

async function removeAll(): Promise<void> {
  if (await server.other.find(gadgetsPath)) await server.other.delete(gadgetsPath);
}

test('a kind that is not installed yet is followed once it is', async () => {
  const followed = follow();
  await eventually('the kind was asked for', () => followed.reflector.status.restarts.missing > 1);
  assert.equal(followed.reflector.status.hasSynced, false);
  assert.equal(followed.reflector.status.connected, false);
  await installGadgets(server.other);
  await server.other.post(gadgetsPath, gadget('first', { size: 1 }));
  await eventually('it is there', () => followed.names().join() === 'first');
  assert.equal(followed.reflector.status.connected, true);
});

test('the store follows creations, changes and deletions, and knows when it has seen our own writes', async () => {
  const followed = follow();
  const { store } = followed.reflector;
  await eventually('synced', () => store.synced);
  const created = await server.client.apply(gadgets, gadget('own', { size: 1 }, { resourceVersion: '1' }), signal);
  store.expect('default/own', created.metadata.resourceVersion ?? '');
  await eventually('the own write was seen', () => store.isCurrent());
  assert.deepEqual(store.get('default/own')?.['spec'], { size: 1 });
  assert.equal(store.get('default/own')?.metadata.managedFields, undefined);
  const { uid, resourceVersion } = created.metadata;
  const updated = await server.client.apply(gadgets, gadget('own', { size: 2 }, { uid, resourceVersion }), signal);
  store.expect('default/own', updated.metadata.resourceVersion ?? '');
  await eventually('the second write was seen', () => store.isCurrent('default/own'));
  assert.deepEqual(store.get('default/own')?.['spec'], { size: 2 });
  const version = updated.metadata.resourceVersion ?? '';
  await server.client.delete(
    gadgets,
    { namespace: 'default', name: 'own' },
    { uid: uid ?? '', resourceVersion: version },
    signal,
  );
  await eventually('the deletion was seen', () => store.get('default/own') === undefined);
  assert.deepEqual(followed.changes, ['added own', 'updated own', 'deleted own']);
});

test('a list of many pages is whole, and in one piece', async () => {
  for (let index = 0; index < 7; index++) await server.other.post(gadgetsPath, gadget(`g${index}`, { size: index }));
  const followed = follow({ ...impatient, pageSize: 2 });
  await eventually('synced', () => followed.reflector.store.synced);
  assert.equal(followed.names().length, 7);
});

test('watches that end by their time are renewed without a list and without losing anything', async () => {
  const followed = follow({ ...impatient, watchSecondsMin: 1, watchSecondsMax: 2 });
  await eventually('synced', () => followed.reflector.store.synced);
  const written: string[] = [];
  for (let index = 0; followed.reflector.status.restarts.closed < 3; index++) {
    written.push(`added r${index}`);
    await server.other.post(gadgetsPath, gadget(`r${index}`, { size: index }));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await eventually('all are there', () => followed.names().length === written.length);
  assert.deepEqual(followed.changes, written, 'each once, in order');
  const { closed, ...others } = followed.reflector.status.restarts;
  assert.ok(closed >= 3);
  assert.ok(
    Object.values(others).every((count) => count === 0),
    JSON.stringify(others),
  );
});

test('an API server that goes away and comes back costs nothing but time', async () => {
  await server.other.post(gadgetsPath, gadget('before', { size: 1 }));
  const followed = follow();
  await eventually('synced', () => followed.reflector.store.synced);
  await server.kill();
  await eventually('the loss was noticed', () => !followed.reflector.status.connected);
  assert.match(followed.reflector.status.lastError?.message ?? '', /gadgets/);
  assert.deepEqual(followed.names(), ['before'], 'what was known is kept');
  await server.start();
  await server.other.post(gadgetsPath, gadget('after', { size: 1 }));
  await server.other.delete(`${gadgetsPath}/before`);
  await eventually('all was caught up with', () => followed.names().join() === 'after');
});

test('what was deleted and created while the log was compacted away is found by a list', async () => {
  for (const name of ['kept', 'gone', 'replaced']) await server.other.post(gadgetsPath, gadget(name, { size: 1 }));
  const gate = gated(server.client);
  const { reflector, changes, names } = follow(impatient, gate.client);
  await eventually('synced', () => reflector.store.synced);
  gate.close();
  await eventually('cut off', () => !reflector.status.connected);
  await server.other.delete(`${gadgetsPath}/gone`);
  await server.other.delete(`${gadgetsPath}/replaced`);
  await server.other.post(gadgetsPath, gadget('replaced', { size: 2 }));
  await server.other.post(gadgetsPath, gadget('new', { size: 1 }));
  await server.kill();
  await server.compact();
  await server.start();
  gate.open();
  await eventually('caught up', () => names().join() === 'kept,new,replaced');
  assert.equal(reflector.status.restarts.expired, 1);
  const since = changes.slice(3);
  assert.deepEqual(since.toSorted(), ['added new', 'added replaced', 'deleted gone', 'deleted replaced']);
  assert.ok(since.indexOf('deleted replaced') < since.indexOf('added replaced'));
});

test('when the kind is taken away its objects are gone, and it is followed again when it is back', async () => {
  await server.other.post(gadgetsPath, gadget('a', { size: 1 }));
  const followed = follow();
  await eventually('synced', () => followed.names().join() === 'a');
  await server.other.delete(definitionPath);
  await eventually('the kind is missing', () => followed.reflector.status.restarts.missing > 0);
  await installGadgets(server.other);
  await server.other.post(gadgetsPath, gadget('b', { size: 1 }));
  await eventually('it is followed again', () => followed.names().join() === 'b');
});

test('who may not list is told so in the status, and is not asked in a hurry', async () => {
  const followed = follow(impatient, server.clientOf('nobody'));
  await eventually('refused', () => followed.reflector.status.restarts.forbidden > 0);
  assert.match(followed.reflector.status.lastError?.message ?? '', /cannot list resource "gadgets"/);
});

/** A client whose watches can be cut off from the server, and kept off. */
function gated(inner: KubeClient): { client: KubeClient; close: () => void; open: () => void } {
  let barrier = new AbortController();
  const check = (): void => {
    if (barrier.signal.aborted) throw barrier.signal.reason;
  };
  const client: KubeClient = Object.create(inner) as KubeClient;
  client.list = (resource, options, each) => {
    check();
    return inner.list(resource, options, each);
  };
  client.watch = async function* (resource, options, each, onChunk) {
    check();
    yield* inner.watch(resource, options, AbortSignal.any([each, barrier.signal]), onChunk);
  };
  return {
    client,
    close: () => barrier.abort(unreachable()),
    open: () => {
      barrier = new AbortController();
    },
  };
}

function unreachable(): Error {
  return new KubeError('Unreachable', 'cut off by the test');
}
