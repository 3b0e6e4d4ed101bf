import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition } from '../api/schema.ts';
import { withTemplate } from './rollout.fixture.ts';
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

test('a member of an earlier MultiCassandraCluster that differs from the spec is named with what to write into the spec, and is adopted then', async () => {
  const named = withTemplate({ imagePullSecret: { name: 'registry' } });
  for (const { title, before, after, advice, follows } of [
    {
      title: 'another value',
      before: {},
      after: withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }),
      advice: 'put {"spec":{"cassandraImage":"cassandra:5.0.8","serverVersion":"5.0.8"}} into spec.regions[eu].patch',
      follows: { patch: { spec: { cassandraImage: 'cassandra:5.0.8', serverVersion: '5.0.8' } } },
    },
    {
      title: 'a field of the template that the member does not have',
      before: {},
      after: named,
      advice: 'add /spec/imagePullSecret/name to spec.regions[eu].remove',
      follows: { remove: ['/spec/imagePullSecret/name'] },
    },
    {
      title: 'a field that only the patch of the region has',
      before: {},
      after: { regions: ['eu', 'us', 'ap'].map((name) => ({ name, patch: { spec: { imagePullSecret: { name } } } })) },
      advice: 'take imagePullSecret.name out of spec.regions[eu].patch.spec',
      follows: {},
    },
  ]) {
    const world = new PlannerWorld(mccOf(before));
    for (const name of ['registry', 'eu', 'us', 'ap']) world.putObject(`Secret ${name}`, { data: {} });
    await world.settle();
    const specs = ['eu', 'us', 'ap'].map((region) => world.member(region)?.['spec']);
    const writes = world.written.length;
    const spec = { adoptionPolicy: 'IfUnchanged', ...after };
    world.mcc = mccOf(spec, { uid: 'uid-made-again' });
    await world.settle();
    assert.equal(reasonOf(world, 'Stalled'), 'True Drifted', title);
    const message = condition(world, 'Stalled')?.message ?? '';
    assert.ok(message.includes(advice), `${title}: ${message}`);
    const ofEu = world.mcc.status?.regions?.find(({ name }) => name === 'eu')?.conditions;
    assert.equal(ofEu?.find(({ type }) => type === 'Applied')?.message, message, title);
    assert.deepEqual(
      world.written.slice(writes).filter(({ write }) => write.resource.plural === 'cassandraclusters'),
      [],
    );

    const regions = ['eu', 'us', 'ap'].map((name) => ({ name, ...follows }));
    const { status } = world.mcc;
    world.mcc = { ...mccOf({ ...spec, regions }, { uid: 'uid-made-again', generation: 2 }), ...(status && { status }) };
    await world.settle();
    assert.equal(reasonOf(world, 'Ready'), 'True Ready', title);
    assert.deepEqual(
      ['eu', 'us', 'ap'].map((region) => world.member(region)?.['spec']),
      specs,
      title,
    );
  }
});
