import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { isTornDown, tearDown, type Teardown } from './teardown.ts';
import { mccOf, PlannerWorld } from './testing.ts';

const away = { known: false, reason: 'Unreachable', message: 'context us: no answer' } as const;

async function formed(spec: Record<string, unknown> = {}): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(spec));
  await world.settle();
  world.written.length = 0;
  return world;
}

/** Passes until nothing is left to be done, or nothing can be. */
async function ended(world: PlannerWorld): Promise<Teardown> {
  for (let pass = 0; pass < 20; pass++) {
    const result = tearDown(world.snapshot(), casskop);
    world.mcc = { ...world.mcc, status: result.status };
    if (result.isOver || (result.intents.length === 0 && !world.act())) return result;
    for (const intent of result.intents) await world.send(intent);
    world.act();
  }
  return assert.fail('it does not end');
}

const places = (world: PlannerWorld): string[] =>
  ['eu', 'us', 'ap'].filter((region) => world.member(region) !== undefined || world.guard(region) !== undefined);

test('Orphan leaves everything as it is, and the object need not wait', async () => {
  const world = await formed();
  assert.equal(isTornDown(world.mcc), false);
  const { intents, isOver } = tearDown(world.snapshot(), casskop);
  assert.deepEqual([intents, isOver], [[], true]);
});

test('Delete takes the member first, and the guard once its pods are gone', async () => {
  const world = await formed({ deletionPolicy: 'Delete' });
  assert.equal(isTornDown(world.mcc), true);
  const { isOver } = await ended(world);
  assert.equal(isOver, true);
  assert.deepEqual(places(world), []);
  const kinds = world.written
    .filter(({ region }) => region === 'eu')
    .map(({ write }) => `${write.verb} ${write.resource.kind}`);
  assert.deepEqual(kinds, ['delete CassandraCluster', 'delete ConfigMap']);
  for (const { write } of world.written) assert.ok(write.verb === 'delete' && write.uid !== '');
});

test('the policy of a region weighs more than that of the whole', async () => {
  const regions = [{ name: 'eu', deletionPolicy: 'Orphan' }, { name: 'us' }, { name: 'ap' }];
  const world = await formed({ deletionPolicy: 'Delete', regions });
  await ended(world);
  assert.deepEqual(places(world), ['eu']);
});

test('a region that cannot be seen is waited for, and said; once it is to be left as it is, nothing holds the object', async () => {
  const world = await formed({ deletionPolicy: 'Delete' });
  world.unknown.set('us', away);
  const { isOver, status } = await ended(world);
  assert.equal(isOver, false);
  assert.deepEqual(places(world), ['us']);
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  assert.equal(ready?.reason, 'Deleting');
  assert.match(ready.message, /^us: the region cannot be seen.*set the deletionPolicy of region us to Orphan/);
  const regions = [{ name: 'eu' }, { name: 'us', deletionPolicy: 'Orphan' }, { name: 'ap' }];
  world.mcc = { ...world.mcc, spec: mccOf({ deletionPolicy: 'Delete', regions }).spec };
  assert.equal((await ended(world)).isOver, true);
  assert.deepEqual(places(world), ['us']);
});

test('what belongs to another MultiCassandraCluster by now is not deleted, nor waited for', async () => {
  const world = await formed({ deletionPolicy: 'Delete' });
  const { metadata } = world.member('us') ?? assert.fail();
  Object.assign(metadata.annotations ?? {}, {
    'ringmaster.dev/owner': JSON.stringify({ uid: 'another', namespace: 'cassandra', name: 'orders' }),
  });
  assert.equal((await ended(world)).isOver, true);
  assert.ok(world.member('us'));
});
