import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotations } from './bookkeeping.ts';
import { mccOf, PlannerWorld } from './testing.ts';

const regions = [
  { name: 'eu', datacenters: [{ name: 'eu', nodesPerRacks: 2 }] },
  { name: 'us', datacenters: [{ name: 'us', nodesPerRacks: 2 }] },
];
const pods = ['orders-eu-rack1-0', 'orders-eu-rack1-1', 'orders-us-rack1-0', 'orders-us-rack1-1'];
const cleanups = pods.map((pod) => `cleanup ${pod}`);

async function formed(spec: Record<string, unknown> = {}): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf({ regions, ...spec }));
  await world.settle();
  await rest(world);
  world.written.length = 0;
  return world;
}

function edit(world: PlannerWorld, spec: Record<string, unknown>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf({ regions, ...spec }).spec };
}

async function rest(world: PlannerWorld, ms = 10_000): Promise<void> {
  world.nowMs += ms;
  await world.settle();
}

function condition(world: PlannerWorld, type = 'OperationsDone'): string {
  const found = world.mcc.status?.conditions?.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}: ${found?.message}`;
}

test('a token has every node do it once, one after the other, region after region', async () => {
  const world = await formed();
  edit(world, { operations: { cleanup: 'november' } });
  const atOnce: number[] = [];
  for (let pass = 0; pass < 40; pass++) {
    await world.step();
    atOnce.push(world.pods.filter(({ labels }) => labels?.['operation-status'] === 'ToDo').length);
    if (pass === 0) assert.match(condition(world), /^False Running: cleanup in region eu: 0 of 2 nodes are through/);
    assert.match(condition(world, 'Ready'), /^True/);
    world.act();
  }
  assert.equal(Math.max(...atOnce), 1);
  assert.deepEqual(world.operated, cleanups);
  assert.match(condition(world), /^True Done: every node has done cleanup \(november\)/);
  const { operations } = world.mcc.status?.regions?.[1] ?? {};
  assert.deepEqual(operations, [{ name: 'cleanup', token: 'november', done: 2, total: 2 }]);
});

test('the same token asks for nothing again, whatever is forgotten; another one does', async () => {
  const world = await formed();
  edit(world, { operations: { cleanup: 'november' } });
  await rest(world);
  const { status: _, ...mcc } = world.mcc;
  world.mcc = mcc;
  for (const pod of world.pods) for (const field of ['labels', 'annotations'] as const) delete pod[field];
  await rest(world);
  edit(world, {});
  await rest(world);
  edit(world, { operations: { cleanup: 'november' } });
  await rest(world);
  assert.deepEqual(world.operated, cleanups);
  edit(world, { operations: { cleanup: 'december' } });
  await rest(world);
  assert.deepEqual(world.operated, [...cleanups, ...cleanups]);
});

test('two operations go one after the other through all regions', async () => {
  const world = await formed();
  edit(world, { operations: { upgradesstables: 'fifth', cleanup: 'november' } });
  await rest(world);
  assert.deepEqual(world.operated, [...cleanups, ...pods.map((pod) => `upgradesstables ${pod}`)]);
});

/** Stops where a node has just been told what to do. */
async function untilTold(world: PlannerWorld): Promise<void> {
  for (let pass = 0; pass < 9; pass++) {
    await world.step();
    if (world.written.at(-1)?.write.verb === 'label') break;
    world.act();
  }
}

test('what a node is at is noted before it is told something else', async () => {
  const world = await formed();
  edit(world, { operations: { upgradesstables: 'fifth' } });
  await untilTold(world);
  edit(world, { operations: { upgradesstables: 'fifth', cleanup: 'november' } });
  await rest(world);
  assert.deepEqual(world.operated.toSorted(), [...cleanups, ...pods.map((pod) => `upgradesstables ${pod}`)]);
});

test('nodes that are new have nothing to catch up with', async () => {
  const world = await formed({ operations: { cleanup: 'november' } });
  assert.deepEqual(world.operated, []);
  assert.match(condition(world), /^True Done/);
  const more = [...regions, { name: 'ap' }];
  edit(world, { regions: more, operations: { cleanup: 'november' } });
  await rest(world);
  assert.deepEqual(world.operated, []);
});

test('a controller that dies at any write has nobody told twice', async () => {
  for (let limit = 1; limit <= 3; limit++) {
    const world = await formed();
    edit(world, { operations: { cleanup: 'november' } });
    for (let pass = 0; pass < 80; pass++) {
      await world.step(limit);
      world.act();
    }
    assert.deepEqual(world.operated, cleanups);
  }
});

test('a node that fails is told again a minute later, three times in all, then is named with what to type, and the others are gone on with', async () => {
  const world = await formed();
  world.failing.add('orders-eu-rack1-0');
  edit(world, { operations: { cleanup: 'november' } });
  await rest(world);
  assert.deepEqual(world.operated, ['cleanup orders-eu-rack1-0']);
  await rest(world, 30_000);
  assert.equal(world.operated.length, 1);
  await rest(world, 31_000);
  assert.equal(world.operated.length, 2);
  assert.match(condition(world), /orders-eu-rack1-0 is at it, attempt 3 of 3/);
  await rest(world, 61_000);
  assert.deepEqual(world.operated, [cleanups[0], cleanups[0], ...cleanups]);
  assert.match(
    condition(world),
    /^False Failed: .*kubectl label pod orders-eu-rack1-0 -n cassandra operation-name=cleanup operation-status=ToDo --overwrite, in region eu/,
  );
  assert.deepEqual(world.mcc.status?.regions?.[0]?.operations?.[0]?.failed, ['orders-eu-rack1-0']);
  assert.match(condition(world, 'Ready'), /^True/);

  world.failing.clear();
  const pod = world.pods.find(({ name }) => name === 'orders-eu-rack1-0');
  if (pod) pod.labels = { ...pod.labels, 'operation-status': 'ToDo' };
  world.act();
  await rest(world);
  assert.match(condition(world), /^True Done/);
});

test('a pod that was made anew meanwhile is told again', async () => {
  const world = await formed();
  edit(world, { operations: { cleanup: 'november' } });
  await untilTold(world);
  const pod = world.pods.find(({ name }) => name === 'orders-eu-rack1-0');
  assert.equal(pod?.labels?.['operation-status'], 'ToDo');
  world.overrides.set('eu', { pods: [] });
  await world.step();
  assert.match(condition(world), /^False Waiting: .*orders-eu-rack1-0 is at it/);
  world.overrides.clear();
  delete pod.labels;
  delete pod.annotations;
  await rest(world);
  assert.deepEqual(world.operated, cleanups);
});

test('nothing begins while a change goes through the regions, the rollout is paused, or a region cannot be seen', async () => {
  const world = await formed();
  const template = { cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9', nodesPerRacks: 1, dataCapacity: '1Gi' };
  const spec = { operations: { cleanup: 'november' }, template: { spec: template } };
  edit(world, spec);
  await world.settle();
  assert.deepEqual(world.operated, []);
  assert.match(condition(world), /^False Waiting/);
  await rest(world);
  await rest(world);
  await rest(world);
  assert.deepEqual(world.operated, cleanups);

  edit(world, { ...spec, operations: { cleanup: 'december' }, rollout: { paused: true } });
  await rest(world);
  assert.match(condition(world), /^False Waiting: .*spec\.rollout\.paused/);
  edit(world, { ...spec, operations: { cleanup: 'december' } });
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'context us: refused' });
  await rest(world);
  assert.match(condition(world), /^False Waiting: .*region us cannot be seen/);
  assert.deepEqual(world.operated, cleanups);
});

test('who takes the regions over goes on where the one before has stopped', async () => {
  const world = await formed();
  edit(world, { operations: { cleanup: 'november' } });
  for (let pass = 0; pass < 20 && world.operated.length < 2; pass++) {
    await world.step();
    world.act();
  }
  assert.equal(world.operated.length, 2);
  const { status: _, ...mcc } = world.mcc;
  const spec = { ...mcc.spec, adoptionPolicy: 'IfUnchanged' as const };
  world.mcc = { ...mcc, spec, metadata: { ...mcc.metadata, uid: 'uid-of-another' } };
  await rest(world);
  await rest(world);
  assert.deepEqual(world.operated, cleanups);
  assert.match(world.member('us')?.metadata.annotations?.[annotations.operations] ?? '', /"complete":true/);
});

test('what a node was through with before its region grew or restarted is not asked of it again', async () => {
  for (const change of [{ nodesPerRacks: 3 }, { resources: { requests: { cpu: '1' } } }]) {
    const world = await formed();
    edit(world, { operations: { cleanup: 'november' } });
    for (let pass = 0; pass < 9 && world.operated.length === 0; pass++) {
      await world.step();
      world.act();
    }
    const changed = regions.map((region) => ({
      ...region,
      datacenters: region.datacenters.map((each) => (region.name === 'eu' ? { ...each, ...change } : each)),
    }));
    edit(world, { regions: changed, operations: { cleanup: 'november' } });
    for (let pass = 0; pass < 9; pass++) {
      await world.step();
      if (world.written.some(({ why }) => why.startsWith('change the member of region eu'))) break;
    }
    for (const pod of world.pods.filter(({ region }) => region === 'eu')) {
      // CassKop labels all pods of a rack that has grown; those that restart are made anew.
      pod.labels = 'nodesPerRacks' in change ? { 'operation-name': 'cleanup', 'operation-status': 'Manual' } : {};
      if (!('nodesPerRacks' in change)) delete pod.annotations;
    }
    for (let pass = 0; pass < 4; pass++) await rest(world, 61_000);
    assert.match(condition(world), /^True Done/);
    assert.deepEqual(
      world.operated.filter((each) => each === cleanups[0]),
      [cleanups[0]],
    );
  }
});

/** A world in which the first node has been told to clean up, and is at it. */
async function cleaningUp(): Promise<{ world: PlannerWorld; pod: PlannerWorld['pods'][number] }> {
  const world = await formed();
  edit(world, { operations: { cleanup: 'november' } });
  await untilTold(world);
  const pod = world.pods.find(({ name }) => name === 'orders-eu-rack1-0');
  assert.ok(pod);
  pod.labels = { ...pod.labels, 'operation-status': 'Ongoing' };
  return { world, pod };
}

test('a turn that waits for what CassKop has lost says what to type, counts as stalled in the end, and goes on once that is done', async () => {
  const { world, pod } = await cleaningUp();
  const podLastOperation = { name: 'cleanup', status: 'Ongoing', pods: [pod.name] };
  const rack = { phase: 'Running', cassandraLastAction: { status: 'Done' }, podLastOperation };
  world.operatorStatus.set('eu', { cassandraRackStatus: { 'eu-rack1': rack } });
  const advice =
    /kubectl label pod orders-eu-rack1-0 -n cassandra operation-name=cleanup operation-status=ToDo --overwrite, in region eu/;

  edit(world, { operations: { cleanup: 'november' }, rollout: { restartToken: 'december' } });
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.match(
    condition(world, 'Ready'),
    /^False Changing: eu: region eu waits: rack eu-rack1: cleanup is under way\. /,
  );
  await rest(world, 600_000);
  assert.match(condition(world, 'Ready'), advice);
  assert.match(condition(world, 'Stalled'), /^False/);
  await rest(world, 3_600_000);
  assert.match(condition(world, 'Stalled'), /^True ProgressDeadlineExceeded: .*cleanup is under way/);
  assert.match(condition(world, 'Stalled'), advice);

  pod.labels = { ...pod.labels, 'operation-status': 'ToDo' };
  await world.step();
  assert.match(condition(world, 'Stalled'), /^False/);
  world.operatorStatus.clear();
  for (let pass = 0; pass < 6; pass++) await rest(world);
  assert.match(condition(world, 'Ready'), /^True/);
  assert.deepEqual(world.operated, cleanups);
  assert.ok(world.written.some(({ why }) => why.startsWith('change the member of region eu: restarts its 2 nodes')));
});

test('a region that is to join waits with the same words for what CassKop has lost, though nobody asks for it any more', async () => {
  const { world, pod } = await cleaningUp();
  edit(world, { regions: [...regions, { name: 'ap' }] });
  await rest(world, 3_700_000);
  assert.match(condition(world, 'Stalled'), /^True ProgressDeadlineExceeded: .*kubectl label pod orders-eu-rack1-0 /);
  pod.labels = { ...pod.labels, 'operation-status': 'ToDo' };
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.match(condition(world, 'Ready'), /^True/);
});
