import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edit, formed, hostsOf, orders, specOf, stageOf, three, type State } from './leaving.fixture.ts';
import { conditionOf } from './rollout.fixture.ts';
import { mccOf, PlannerWorld } from './testing.ts';

test('a region leaves node by node, the last ordinal first, then its objects go, and its entry may be dropped', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  assert.deepEqual(orders(world), ['orders-eu-rack1-1 decommission', 'orders-eu-rack1-0 decommission']);
  assert.equal(world.member('eu'), undefined);
  assert.equal(world.guard('eu'), undefined);
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 2 regions run one ring of 4 nodes/);
  assert.equal(world.mcc.status?.summary?.regions, '2/2');
  edit(world, { us: 'Managed', ap: 'Managed' });
  await world.settle();
  assert.match(conditionOf(world, 'Accepted'), /^True/);
  assert.deepEqual(
    world.mcc.status?.regions?.map(({ name }) => name),
    ['us', 'ap'],
  );
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('nodes that have left may not start again, and the guards of the others forget them', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  while (orders(world).length < 2) {
    await world.step();
    if (orders(world).length === 1) {
      await world.step();
      assert.equal(world.guard('eu')?.['closed'], 'orders-eu-rack1-1\n');
      break;
    }
  }
  await world.settle();
  assert.doesNotMatch(world.guard('us')?.['joined'] ?? '', /orders-eu/);
});

test('that a region leaves is recorded before its first node is told to', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  assert.equal(await world.step(1), 1);
  assert.ok(world.mcc.status?.regions?.[0]?.leavingSince);
  assert.deepEqual(orders(world), []);
});

test('a keyspace that was made while the region began to leave is seen before the first node does', async () => {
  const world = await formed();
  world.replication = undefined;
  edit(world, { ...three, eu: 'Removing' });
  await world.step();
  assert.equal(stageOf(world, 'eu'), 'Removing');
  world.replication = { ledger: 'NetworkTopologyStrategy {eu=1, us=1, ap=1}' };
  await world.settle();
  assert.deepEqual(orders(world), []);
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: .*ALTER KEYSPACE ledger .*'us': 1, 'ap': 1/);
  world.replication = { ledger: 'NetworkTopologyStrategy {us=1, ap=1}' };
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('a region whose keyspaces have replicas there does not begin to leave, and the statements to run are said', async () => {
  const world = await formed();
  world.replication = {
    system_auth: 'NetworkTopologyStrategy {eu=2, us=2}',
    shop: 'NetworkTopologyStrategy {eu=2, us=2}',
  };
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  assert.deepEqual(orders(world), []);
  assert.match(
    conditionOf(world, 'Stalled'),
    /^True ReplicationGate: .*ALTER KEYSPACE shop WITH replication = \{'class': 'NetworkTopologyStrategy', 'us': 2\};$/,
  );
  world.replication = { ...world.replication, shop: 'NetworkTopologyStrategy {us=2}' };
  await world.settle();
  assert.equal(orders(world).length, 2);
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: .*ALTER KEYSPACE system_auth/);
  assert.equal(stageOf(world, 'eu'), 'Removing');
  world.replication = { ...world.replication, system_auth: 'NetworkTopologyStrategy {us=2}' };
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('setting the state back cancels a removal that has not begun, and is refused afterwards', async () => {
  const world = await formed();
  world.replication = { shop: 'NetworkTopologyStrategy {eu=2, us=2}' };
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  edit(world, three);
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
  world.replication = { shop: 'NetworkTopologyStrategy {us=2}' };
  edit(world, { ...three, eu: 'Removing' });
  await world.step();
  edit(world, three);
  await world.settle();
  assert.match(conditionOf(world, 'Accepted'), /^False RemovalUnderWay: .*Put its state back to Removing/);
  assert.deepEqual(orders(world), []);
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('that a region leaves is read back from its guard when the status is wiped', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  while (orders(world).length < 1) await world.step();
  const { status: _, ...bare } = world.mcc;
  world.mcc = bare;
  edit(world, three);
  await world.settle();
  assert.match(conditionOf(world, 'Accepted'), /^False RemovalUnderWay/);
});

test('the last region does not leave', async () => {
  const world = new PlannerWorld(mccOf(specOf({ eu: 'Managed' })));
  await world.settle();
  edit(world, { eu: 'Removing' });
  await world.settle();
  assert.match(conditionOf(world, 'Stalled'), /^True LastRegion: .*Delete the MultiCassandraCluster/);
  assert.deepEqual(orders(world), []);
});

test('two regions do not leave at once', async () => {
  const world = await formed();
  edit(world, { eu: 'Removing', us: 'Removing', ap: 'Managed' });
  const seen: string[] = [];
  for (let pass = 0; pass < 100; pass++) {
    await world.step();
    world.act();
    const leaving = world.mcc.status?.regions?.filter(
      ({ stage, leavingSince }) => leavingSince && stage === 'Removing',
    );
    seen.push((leaving ?? []).map(({ name }) => name).join());
  }
  assert.deepEqual([...new Set(seen)].sort(), ['', 'eu', 'us']);
  assert.deepEqual([stageOf(world, 'eu'), stageOf(world, 'us')], ['Removed', 'Removed']);
});

test('a region that was never written to is removed at once', async () => {
  const world = new PlannerWorld(mccOf(specOf({ eu: 'Removing', us: 'Managed', ap: 'Managed' })));
  await world.settle();
  assert.equal(world.member('eu'), undefined);
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 2 regions/);
});

test('a region that was removed joins again when its state is Managed once more', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  edit(world, three);
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Running');
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 3 regions run one ring of 6 nodes/);
});

