import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changed,
  conditionOf,
  edit,
  edited,
  imageOf,
  memberOf,
  rest,
  sizeOf,
  template,
  withTemplate,
} from './rollout.fixture.ts';

test('a restart goes through the regions in the order of the spec, the next one only when the one before has settled', async () => {
  const world = await edited(withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }));
  await world.settle();
  assert.deepEqual(changed(world), ['eu']);
  assert.match(conditionOf(world, 'Ready'), /^False Changing/);
  assert.match(
    conditionOf(world, 'Applied', 'us'),
    /^False Waiting: .*region eu is being changed.*restarts its 1 node for \/spec\/cassandraImage/,
  );
  await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us']);
  await rest(world);
  await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
  assert.equal(conditionOf(world, 'Ready').slice(0, 10), 'True Ready');
});

test('a region that has only just come to rest is not believed to be, however long its change took', async () => {
  const world = await edited(withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }));
  await world.settle();
  for (const pod of world.pods) if (pod.region === 'eu') pod.ready = false;
  await rest(world, 60_000);
  world.nowMs += 60_000;
  for (const pod of world.pods) pod.ready = true;
  await world.settle();
  assert.deepEqual(changed(world), ['eu']);
  await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us']);
});

test('what restarts nothing goes to all regions at once', async () => {
  const world = await edited(withTemplate({ autoPilot: true }));
  await world.step();
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
});

test('a paused rollout stops before the next region, and goes on when it is not paused any more', async () => {
  const change = withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' });
  const world = await edited(change);
  await world.settle();
  edit(world, { ...change, rollout: { paused: true } });
  await rest(world);
  await rest(world);
  assert.deepEqual(changed(world), ['eu']);
  assert.match(conditionOf(world, 'Reconciling'), /^True Paused/);
  edit(world, change);
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
});

test('a changed region bakes before the next one is touched', async () => {
  const world = await edited({
    ...withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }),
    rollout: { bakeSeconds: 300 },
  });
  await world.settle();
  await rest(world);
  await rest(world, 200_000);
  assert.deepEqual(changed(world), ['eu']);
  await rest(world, 200_000);
  assert.deepEqual(changed(world), ['eu', 'us']);
});

test('a smaller size is delivered alone, after everything else has settled', async () => {
  const from = withTemplate({ nodesPerRacks: 2 });
  const world = await edited(
    withTemplate({ nodesPerRacks: 1, cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }),
    from,
  );
  await world.settle();
  assert.deepEqual([imageOf(world, 'eu'), sizeOf(world, 'eu')], ['cassandra:5.0.9', 2]);
  await rest(world);
  assert.deepEqual([imageOf(world, 'eu'), sizeOf(world, 'eu')], ['cassandra:5.0.9', 1]);
  assert.deepEqual([imageOf(world, 'us'), sizeOf(world, 'us')], ['cassandra:5.0.8', 2]);
  for (let pass = 0; pass < 8; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'eu', 'us', 'us', 'ap', 'ap']);
  assert.equal(world.mcc.status?.summary?.nodes, '3/3');
  assert.match(conditionOf(world, 'RingIntact'), /^True/);
});

