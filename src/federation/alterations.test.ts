import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { CqlError } from '../ring/cql.ts';
import { preview } from './preview.ts';
import { mccOf, PlannerWorld } from './testing.ts';

type State = 'Managed' | 'Observed' | 'Removing';
const simple = 'SimpleStrategy {replication_factor=1}';
const system = ['system_auth', 'system_distributed', 'system_traces'] as const;
const two: Record<string, State> = { eu: 'Managed', us: 'Managed' };
const three: Record<string, State> = { ...two, ap: 'Managed' };
const cql = { secretRef: { name: 'alterer' } };
const encoded = (text: string): string => Buffer.from(text).toString('base64');

function specOf(states: Record<string, State>, more: object = { cql }): Record<string, unknown> {
  return { regions: Object.entries(states).map(([name, state]) => ({ name, state })), ...more };
}

function edit(world: PlannerWorld, states: Record<string, State>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf(specOf(states)).spec };
}

async function rest(world: PlannerWorld, ms = 10_000): Promise<void> {
  world.nowMs += ms;
  await world.settle();
}

/** Every keyspace of the system in these words, and those of users. */
function keyspaces(words: string, users: Record<string, string>): Record<string, string> {
  return { ...Object.fromEntries(system.map((each) => [each, words])), ...users };
}

/** A ring with rows of two regions, which may alter keyspaces by CQL. */
async function formed(replication: Record<string, string>, states = two): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(specOf(states)));
  world.hubObjects.set('Secret alterer', {
    metadata: { name: 'alterer' },
    data: { username: encoded('ringmaster'), password: encoded('correct-horse') },
  });
  await rest(world);
  world.replication = replication;
  return world;
}

function statements(world: PlannerWorld): string[] {
  return world.cql.done.filter((each) => each.startsWith('ALTER'));
}

