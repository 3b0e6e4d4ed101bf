import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resources, type KubeObject } from '../../../src/kube/objects.ts';
import { WorldBench, type RegionBench } from './bench.ts';
import { execute } from './cassandra/storage-service.ts';
import { revisionLabel } from './stateful-set-controller.ts';
import { isPodReady } from './workload-objects.ts';

async function formed(nodesPerRacks: number, spec: object = {}): Promise<{ world: WorldBench; eu: RegionBench }> {
  const world = new WorldBench();
  const eu = world.region('eu');
  eu.create({ nodesPerRacks, ...spec }, eu.seeds('0'));
  await world.done(eu);
  await world.ringRests(eu);
  return { world, eu };
}

/** How often container `cassandra` was started again. */
function restartsOf(pod: KubeObject | undefined): number {
  const status = pod?.['status'] as { containerStatuses?: { name: string; restartCount: number }[] } | undefined;
  return status?.containerStatuses?.find(({ name }) => name === 'cassandra')?.restartCount ?? 0;
}

describe('pods', () => {
  test('keep their disk over a restart, and with it their host, at another address', async () => {
    const { world, eu } = await formed(2);
    const { hostId, options } = eu.node(1);
    eu.region.restartPod(eu.podName(1), { wipeDisk: false });
    await world.until('the node', () => eu.region.nodeOf(eu.podName(1))?.mode === 'NORMAL');
    await world.ringRests(eu);
    assert.equal(eu.node(1).hostId, hostId);
    assert.notEqual(eu.node(1).options.address, options.address);
    assert.equal(world.live(eu.node(0)).length, 2);
  });

  test('whose disk was wiped cannot join while their old host counts as a member, and can once it was removed', async () => {
    const { world, eu } = await formed(2);
    const { hostId } = eu.node(1);
    eu.region.restartPod(eu.podName(1), { wipeDisk: true });
    const crashed = (): boolean => JSON.stringify(eu.pod(1)?.status).includes('required to move the data consistently');
    await world.until('the join to fail', crashed);
    assert.ok(world.hosts(eu.node(0)).includes(hostId));
    await world.until('the old host to be down', () => world.live(eu.node(0)).length === 1);
    execute({ network: world.ring, clock: world.clock, node: eu.node(0) }, 'removeNode', [hostId]);
    await world.until('the node', () => eu.region.nodeOf(eu.podName(1))?.mode === 'NORMAL');
    await world.ringRests(eu);
    assert.notEqual(eu.node(1).hostId, hostId);
    assert.deepEqual(world.hosts(eu.node(0)), [eu.node(0).hostId, eu.node(1).hostId].toSorted());
  });

  test('whose disk was wiped lack the data that they answer for if they are their own seed', async () => {
    const { world, eu } = await formed(2);
    world.ring.write(eu.node(0), 'system_auth');
    assert.deepEqual(world.ring.dataGaps(eu.node(0)), []);
    const { hostId } = eu.node(0);
    eu.region.restartPod(eu.podName(0), { wipeDisk: true });
    await world.until('the node', () => eu.nodes[0]?.mode === 'NORMAL');
    await world.clock.advance(60_000);
    assert.equal(world.ring.foundings.length, 2, 'and found a ring of their own where nobody holds them back');
    assert.deepEqual(world.hosts(eu.node(0)), [eu.node(0).hostId]);
    assert.ok(world.ring.dataGaps(eu.node(1)).some((gap) => gap.hostId === hostId));
  });

  test('without a claim lose their data when they are deleted, and keep it when Cassandra crashes', async () => {
    const { world, eu } = await formed(1, { dataCapacity: '' });
    const { hostId } = eu.node();
    eu.region.crashNode(eu.podName(0));
    await world.until('the node again', () => eu.pod(0) !== undefined && isPodReady(eu.pod(0)!));
    assert.equal(eu.node().hostId, hostId);
    eu.region.deletePod(eu.podName(0));
    await world.until('another host', () => eu.nodes[0]?.mode === 'NORMAL' && eu.nodes[0].hostId !== hostId);
  });

  test('whose Cassandra dies are not ready, and start it again after their back-off', async () => {
    const { world, eu } = await formed(1);
    eu.region.crashNode(eu.podName(0));
    assert.equal(isPodReady(eu.pod(0)!), false);
    const crashed = world.clock.monotonic();
    await world.until('it to be ready', () => isPodReady(eu.pod(0)!));
    assert.ok(world.clock.monotonic() - crashed >= 10_000);
    assert.equal(restartsOf(eu.pod(0)), 1);
  });

  test('whose Cassandra refuses to start crash over and over, ever less often', async () => {
    const { world, eu } = await formed(2);
    const node = eu.node(1);
    node.options.disk.bootstrapped = 'DECOMMISSIONED';
    const starts: number[] = [];
    eu.server.onChange(({ object, resource }) => {
      if (resource.plural !== 'pods' || object.metadata.name !== eu.podName(1)) return;
      if (starts.length < restartsOf(object)) starts.push(world.clock.monotonic());
    });
    eu.region.crashNode(eu.podName(1));
    await world.until('four crashes', () => starts.length >= 5);
    const pauses = starts.slice(1).map((time, index) => time - (starts[index] ?? 0));
    assert.deepEqual(
      pauses,
      pauses.toSorted((a, b) => a - b),
    );
    assert.ok((pauses.at(-1) ?? 0) > 60_000);
  });

  test('of an image that cannot be pulled stay Pending and say so', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({ cassandraImage: 'cassandra:bad' }, eu.seeds('0'));
    await world.until('the pod', () => eu.pod(0)?.status?.podIP !== undefined);
    assert.equal(eu.pod(0)?.status?.phase, 'Pending');
    assert.match(JSON.stringify(eu.pod(0)?.status), /ImagePullBackOff/);
  });

  test('that miss their ConfigMap have no address, and start once it is there', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({ configMapName: 'orders-ringmaster' }, eu.seeds('0'));
    await world.until('the pod', () => eu.pod(0) !== undefined);
    await world.clock.advance(120_000);
    assert.equal(eu.pod(0)?.status?.podIP, undefined);
    eu.guard({ ignition: [{ pod: eu.podName(0), address: 'x' }] });
    await world.done(eu);
  });

  test('that no machine has room for stay without an address until one has', async () => {
    const { world, eu } = await formed(1);
    eu.region.setRoom(false);
    eu.editSpec({ nodesPerRacks: 2 });
    await world.until('the second pod', () => eu.pod(1)?.status?.conditions?.[0]?.reason === 'Unschedulable');
    await world.clock.advance(60_000);
    assert.equal(eu.pod(1)?.status?.podIP, undefined);
    eu.region.setRoom(true);
    await world.until('the second node', () => eu.region.nodeOf(eu.podName(1))?.mode === 'NORMAL');
  });

  test('are ready while they join', async () => {
    const { world, eu } = await formed(1);
    eu.editSpec({ nodesPerRacks: 2 });
    await world.until('the second node to join', () => eu.region.nodeOf(eu.podName(1))?.mode === 'JOINING');
    await world.until('it to be ready', () => isPodReady(eu.pod(1)!));
    assert.equal(eu.node(1).mode, 'JOINING');
  });
});

