import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ChangingRing } from '../changes/changing-ring.ts';
import { assertVolumesGrow } from '../changes/volumes.ts';
import { waitFor } from '../harness/index.ts';
import { command } from '../harness/run/command.ts';
import { formationTimeoutMs, type PodObject } from './federation.ts';
import { untilOneRing } from './one-ring.ts';
import { watched } from './watched.ts';

const names = ['eu', 'us', 'ap'];
const namespace = 'light-rollout';

suite('changes of the spec of a ring of light nodes', () => {
  let ring: ChangingRing;

  before(async () => {
    ring = await ChangingRing.start({ namespace, nodes: 'light', sizes: { eu: 1, us: 2, ap: 1 } });
  });
  after(() => ring?.stop());

  function writesTo(region: string): string[] {
    return ring.federation.writesToRegions().filter((each) => each.startsWith(`${region}: `));
  }

  test('a restart token restarts every node once, one region after the other', async () => {
    const history = await watched(ring.federation, [], async () => {
      await ring.restarts(names, () => ring.apply({ restartToken: 'november' }));
      await ring.ready();
    });
    assert.deepEqual(history.order, names);
    assert.deepEqual(Object.fromEntries(history.deletions), {
      'orders-eu-rack1-0': 1,
      'orders-us-rack1-0': 1,
      'orders-us-rack1-1': 1,
      'orders-ap-rack1-0': 1,
    });
    await untilOneRing(ring.federation, 4);
  });

  test('larger volumes: the StatefulSets are made anew around their pods, and no pod restarts for it', async () => {
    await assertVolumesGrow(ring, '2Gi');
  });

  test('while nodes leave a region an edit waits, and not a word is written there; then it goes through all regions', async () => {
    const us = ring.regions.region('us');
    const history = await watched(ring.federation, [], async () => {
      // Nobody is there to do what the member says, so this takes as long as it needs to.
      await us.stopOperator(namespace);
      await ring.apply({ sizes: { eu: 1, us: 1, ap: 1 } });
      await waitFor(
        async () => {
          const { topology } = ((await ring.federation.member('us')) ?? assert.fail()).spec as unknown as Topology;
          return topology.dc[0]?.nodesPerRacks === 1;
        },
        { what: 'the member of us to be made smaller', timeoutMs: formationTimeoutMs },
      );
      const writes = writesTo('us');
      await ring.restarts(names, async () => {
        await ring.apply({ cpu: '400m' });
        const message = /nodes of region us leave the ring; nothing is written to its member before that is over/;
        await ring.federation.waitForCondition('Applied', 'False', { region: 'us', reason: 'Waiting', message });
        assert.deepEqual(writesTo('us'), writes);
        await us.startOperator(namespace);
      });
      await ring.ready();
    });
    assert.equal(history.order[0], 'us');
    const at = (pattern: RegExp): number => history.moments.findIndex(({ what }) => pattern.test(what));
    assert.ok(at(/orders-(eu|ap)-rack1-0 is not ready/) > at(/orders-us-rack1-1 is gone/));
    assert.deepEqual(Object.fromEntries(history.deletions), {
      'orders-us-rack1-1': 1,
      'orders-eu-rack1-0': 1,
      'orders-us-rack1-0': 1,
      'orders-ap-rack1-0': 1,
    });
    await untilOneRing(ring.federation, 3);
  });

  test('while a region cannot be seen the others restart, and none grows; when it is back, it catches up', async () => {
    const { us } = await ring.federation.whatRuns();
    const history = await watched(ring.federation, [], async () => {
      await ring.cutOff('us');
      await ring.restarts(['eu', 'ap'], () => ring.apply({ cpu: '300m' }));
      await ring.federation.waitForCondition('Applied', 'True', { region: 'ap' });
      await ring.apply({ sizes: { eu: 1, us: 1, ap: 2 } });
      const message = /region us may be part of the ring and cannot be seen.*Its turn adds nodes/;
      await ring.federation.waitForCondition('Applied', 'False', { region: 'ap', reason: 'Waiting', message });
      assert.deepEqual((await ring.federation.whatRuns())['us'], us);
      assert.equal((await ring.federation.pods('ap')).length, 1);

      await ring.restarts(['us'], () => Promise.resolve(ring.reconnect('us')));
      await untilOneRing(ring.federation, 4);
      await ring.ready();
    });
    assert.deepEqual(history.order, ['eu', 'ap', 'us']);
    assert.equal(history.deletions.size, 3);
  });

  test('what CassKop has noted and never begins is ended, and its region takes changes again', async () => {
    const path = `/apis/db.orange.com/v2/namespaces/${namespace}/cassandraclusters/orders/status`;
    const noted = { 'eu-rack1': { cassandraLastAction: { name: 'UpdateDockerImage', status: 'ToDo' } } };
    const status = {
      lastClusterAction: 'UpdateDockerImage',
      lastClusterActionStatus: 'ToDo',
      cassandraRackStatus: noted,
    };
    const statusWrites = (): number => writesTo('eu').filter((each) => /cassandraclusters.*status/.test(each)).length;
    const before = statusWrites();
    await ring.regions.region('eu').api.patch(path, 'merge', { status });
    await waitFor(() => statusWrites() > before, {
      what: 'CassKop to be told that nothing is left to do',
      timeoutMs: formationTimeoutMs,
    });
    await ring.ready();
    const history = await watched(ring.federation, [], () => ring.restarts(names, () => ring.apply({ cpu: '350m' })));
    assert.deepEqual(history.order, names);
  });

  test('CassKop has one node more leave than it was asked to: the status names it, and what it says to type brings a new one', async () => {
    const { federation, regions } = ring;
    const { api } = regions.region('ap');
    const [first, last] = ['orders-ap-rack1-0', 'orders-ap-rack1-1'];
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const hold = (finalizers: string[] | null): Promise<unknown> =>
      api.patch(`${pods}/${last}`, 'merge', { metadata: { finalizers } });
    const until = (what: string, holds: () => Promise<boolean>): Promise<unknown> =>
      waitFor(holds, { what, timeoutMs: formationTimeoutMs });
    await hold(['example.com/held']);
    await ring.apply({ sizes: { eu: 1, us: 1, ap: 1 } });
    await until(
      'the last pod to go',
      async () => (await api.get(`${pods}/${last}`)).metadata.deletionTimestamp !== undefined,
    );
    const { status } = await api.get<PodObject>(`${pods}/${first}`);
    const say = (ready: 'True' | 'False'): Promise<unknown> => {
      const conditions = status.conditions?.map((each) => (each.type === 'Ready' ? { ...each, status: ready } : each));
      return api.patch(`${pods}/${first}/status`, 'merge', { status: { conditions } });
    };
    await say('False');
    await until('no pod to be counted', async () => {
      const [set] = await federation.statefulSets('ap');
      return set?.spec.replicas === 1 && (set.status.readyReplicas ?? 0) === 0;
    });
    await hold(null);
    await until('another node to be told to leave', async () => {
      const { metadata } = await api.get(`${pods}/${first}`);
      return metadata.labels?.['operation-name'] === 'decommission';
    });
    await say('True');

    const { message } = await federation.waitForCondition('Stalled', 'True', { reason: 'NodeLeft' });
    const [, typed = ''] = /, type in region ap: (.*)$/.exec(message) ?? [];
    assert.match(message, new RegExp(`^${first} of region ap left the ring`));
    const env = { ...process.env, KUBECONFIG: regions.kubeconfig };
    const kubectl = `${regions.kubectl} --context ap`;
    for (const each of typed.split('; ')) await command('sh', ['-c', each.replace(/^kubectl/, kubectl)], { env });

    const loss = await federation.waitForCondition('Stalled', 'True', { reason: 'DataLossSuspected' });
    const [, hostId = ''] = /came back as host (\S+)/.exec(loss.message) ?? [];
    const { spec } = await federation.get();
    const entries = (spec as { regions: { name: string }[] }).regions.map((entry) =>
      entry.name === 'ap' ? { ...entry, acknowledgedHosts: [{ pod: first, hostId }] } : entry,
    );
    await federation.hub.patch(federation.path, 'merge', { spec: { regions: entries } });
    await ring.ready();
    await untilOneRing(federation, 3);
  });
});

interface Topology {
  topology: { dc: { nodesPerRacks?: number }[] };
}
