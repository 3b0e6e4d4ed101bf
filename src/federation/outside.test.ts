import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mccOf, PlannerWorld } from './testing.ts';

const seeds = { address: '{pod}.{region}.db.example.net', external: ['10.0.0.1', '10.0.0.2'] };
const node = {
  region: 'old',
  name: 'old-0',
  hostId: '11111111-1111-4111-8111-111111111111',
  address: '10.0.0.1',
  ready: true,
};

function condition(world: PlannerWorld, type: string): string {
  const found = world.mcc.status?.conditions?.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

function joining(spec: Record<string, unknown> = {}): PlannerWorld {
  const world = new PlannerWorld(mccOf({ seeds, ...spec }));
  world.outside.push(node);
  return world;
}

test('with seeds outside the federation nobody starts alone, and the regions join the ring that is there', async () => {
  const world = joining();
  let ignited = 0;
  for (let pass = 0; pass < 60; pass++) {
    await world.step();
    world.act();
    for (const region of ['eu', 'us', 'ap'])
      ignited += /^orders-/m.test(world.guard(region)?.['ignition'] ?? '') ? 1 : 0;
  }
  assert.equal(ignited, 0);
  assert.match(condition(world, 'Ready'), /^True Ready: 3 regions run one ring of 3 nodes/);
  assert.match(condition(world, 'RingIntact'), /^True OneRing: 4 hosts/);
  assert.deepEqual(world.mcc.status?.seeds?.slice(-2), seeds.external);
});

test('without a node of that ring no pod starts', async () => {
  const world = new PlannerWorld(mccOf({ seeds }));
  await world.settle();
  assert.deepEqual(world.pods, []);
  assert.match(condition(world, 'Ready'), /^False/);
});

test('a node that found nobody has not joined that ring', async () => {
  const world = joining();
  while (world.pods.length === 0) {
    await world.step();
    world.act();
  }
  world.outside.length = 0;
  for (let pass = 0; pass < 5; pass++) await world.step();
  assert.equal(world.mcc.status?.regions?.[0]?.hosts, undefined);
});

test('a host outside the federation that is down is spoken of', async () => {
  const world = joining();
  await world.settle();
  world.outside.push({
    ...node,
    name: 'old-1',
    hostId: '22222222-2222-4222-8222-222222222222',
    address: '10.0.0.2',
    ready: false,
  });
  await world.step();
  assert.match(condition(world, 'RingIntact'), /^False UnknownHosts: .*22222222/);
});

test('seeds that are added later wait while the policy is Deferred', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.outside.push(node);
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf({ seeds }).spec };
  world.nowMs += 20_000;
  await world.settle();
  assert.match(condition(world, 'SeedsCurrent'), /^False Deferred: eu, us, ap .*10\.0\.0\.1/);
  assert.match(condition(world, 'Ready'), /^True/);
});

test('the first region asks where its rows are to come from, when the ring that is there has some', async () => {
  const world = joining({ regions: [{ name: 'eu' }] });
  const words = 'NetworkTopologyStrategy {old=1, eu=1}';
  world.replication = { system_auth: words, system_distributed: words, system_traces: words, shop: words };
  await world.settle();
  assert.match(condition(world, 'Stalled'), /^True ReplicationGate: name the datacenter .*rebuild\.from/);
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  const { spec } = mccOf({ seeds, regions: [{ name: 'eu', rebuild: { from: 'old' } }] });
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec };
  world.nowMs += 20_000;
  await world.settle();
  assert.deepEqual(world.operated, ['rebuild orders-eu-rack1-0']);
});