describe('a StatefulSet', () => {
  test('is rolled from the highest ordinal down, each pod once the one before is ready', async () => {
    const { world, eu } = await formed(3);
    const events: string[] = [];
    eu.server.onChange(({ type, resource, object, previous }) => {
      if (resource.plural !== 'pods') return;
      const ordinal = object.metadata.name.at(-1);
      if (type === 'DELETED') events.push(`-${ordinal}`);
      else if (isPodReady(object as never) && !(previous && isPodReady(previous as never))) events.push(`+${ordinal}`);
    });
    eu.editSpec({ cassandraImage: 'cassandra:5.0.9' });
    await world.until('all replaced', () => events.length === 6);
    assert.deepEqual(events, ['-2', '+2', '-1', '+1', '-0', '+0']);
    await world.done(eu);
    assert.equal(eu.set()?.status?.currentRevision, eu.set()?.status?.updateRevision);
  });

  test('does not replace a broken pod of the old revision by itself', async () => {
    const { world, eu } = await formed(2);
    eu.editSpec({ cassandraImage: 'cassandra:bad' });
    await world.until(
      'the broken pod',
      () => eu.pod(1)?.status?.phase === 'Pending' && !eu.pod(1)?.metadata.deletionTimestamp,
    );
    const broken = eu.pod(1)?.metadata;
    eu.editSpec({ cassandraImage: 'cassandra:5.0.9', unlockNextOperation: true });
    await world.until('the new template', () => JSON.stringify(eu.set()?.spec.template).includes('cassandra:5.0.9'));
    await world.clock.advance(120_000);
    assert.equal(eu.pod(1)?.metadata.uid, broken?.uid);
    eu.region.deletePod(eu.podName(1));
    await world.until('the new pods', () =>
      [0, 1].every((ordinal) => eu.pod(ordinal)?.metadata.labels?.[revisionLabel] === eu.set()?.status?.updateRevision),
    );
    await world.done(eu);
  });

  test('that shrinks loses its last node to a decommission, and then its claim', async () => {
    const { world, eu } = await formed(2);
    const gone = eu.node(1);
    eu.editSpec({ nodesPerRacks: 1 });
    await world.until('the end of the pod', () => eu.pod(1) === undefined);
    assert.equal(gone.options.disk.bootstrapped, 'DECOMMISSIONED');
    await world.until('the end of the claim', () => eu.claims.length === 1);
    await world.done(eu);
    await world.ringRests(eu);
    assert.deepEqual(world.hosts(eu.node(0)), [eu.node(0).hostId]);
  });

  test('keeps its claims when it is deleted, and its successor finds the data', async () => {
    const { world, eu } = await formed(1);
    const { hostId } = eu.node();
    eu.send('DELETE', `${eu.path('StatefulSet')}/orders-eu-rack1`);
    await world.until('the end of the pod', () => eu.pods.length === 0);
    assert.equal(eu.claims.length, 1);
    await world.until('the node again', () => eu.nodes[0]?.mode === 'NORMAL');
    assert.equal(eu.node().hostId, hostId);
  });

  test('takes over pods that nobody owns any more', async () => {
    const { world, eu } = await formed(1);
    const uid = eu.pod(0)?.metadata.uid;
    eu.send('DELETE', `${eu.path('StatefulSet')}/orders-eu-rack1`, { propagationPolicy: 'Orphan' });
    await world.until('its successor', () => eu.set() !== undefined && !eu.set()?.metadata.deletionTimestamp);
    await world.until('the new owner', () => eu.pod(0)?.metadata.ownerReferences?.[0]?.uid === eu.set()?.metadata.uid);
    assert.equal(eu.pod(0)?.metadata.uid, uid);
  });
});

