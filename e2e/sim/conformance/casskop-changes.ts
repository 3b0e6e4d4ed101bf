import assert from 'node:assert/strict';
import type { Behaves } from './casskop.ts';
import { badImage, topology } from './casskop-place.ts';

/** What CassKop does when the spec, the seed list or a pod changes. */
export function registerChangeTests(behaves: Behaves): void {
  for (const [what, spec] of Object.entries({
    'a rack added to a datacenter': { topology: topology(2) },
    'a smaller capacity': { dataCapacity: '512Mi' },
    'another storage class': { dataStorageClass: 'fast' },
    'no nodes at all': { nodesPerRacks: 0 },
  })) {
    behaves(
      `refuses ${what}: puts it back, notes CorrectCRDConfig, stays Done, and touches no StatefulSet`,
      async (fed) => {
        await fed.created();
        const { spec: before, generation } = fed;
        await fed.editSpec(spec);
        await fed.until('CorrectCRDConfig', () => fed.status.lastClusterAction === 'CorrectCRDConfig');
        await fed.until('the old spec', () => JSON.stringify(fed.spec) === JSON.stringify(before));
        assert.ok(fed.generation > generation);
        assert.deepEqual([fed.status.phase, fed.status.lastClusterActionStatus], ['Running', 'Done']);
        await fed.rest();
        assert.equal(fed.set().metadata.generation, 1);
        assert.deepEqual(fed.pods, ['fed-eu-rack1-0']);
      },
    );
  }

  behaves(
    'rolls the pods for another order of the seed list alone, as an action of its own that takes its blind time',
    async (fed) => {
      await fed.created({ nodesPerRacks: 2 });
      const reversed = fed.status.seedlist?.toReversed() ?? [];
      assert.equal(reversed.length, 2);
      const before = [0, 1].map((ordinal) => fed.pod(ordinal).metadata.uid);
      const { generation } = fed.set().metadata;
      const from = fed.place.history.length;
      await fed.patchSeeds(reversed);
      await fed.ended('UpdateSeedList');
      assert.equal(fed.seedsOfSet(), reversed.join());
      assert.equal(fed.set().metadata.generation, (generation ?? 0) + 1);
      for (const ordinal of [0, 1]) assert.notEqual(fed.pod(ordinal).metadata.uid, before[ordinal]);
      const gone = fed.place.history.slice(from).filter(({ kind, isGone }) => kind === 'pods' && isGone);
      assert.deepEqual(
        gone.map(({ object }) => object.metadata.name),
        ['fed-eu-rack1-1', 'fed-eu-rack1-0'],
        'from the highest ordinal down',
      );
      const { startTime = '', endTime = '' } = fed.action();
      assert.ok(Date.parse(endTime) - Date.parse(startTime) >= fed.place.pace.blindMs, `${startTime} to ${endTime}`);
    },
  );

  behaves(
    'a bad image stalls; the good one alone does nothing, with unlockNextOperation it reaches the StatefulSet, and the broken pod has to be deleted',
    async (fed) => {
      await fed.created({ nodesPerRacks: 2 });
      const { uid } = fed.pod(0).metadata;
      await fed.editSpec({ cassandraImage: badImage });
      await fed.until('a pod without its image', () => lacksImage(fed.findPod(1)));
      await fed.rest();
      assert.deepEqual([fed.action().name, fed.action().status], ['UpdateDockerImage', 'Ongoing']);
      assert.equal(fed.pod(0).metadata.uid, uid, 'the other pod is left alone');

      await fed.editSpec({ cassandraImage: 'cassandra:5.0.8' });
      await fed.rest();
      assert.equal(fed.imageOf(), badImage, 'the fix alone does nothing');

      await fed.editSpec({ unlockNextOperation: true });
      await fed.until('the good image in the StatefulSet', () => fed.imageOf() === 'cassandra:5.0.8');
      await fed.until('the command to be taken', () => !fed.spec.unlockNextOperation);
      assert.ok(!('unlockNextOperation' in fed.spec));
      await fed.rest();
      assert.ok(lacksImage(fed.findPod(1)), 'the broken pod stays');

      await fed.deletePod(fed.podName(1));
      await fed.until('a ready pod', () => fed.isReady(1));
      await fed.done();
      assert.equal(fed.pod(0).metadata.uid, uid);
    },
  );

  behaves('restarts a rack once for rollingRestart, and takes the command out of the spec', async (fed) => {
    await fed.created();
    const { uid } = fed.pod().metadata;
    await fed.editSpec({ topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1', rollingRestart: true }] }] } });
    await fed.ended('RollingRestart');
    assert.notEqual(fed.pod().metadata.uid, uid);
    assert.equal(fed.set().metadata.generation, 2);
    assert.deepEqual(fed.spec.topology.dc?.[0]?.rack, [{ name: 'rack1' }]);
  });

  behaves('makes its disruption budget anew for another maxPodUnavailable, and restarts nothing', async (fed) => {
    await fed.created();
    const { metadata, spec } = fed.budget;
    assert.equal(spec.maxUnavailable, 1);
    await fed.editSpec({ maxPodUnavailable: 2 });
    await fed.until('another budget', () => fed.now('budgets').has('fed') && fed.budget.spec.maxUnavailable === 2);
    assert.notEqual(fed.budget.metadata.uid, metadata.uid);
    await fed.rest();
    assert.equal(fed.set().metadata.generation, 1);
  });

  behaves(
    'a pod that goes makes it Pending with its last action still Done, and Running again when the pod is back',
    async (fed) => {
      await fed.created({ nodesPerRacks: 2 });
      const { uid } = fed.pod(1).metadata;
      const { generation } = fed.set().metadata;
      await fed.holdPod(1);
      await fed.deletePod(fed.podName(1));
      await fed.endHeldPod(1);
      await fed.until('Pending', () => fed.status.phase === 'Pending');
      await fed.looked();
      assert.deepEqual([fed.status.phase, fed.status.lastClusterActionStatus], ['Pending', 'Done']);
      await fed.letGo(1);
      await fed.until('another pod', () => fed.findPod(1)?.metadata.uid !== uid && fed.isReady(1));
      await fed.done();
      assert.equal(fed.set().metadata.generation, generation);
      assert.deepEqual(fed.claims, ['data-fed-eu-rack1-0', 'data-fed-eu-rack1-1']);
    },
  );

  behaves('makes a StatefulSet that was deleted anew from the status, with its seeds', async (fed) => {
    await fed.created();
    const { uid } = fed.set().metadata;
    const seeds = fed.seedsOfSet();
    await fed.delete('statefulSets', 'fed-eu-rack1');
    await fed.until('another StatefulSet', () => {
      const set = fed.findSet();
      return set !== undefined && set.metadata.uid !== uid;
    });
    assert.equal(fed.seedsOfSet(), seeds);
    await fed.done();
  });

  behaves(
    'changes nothing while any node of the ring joins, however well its own pods are, and does when it has joined',
    async (fed) => {
      await fed.created();
      const endJoining = await fed.place.joinRing(fed.pod());
      const began = fed.place.history.length;
      await fed.editSpec({ cassandraImage: 'cassandra:5.0.9' });
      await fed.until('the action to be noted', () => fed.action().name === 'UpdateDockerImage');
      assert.equal(fed.action().status, 'ToDo');
      await fed.rest();
      assert.equal(fed.imageOf(), 'cassandra:5.0.8');
      assert.equal(fed.action().status, 'ToDo');
      assert.ok(!fed.place.history.slice(began).some(({ kind, isGone }) => kind === 'pods' && isGone));
      await endJoining();
      await fed.ended('UpdateDockerImage');
      assert.equal(fed.imageOf(), 'cassandra:5.0.9');
    },
  );

  behaves(
    'never gets over a change that was taken back before it could begin: the action stays to be done',
    async (fed) => {
      await fed.created();
      const endJoining = await fed.place.joinRing(fed.pod());
      await fed.editSpec({ cassandraImage: 'cassandra:5.0.9' });
      await fed.until('the action to be noted', () => fed.action().name === 'UpdateDockerImage');
      await fed.editSpec({ cassandraImage: 'cassandra:5.0.8' });
      await fed.looked();
      await endJoining();
      await fed.rest();
      assert.deepEqual([fed.action().name, fed.action().status], ['UpdateDockerImage', 'ToDo']);
      assert.equal(fed.status.lastClusterActionStatus, 'ToDo');
      assert.equal(fed.set().metadata.generation, 1);
      // The next change that makes a difference ends it.
      await fed.editSpec({ pod: { annotations: { any: 'thing' } } });
      await fed.ended('UpdateDockerImage');
      assert.equal(fed.set().metadata.generation, 2);
    },
  );
}

/** Whether any container of a pod waits for an image that cannot be pulled. */
function lacksImage(pod: { status?: unknown } | undefined): boolean {
  const { containerStatuses = [], initContainerStatuses = [] } = (pod?.status ?? {}) as Record<
    string,
    { state?: { waiting?: { reason?: string } } }[]
  >;
  return [...initContainerStatuses, ...containerStatuses].some(
    ({ state }) => state?.waiting?.reason === 'ImagePullBackOff',
  );
}
