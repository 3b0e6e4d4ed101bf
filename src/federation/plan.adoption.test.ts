import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/schema.ts';
import { mccOf, PlannerWorld } from './testing.ts';

function condition(world: PlannerWorld, type: string): Condition | undefined {
  return world.mcc.status?.conditions?.find((each) => each.type === type);
}

function reasonOf(world: PlannerWorld, type: string): string {
  const { status, reason } = condition(world, type) ?? {};
  return `${status} ${reason}`;
}

test('a MultiCassandraCluster that was made again adopts its members if it may, and changes nothing in them', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const specs = ['eu', 'us', 'ap'].map((region) => world.member(region)?.['spec']);
  const writes = world.written.length;
  world.mcc = mccOf({}, { uid: 'uid-made-again' });
  await world.settle();
  assert.equal(reasonOf(world, 'Stalled'), 'True ForeignMember');
  assert.equal(world.written.length, writes);

  world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged' }, { uid: 'uid-made-again' });
  await world.settle();
  assert.equal(reasonOf(world, 'Ready'), 'True Ready');
  assert.equal(world.mcc.status?.ring?.founder, 'eu');
  for (const region of ['eu', 'us', 'ap']) {
    assert.match(world.member(region)?.metadata.annotations?.['ringmaster.dev/owner'] ?? '', /uid-made-again/);
    assert.match(world.mcc.status?.regions?.find(({ name }) => name === region)?.identity?.memberUID ?? '', /./);
  }
  assert.deepEqual(
    ['eu', 'us', 'ap'].map((region) => world.member(region)?.['spec']),
    specs,
  );
});

test('a ring whose members are still to be adopted is not Ready', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged' }, { uid: 'uid-made-again' });
  const { status, intents } = world.plan();
  assert.deepEqual(intents, []);
  const reasons = (list: readonly Condition[] = []): string[] =>
    list.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`);
  assert.ok(reasons(status.conditions).includes('Ready False Changing'));
  for (const { conditions } of status.regions ?? []) assert.ok(reasons(conditions).includes('Applied False Writing'));
});

test('a member that another MultiCassandraCluster has adopted is not taken back', async () => {
  const world = new PlannerWorld(mccOf({ adoptionPolicy: 'IfUnchanged' }));
  await world.settle();
  const old = world.mcc;
  world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged' }, { uid: 'uid-on-another-hub' });
  await world.settle();
  assert.equal(reasonOf(world, 'Ready'), 'True Ready');
  const writes = world.written.length;
  world.mcc = old;
  await world.settle();
  assert.equal(world.written.length, writes);
  assert.equal(reasonOf(world, 'Stalled'), 'True ForeignMember');
  assert.match(condition(world, 'Stalled')?.message ?? '', /belongs to another MultiCassandraCluster by now/);
});