describe('what is deleted', () => {
  test('takes what it owned with it, claims apart', async () => {
    const { world, eu } = await formed(2);
    eu.send('DELETE', `${eu.path('CassandraCluster')}/orders`);
    await world.until('the end of all', () => eu.pods.length === 0 && eu.set() === undefined);
    assert.equal(eu.claims.length, 2);
    assert.equal([...world.ring.nodes].length, 0);
  });

  test('is a namespace with all that is in it', async () => {
    const { world, eu } = await formed(1);
    eu.send('DELETE', '/api/v1/namespaces/cassandra');
    await world.until('its end', () => eu.server.find(resources.namespaces, undefined, 'cassandra') === undefined);
    assert.deepEqual([eu.pods, eu.claims, eu.set()], [[], [], undefined]);
    assert.equal([...world.ring.nodes].length, 0);
  });

  test('does not take what belongs to a successor of its name', async () => {
    const { world, eu } = await formed(1);
    eu.send('DELETE', `${eu.path('CassandraCluster')}/orders`);
    eu.create({}, eu.seeds('0'));
    const { uid } = eu.member.metadata;
    await world.until('a StatefulSet of the successor', () => eu.set()?.metadata.ownerReferences?.[0]?.uid === uid);
    const set = eu.set()?.metadata.uid;
    await world.clock.advance(60_000);
    assert.equal(eu.set()?.metadata.uid, set);
    await world.done(eu);
  });

  test('is a claim in use: it is gone when its pod is', async () => {
    const { world, eu } = await formed(1);
    const path = `/api/v1/namespaces/cassandra/persistentvolumeclaims/data-orders-eu-rack1-0`;
    const { hostId } = eu.node();
    eu.send('DELETE', path);
    await world.clock.advance(60_000);
    assert.ok(eu.claims[0]?.metadata.deletionTimestamp);
    eu.region.deletePod(eu.podName(0));
    await world.until('another host', () => eu.nodes[0]?.mode === 'NORMAL' && eu.nodes[0].hostId !== hostId);
    assert.equal(eu.claims[0]?.metadata.deletionTimestamp, undefined);
  });
});
