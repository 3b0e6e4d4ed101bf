import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Intent } from './intents.ts';
import { lineOfWrite } from './story.ts';
import { mccOf, PlannerWorld } from './testing.ts';
import { changed, conditionOf, edit, edited, imageOf, memberOf, rest, withTemplate } from './rollout.fixture.ts';

const rollout = { progressDeadlineSeconds: 60 };

test('a region that was broken by a change gets its correction at once, and the others never see either', async () => {
  const world = await edited(withTemplate({ cassandraImage: 'cassandra:bad' }));
  await world.settle();
  for (const pod of world.pods) if (pod.region === 'eu') pod.ready = false;
  await rest(world);
  assert.deepEqual(changed(world), ['eu']);
  edit(world, {});
  await world.step();
  assert.deepEqual(changed(world), ['eu', 'eu']);
  assert.equal(imageOf(world, 'eu'), 'cassandra:5.0.8');
  assert.equal((memberOf(world, 'eu')['spec'] as Record<string, unknown>)['unlockNextOperation'], true);
  for (const region of ['us', 'ap']) assert.equal(imageOf(world, region), 'cassandra:5.0.8');
  for (const pod of world.pods) pod.ready = true;
  await rest(world);
  await rest(world);
  assert.deepEqual(changed(world), ['eu', 'eu']);
});

test('a region that does not settle in time stalls the rollout, and says what to do', async () => {
  const world = await edited({
    ...withTemplate({ cassandraImage: 'cassandra:bad' }),
    rollout,
  });
  await world.settle();
  for (const pod of world.pods) if (pod.region === 'eu') pod.ready = false;
  await rest(world, 61_000);
  assert.match(conditionOf(world, 'Stalled'), /^True ProgressDeadlineExceeded: region eu .*Put the old values back/);
  assert.deepEqual(changed(world), ['eu']);
});

const cannotStart = { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] };

test('a region of which no pod can start, and that takes no correction, needs its member made anew', async () => {
  for (const from of ['running', 'joining']) {
    const world = new PlannerWorld();
    if (from === 'joining') world.operatorStatus.set('ap', { phase: 'Pending' });
    await world.settle();
    await rest(world);
    for (const image of ['cassandra:bad', 'cassandra:worse']) {
      edit(world, withTemplate({ cassandraImage: image }));
      await world.settle();
    }
    const broken = from === 'joining' ? 'ap' : 'eu';
    assert.equal(imageOf(world, broken), 'cassandra:worse');
    setReady(world, broken, false);
    // First the operator is let past its guard.
    for (let pass = 0; pass < 2; pass++) await rest(world, 61_000);
    assert.match(conditionOf(world, 'Stalled'), /^False/, `${from}: a pod that is being started`);
    const region = world.snapshot().regions[broken];
    assert.ok(region?.known);
    world.overrides.set(broken, { pods: region.pods.map((pod) => ({ ...pod, status: cannotStart })) });
    await rest(world, 61_000);
    const advice = new RegExp(`^True NoPodReady: .*kubectl delete cassandracluster orders .*in region ${broken}$`);
    assert.match(conditionOf(world, 'Stalled'), advice, from);
  }
});

test('a region that joins, and does not settle with a correction, stalls although its node is not in the ring yet', async () => {
  const world = new PlannerWorld(mccOf({ rollout }));
  for (let pass = 0; pass < 50 && !world.pods.some(({ region }) => region === 'ap'); pass++) {
    await world.step();
    world.act();
    world.nowMs += 10_000;
  }
  setReady(world, 'ap', false);
  for (const cassandraImage of ['cassandra:bad', 'cassandra:5.0.8']) {
    edit(world, { ...withTemplate({ cassandraImage }), rollout });
    await rest(world);
  }
  assert.match(conditionOf(world, 'Ready'), /^False Forming: not in the ring yet: ap/);
  for (let pass = 0; pass < 3; pass++) await rest(world, 61_000);
  assert.match(conditionOf(world, 'Stalled'), /^True (NoPodReady|ProgressDeadlineExceeded): .*region ap/);
});

const otherImage = withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' });

/** The user's controller forgets what has settled where, as after the status was wiped. */
function forgetProgress(world: PlannerWorld): void {
  const { regions = [], ...status } = world.mcc.status ?? {};
  const forgotten = regions.map(({ settledRevision: _settled, changingSince: _since, ...region }) => region);
  world.mcc = { ...world.mcc, status: { ...status, regions: forgotten } };
}

