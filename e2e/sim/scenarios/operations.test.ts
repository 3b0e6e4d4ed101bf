import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../schedule/history.ts';
import { followAdvice } from '../world/repair.ts';
import { Scene } from './scene.ts';

const regions = { eu: { nodesPerRacks: 2 }, us: {} };
const nodes = [
  ['eu', 0],
  ['eu', 1],
  ['us', 0],
] as const;

/** How often each node has been through an operation, told by its smallest keyspace. */
function counts(scene: Scene, name = 'cleanup'): number[] {
  return nodes.map(
    ([region, ordinal]) =>
      scene.node(region, ordinal).maintained.filter((each) => each === `${name} system_traces`).length,
  );
}

const order = (token: string, name: 'cleanup' | 'upgradesstables' = 'cleanup'): Action => ({
  do: 'order an operation',
  name,
  token,
});

async function done(scene: Scene): Promise<void> {
  await scene.untilCondition('OperationsDone', 'True', 'Done');
  await scene.pass(60_000);
}

test('every node does it once for each token, while Ready stays True', async () => {
  const scene = await Scene.formed(regions);
  scene.perform(order('november'));
  await scene.untilCondition('OperationsDone', 'False', 'Running');
  for (let seconds = 0; seconds < 600 && scene.condition('OperationsDone')?.status === 'False'; seconds++) {
    await scene.pass(1_000);
    assert.ok(scene.isReady, scene.condition('Ready')?.message);
  }
  await scene.pass(60_000);
  assert.deepEqual(counts(scene), [1, 1, 1]);
  scene.perform(order('december'));
  await scene.untilCondition('OperationsDone', 'False', 'Running');
  await done(scene);
  scene.perform(order('fifth', 'upgradesstables'));
  await scene.untilCondition('OperationsDone', 'False', 'Running');
  await done(scene);
  assert.deepEqual(
    [counts(scene), counts(scene, 'upgradesstables')],
    [
      [2, 2, 2],
      [1, 1, 1],
    ],
  );
  await scene.end();
});

test('neither a wiped status nor a new hub has a node do it twice', async () => {
  const scene = await Scene.formed(regions);
  scene.perform(order('november'));
  await scene.until('the first node to be through', () => counts(scene)[0] === 1);
  scene.perform({ do: 'wipe status' });
  await scene.until('the second node to be through', () => counts(scene)[1] === 1);
  scene.perform({ do: 'delete and recreate' });
  await scene.pass(60_000);
  await scene.ready();
  await done(scene);
  assert.deepEqual(counts(scene), [1, 1, 1]);
  await scene.end();
});

test('an operation that CassKop has lost is ordered again once a person has done what the message says', async () => {
  const scene = await Scene.formed(regions);
  scene.perform(order('november'));
  await scene.until('CassKop to begin', () => scene.pod('eu')?.metadata.labels?.['operation-status'] === 'Ongoing');
  scene.perform({ do: 'crash CassKop', region: 'eu', backAfterMs: 1_000 });
  await scene.until('the message', () => /has lost it/.test(scene.condition('OperationsDone')?.message ?? ''));
  followAdvice(scene.world);
  await done(scene);
  assert.deepEqual(
    counts(scene).map((count) => count > 0),
    [true, true, true],
  );
  await scene.end();
});

test('a change goes before the next node, and the operation goes on behind it', async () => {
  const scene = await Scene.formed(regions);
  scene.perform(order('november'));
  await scene.until(
    'the first node to be at it',
    () => scene.pod('eu')?.metadata.labels?.['operation-status'] === 'Ongoing',
  );
  scene.apply({ template: { cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' } });
  await scene.untilCondition('OperationsDone', 'False', 'Waiting');
  await scene.ready();
  await done(scene);
  await scene.end();
});