function conditionOf(world: PlannerWorld, type: string, region?: string): string {
  const { conditions, regions } = world.mcc.status ?? {};
  const list = region === undefined ? conditions : regions?.find(({ name }) => name === region)?.conditions;
  const found = list?.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

test('with spec.cql a region joins a ring with rows and gets its own, and nobody types an ALTER', async () => {
  const world = await formed(keyspaces(simple, { shop: 'NetworkTopologyStrategy {eu=1, us=1}' }));
  edit(world, three);
  for (let round = 0; round < 4; round++) await rest(world);
  assert.match(conditionOf(world, 'Ready'), /^True/);
  assert.deepEqual(
    world.replication,
    keyspaces('NetworkTopologyStrategy {eu=1, us=1, ap=1}', {
      shop: 'NetworkTopologyStrategy {eu=1, us=1, ap=1}',
    }),
  );
  assert.equal(statements(world).length, 7);
  assert.deepEqual(world.operated, ['rebuild orders-ap-rack1-0']);
  assert.ok(world.cql.opened.every(({ username }) => username === 'ringmaster'));
});

test('what a user has with SimpleStrategy stays printed, with the reason, and the rest is altered meanwhile', async () => {
  const world = await formed(keyspaces(simple, { shop: simple }));
  edit(world, three);
  for (let round = 0; round < 3; round++) await rest(world);
  assert.deepEqual(world.replication, keyspaces('NetworkTopologyStrategy {eu=1, us=1}', { shop: simple }));
  const stalled = conditionOf(world, 'Stalled');
  assert.match(stalled, /^True ReplicationGate: .*Rows could be lost by .* a person decides on that\./);
  assert.match(stalled, /ALTER KEYSPACE shop /);
  assert.doesNotMatch(stalled, /ALTER KEYSPACE system/);
});

test('a datacenter is taken out of the keyspaces of the system by itself once its nodes have left, and never out of those of users', async () => {
  const world = await formed(
    keyspaces('NetworkTopologyStrategy {eu=1, us=1, ap=1}', { shop: 'NetworkTopologyStrategy {eu=1, ap=1}' }),
    three,
  );
  edit(world, { ...three, ap: 'Removing' });
  for (let round = 0; round < 2; round++) await rest(world);
  assert.match(
    conditionOf(world, 'Stalled'),
    /^True ReplicationGate: keyspaces have replicas in region ap\. .*ALTER KEYSPACE shop/,
  );
  assert.deepEqual(statements(world), []);
  world.replication = { ...world.replication, shop: 'NetworkTopologyStrategy {eu=1}' };
  for (let round = 0; round < 4; round++) await rest(world);
  assert.deepEqual(
    world.replication,
    keyspaces('NetworkTopologyStrategy {eu=1, us=1}', { shop: 'NetworkTopologyStrategy {eu=1}' }),
  );
  assert.match(conditionOf(world, 'Applied', 'ap'), /Removed/);
});

test('why it failed is said beside the statements, and it is tried again', async () => {
  const world = await formed(keyspaces(simple, { shop: 'NetworkTopologyStrategy {eu=1, us=1}' }));
  world.cql.fails = () => {
    throw new CqlError('BadLogin', 'Provided username ringmaster and/or password are incorrect');
  };
  edit(world, three);
  for (let pass = 0; pass < 40; pass++) {
    world.nowMs += 1_000;
    await world.step();
    world.act();
  }
  assert.match(
    conditionOf(world, 'Stalled'),
    /^True ReplicationGate: .*could not alter keyspaces itself.*spec\.cql\.secretRef: .*ALTER KEYSPACE system_auth/,
  );
  world.cql.fails = () => undefined;
  for (let round = 0; round < 4; round++) await rest(world);
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('nothing is altered while a node is not ready, while the schema differs, or by a node of a region that is only observed', async () => {
  const world = await formed(keyspaces(simple, { shop: 'NetworkTopologyStrategy {eu=1, us=1}' }));
  edit(world, { ...three, eu: 'Observed' });
  const pod = world.pods.find(({ name }) => name === 'orders-us-rack1-0') ?? assert.fail();
  pod.ready = false;
  for (let round = 0; round < 2; round++) await rest(world);
  assert.equal(world.cql.opened.length, 0);
  pod.ready = true;
  pod.schemaVersion = 'another';
  for (let round = 0; round < 2; round++) await rest(world);
  assert.equal(world.cql.opened.length, 0);
  const messages = JSON.stringify(world.mcc.status?.conditions);
  assert.match(
    messages,
    /Ringmaster runs, as spec\.cql lets it once the nodes agree on the schema, which .*orders-us-rack1-0 \(another\)/,
  );
  delete pod.schemaVersion;
  await rest(world);
  assert.equal(world.cql.opened[0]?.address, pod.address);
});

test('what it would run is in the preview, and without spec.cql nothing is run', async () => {
  const world = await formed(keyspaces(simple, { shop: 'NetworkTopologyStrategy {eu=1, us=1}' }));
  edit(world, three);
  // The seeds of the new region are recorded first.
  await world.step();
  const { next } = preview(world.snapshot(), casskop);
  assert.match(
    next.join(),
    /alter keyspaces: ALTER KEYSPACE system_auth WITH replication = \{.*'eu': 1, 'us': 1\}; ALTER KEYSPACE system_distributed/,
  );
  world.mcc = { ...world.mcc, spec: mccOf(specOf(three, {})).spec };
  assert.deepEqual(preview(world.snapshot(), casskop).next, []);
  assert.match(preview(world.snapshot(), casskop).waits.join(), /Run these first, .*ALTER KEYSPACE system_auth/);
});

test('in a ring with nodes outside the federation keyspaces of the system get another strategy from a person', async () => {
  const seeds = { address: '{pod}.{region}.db.example.net', external: ['10.0.0.1'] };
  const world = new PlannerWorld(mccOf(specOf(two, { cql, seeds })));
  world.outside.push({
    region: 'old',
    name: 'old-0',
    hostId: '11111111-1111-4111-8111-111111111111',
    address: '10.0.0.1',
    ready: true,
  });
  world.replication = keyspaces(simple, { shop: 'NetworkTopologyStrategy {old=1}' });
  for (let round = 0; round < 3; round++) await rest(world);
  assert.deepEqual(world.cql.opened, []);
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: .*ALTER KEYSPACE system_auth/);
});
