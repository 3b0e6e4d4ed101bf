import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { VirtualClock } from '../../src/edges/testing.ts';
import type { ApiObject } from '../harness/api-server.ts';
import type { CassandraCluster, ClusterSpec, ClusterStatus } from './cluster.ts';
import { JolokiaError, type AskNode } from './jolokia.ts';
import { paces } from './pace.ts';
import { serveAtOnce } from './replay/instant-controllers.ts';
import { ReplayServer } from './replay/replay-server.ts';
import { collections } from './replay/recording.ts';
import { run } from './run.ts';
import type { DisruptionBudget } from './services.ts';
import type { StatefulSet } from './statefulset.ts';

/** The stand-in at its true pace on virtual time, over a server whose pods are ready at once. */
class Bench {
  readonly clock = new VirtualClock();
  readonly api = new ReplayServer(this.clock, 5);
  /** By address: what OperationMode answers; NORMAL when absent. */
  readonly modes = new Map<string, string>();
  readonly #stop = new AbortController();

  constructor(context: TestContext) {
    serveAtOnce(this.api);
    const ask: AskNode = (host, { type, attribute, operation }) => {
      if (operation === 'decommission') this.modes.set(host, 'DECOMMISSIONED');
      if (type === 'EXEC') return Promise.resolve([]);
      if (attribute === 'OperationMode') return Promise.resolve(this.modes.get(host) ?? 'NORMAL');
      if (attribute === 'HostIdMap') return Promise.reject(new JolokiaError('no such attribute'));
      return Promise.resolve([]);
    };
    const running = run(
      {
        api: this.api,
        namespace: 'cass',
        pace: paces.true,
        ask,
        clock: this.clock,
        random: { next: () => 0 },
        operatorName: 'casskop',
        log: () => undefined,
      },
      this.#stop.signal,
    );
    context.after(async () => {
      this.#stop.abort(new Error('the test is over'));
      await this.clock.advance(0);
      await running;
    });
  }

  create(spec: object, metadata: object = {}): void {
    const head = { apiVersion: 'db.orange.com/v2', kind: 'CassandraCluster' };
    const whole = { backRestSidecar: { enabled: false }, runAsUser: 999, fsGroup: 1, ...spec };
    const object = { ...head, metadata: { name: 'fed', namespace: 'cass', ...metadata }, spec: whole, status: {} };
    this.api.set(collections.CassandraCluster, object, 'user');
  }

  get cluster(): CassandraCluster {
    const found = this.api.peek(collections.CassandraCluster, 'fed');
    assert.ok(found, 'the CassandraCluster is gone');
    return found as CassandraCluster;
  }

  /** Writes as a user does, on top of what is there. */
  edit(change: (parts: { spec: ClusterSpec; status: ClusterStatus }) => void): void {
    const { cluster } = this;
    change(cluster);
    this.api.set(collections.CassandraCluster, cluster, 'user');
  }

  find(collection: string, name: string): ApiObject | undefined {
    return this.api.peek(collection, name);
  }

  get statefulSet(): StatefulSet {
    const found = this.find(collections.StatefulSet, 'fed-eu-rack1');
    assert.ok(found, 'the StatefulSet is gone');
    return found as StatefulSet;
  }

  /** What the bootstrap container of the first rack is told. */
  get seeds(): string | undefined {
    const variables = this.statefulSet.spec.template.spec.initContainers.flatMap(({ env = [] }) => env);
    return variables.find(({ name }) => name === 'CASSANDRA_SEEDS')?.value;
  }

  async running(): Promise<void> {
    const isDone = ({ phase, lastClusterActionStatus }: ClusterStatus): boolean =>
      phase === 'Running' && lastClusterActionStatus === 'Done';
    await this.clock.until('Running and Done', () => isDone(this.cluster.status), 600_000);
  }

  /** Long enough for a change to be noticed, refused or carried out, and for the blind window. */
  settle(): Promise<void> {
    return this.clock.advance(60_000);
  }
}

