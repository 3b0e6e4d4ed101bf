import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mccOf, PlannerWorld } from './testing.ts';

const two = { eu: 2, us: 2 };
const three = { ...two, ap: 2 };
const alterations =
  "ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 2, 'us': 1, 'ap': 2};";

function specOf(sizes: Record<string, number>, rebuild: Record<string, unknown> = {}): Record<string, unknown> {
  const regions = Object.entries(sizes).map(([name, nodesPerRacks]) => ({
    name,
    datacenters: [{ name, nodesPerRacks }],
    ...(name === 'ap' && { rebuild }),
  }));
  return { regions };
}

function edit(world: PlannerWorld, spec: Record<string, unknown>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf(spec).spec };
}

async function rest(world: PlannerWorld, ms = 10_000): Promise<void> {
  world.nowMs += ms;
  await world.settle();
}

function alter(world: PlannerWorld, ...datacenters: string[]): void {
  const factors = datacenters.map((name) => `${name}=${name === 'us' ? 1 : 2}`).join(', ');
  const words = `NetworkTopologyStrategy {${factors}}`;
  world.replication = { system_auth: words, system_distributed: words, system_traces: words, shop: words };
}

/** A ring of two regions with rows, which ap then joins. */
async function joined(rebuild: Record<string, unknown> = {}): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(specOf(two)));
  await rest(world);
  alter(world, 'eu', 'us');
  edit(world, specOf(three, rebuild));
  for (let round = 0; round < 3; round++) await rest(world);
  return world;
}

function conditionOf(world: PlannerWorld, type: string): string {
  const found = world.mcc.status?.conditions?.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

test('a region that joins a ring with rows asks for replicas there, and then its nodes stream theirs, one after the other', async () => {
  const world = await joined();
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: region ap has joined/);
  assert.ok(conditionOf(world, 'Stalled').includes(alterations), conditionOf(world, 'Stalled'));
  assert.deepEqual(world.operated, []);
  alter(world, 'eu', 'us', 'ap');
  await rest(world);
  assert.deepEqual(world.operated, ['rebuild orders-ap-rack1-0', 'rebuild orders-ap-rack1-1']);
  await rest(world);
  assert.match(conditionOf(world, 'Ready'), /^True/);
  const label = world.written.flatMap(({ write }) => (write.verb === 'label' ? [write.labels] : []))[0];
  assert.equal(label?.['operation-argument'], 'eu');
});

test('keyspaces of the system name all datacenters that have nodes at once, since Cassandra refuses to leave one out', async () => {
  const world = await joined();
  const words = 'NetworkTopologyStrategy {eu=2}';
  world.replication = { ...world.replication, system_auth: words };
  await rest(world);
  assert.match(
    conditionOf(world, 'Stalled'),
    /ALTER KEYSPACE system_auth WITH replication = \{'class': 'NetworkTopologyStrategy', 'eu': 2, 'us': 2, 'ap': 2\};/,
  );
});

test('a ring without rows has nothing to stream', async () => {
  const world = new PlannerWorld(mccOf(specOf(two)));
  await rest(world);
  edit(world, specOf(three));
  for (let round = 0; round < 3; round++) await rest(world);
  alter(world, 'eu', 'us', 'ap');
  await rest(world);
  assert.deepEqual(world.operated, []);
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('the person says from where, and how many at once', async () => {
  const world = await joined({ from: 'us', parallel: 2 });
  alter(world, 'eu', 'us', 'ap');
  const atOnce: number[] = [];
  for (let pass = 0; pass < 10; pass++) {
    await world.step();
    atOnce.push(world.pods.filter(({ labels }) => labels?.['operation-status'] === 'ToDo').length);
    world.act();
  }
  assert.equal(Math.max(...atOnce), 2);
  const labels = world.written.flatMap(({ write }) => (write.verb === 'label' ? [write.labels] : []));
  assert.deepEqual(
    labels.map((each) => each['operation-argument']),
    ['us', 'us'],
  );
});

test('who leaves the rows to somebody else is asked nothing', async () => {
  const world = await joined({ skip: true });
  assert.match(conditionOf(world, 'Ready'), /^True/);
  assert.deepEqual(world.operated, []);
});

test('a node that fails again and again stops the others, and another source has all begin anew', async () => {
  const world = await joined();
  world.failing.add('orders-ap-rack1-0');
  alter(world, 'eu', 'us', 'ap');
  for (let round = 0; round < 5; round++) await rest(world, 70_000);
  assert.deepEqual([...new Set(world.operated)], ['rebuild orders-ap-rack1-0']);
  assert.match(conditionOf(world, 'Stalled'), /^True RebuildFailed: orders-ap-rack1-0 .*rebuild\.from/);
  world.failing.clear();
  world.operated.length = 0;
  edit(world, specOf(three, { from: 'us' }));
  for (let round = 0; round < 2; round++) await rest(world);
  assert.deepEqual(world.operated, ['rebuild orders-ap-rack1-0', 'rebuild orders-ap-rack1-1']);
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('that the nodes lack their rows is known after the status was wiped', async () => {
  const world = await joined();
  const { status: _, ...mcc } = world.mcc;
  world.mcc = mcc;
  alter(world, 'eu', 'us', 'ap');
  for (let round = 0; round < 2; round++) await rest(world);
  assert.deepEqual(world.operated, ['rebuild orders-ap-rack1-0', 'rebuild orders-ap-rack1-1']);
});

test('a keyspace that was made just before a region was added is seen before that region joins', async () => {
  const world = new PlannerWorld(mccOf(specOf(two)));
  await rest(world);
  const asked = Map.groupBy(world.pods, ({ region }) => region);
  for (const [region, pods] of asked) {
    world.overrides.set(region, { views: Object.fromEntries(pods.map((pod) => [pod.name, world.viewOf(pod)])) });
  }
  world.nowMs += 1_000;
  alter(world, 'eu', 'us');
  world.nowMs += 1_000;
  edit(world, specOf(three));
  for (let pass = 0; pass < 6; pass++) {
    await world.step();
    world.nowMs += 1_000;
  }
  assert.equal(world.member('ap'), undefined);
  world.overrides.clear();
  for (let round = 0; round < 3; round++) await rest(world);
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: region ap has joined/);
});
