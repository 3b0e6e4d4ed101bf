import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WorldBench, type RegionBench } from './bench.ts';
import { isPodReady } from './workload-objects.ts';

const guarded = { configMapName: 'orders-ringmaster' };

/** A founder and a second region that knows both seeds; `before` is done between the two. */
async function twoRegions(
  world: WorldBench,
  before: (eu: RegionBench, us: RegionBench, seeds: string[]) => void | Promise<void> = () => undefined,
): Promise<[RegionBench, RegionBench]> {
  const [eu, us] = [world.region('eu'), world.region('us')];
  const seeds = [...eu.seeds('0'), ...us.seeds('0')];
  eu.create({}, seeds);
  await before(eu, us, seeds);
  us.create({}, [...us.seeds('0'), ...eu.seeds('0')]);
  await world.done(eu, us);
  await world.ringRests(eu, us);
  return [eu, us];
}

describe('a region that is formed', () => {
  test('has one ready pod, a bound claim, a budget and a ring of one, and is Running and Done', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({}, eu.seeds('0'));
    await world.done(eu);
    const [pod] = eu.pods;
    assert.ok(pod && isPodReady(pod));
    assert.equal(pod.status?.podIP, eu.node().options.address);
    assert.deepEqual(
      eu.claims.map(({ metadata, status }) => [metadata.name, status?.phase]),
      [['data-orders-eu-rack1-0', 'Bound']],
    );
    await world.ringRests(eu);
    assert.deepEqual(world.hosts(eu.node()), [eu.node().hostId]);
    assert.equal(world.ring.foundings.length, 1);
    const { observedGeneration, readyReplicas, currentRevision, updateRevision } = eu.set()?.status ?? {};
    assert.deepEqual([observedGeneration, readyReplicas, currentRevision], [1, 1, updateRevision]);
  });

  test('starts one pod after the other, and they are one ring', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    const racks = [{ name: 'rack1' }, { name: 'rack2' }];
    eu.create({ nodesPerRacks: 2, topology: { dc: [{ name: 'eu', rack: racks }] } }, eu.seeds('0'));
    await world.done(eu);
    await world.ringRests(eu);
    assert.deepEqual(
      eu.pods.map(({ metadata }) => metadata.name),
      ['orders-eu-rack1-0', 'orders-eu-rack1-1', 'orders-eu-rack2-0', 'orders-eu-rack2-1'],
    );
    for (const node of eu.nodes) assert.equal(world.hosts(node).length, 4);
    assert.equal(world.ring.foundings.length, 1);
  });

  test('takes CassKop’s own seed list when nobody writes another one in time', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({});
    await world.done(eu);
    assert.deepEqual(eu.status['seedlist'], ['orders-eu-rack1-0.orders.cassandra']);
    assert.equal(eu.seedsOfSet, 'orders-eu-rack1-0.orders.cassandra');
  });

  test('keeps a seed list that comes between CassKop’s two first writes', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    let patched = false;
    eu.server.onChange(({ user, resource }) => {
      if (patched || user !== 'casskop' || resource.plural !== 'cassandraclusters') return;
      patched = true;
      eu.patchSeeds(eu.seeds('0'));
    });
    eu.create({});
    await world.done(eu);
    assert.deepEqual(eu.status['seedlist'], eu.seeds('0'));
    assert.equal(eu.seedsOfSet, eu.seeds('0').join());
  });

  test('is restarted when the seed list in its status changes afterwards', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({});
    await world.done(eu);
    const [before] = eu.pods;
    eu.patchSeeds(eu.seeds('0'));
    await world.until('the new seeds', () => eu.seedsOfSet === eu.seeds('0').join());
    await world.until(
      'another pod',
      () => eu.pods[0] !== undefined && eu.pods[0].metadata.uid !== before?.metadata.uid,
    );
    await world.done(eu);
    await world.ringRests(eu);
    assert.notEqual(eu.pods[0]?.status?.podIP, before?.status?.podIP);
  });
});