/** The pods of a region become ready, or are not any more. */
function setReady(world: PlannerWorld, region: string, ready: boolean): void {
  for (const pod of world.pods) if (pod.region === region) pod.ready = ready;
}

for (const { title, spec } of [
  { title: 'an edit that restarts nothing', spec: withTemplate({ autoPilot: true }) },
  { title: 'a correction', spec: otherImage },
]) {
  test(`a rack that waits for its restart keeps the order through ${title}`, async () => {
    const regions = {
      regions: [
        { name: 'eu', datacenters: [{ name: 'eu', racks: [{ name: 'rack1' }, { name: 'rack2' }] }] },
        { name: 'us' },
        { name: 'ap' },
      ],
    };
    const rollout = { restartToken: 'today' };
    const world = await edited({}, regions);
    world.waitingRacks.add('eu-rack2');
    edit(world, { ...regions, rollout });
    await world.settle();
    const orders = (): unknown[] => {
      const { topology } = memberOf(world, 'eu')['spec'] as { topology: { dc: { rack: unknown[] }[] } };
      return topology.dc.flatMap(({ rack }) => rack);
    };
    const waiting = [{ name: 'rack1' }, { name: 'rack2', rollingRestart: true }];
    assert.deepEqual(orders(), waiting);
    world.written.length = 0;
    edit(world, { ...regions, ...spec, rollout });
    await world.settle();
    assert.ok(changed(world).includes('eu'));
    assert.deepEqual(orders(), waiting);
  });
}

test('a region that is up waits with its correction until that of another is through', async () => {
  const world = await edited(otherImage);
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
  world.written.length = 0;
  forgetProgress(world);
  setReady(world, 'eu', false);
  world.operatorStatus.set('us', { phase: 'Pending' });
  edit(world, withTemplate({ cassandraImage: 'cassandra:5.0.10', serverVersion: '5.0.10' }));
  await world.settle();
  assert.deepEqual(changed(world), ['eu']);
  setReady(world, 'eu', true);
  world.operatorStatus.clear();
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
});

test('two regions that changes of ours may have broken are corrected side by side', async () => {
  const world = await edited(otherImage);
  for (let pass = 0; pass < 4; pass++) await rest(world);
  world.written.length = 0;
  forgetProgress(world);
  setReady(world, 'eu', false);
  setReady(world, 'us', false);
  edit(world, withTemplate({ cassandraImage: 'cassandra:5.0.10', serverVersion: '5.0.10' }));
  await world.settle();
  assert.deepEqual(changed(world), ['eu', 'us']);
});

test('of two regions that went down by themselves none is corrected while the other is down', async () => {
  const world = await edited({});
  forgetProgress(world);
  setReady(world, 'eu', false);
  setReady(world, 'us', false);
  edit(world, otherImage);
  await rest(world);
  assert.deepEqual(changed(world), []);
  setReady(world, 'us', true);
  await rest(world);
  assert.deepEqual(changed(world), ['eu']);
});

test('a region whose pods are being started is let be, unless one of them cannot start', async () => {
  const world = new PlannerWorld();
  world.operatorStatus.set('ap', { phase: 'Initializing' });
  await world.settle();
  await rest(world);
  world.written.length = 0;
  edit(world, otherImage);
  await rest(world);
  assert.deepEqual(changed(world), []);
  const { ap } = world.snapshot().regions;
  assert.ok(ap?.known);
  world.overrides.set('ap', { pods: ap.pods.map((pod) => ({ ...pod, status: cannotStart })) });
  await world.step();
  assert.deepEqual(changed(world), ['ap']);
});

test('no region joins while one that is in the ring has not settled with its correction', async () => {
  const world = new PlannerWorld();
  for (const region of ['us', 'ap']) world.overrides.set(region, { serviceAccountExists: false });
  world.operatorStatus.set('eu', { phase: 'Pending' });
  await world.settle();
  edit(world, otherImage);
  await rest(world);
  assert.deepEqual(changed(world), ['eu']);
  world.overrides.clear();
  await rest(world);
  assert.equal(world.member('us'), undefined);
  assert.match(conditionOf(world, 'Reconciling'), /region eu is being changed: CassKop says phase Pending/);
  world.operatorStatus.clear();
  for (let pass = 0; pass < 2; pass++) await rest(world);
  assert.ok(world.member('us'));
});

