import assert from 'node:assert/strict';
import type { ClusterStatus, PodLastOperation } from '../../casskop/cluster.ts';
import type { StatefulSet } from '../../casskop/statefulset.ts';
import type { ApiObject } from '../../harness/api-server.ts';
import type { Change } from './casskop-place.ts';
import type { Behaves } from './casskop.ts';

/** How CassKop makes racks larger and smaller. */
export function registerScalingTests(behaves: Behaves): void {
  behaves('grows a rack by one node at a time, and asks all its pods for a cleanup then', async (fed) => {
    await fed.created();
    const { uid } = fed.pod().metadata;
    await fed.editSpec({ nodesPerRacks: 3 });
    await fed.ended('ScaleUp');
    assert.deepEqual(sizesIn(fed.place.history), [1, 2, 3]);
    assert.equal(fed.pod().metadata.uid, uid);
    const labelOf = (ordinal: number, name: string): string | undefined => fed.pod(ordinal).metadata.labels?.[name];
    for (const ordinal of [0, 1, 2]) {
      await fed.until('the request for a cleanup', () => labelOf(ordinal, 'operation-name') === 'cleanup');
      assert.equal(labelOf(ordinal, 'operation-status'), 'Manual');
    }
  });

  behaves('shrinks a rack by one node at a time: decommission, StatefulSet, volume', async (fed) => {
    await fed.created({ nodesPerRacks: 3 });
    const { uid } = fed.pod().metadata;
    for (const ordinal of [1, 2]) await fed.holdPod(ordinal);
    const from = fed.place.history.length;
    await fed.editSpec({ nodesPerRacks: 1 });
    for (const ordinal of [2, 1]) {
      await fed.endHeldPod(ordinal);
      // CassKop may look at any moment, and must not find the rack short of a pod: see below.
      await fed.until('the pod not to be counted', () => fed.set().status?.readyReplicas === ordinal);
      await fed.letGo(ordinal);
    }
    await fed.ended('ScaleDown');
    assert.deepEqual(fed.pods, ['fed-eu-rack1-0']);
    assert.equal(fed.pod().metadata.uid, uid);
    await fed.until('the volumes to go', () => fed.claims.length === 1);
    assert.deepEqual(fed.claims, ['data-fed-eu-rack1-0'], 'although deletePVC is not set');
    const { name, status, podsOK } = operationOf(fed.member) ?? {};
    assert.deepEqual([name, status, podsOK], ['decommission', 'Done', ['fed-eu-rack1-1']]);

    const after = fed.place.history.slice(from);
    assert.deepEqual(sizesIn(after), [2, 1]);
    for (const ordinal of [2, 1]) {
      const pod = fed.podName(ordinal);
      const isLabelled = ({ kind, object: { metadata } }: Change): boolean =>
        kind === 'pods' && metadata.name === pod && metadata.labels?.['operation-name'] === 'decommission';
      const isFinalizing = ({ kind, object }: Change): boolean => {
        const operation = kind === 'members' ? operationOf(object) : undefined;
        return operation?.status === 'Finalizing' && operation.pods?.[0] === pod;
      };
      const isSmaller = ({ kind, object }: Change): boolean =>
        kind === 'statefulSets' && (object as StatefulSet).spec.replicas === ordinal;
      const steps = [isLabelled, isFinalizing, isSmaller].map((step) => after.findIndex(step));
      const inOrder = steps.every((at, index) => at > (steps[index - 1] ?? -1));
      assert.ok(inOrder, `${pod}: labelled, Finalizing, StatefulSet smaller at ${String(steps)}`);
    }
  });

  behaves(
    'decommissions one node more than it was asked to when another pod is not ready at the moment the last one is gone',
    async (fed) => {
      await fed.created({ nodesPerRacks: 3 });
      for (const ordinal of [0, 2]) await fed.holdPod(ordinal);
      await fed.editSpec({ nodesPerRacks: 2 });
      await fed.endHeldPod(2);
      await fed.deletePod(fed.podName(0));
      await fed.endHeldPod(0);
      await fed.until('one ready pod', () => fed.set().status?.readyReplicas === 1);
      await fed.letGo(2);
      const isAnother = ({ kind, object }: Change): boolean => {
        const operation = kind === 'members' ? operationOf(object) : undefined;
        return operation?.status === 'Ongoing' && operation.pods?.[0] === 'fed-eu-rack1-1';
      };
      await fed.until('another decommission', () => fed.place.history.some(isAnother));
      assert.equal(fed.spec.nodesPerRacks, 2);
      const before = fed.place.history.slice(0, fed.place.history.findIndex(isAnother));
      assert.equal(sizesIn(before).at(-1), 2);
      await fed.letGo(0);
    },
  );

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
      const after = fed.place.history.slice(from);
      assert.deepEqual(sizesIn(after), [1, 2]);
      const operations = after.map(({ kind, object }) => kind === 'pods' && object.metadata.labels?.['operation-name']);
      assert.ok(!operations.includes('decommission'));
    },
  );
}

/** The sizes that the StatefulSet of the first rack had, in order. */
function sizesIn(history: readonly Change[]): number[] {
  const sizes = history.flatMap(({ kind, object }) =>
    kind === 'statefulSets' && object.metadata.name === 'fed-eu-rack1' ? [(object as StatefulSet).spec.replicas] : [],
  );
  return sizes.filter((size, index) => size !== sizes[index - 1]);
}

function operationOf(member: ApiObject): PodLastOperation | undefined {
  return (member['status'] as ClusterStatus | undefined)?.cassandraRackStatus?.['eu-rack1']?.podLastOperation;
}
