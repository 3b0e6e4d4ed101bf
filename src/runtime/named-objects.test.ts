import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantRandom, settle, VirtualClock } from '../edges/testing.ts';
import { KubeError } from '../kube/errors.ts';
import { FakeCluster } from '../kube/testing.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { NamedObjects } from './named-objects.ts';

const things = { group: 'test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true };

function bench(): {
  clock: VirtualClock;
  cluster: FakeCluster;
  objects: NamedObjects;
  told: string[][];
  stop: () => Promise<void>;
} {
  const clock = new VirtualClock();
  const cluster = new FakeCluster(clock);
  const told: string[][] = [];
  const objects = new NamedObjects({
    client: cluster,
    place: 'the hub',
    clock,
    random: constantRandom(0.5),
    logger: silentLogger,
    onChange: (keys) => told.push([...keys]),
  });
  const end = new AbortController();
  const running = objects.run(end.signal);
  const stop = async (): Promise<void> => {
    end.abort(new Error('stopped by the test'));
    await running;
    await settle();
    assert.equal(clock.pendingTimers, 0, 'no timer is left behind');
    assert.equal(cluster.openWatches, 0, 'no watch is left behind');
  };
  return { clock, cluster, objects, told, stop };
}

test('an object is read by its name alone, and whoever has asked for it is told of its changes', async () => {
  const { clock, cluster, objects, told, stop } = bench();
  cluster.put('a');
  objects.beginPass('one');
  const first = objects.look('one', things, 'default', 'a');
  assert.match(first.known ? '' : first.message, /Thing default\/a of the hub is not read yet/);
  await clock.until('it is read', () => cluster.openWatches === 1);
  const { options } = cluster.calls[0] ?? assert.fail();
  assert.deepEqual([options.namespace, options.fieldSelector], ['default', 'metadata.name=a']);
  const found = objects.look('two', things, 'default', 'a');
  assert.equal(found.known && found.object?.metadata.name, 'a');
  told.length = 0;
  cluster.put('a', { new: 'data' });
  await settle();
  assert.deepEqual(told, [['one', 'two']]);
  await stop();
});

test('an object that was not asked for in a whole pass is not followed any more, unless somebody else asks for it', async () => {
  const { clock, cluster, objects, stop } = bench();
  const pass = (key: string, ...names: string[]): void => {
    objects.beginPass(key);
    for (const name of names) objects.look(key, things, 'default', name);
  };
  pass('one', 'a', 'b');
  pass('two', 'b');
  await clock.until('both are followed', () => cluster.openWatches === 2);
  pass('one', 'b');
  pass('one', 'b');
  await clock.until('one is let go', () => cluster.openWatches === 1);
  pass('one');
  pass('one');
  await settle();
  assert.equal(cluster.openWatches, 1, 'the other key still asks for it');
  objects.forget('two');
  await clock.until('nothing is followed', () => cluster.openWatches === 0);
  await stop();
});

test('that a right is missing is told apart from an answer that is on its way', async () => {
  const { clock, cluster, objects, stop } = bench();
  cluster.failNext('list', new KubeError('Forbidden', 'things are forbidden', { status: 403 }));
  objects.look('one', things, 'default', 'a');
  await settle();
  const looked = objects.look('one', things, 'default', 'a');
  assert.ok(!looked.known && looked.isForbidden);
  await clock.until('it is read', () => objects.look('one', things, 'default', 'a').known);
  await stop();
});
