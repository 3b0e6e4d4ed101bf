import assert from 'node:assert/strict';
import type { StatefulSet } from '../../casskop/statefulset.ts';
import type { ApiObject } from '../../harness/api-server.ts';
import { lastApplied, topology } from './casskop-place.ts';
import type { Behaves } from './casskop.ts';

/** How CassKop brings a new CassandraCluster up. */
export function registerFormationTests(behaves: Behaves): void {
  behaves(
    'puts its own seeds into the status when nobody does: of two racks two pods each, until there are three',
    async (fed) => {
      await fed.create({ topology: topology(2), nodesPerRacks: 2 });
      await fed.until('a seed list', () => fed.status.seedlist !== undefined);
      const own = ['rack1-0', 'rack1-1', 'rack2-0'].map((pod) => `fed-eu-${pod}.fed.${fed.place.namespace}`);
      assert.deepEqual(fed.status.seedlist, own);
      await fed.until('a StatefulSet', () => fed.findSet() !== undefined);
      assert.equal(fed.seedsOfSet(), own.join());
    },
  );

  behaves(
    'starts one rack after the other, in each the first pod and then the others in the same order',
    async (fed) => {
      await fed.created({ topology: topology(2), nodesPerRacks: 2 });
      const isOurs = ({ metadata }: ApiObject): boolean => metadata.labels?.['cassandracluster'] === 'fed';
      const started = [...new Set(fed.course('pods', (pod) => (isOurs(pod) ? pod.metadata.name : undefined)))];
      assert.deepEqual(started, ['fed-eu-rack1-0', 'fed-eu-rack2-0', 'fed-eu-rack1-1', 'fed-eu-rack2-1']);
      const sizes = fed.course('statefulSets', (object) => {
        const { metadata, spec } = object as StatefulSet;
        return [metadata.name, spec.replicas];
      });
      const first = (rack: string, replicas: number): number =>
        sizes.findIndex(([name, size]) => name === rack && size === replicas);
      const order = [
        first('fed-eu-rack1', 1),
        first('fed-eu-rack2', 1),
        first('fed-eu-rack1', 2),
        first('fed-eu-rack2', 2),
      ];
      assert.ok(
        order[0] === 0 && order.every((at, index) => index === 0 || at > (order[index - 1] ?? 0)),
        String(order),
      );
      for (const [later, earlier] of [
        ['fed-eu-rack2-0', 'fed-eu-rack1-0'],
        ['fed-eu-rack1-1', 'fed-eu-rack2-0'],
        ['fed-eu-rack2-1', 'fed-eu-rack1-1'],
      ] as const) {
        const changes = fed.of('pods').map(({ object }) => object);
        const begin = changes.findIndex(({ metadata }) => metadata.name === later);
        const wasReady = changes.slice(0, begin).some((object) => object.metadata.name === earlier && isReady(object));
        assert.ok(wasReady, `${later} began before ${earlier} was ready`);
      }
      const phases = fed.course('members', ({ status }) => {
        const { phase, initializingSubPhase } = (status ?? {}) as { phase?: string; initializingSubPhase?: string };
        return phase && [phase, initializingSubPhase];
      });
      assert.deepEqual(phases.slice(0, 3), [
        ['Initializing', 'FirstPodPerRack'],
        ['Initializing', 'NextPodPerRack'],
        ['Running', undefined],
      ]);
    },
  );

  behaves(
    'with the seeds in its spec and a status patch that comes too late it generates the StatefulSet once, and ends with the list of the patch',
    async (fed) => {
      const list = [`fed-eu-rack1-0.fed.${fed.place.namespace}.svc.cluster.local`, 'elsewhere.example.net'];
      const seeds = list.join();
      await fed.create({
        backRestSidecar: { enabled: false, envVars: [{ name: 'CASSANDRA_SEEDS', value: seeds }] },
        config: { 'cluster-info': { name: 'fed', seeds } },
      });
      await fed.until('a running pod and CassKop’s own list', () => {
        return fed.isReady() && fed.status.seedlist?.length === 1;
      });
      const { uid } = fed.pod().metadata;
      await fed.patchSeeds(list);
      await fed.until('our list, done', () => fed.isDone && fed.status.seedlist?.length === 2);
      await fed.rest();
      await fed.done();
      assert.deepEqual(fed.status.seedlist, list);
      assert.equal(fed.seedsOfSet(), seeds);
      assert.equal(fed.set().metadata.generation, 1);

      // Without the overrides the same comes out of the status.
      await fed.editSpec({ backRestSidecar: { envVars: null }, config: null });
      await fed.rest();
      await fed.done();
      assert.equal(fed.set().metadata.generation, 1);
      assert.equal(fed.seedsOfSet(), seeds);
      assert.equal(fed.pod().metadata.uid, uid);
    },
  );

  behaves('drops zero values and what it does not know, and fills its defaults in', async (fed) => {
    await fed.created({
      topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1', rollingRestart: false, rollingPartition: 0 }] }] },
      autoPilot: false,
      deletePVC: false,
      debug: false,
      keyspaceCleanupThreads: 0,
      restartCountBeforePodDeletion: 0,
      readOnlyRootFilesystem: false,
      livenessFailureThreshold: 0,
      nobodyKnowsThis: 1,
      resources: { requests: { cpu: '0.2', memory: '1024Mi' } },
    });
    assert.deepEqual(fed.spec, {
      backRestSidecar: { enabled: false, image: 'ghcr.io/cscetbon/instaclustr-icarus:1.1.3' },
      bootstrapImage: 'ghcr.io/cscetbon/casskop-bootstrap:0.1.21',
      cassandraImage: 'cassandra:5.0.8',
      configBuilderImage: 'datastax/cass-config-builder:1.0.4',
      dataCapacity: '1Gi',
      fsGroup: 1,
      imageJolokiaSecret: { name: '' },
      imagePullSecret: { name: '' },
      imagepullpolicy: 'Always',
      livenessFailureThreshold: 0,
      livenessHealthCheckPeriod: 10,
      livenessHealthCheckTimeout: 20,
      livenessInitialDelaySeconds: 120,
      maxPodUnavailable: 1,
      nodesPerRacks: 1,
      readOnlyRootFilesystem: false,
      readinessHealthCheckPeriod: 10,
      readinessHealthCheckTimeout: 10,
      readinessInitialDelaySeconds: 60,
      resources: { limits: { cpu: '200m', memory: '1Gi' }, requests: { cpu: '200m', memory: '1Gi' } },
      runAsUser: 999,
      serverType: 'cassandra',
      serverVersion: '5.0.8',
      serviceAccountName: 'cassandra-cluster-node',
      topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1' }], resources: {} }] },
    });
  });

  behaves(
    'notes the object it has processed, with its generation, and without status and resourceVersion',
    async (fed) => {
      await fed.created();
      assert.equal(fed.processedGeneration, fed.generation);
      const before = fed.generation;
      await fed.editSpec({ keyspaceCleanupThreads: 2 });
      await fed.until('the new generation to be processed', () => fed.processedGeneration > before);
      assert.equal(fed.processedGeneration, fed.generation);
      const noted = JSON.parse(fed.member.metadata.annotations?.[lastApplied] ?? '') as {
        metadata: object;
        spec: unknown;
        status: unknown;
      };
      assert.deepEqual(noted.status, {});
      assert.ok(!('resourceVersion' in noted.metadata) && !('annotations' in noted.metadata));
      assert.ok('managedFields' in noted.metadata && 'uid' in noted.metadata);
      assert.equal((noted.spec as { keyspaceCleanupThreads: number }).keyspaceCleanupThreads, 2);
      assert.equal(fed.set().metadata.generation, 1, 'a benign change');
    },
  );

  behaves('wipes the finalizers of others, and sets its own only for deletePVC', async (fed) => {
    await fed.created({}, { finalizers: ['example.com/theirs'] });
    assert.equal(fed.member.metadata.finalizers, undefined);
    await fed.editSpec({ deletePVC: true });
    await fed.until('CassKop’s finalizer', () => fed.member.metadata.finalizers?.length === 1);
    // What changes again before it was noted as processed has never changed for CassKop.
    await fed.until('that to be noted', () => fed.processedGeneration === fed.generation);
    assert.deepEqual(fed.member.metadata.finalizers, ['kubernetes.io/pvc-to-delete']);
    await fed.editSpec({ deletePVC: false });
    await fed.until('no finalizer', () => fed.member.metadata.finalizers === undefined);
    assert.ok(!('deletePVC' in fed.spec) || !fed.spec.deletePVC);
  });
}

function isReady(object: ApiObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some((each) => each.type === 'Ready' && each.status === 'True');
}