describe('two regions', () => {
  test('are one ring when the second starts once the first is there', async () => {
    const world = new WorldBench();
    const [eu, us] = await twoRegions(world, (first) => world.done(first));
    for (const { node } of [eu, us].map((each) => ({ node: each.node() }))) {
      assert.deepEqual(world.hosts(node), [eu.node().hostId, us.node().hostId].toSorted());
      assert.equal(world.live(node).length, 2);
    }
    assert.equal(world.ring.foundings.length, 1);
  });

  test('that start at once without a guard found a ring each', async () => {
    const world = new WorldBench();
    const [eu, us] = await twoRegions(world);
    assert.equal(world.ring.foundings.length, 2);
    assert.deepEqual(world.hosts(eu.node()), [eu.node().hostId]);
    assert.deepEqual(world.hosts(us.node()), [us.node().hostId]);
  });

  test('whose seeds lead nowhere found a ring each', async () => {
    const world = new WorldBench();
    const [eu, us] = [world.region('eu'), world.region('us')];
    eu.create({}, eu.seeds('0'));
    await world.done(eu);
    us.create({}, ['orders-eu-rack1-0.eu.elsewhere.example.net']);
    await world.done(us);
    await world.ringRests(eu, us);
    assert.equal(world.ring.foundings.length, 2);
    assert.equal(world.hosts(us.node()).length, 1);
  });

  test('that start at once with a guard are one ring: the second waits for a host that is known to have joined', async () => {
    const world = new WorldBench();
    const [eu, us] = [world.region('eu'), world.region('us')];
    const seeds = [...eu.seeds('0'), ...us.seeds('0')];
    const ignition = [{ pod: eu.podName(0), address: eu.seeds('0')[0] ?? '' }];
    eu.guard({ ignition });
    us.guard({});
    eu.create(guarded, seeds);
    us.create(guarded, seeds);
    await world.done(eu);
    await world.clock.advance(300_000);
    assert.equal(us.region.nodeOf(us.podName(0)), undefined);
    assert.deepEqual(eu.startedAlone, ['orders-eu-rack1-0 founder']);

    const joined = [{ pod: eu.podName(0), hostId: eu.node().hostId }];
    const told = world.clock.monotonic();
    us.guard({ joined });
    await world.until('the second node', () => us.region.nodeOf(us.podName(0)) !== undefined);
    assert.ok(world.clock.monotonic() - told <= 64_000, 'the kubelet shows a change within a minute');
    await world.done(eu, us);
    await world.ringRests(eu, us);
    assert.equal(world.ring.foundings.length, 1);
    assert.equal(world.hosts(us.node()).length, 2);
    assert.deepEqual(us.startedAlone, []);
  });

  test('lose sight of each other in a partition, and find each other again', async () => {
    const world = new WorldBench();
    const [eu, us] = await twoRegions(world, (first) => world.done(first));
    world.connect('eu', 'us', false);
    await world.clock.advance(60_000);
    assert.equal(world.live(eu.node()).length, 1);
    assert.ok(eu.isDone && us.isDone);
    world.connect('eu', 'us', true);
    await world.ringRests(eu, us);
    assert.equal(world.live(eu.node()).length, 2);
  });

  test('that both restart at once without a guard come back as two halves that do not meet', async () => {
    const world = new WorldBench();
    const [eu, us] = await twoRegions(world, (first) => world.done(first));
    for (const each of [eu, us]) each.region.restartAllPods();
    await world.ringRests(eu, us);
    await world.clock.advance(120_000);
    assert.equal(world.ring.foundings.length, 1);
    for (const each of [eu, us]) {
      assert.equal(world.live(each.node()).length, 1);
      assert.equal(world.hosts(each.node()).length, 2);
    }
  });

  test('that both restart at once with a guard find each other at their new addresses', async () => {
    const world = new WorldBench();
    const waitSeconds = 60;
    const [eu, us] = await twoRegions(world, async (first, second) => {
      for (const each of [first, second]) each.guard({});
      await world.done(first);
    });
    const hostIds = [eu.node().hostId, us.node().hostId].toSorted();
    const joined = [eu, us].map((each) => ({ pod: each.podName(0), hostId: each.node().hostId }));
    for (const each of [eu, us]) {
      each.guard({ joined, waitSeconds });
      each.editSpec(guarded);
    }
    await world.clock.advance(300_000);
    await world.done(eu, us);
    await world.ringRests(eu, us);
    const before = [eu, us].map((each) => each.node().options.address);
    for (const each of [eu, us]) each.region.restartAllPods();
    await world.until('both again', () => [eu, us].every((each) => each.nodes[0]?.mode === 'NORMAL'));
    await world.ringRests(eu, us);
    for (const each of [eu, us]) {
      assert.deepEqual(world.hosts(each.node()), hostIds);
      assert.equal(world.live(each.node()).length, 2);
      assert.ok(!before.includes(each.node().options.address));
    }
  });
});
