import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ChangingRing } from '../changes/changing-ring.ts';
import { assertVolumesGrow } from '../changes/volumes.ts';
import { waitFor } from '../harness/index.ts';
import { formationTimeoutMs } from './federation.ts';
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
});

interface Topology {
  topology: { dc: { nodesPerRacks?: number }[] };
}