test('a founder that was removed joins as others do: it waits for the keyspaces', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
  world.replication = { orders: 'SimpleStrategy {replication_factor=1}' };
  edit(world, three);
  await world.settle();
  assert.equal(world.member('eu'), undefined);
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: /);
});

test('a node that could not hand over its rows is told of, and leaves once it has started anew', async () => {
  const world = await formed();
  world.holding.add('orders-eu-rack1-1');
  edit(world, { ...three, eu: 'Removing' });
  await world.settle();
  assert.match(
    conditionOf(world, 'Stalled'),
    /^True DecommissionFailed: .*kubectl delete pod orders-eu-rack1-1 -n cassandra$/,
  );
  assert.deepEqual(orders(world), ['orders-eu-rack1-1 decommission']);
  world.holding.clear();
  world.halfLeft.clear();
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('a member that an earlier object of this name has left behind is adopted before its nodes leave', async () => {
  const world = await formed();
  const { status: _, ...mcc } = world.mcc;
  world.mcc = { ...mcc, metadata: { ...mcc.metadata, uid: 'another-uid' } };
  edit(world, { ...three, eu: 'Removing' });
  world.mcc = { ...world.mcc, spec: { ...world.mcc.spec, adoptionPolicy: 'IfUnchanged' } };
  await world.settle();
  const [adoption, ...others] = world.written.filter(
    ({ region, write }) => region === 'eu' && write.resource.kind !== 'ConfigMap',
  );
  assert.match(adoption?.why ?? '', /^adopt the member of region eu/);
  assert.ok(others.length > 0);
  assert.equal(world.member('eu'), undefined);
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('a node has not left while one that stays is not heard, who may still know it', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  while (orders(world).length < 1) await world.step();
  world.unknown.set('ap', { known: false, reason: 'BehindOwnWrite', message: 'a write is on its way' });
  for (let pass = 0; pass < 3; pass++) await world.step();
  assert.equal(hostsOf(world, 'eu').length, 2);
  world.unknown.clear();
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('a node that has left unheard is removed by one that stays', async () => {
  const world = await formed();
  edit(world, { ...three, eu: 'Removing' });
  while (orders(world).length < 1) await world.step();
  const [left] = world.pods.filter((pod) => pod.left);
  assert.ok(left);
  world.ghosts.push({ ...left, ready: false });
  await world.step();
  await world.settle();
  assert.deepEqual(orders(world).slice(0, 2), [
    'orders-eu-rack1-1 decommission',
    `orders-us-rack1-0 removeNode ${left.hostId}`,
  ]);
  assert.equal(stageOf(world, 'eu'), 'Removed');
});

test('a later leader keeps a region from leaving by our hand', async () => {
  const world = await formed();
  const { metadata } = world.member('eu') ?? assert.fail();
  Object.assign(metadata.annotations ?? {}, {
    'ringmaster.dev/stamp': JSON.stringify({ generation: 1, leaseTransitions: 7 }),
  });
  edit(world, { ...three, eu: 'Removing' });
  await world.step();
  await world.step();
  assert.deepEqual(orders(world), []);
  assert.match(conditionOf(world, 'Stalled'), /^True NewerWriter/);
});

test('a region that waits to join keeps no other from leaving', async () => {
  const two: Record<string, State> = { eu: 'Managed', us: 'Managed' };
  const world = new PlannerWorld(mccOf(specOf(two)));
  await world.settle();
  world.replication = { orders: 'SimpleStrategy {replication_factor=1}' };
  edit(world, three);
  await world.settle();
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: /);
  edit(world, { ...three, us: 'Removing' });
  await world.settle();
  assert.equal(stageOf(world, 'us'), 'Removed');
});

test('the guard of a region that waits to join forgets the nodes that have left', async () => {
  const two: Record<string, State> = { eu: 'Managed', us: 'Managed' };
  const world = new PlannerWorld(mccOf(specOf(two)));
  await world.settle();
  edit(world, three);
  while (world.guard('ap') === undefined) await world.step();
  assert.equal(world.member('ap'), undefined);
  edit(world, { ...three, us: 'Removing' });
  for (let steps = 0; stageOf(world, 'us') !== 'Removed' && steps < 200; steps++) {
    world.act();
    await world.step();
  }
  assert.equal(stageOf(world, 'us'), 'Removed');
  assert.doesNotMatch(world.guard('ap')?.['joined'] ?? '', /orders-us-/);
});