const oneRack = { topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1' }] }] } };
const twoRacks = { topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1' }, { name: 'rack2' }] }] } };

test('a seed list that reaches the status between the two first writes is kept', async (context) => {
  const bench = new Bench(context);
  const seedlist = ['somewhere.else'];
  let patched = false;
  bench.api.onChange(({ manager, plural }) => {
    if (patched || plural !== 'cassandraclusters' || manager !== 'casskop') return;
    patched = true;
    bench.edit((cluster) => (cluster.status = { seedlist }));
  });
  bench.create(oneRack);
  await bench.running();
  assert.deepEqual(bench.cluster.status.seedlist, seedlist);
  assert.equal(bench.seeds, 'somewhere.else');
});

test('a seed list that changes while a rack is initialised reaches its pods only afterwards, as an action of its own', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...twoRacks, nodesPerRacks: 2 });
  await bench.clock.until(
    'the first StatefulSet',
    () => bench.find(collections.StatefulSet, 'fed-eu-rack1') !== undefined,
  );
  const before = bench.seeds;
  bench.edit(({ status }) => (status.seedlist = ['somewhere.else']));
  await bench.clock.until('all pods of the first rack', () => bench.statefulSet.spec.replicas === 2);
  assert.equal(bench.seeds, before);
  await bench.clock.until('the new seeds', () => bench.seeds === 'somewhere.else');
  await bench.clock.advance(120_000);
  const { name, status } = bench.cluster.status.cassandraRackStatus?.['eu-rack1']?.cassandraLastAction ?? {};
  assert.deepEqual([name, status], ['UpdateSeedList', 'Done']);
});

test('a field that is taken out of the spec goes from the StatefulSet; what others added to it stays', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...oneRack, pod: { annotations: { mine: 'yes' } } });
  await bench.running();
  const others = bench.statefulSet;
  others.spec.template.metadata.annotations = { ...others.spec.template.metadata.annotations, theirs: 'yes' };
  bench.api.set(collections.StatefulSet, others, 'user');
  await bench.settle();
  assert.deepEqual(bench.statefulSet.spec.template.metadata.annotations, { mine: 'yes', theirs: 'yes' });

  bench.edit(({ spec }) => delete spec.pod?.annotations);
  await bench.settle();
  assert.equal(bench.statefulSet.spec.template.metadata.annotations, undefined);
});

test('a number of nodes of 0, a smaller capacity and another storage class are put back', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...oneRack, nodesPerRacks: 2, dataCapacity: '2Gi', dataStorageClass: 'fast' });
  await bench.running();
  bench.edit(({ spec }) => Object.assign(spec, { nodesPerRacks: 0, dataCapacity: '1Gi', dataStorageClass: 'slow' }));
  await bench.settle();
  const { spec, status } = bench.cluster;
  assert.deepEqual([spec.nodesPerRacks, spec.dataCapacity, spec.dataStorageClass], [2, '2Gi', 'fast']);
  assert.deepEqual([status.lastClusterAction, status.lastClusterActionStatus], ['CorrectCRDConfig', 'Done']);
});

test('a datacenter may go once it has no nodes, and takes its StatefulSets with it', async (context) => {
  const bench = new Bench(context);
  const rack = [{ name: 'rack1' }];
  bench.create({
    topology: {
      dc: [
        { name: 'eu', rack },
        { name: 'us', rack },
      ],
    },
  });
  await bench.running();
  bench.edit(({ spec }) => spec.topology.dc?.pop());
  await bench.settle();
  assert.equal(bench.cluster.status.lastClusterAction, 'CorrectCRDConfig', 'with nodes');

  bench.edit(({ spec }) => Object.assign(spec.topology.dc?.[1] ?? {}, { nodesPerRacks: 0 }));
  await bench.settle();
  assert.equal((bench.find(collections.StatefulSet, 'fed-us-rack1') as StatefulSet).spec.replicas, 0);
  bench.edit(({ spec }) => spec.topology.dc?.pop());
  await bench.settle();
  assert.equal(bench.find(collections.StatefulSet, 'fed-us-rack1'), undefined);
  assert.deepEqual(Object.keys(bench.cluster.status.cassandraRackStatus ?? {}), ['eu-rack1']);
});