test('nodes that have been leaving for too long while a node is down need somebody to look at the operator', async () => {
  const world = await edited({ ...withTemplate({ nodesPerRacks: 1 }), rollout }, withTemplate({ nodesPerRacks: 2 }));
  while (changed(world).length === 0) await world.step();
  world.operatorStatus.set('eu', { lastClusterAction: 'ScaleDown', lastClusterActionStatus: 'Ongoing' });
  await world.settle();
  assert.deepEqual(changed(world), ['eu']);
  await rest(world, 61_000);
  assert.match(conditionOf(world, 'Stalled'), /^False/);
  setReady(world, 'eu', false);
  await rest(world);
  assert.match(
    conditionOf(world, 'Stalled'),
    /^True ProgressDeadlineExceeded: nodes of region eu have been leaving the ring since .*, and pod orders-eu-rack1-0 is not ready.*Look at its log/,
  );
});

test('a node that has left although the spec asks for it is named, with what to type for a new one', async () => {
  const world = await edited({}, withTemplate({ nodesPerRacks: 2 }));
  const last = world.pods.find(({ name }) => name === 'orders-eu-rack1-1') ?? assert.fail();
  last.left = true;
  await rest(world);
  const stalled = conditionOf(world, 'Stalled');
  assert.match(stalled, /^True NodeLeft: orders-eu-rack1-1 of region eu left the ring, and the spec asks for it\./);
  const [, patch = ''] = /--subresource=status --type=merge -p '([^']*)'/.exec(stalled) ?? [];
  const { status } = JSON.parse(patch) as { status: { cassandraRackStatus: object } };
  assert.deepEqual(Object.keys(status.cassandraRackStatus), ['eu-rack1']);
  assert.match(
    stalled,
    /kubectl delete pvc data-orders-eu-rack1-1 -n cassandra --wait=false; kubectl delete pod orders-eu-rack1-1 -n cassandra$/,
  );
  assert.match(conditionOf(world, 'Applied', 'eu'), /^False NodeLeft: /);
});

test('a node that leaves as it was asked to is no loss when its region is to grow again meanwhile', async () => {
  const world = await edited(withTemplate({ nodesPerRacks: 1 }), withTemplate({ nodesPerRacks: 2 }));
  while (changed(world).length === 0) await world.step();
  world.operatorStatus.set('eu', { lastClusterAction: 'ScaleDown', lastClusterActionStatus: 'Ongoing' });
  const last = world.pods.find(({ name }) => name === 'orders-eu-rack1-1') ?? assert.fail();
  last.left = true;
  edit(world, withTemplate({ nodesPerRacks: 2 }));
  await world.step();
  assert.match(conditionOf(world, 'Stalled'), /^False/);
});

test('an action that CassKop has noted and has nothing to do for is ended, once its StatefulSet is what the spec asks for', async () => {
  const world = await edited(withTemplate({ cassandraImage: 'cassandra:bad' }));
  await world.settle();
  edit(world, {});
  const rack = { phase: 'Running', cassandraLastAction: { name: 'UpdateDockerImage', status: 'ToDo' } };
  world.operatorStatus.set('eu', {
    lastClusterAction: 'UpdateDockerImage',
    lastClusterActionStatus: 'ToDo',
    cassandraRackStatus: { 'eu-rack1': rack },
  });
  setImage(world, 'eu', 'cassandra:older');
  await world.settle();
  assert.equal(imageOf(world, 'eu'), 'cassandra:5.0.8');
  const ends = (): Intent[] => world.plan().intents.filter(({ write }) => write.verb === 'patchStatus');
  assert.deepEqual(ends(), []);

  setImage(world, 'eu', 'cassandra:5.0.8');
  const [end] = ends();
  assert.ok(end?.write.verb === 'patchStatus');
  assert.deepEqual(end.write.status, {
    cassandraRackStatus: { 'eu-rack1': { cassandraLastAction: { status: 'Done' } } },
  });
  assert.equal(lineOfWrite(end)?.reason, 'OperatorFreed');
  await world.send(end);
  world.operatorStatus.clear();
  for (let pass = 0; pass < 2; pass++) await rest(world);
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

/** What the StatefulSets of a region run. */
function setImage(world: PlannerWorld, region: string, image: string): void {
  world.overrides.delete(region);
  const known = world.snapshot().regions[region];
  assert.ok(known?.known);
  const statefulSets = known.statefulSets.map((set) => {
    const spec = set['spec'] as { template: { spec: object } };
    const template = { spec: { ...spec.template.spec, containers: [{ name: 'cassandra', image }] } };
    return { ...set, spec: { ...spec, template } };
  });
  world.overrides.set(region, { statefulSets });
}
