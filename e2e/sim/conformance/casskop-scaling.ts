import assert from 'node:assert/strict';
import type { StatefulSet } from '../../casskop/statefulset.ts';
import type { Behaves } from './casskop.ts';

/** How CassKop makes racks larger and smaller. */
export function registerScalingTests(behaves: Behaves): void {
  behaves(
    'grows a rack, asks its pods for a cleanup, and shrinks it by a decommission that takes the volume along',
    async (fed) => {
      await fed.created();
      const { uid } = fed.pod().metadata;
      await fed.editSpec({ nodesPerRacks: 2 });
      await fed.ended('ScaleUp');
      assert.deepEqual(fed.pods, ['fed-eu-rack1-0', 'fed-eu-rack1-1']);
      await fed.until('the request for a cleanup', () =>
        [0, 1].every((ordinal) => fed.pod(ordinal).metadata.labels?.['operation-name'] === 'cleanup'),
      );
      for (const ordinal of [0, 1]) assert.equal(fed.pod(ordinal).metadata.labels?.['operation-status'], 'Manual');
      await fed.rest();

      const from = fed.place.history.length;
      await fed.editSpec({ nodesPerRacks: 1 });
      await fed.ended('ScaleDown');
      assert.deepEqual(fed.pods, ['fed-eu-rack1-0']);
      assert.equal(fed.pod().metadata.uid, uid);
      await fed.until('the volume to go', () => !fed.claims.includes('data-fed-eu-rack1-1'));
      assert.deepEqual(fed.claims, ['data-fed-eu-rack1-0']);
      const { name, status, podsOK } = fed.status.cassandraRackStatus?.['eu-rack1']?.podLastOperation ?? {};
      assert.deepEqual([name, status, podsOK], ['decommission', 'Done', ['fed-eu-rack1-1']]);

      const after = fed.place.history.slice(from);
      const labelled = after.findIndex(
        ({ kind, object }) => kind === 'pods' && object.metadata.labels?.['operation-name'] === 'decommission',
      );
      const finalizing = after.findIndex(({ kind, object }) => {
        const racks = (object['status'] as typeof fed.status | undefined)?.cassandraRackStatus;
        return kind === 'members' && racks?.['eu-rack1']?.podLastOperation.status === 'Finalizing';
      });
      const smaller = after.findIndex(
        ({ kind, object }) => kind === 'statefulSets' && (object as StatefulSet).spec.replicas === 1,
      );
      assert.ok(labelled >= 0 && labelled < finalizing && finalizing < smaller, `${labelled} ${finalizing} ${smaller}`);
      assert.equal(after[labelled]?.object.metadata.name, 'fed-eu-rack1-1');
    },
  );

  behaves('grows and shrinks by one node at a time', async (fed) => {
    await fed.created();
    await fed.editSpec({ nodesPerRacks: 3 });
    await fed.ended('ScaleUp');
    await fed.rest();
    await fed.editSpec({ nodesPerRacks: 1 });
    await fed.ended('ScaleDown');
    const sizes = fed.course('statefulSets', (object) => (object as StatefulSet).spec.replicas);
    assert.deepEqual(sizes, [1, 2, 3, 2, 1]);
    assert.deepEqual(fed.pods, ['fed-eu-rack1-0']);
  });

  behaves('refuses to empty a datacenter whose nodes hold any keyspace, and puts the number back', async (fed) => {
    await fed.created();
    await fed.editSpec({ topology: { dc: [{ name: 'eu', nodesPerRacks: 0, rack: [{ name: 'rack1' }] }] } });
    await fed.until('CorrectCRDConfig', () => fed.status.lastClusterAction === 'CorrectCRDConfig');
    await fed.until('the old topology', () => fed.spec.topology.dc?.[0]?.nodesPerRacks === undefined);
    await fed.rest();
    assert.equal(fed.set().metadata.generation, 1);
  });

  behaves(
    'cuts every rack down to one pod when a datacenter is appended, without a decommission, and fills it up again',
    async (fed) => {
      await fed.created({ nodesPerRacks: 2 });
      const from = fed.place.history.length;
      const { dc = [] } = fed.spec.topology;
      await fed.editSpec({ topology: { dc: [...dc, { name: 'asia', nodesPerRacks: 1, rack: [{ name: 'rack1' }] }] } });
      await fed.until('a StatefulSet of the new datacenter', () => fed.findSet('asia-rack1') !== undefined);
      await fed.until('all pods', () => fed.isReady(1) && fed.isReady(0, 'asia-rack1'));
      await fed.done();
      const sizes = fed.place.history.slice(from).flatMap(({ kind, object }) => {
        return kind === 'statefulSets' && object.metadata.name === 'fed-eu-rack1'
          ? [(object as StatefulSet).spec.replicas]
          : [];
      });
      assert.deepEqual([...new Set(sizes)], [1, 2]);
      const decommissioned = fed.place.history
        .slice(from)
        .some(({ kind, object }) => kind === 'pods' && object.metadata.labels?.['operation-name'] === 'decommission');
      assert.equal(decommissioned, false);
    },
  );
}