test('more nodes join one region after the other, and scaling changes no list of seeds', async () => {
  const world = await edited(withTemplate({ nodesPerRacks: 2 }));
  const seeds = world.mcc.status?.seeds;
  for (let pass = 0; pass < 8; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
  assert.equal(world.mcc.status?.summary?.nodes, '6/6');
  assert.deepEqual(world.mcc.status?.seeds, seeds);
});

test('what somebody changes by hand is put back', async () => {
  const world = await edited({});
  Object.assign(memberOf(world, 'us')['spec'] as object, { cassandraImage: 'cassandra:mine' });
  await world.step();
  await world.step();
  assert.equal(imageOf(world, 'us'), 'cassandra:5.0.8');
});

test('a field taken out of the spec really goes', async () => {
  const world = await edited({}, withTemplate({ envVars: [{ name: 'A', value: 'b' }] }));
  edit(world, withTemplate({}));
  for (let pass = 0; pass < 4; pass++) await rest(world);
  for (const region of ['eu', 'us', 'ap']) {
    assert.equal((memberOf(world, region)['spec'] as Record<string, unknown>)['envVars'], undefined, region);
  }
});

test('a restart token restarts every region once, one after the other', async () => {
  const world = await edited({ rollout: { restartToken: 'today' } });
  for (let pass = 0; pass < 5; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
  const orders = world.written.filter((intent) => JSON.stringify(intent.write).includes('"rollingRestart":true'));
  assert.deepEqual(
    orders.map(({ region }) => region),
    ['eu', 'us', 'ap'],
  );
});

test('a region is not settled while one of its racks is ordered to restart and has not begun', async () => {
  const world = await edited({ rollout: { restartToken: 'today' } });
  world.waitingRacks.add('eu-rack1');
  for (let pass = 0; pass < 3; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu']);
  assert.equal(conditionOf(world, 'Settled', 'eu'), 'False Working: CassKop has yet to restart rack eu-rack1');
  world.waitingRacks.clear();
  for (let pass = 0; pass < 4; pass++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'us', 'ap']);
});

test('new addresses of the seeds wait while the policy is Deferred, and say what would restart', async () => {
  const world = await edited({ seeds: { address: '{pod}.{region}.db.example.org' } });
  for (let pass = 0; pass < 3; pass++) await rest(world);
  assert.deepEqual(world.written, []);
  assert.match(conditionOf(world, 'SeedsCurrent'), /^False Deferred: eu, us, ap start their nodes with an older list/);
});

test('new addresses of the seeds roll through the regions when the policy is Rolling', async () => {
  const world = await edited({ seeds: { address: '{pod}.{region}.db.example.org', updatePolicy: 'Rolling' } });
  for (let pass = 0; pass < 6; pass++) await rest(world);
  const lists = ['eu', 'us', 'ap'].map(
    (region) => (memberOf(world, region)['status'] as { seedlist: string[] }).seedlist,
  );
  for (const list of lists)
    assert.ok(
      list.every((address) => address.endsWith('.db.example.org')),
      String(list),
    );
  assert.match(conditionOf(world, 'SeedsCurrent'), /^True/);
});

for (const { title, change, words } of [
  { title: 'smaller volumes', change: withTemplate({ dataCapacity: '500Mi' }), words: /neither shrink/ },
  {
    title: 'another rack',
    change: {
      regions: [
        { name: 'eu', datacenters: [{ name: 'eu', racks: [{ name: 'rack1' }, { name: 'rack2' }] }] },
        { name: 'us' },
        { name: 'ap' },
      ],
    },
    words: /racks of a running datacenter/,
  },
  {
    title: 'other labels',
    change: { template: { metadata: { labels: { tier: 'gold' } }, spec: template } },
    words: /selectors/,
  },
]) {
  test(`what CassKop would refuse is refused first: ${title}`, async () => {
    const world = await edited(change);
    await world.settle();
    assert.match(conditionOf(world, 'Accepted'), /^False Forbidden/);
    assert.match(conditionOf(world, 'Accepted'), words);
    assert.deepEqual(changed(world), []);
  });
}

test('a datacenter beside one of more than a node is refused, with the way out', async () => {
  const regions = [{ name: 'eu', datacenters: [{ name: 'eu' }, { name: 'west' }] }, { name: 'us' }, { name: 'ap' }];
  const world = await edited({ ...withTemplate({ nodesPerRacks: 2 }), regions }, withTemplate({ nodesPerRacks: 2 }));
  await world.settle();
  assert.match(conditionOf(world, 'Accepted'), /^False Forbidden: .*another namespace/);
});

test('while the rollout is paused an edit that restarts nothing goes on, and the rest of the same edit waits', async () => {
  const change = withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9', autoPilot: true });
  const world = await edited({ ...change, rollout: { paused: true } });
  for (let turn = 0; turn < 4; turn++) await rest(world);
  for (const region of ['eu', 'us', 'ap']) {
    assert.equal(imageOf(world, region), 'cassandra:5.0.8');
    assert.equal((memberOf(world, region)['spec'] as Record<string, unknown>)['autoPilot'], true);
  }
  assert.match(conditionOf(world, 'Reconciling'), /^True Paused/);
  edit(world, change);
  for (let turn = 0; turn < 6; turn++) await rest(world);
  for (const region of ['eu', 'us', 'ap']) assert.equal(imageOf(world, region), 'cassandra:5.0.9');
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('while the spec calls a datacenter by another name, a node that joins it is none to be removed', async () => {
  const larger = withTemplate({ nodesPerRacks: 2 });
  const world = await edited(larger);
  for (let pass = 0; pass < 50 && world.pods.length === 3; pass++) {
    await world.step();
    world.act();
    world.nowMs += 10_000;
  }
  const joining = world.pods.find(({ name }) => name === 'orders-eu-rack1-1') ?? assert.fail();
  joining.ready = false;
  edit(world, { ...larger, regions: [{ name: 'eu', datacenters: [{ name: 'eu2' }] }, { name: 'us' }, { name: 'ap' }] });
  await rest(world);
  assert.match(conditionOf(world, 'Accepted'), /^False Forbidden: .*from "eu" to "eu2"/);
  assert.match(conditionOf(world, 'RingIntact'), /^False NodesMissing/);
  assert.match(conditionOf(world, 'RingMember', 'eu'), /^False/);
});

test('while the spec leaves out a rack that runs, its nodes count all the same', async () => {
  const racks = (...names: string[]): Record<string, unknown> => ({
    regions: [
      { name: 'eu', datacenters: [{ name: 'eu', racks: names.map((name) => ({ name })) }] },
      { name: 'us' },
      { name: 'ap' },
    ],
  });
  const world = await edited(racks('rack1'), racks('rack1', 'rack2'));
  for (const pod of world.pods) if (pod.name.includes('rack2')) pod.ready = false;
  await rest(world);
  assert.match(conditionOf(world, 'Accepted'), /^False Forbidden: .*racks of a running datacenter/);
  assert.match(conditionOf(world, 'RingMember', 'eu'), /orders-eu-rack2-0/);
});