test('an image change goes through one rack after the other', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...twoRacks, cassandraImage: 'cassandra:5.0.8' });
  await bench.running();
  const written: { rack: string; at: number }[] = [];
  bench.api.onChange(({ plural, manager, object }) => {
    if (plural !== 'statefulsets' || manager !== 'casskop') return;
    written.push({ rack: object.metadata.name, at: bench.clock.monotonic() });
  });
  bench.edit(({ spec }) => (spec.cassandraImage = 'cassandra:5.0.9'));
  await bench.clock.advance(120_000);
  assert.deepEqual(
    written.map(({ rack }) => rack),
    ['fed-eu-rack1', 'fed-eu-rack2'],
  );
  const [first, second] = written.map(({ at }) => at);
  assert.ok((second ?? 0) - (first ?? 0) > 19_000, 'the first rack is not looked at for 20 s');
});

test('shrinking by two decommissions one node after the other and deletes their claims', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...oneRack, nodesPerRacks: 3, dataCapacity: '1Gi' });
  await bench.running();
  bench.edit(({ spec }) => (spec.nodesPerRacks = 1));
  await bench.clock.advance(180_000);
  assert.equal(bench.statefulSet.spec.replicas, 1);
  assert.equal(bench.modes.size, 2);
  const going = bench.api.names(collections.PersistentVolumeClaim).filter((name) => {
    return bench.find(collections.PersistentVolumeClaim, name)?.metadata.deletionTimestamp;
  });
  assert.deepEqual(going, ['data-fed-eu-rack1-1', 'data-fed-eu-rack1-2']);
  assert.equal(bench.cluster.status.lastClusterAction, 'ScaleDown');
  assert.equal(bench.cluster.status.lastClusterActionStatus, 'Done');
});

test('another maxPodUnavailable makes the disruption budget anew', async (context) => {
  const bench = new Bench(context);
  bench.create(oneRack);
  await bench.running();
  const budget = (): DisruptionBudget => bench.find(collections.PodDisruptionBudget, 'fed') as DisruptionBudget;
  const before = budget();
  bench.edit(({ spec }) => (spec.maxPodUnavailable = 2));
  await bench.settle();
  assert.deepEqual([before.spec.maxUnavailable, budget().spec.maxUnavailable], [1, 2]);
  assert.notEqual(budget().metadata.uid, before.metadata.uid);
});

test('deletePVC brings a finalizer that goes after the claims; without it everybody loses theirs', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...oneRack, dataCapacity: '1Gi' }, { finalizers: ['example.com/theirs'] });
  await bench.running();
  assert.equal(bench.cluster.metadata.finalizers, undefined);
  bench.edit(({ spec }) => (spec.deletePVC = true));
  await bench.settle();
  assert.deepEqual(bench.cluster.metadata.finalizers, ['kubernetes.io/pvc-to-delete']);

  await Promise.all([bench.api.delete(`${collections.CassandraCluster}/fed`), bench.settle()]);
  assert.equal(bench.find(collections.CassandraCluster, 'fed'), undefined);
  const claim = bench.find(collections.PersistentVolumeClaim, 'data-fed-eu-rack1-0');
  assert.ok(claim?.metadata.deletionTimestamp);
});

test('a larger capacity makes the StatefulSet anew around its pods, and waits for the volumes', async (context) => {
  const bench = new Bench(context);
  bench.create({ ...oneRack, dataCapacity: '1Gi' });
  await bench.running();
  bench.edit(({ spec }) => (spec.dataCapacity = '2Gi'));
  await bench.settle();
  const claim = bench.find(collections.PersistentVolumeClaim, 'data-fed-eu-rack1-0');
  assert.ok(claim);
  assert.deepEqual((claim['spec'] as { resources: unknown }).resources, { requests: { storage: '2Gi' } });
  assert.equal(bench.cluster.status.lastClusterAction, 'StorageUpsize');
  assert.equal(bench.cluster.status.lastClusterActionStatus, 'Ongoing');

  bench.api.set(
    collections.PersistentVolumeClaim,
    { ...claim, status: { capacity: { storage: '2Gi' } } },
    'provisioner',
  );
  await bench.settle();
  assert.equal(bench.cluster.status.lastClusterActionStatus, 'Done');
  const [template] = bench.statefulSet.spec.volumeClaimTemplates ?? [];
  assert.deepEqual(template?.spec.resources, { requests: { storage: '2Gi' } });
});
