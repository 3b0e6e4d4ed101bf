import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { waitFor } from '../harness/index.ts';
import { countOrders, cql, createTables, writeOrders } from '../ring/cql.ts';
import { untilOneRing } from '../ring/one-ring.ts';
import { watched } from '../ring/watched.ts';
import { ChangingRing, turnTimeoutMs } from './changing-ring.ts';

const names = ['eu', 'us', 'ap'];
const namespace = 'sizes';
const neighbour = 'sizes2';
const batch = 100;

suite('changes of the size of a ring of three regions of two nodes at the true pace of CassKop', () => {
  let ring: ChangingRing;
  let written = 0;

  before(async () => {
    const sizes = { eu: 2, us: 2, ap: 2 };
    ring = await ChangingRing.start({
      namespace,
      nodes: 'cassandra',
      pace: 'true',
      sizes,
      patient: true,
      allow: `eu=${namespace}/${namespace},${neighbour}`,
    });
    await createTables(ring.federation, sizes);
  });
  after(() => ring?.stop());

  async function writeMore(): Promise<void> {
    await writeOrders(ring.federation, 'eu', written, batch);
    written += batch;
  }

  async function assertNoRowLost(): Promise<void> {
    for (const region of names)
      assert.equal(await countOrders(ring.federation, region), written, `orders in ${region}`);
  }

  /** Waits until a region's StatefulSet and pods have this size. */
  async function untilSize(region: string, nodes: number): Promise<void> {
    await waitFor(
      async () => {
        const [set] = await ring.federation.statefulSets(region);
        const pods = await ring.federation.pods(region);
        if (set?.spec.replicas === nodes && set.status.readyReplicas === nodes && pods.length === nodes) return true;
        throw new Error(
          JSON.stringify([set?.spec.replicas, pods.length, (await ring.federation.get()).status?.conditions]),
        );
      },
      { what: `${region} to have ${nodes} nodes`, timeoutMs: turnTimeoutMs },
    );
  }

  test('a region grows by a node; the others serve their clients meanwhile, and restart nothing', async () => {
    await writeMore();
    const { eu, ap } = await ring.federation.whatRuns();
    const history = await watched(ring.federation, names, async () => {
      await ring.apply({ sizes: { eu: 2, us: 3, ap: 2 } });
      await untilSize('us', 3);
      await ring.ready();
    });
    assert.deepEqual(history.order, ['us']);
    assert.equal(history.deletions.size, 0);
    await untilOneRing(ring.federation, 7);
    const now = await ring.federation.whatRuns();
    assert.deepEqual([now['eu'], now['ap']], [eu, ap]);
    await assertNoRowLost();
  });

  test('it shrinks again: the node leaves the ring with its volume, and hands over its rows', async () => {
    // Some of these live on the node that leaves and nowhere else in us.
    await writeMore();
    const { eu, ap } = await ring.federation.whatRuns();
    const history = await watched(ring.federation, names, async () => {
      await ring.apply({ sizes: { eu: 2, us: 2, ap: 2 } });
      await untilSize('us', 2);
      await ring.ready();
    });
    assert.deepEqual(history.order, ['us']);
    assert.deepEqual(Object.fromEntries(history.deletions), { 'orders-us-rack1-2': 1 });
    await untilOneRing(ring.federation, 6);
    const now = await ring.federation.whatRuns();
    assert.deepEqual([now['eu'], now['ap']], [eu, ap]);
    const claims = await ring.federation.api('us').list(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`);
    assert.deepEqual(claims.map(({ metadata }) => metadata.name).sort(), [
      'data-orders-us-rack1-0',
      'data-orders-us-rack1-1',
    ]);
    await assertNoRowLost();
  });

  test('while a region cannot be seen the others restart, and none grows; when it is back, it catches up', async () => {
    const us = (await ring.federation.whatRuns())['us'];
    const history = await watched(ring.federation, names, async () => {
      await ring.cutOff('us');
      await ring.restarts(['eu', 'ap'], () => ring.apply({ cpu: '400m' }));
      await ring.federation.waitForCondition('Applied', 'True', { region: 'ap', timeoutMs: turnTimeoutMs });

      await ring.apply({ sizes: { eu: 2, us: 2, ap: 3 } });
      const { message } = await ring.federation.waitForCondition('Applied', 'False', {
        region: 'ap',
        reason: 'Waiting',
        message: /region us may be part of the ring and cannot be seen/,
        timeoutMs: turnTimeoutMs,
      });
      assert.match(message, /Its turn adds nodes/);
      assert.deepEqual((await ring.federation.whatRuns())['us'], us);
      assert.equal((await ring.federation.statefulSets('ap'))[0]?.spec.replicas, 2);

      await ring.restarts(['us'], () => Promise.resolve(ring.reconnect('us')));
      await untilSize('ap', 3);
      await ring.ready();
    });
    assert.deepEqual(history.order, ['eu', 'ap', 'us']);
    assert.equal(history.deletions.size, 6);
    await untilOneRing(ring.federation, 7);
    await assertNoRowLost();
  });

  test('an edit while a node leaves the ring waits until it has left, and goes through all regions then', async () => {
    await writeMore();
    const history = await watched(ring.federation, names, async () => {
      await ring.apply({ sizes: { eu: 2, us: 2, ap: 2 } });
      await waitFor(
        async () => {
          const { LeavingNodes } = await ring.federation.ask('ap', 'orders-ap-rack1-0', 'LeavingNodes,OperationMode');
          return (LeavingNodes as string[]).length > 0;
        },
        { what: 'a node of ap to leave the ring', timeoutMs: turnTimeoutMs },
      );
      await ring.restarts(names, async () => {
        await ring.apply({ config: { 'cassandra-yaml': { read_request_timeout: '6000ms' } } });
        const message = /nodes of region ap leave the ring; nothing is written to its member before that is over/;
        await ring.federation.waitForCondition('Applied', 'False', { region: 'ap', reason: 'Waiting', message });
        await untilSize('ap', 2);
      });
      await ring.ready();
    });
    const at = (what: string): number => history.moments.findIndex((moment) => moment.what === what);
    assert.equal(history.order[0], 'ap');
    const restart = history.moments.findIndex(
      ({ what }) => what.endsWith(' is not ready') && !what.includes('ap-rack1-2'),
    );
    assert.ok(restart > at('orders-ap-rack1-2 is gone'), 'nobody restarted before the node had left');
    assert.equal(history.deletions.size, 7);
    await untilOneRing(ring.federation, 6);
    await assertNoRowLost();
  });

  test('a second region in a cluster that has one already joins when the keyspaces allow it, and nobody restarts', async () => {
    const ran = await ring.federation.whatRuns();
    await ring.regions.region('eu').prepareNamespace(neighbour, { pace: 'true' });
    ring.federation.addGuest('eu2', 'eu', neighbour);
    const history = await watched(ring.federation, names, async () => {
      const datacenters = [{ name: 'berlin', nodesPerRacks: 1, racks: [{ name: 'rack1' }] }];
      await ring.apply({ more: [{ name: 'eu2', context: 'eu', namespace: neighbour, datacenters }] });
      const { message } = await ring.federation.waitForCondition('Stalled', 'True', {
        reason: 'ReplicationGate',
        timeoutMs: turnTimeoutMs,
      });
      assert.equal(await ring.federation.member('eu2'), undefined);
      const statements = message.match(/ALTER KEYSPACE [^;]+;/g) ?? assert.fail(message);
      await cql(ring.federation, 'eu', async (client) => {
        for (const statement of statements) await client.execute(statement);
      });
      await ring.federation.waitForCondition('RingMember', 'True', { region: 'eu2', timeoutMs: turnTimeoutMs });
      await ring.ready();
    });
    assert.deepEqual(history.order, ['eu2']);
    await untilOneRing(ring.federation, 7);
    const { eu2, ...now } = await ring.federation.whatRuns();
    assert.ok(eu2);
    assert.deepEqual(now, ran);
    await assertNoRowLost();
  });
});
