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

test('three regions form one ring and then nothing is written', async () => {
  const world = new PlannerWorld();
  await world.settle();
  assert.equal(reasonOf(world, 'Ready'), 'True Ready', condition(world, 'Ready')?.message);
  assert.equal(reasonOf(world, 'RingIntact'), 'True OneRing');
  assert.deepEqual(world.mcc.status?.summary, { regions: '3/3', nodes: '3/3' });
  assert.equal(await world.step(), 0);
});

test('a federation is told to be Ready once, when nothing is under way any more', async () => {
  const world = new PlannerWorld();
  const told: string[] = [];
  for (let pass = 0; pass < 60; pass++) {
    // All is written before a node of another region has heard of the last one.
    const [eu, , ap] = world.pods;
    if (eu && ap && pass < 30) {
      const view = world.viewOf(eu);
      const live = view.live.filter((address) => address !== ap.address);
      world.overrides.set('eu', { views: { [eu.name]: { ...view, live } } });
    } else world.overrides.clear();
    await world.step();
    world.act();
    if (reasonOf(world, 'Ready') === 'True Ready') told.push(reasonOf(world, 'Reconciling'));
  }
  assert.deepEqual([told.length, ...new Set(told)], [30, 'False Idle']);
});

test('the founder is recorded before anything is written to a region', async () => {
  const world = new PlannerWorld();
  await world.step();
  assert.equal(world.mcc.status?.ring?.founder, 'eu');
  assert.deepEqual(world.written, []);
});

test('regions get their members in order, each after its guard', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const created = world.written.filter(({ write }) => write.verb === 'create');
  assert.deepEqual(
    created.map(({ region, write }) => `${region} ${write.resource.kind}`),
    [
      'eu ConfigMap',
      'eu CassandraCluster',
      'us ConfigMap',
      'us CassandraCluster',
      'ap ConfigMap',
      'ap CassandraCluster',
    ],
  );
});

test('only the founder may start alone, and only until its first node is proven', async () => {
  const world = new PlannerWorld();
  for (let pass = 0; pass < 3; pass++) await world.step();
  assert.equal(world.guard('eu')?.['ignition'], 'orders-eu-rack1-0 orders-eu-rack1-0.eu.db.example.net\n');
  await world.settle();
  for (const region of ['eu', 'us', 'ap']) {
    assert.equal(world.guard(region)?.['ignition'], '');
    assert.equal(world.guard(region)?.['joined']?.trim().split('\n').length, 3);
  }
});

test('each region has its own seeds first, then the others in their order', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const seedlist = (world.member('us')?.['status'] as { seedlist: string[] } | undefined)?.seedlist;
  assert.deepEqual(seedlist, [
    'orders-us-rack1-0.us.db.example.net',
    'orders-eu-rack1-0.eu.db.example.net',
    'orders-ap-rack1-0.ap.db.example.net',
  ]);
});

test('the seeds leave the spec once the operator holds them', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const spec = world.member('eu')?.['spec'] as Record<string, unknown>;
  assert.equal(spec['backRestSidecar'], undefined);
  assert.equal(spec['config'], undefined);
});

test('nothing is founded while a region cannot be seen', async () => {
  const world = new PlannerWorld();
  world.unknown.set('ap', { known: false, reason: 'Unreachable', message: 'context ap: refused' });
  await world.settle();
  assert.equal(world.mcc.status?.ring, undefined);
  assert.deepEqual(world.written, []);
  assert.match(condition(world, 'Reconciling')?.message ?? '', /ap \(context ap: refused\)/);
});

test('leftover volumes of an old ring stop the founding with a sentence', async () => {
  const world = new PlannerWorld();
  world.overrides.set('us', { claims: [{ metadata: { name: 'data-orders-us-rack1-0' } }] });
  await world.settle();
  assert.equal(world.mcc.status?.ring, undefined);
  assert.equal(reasonOf(world, 'Stalled'), 'True LeftoversFound');
  assert.match(condition(world, 'Stalled')?.message ?? '', /PersistentVolumeClaim data-orders-us-rack1-0/);
});

test('a member of somebody else is left untouched and stops the founding', async () => {
  const world = new PlannerWorld();
  world.overrides.set('eu', { member: { metadata: { name: 'orders', uid: 'x' }, spec: {} } });
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.equal(reasonOf(world, 'Stalled'), 'True ForeignMember');
});

test('a region that cannot be seen is joined later and holds up nobody', async () => {
  const world = new PlannerWorld();
  for (let pass = 0; pass < 2; pass++) await world.step();
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'context us: refused' });
  await world.settle();
  assert.ok(world.member('ap'));
  assert.equal(world.member('us'), undefined);
  world.unknown.clear();
  await world.settle();
  assert.equal(reasonOf(world, 'Ready'), 'True Ready');
});

test('no region joins while one that is in the ring cannot be seen', async () => {
  const world = new PlannerWorld();
  while (!world.member('us')) {
    await world.step();
    world.act();
  }
  await world.step();
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'context us: refused' });
  await world.settle();
  assert.equal(world.member('ap'), undefined);
});

test('a wiped status is recovered from the members, and nothing is created again', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const before = world.mcc.status;
  const writes = world.written.length;
  const { status: _, ...bare } = world.mcc;
  world.mcc = bare;
  await world.settle();
  assert.deepEqual(world.mcc.status?.ring, before?.ring);
  assert.deepEqual(world.mcc.status?.seeds, before?.seeds);
  assert.deepEqual(
    world.mcc.status?.regions?.map((region) => region.hosts),
    before?.regions?.map((region) => region.hosts),
  );
  assert.equal(world.written.length, writes);
});

test('a pod that comes back with another host ID blocks ring changes until it is acknowledged', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  const pod = world.pods[0];
  assert.ok(pod);
  pod.hostId = '00000000-0000-4000-8000-00000000ffff';
  await world.settle();
  assert.equal(reasonOf(world, 'Stalled'), 'True DataLossSuspected');
  assert.match(condition(world, 'RingIntact')?.message ?? '', /acknowledgedHosts/);
  const acknowledgedHosts = [{ pod: pod.name, hostId: pod.hostId }];
  const { spec } = mccOf({ regions: [{ name: 'eu', acknowledgedHosts }, { name: 'us' }] });
  world.mcc = { ...world.mcc, spec };
  await world.settle();
  assert.equal(reasonOf(world, 'Ready'), 'True Ready');
  assert.match(world.guard('us')?.['joined'] ?? '', /ffff/);
});

test('the old self of a node that lost its disk stops the ring until it is removed, though it is down', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  for (const pod of world.pods) {
    const view = world.viewOf(pod);
    world.overrides.set(pod.region, {
      views: { [pod.name]: { ...view, hosts: { ...view.hosts, '198.18.0.99': 'host-of-old' } } },
    });
  }
  await world.settle();
  assert.equal(reasonOf(world, 'RingIntact'), 'False UnknownHosts');
  assert.equal(reasonOf(world, 'Stalled'), 'True UnknownHosts');
  assert.match(condition(world, 'Stalled')?.message ?? '', /nodetool removenode host-of-old/);
});

test('a node on its way in is not taken for a host that nobody carries', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  while (world.pods.length < 2) {
    await world.step();
    world.act();
  }
  const pod = world.pods[1];
  assert.ok(pod);
  pod.ready = false;
  await world.settle();
  assert.equal(reasonOf(world, 'RingIntact'), 'False NodesMissing');
  assert.equal(reasonOf(world, 'Stalled'), 'False Progressing');
  // Neither is it while its region cannot be seen: where it runs is not known then.
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'context us: refused' });
  await world.settle();
  assert.equal(reasonOf(world, 'RingIntact'), 'False NodesMissing');
});

test('what is wrong with the ring is said before what a region lacks', async () => {
  const world = new PlannerWorld();
  world.overrides.set('ap', { namespaceExists: false });
  await world.settle();
  assert.equal(reasonOf(world, 'Stalled'), 'True PreconditionMissing');
  const pod = world.pods[0];
  assert.ok(pod);
  pod.hostId = '00000000-0000-4000-8000-00000000ffff';
  await world.settle();
  assert.equal(reasonOf(world, 'Stalled'), 'True DataLossSuspected');
});

test('two rings are reported and nothing is changed any more', async () => {
  const world = new PlannerWorld();
  while (world.pods.length < 2) {
    await world.step();
    world.act();
  }
  const [one, other] = world.pods;
  assert.ok(one && other);
  const alone = (pod: typeof one): Record<string, string> => ({ [pod.address]: pod.hostId });
  world.overrides.set('eu', {
    views: { [one.name]: { ...world.viewOf(one), hosts: alone(one), live: [one.address] } },
  });
  world.overrides.set('us', {
    views: { [other.name]: { ...world.viewOf(other), hosts: alone(other), live: [other.address] } },
  });
  await world.settle();
  assert.equal(reasonOf(world, 'RingIntact'), 'False RingSplit');
  assert.equal(world.member('ap'), undefined);
});

test('a misspelt required field is named, and not only the one that is missing for it', async () => {
  const { spec } = mccOf({
    template: { spec: { cassandraImagee: 'cassandra:5.0.8', serverVersion: '5.0.8', dataCapacity: '1Gi' } },
  });
  const world = new PlannerWorld();
  world.mcc = { ...world.mcc, spec };
  const known = ['cassandraImage', 'serverVersion', 'dataCapacity', 'nodesPerRacks'];
  const properties = Object.fromEntries(known.map((name) => [name, {}]));
  const capabilities = { statusSubresource: true, schema: { properties: { spec: { type: 'object', properties } } } };
  for (const { name } of spec.regions) world.overrides.set(name, { capabilities });
  await world.settle();
  const accepted = condition(world, 'Accepted');
  assert.equal(accepted?.status, 'False');
  assert.match(accepted.message, /^spec\.template\.spec\.cassandraImagee: .*cassandraImage\b/);
  assert.match(accepted.message, /^spec\.template\.spec\.cassandraImage: /m);
  assert.deepEqual(world.written, []);
});

test('a region that vanishes from the spec is left as it is', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.mcc = { ...world.mcc, spec: mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }).spec };
  await world.settle();
  assert.equal(reasonOf(world, 'Accepted'), 'False RegionDropped');
  assert.ok(world.mcc.status?.regions?.some((region) => region.name === 'ap' && region.identity?.memberUID));
});

test('a crash after any single write of the formation leads to the same one ring', async () => {
  const straight = new PlannerWorld();
  await straight.settle();
  for (let crashAfter = 0; crashAfter < 40; crashAfter++) {
    const world = new PlannerWorld();
    let left = crashAfter;
    while (left > 0) {
      const writes = await world.step(left);
      left -= writes;
      if (writes === 0 && !world.act()) break;
      if (left > 0) world.act();
    }
    await world.settle();
    assert.equal(reasonOf(world, 'Ready'), 'True Ready', `crash after write ${crashAfter}`);
    assert.equal(world.mcc.status?.ring?.founder, 'eu');
    assert.equal(world.pods.length, 3);
  }
});
