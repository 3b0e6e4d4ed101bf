import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effective } from '../../api/effective.ts';
import { parseMultiCassandraCluster } from '../../api/parse.ts';
import { objectWith, templateSpec } from '../../api/testing.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ReadInput } from '../operator.ts';
import { casskop } from './casskop.ts';

const seeds = ['a.eu.example.net', 'b.us.example.net'];

function render(change: Record<string, unknown>, injecting: boolean): Record<string, unknown> {
  const { mcc } = parseMultiCassandraCluster(objectWith(change));
  assert.ok(mcc);
  const federation = effective(mcc);
  const [region] = federation.regions;
  assert.ok(region);
  return casskop.render({ federation, region, guardName: 'orders-ringmaster', seeds, injecting });
}

test('while injecting, the seeds stand in both places that CassKop copies into the pods', () => {
  const { spec } = render({}, true) as { spec: Record<string, unknown> };
  assert.deepEqual(spec['backRestSidecar'], { envVars: [{ name: 'CASSANDRA_SEEDS', value: seeds.join(',') }] });
  assert.deepEqual(spec['config'], { 'cluster-info': { name: 'orders', seeds: seeds.join(',') } });
});

test('injecting keeps what the user configured beside the seeds', () => {
  const config = { 'cassandra-yaml': { num_tokens: 16 } };
  const backRestSidecar = { enabled: false, envVars: [{ name: 'A', value: 'b' }] };
  const template = { spec: { ...templateSpec, config, backRestSidecar } };
  const injected = render({ template }, true)['spec'] as Record<string, { enabled?: boolean; envVars?: unknown[] }>;
  assert.equal(injected['backRestSidecar']?.enabled, false);
  assert.equal(injected['backRestSidecar']?.envVars?.length, 2);
  const plain = render({ template }, false)['spec'] as Record<string, unknown>;
  assert.deepEqual(plain['backRestSidecar'], backRestSidecar);
  assert.deepEqual(plain['config'], config);
});

test('quantities are rendered as CassKop writes them back', () => {
  const template = { spec: { ...templateSpec, resources: { limits: { memory: '1024Mi', cpu: '0.2' } } } };
  const spec = render({ template }, false)['spec'] as { resources: unknown };
  assert.deepEqual(spec.resources, { limits: { memory: '1Gi', cpu: '200m' } });
});

test('the first pod of every rack comes before the second of any', () => {
  const { mcc } = parseMultiCassandraCluster(
    objectWith({
      regions: [{ name: 'eu', datacenters: [{ name: 'eu', nodesPerRacks: 2, racks: [{ name: 'a' }, { name: 'b' }] }] }],
    }),
  );
  assert.ok(mcc);
  const federation = effective(mcc);
  const [region] = federation.regions;
  assert.ok(region);
  assert.deepEqual(
    casskop.pods(federation, region).map((pod) => pod.name),
    ['orders-eu-a-0', 'orders-eu-b-0', 'orders-eu-a-1', 'orders-eu-b-1'],
  );
});

test('a CRD without a status subresource is told from one with it', () => {
  const version = { name: 'v2', served: true, schema: { openAPIV3Schema: { type: 'object' } } };
  const crd = (extra: object): KubeObject => ({
    metadata: { name: 'crd' },
    spec: { versions: [{ ...version, ...extra }] },
  });
  assert.equal(casskop.capabilities(crd({ subresources: { status: {} } })).statusSubresource, true);
  assert.equal(casskop.capabilities(crd({})).statusSubresource, false);
});

/** A member with which nothing is wrong; each test spoils one thing. */
function settled(): {
  input: ReadInput;
  status: Record<string, unknown>;
  set: Record<string, Record<string, unknown>>;
} {
  const status: Record<string, unknown> = {
    phase: 'Running',
    lastClusterAction: 'Initializing',
    lastClusterActionStatus: 'Done',
    seedlist: seeds,
    cassandraRackStatus: { 'eu-rack1': { phase: 'Running', cassandraLastAction: { status: 'Done' } } },
  };
  const set: Record<string, Record<string, unknown>> = {
    metadata: { name: 'orders-eu-rack1', generation: 1 },
    spec: {
      replicas: 1,
      template: {
        spec: { initContainers: [{ name: 'bootstrap', env: [{ name: 'CASSANDRA_SEEDS', value: seeds.join(',') }] }] },
      },
    },
    status: { observedGeneration: 1, readyReplicas: 1, currentRevision: 'r', updateRevision: 'r' },
  };
  const annotation = 'cassandraclusters.db.orange.com/last-applied-configuration';
  const metadata = {
    name: 'orders',
    generation: 3,
    annotations: { [annotation]: '{"kind":"CassandraCluster","metadata":{"name":"orders","generation":3}}' },
  };
  const input = {
    member: { metadata, spec: {}, status },
    statefulSets: [set as unknown as KubeObject],
    seeds,
    replicas: { 'orders-eu-rack1': 1 },
  };
  return { input, status, set };
}

test('a member is settled when CassKop and its StatefulSets agree', () => {
  assert.equal(casskop.read(settled().input).settled, true);
});

const spoilers: [string, string, (each: ReturnType<typeof settled>) => void][] = [
  [
    'a generation that CassKop has not processed',
    'NotProcessed',
    ({ input }) => (input.member.metadata.generation = 4),
  ],
  ['a missing last-applied annotation', 'NotProcessed', ({ input }) => (input.member.metadata.annotations = {})],
  ['a cluster that is initialising', 'Initializing', ({ status }) => (status['phase'] = 'Initializing')],
  ['a cluster with a pod down', 'Pending', ({ status }) => (status['phase'] = 'Pending')],
  ['an action under way', 'ActionUnderWay', ({ status }) => (status['lastClusterActionStatus'] = 'Ongoing')],
  [
    'a decommission under way',
    'ActionUnderWay',
    ({ status }) =>
      (status['cassandraRackStatus'] = {
        'eu-rack1': {
          phase: 'Running',
          cassandraLastAction: { status: 'Done' },
          podLastOperation: { status: 'Ongoing', name: 'decommission' },
        },
      }),
  ],
  [
    'a pod operation under way',
    'PodOperation',
    ({ status }) =>
      (status['cassandraRackStatus'] = {
        'eu-rack1': {
          phase: 'Running',
          cassandraLastAction: { status: 'Done' },
          podLastOperation: { status: 'Ongoing', name: 'cleanup' },
        },
      }),
  ],
  ['a rack that CassKop does not know yet', 'PodsDiffer', ({ status }) => (status['cassandraRackStatus'] = {})],
  ['a reordered seed list', 'SeedsDiffer', ({ status }) => (status['seedlist'] = [...seeds].reverse())],
  ['a StatefulSet that rolls', 'PodsDiffer', ({ set }) => ((set['status'] ?? {})['updateRevision'] = 'other')],
  ['a pod that is not ready', 'PodsDiffer', ({ set }) => ((set['status'] ?? {})['readyReplicas'] = 0)],
  [
    'pods that start with other seeds',
    'SeedsDiffer',
    ({ set }) => ((set['spec'] ?? {})['template'] = { spec: { initContainers: [{ name: 'bootstrap', env: [] }] } }),
  ],
];

for (const [what, reason, spoil] of spoilers) {
  test(`a member is not settled with ${what}`, () => {
    const each = settled();
    spoil(each);
    const state = casskop.read(each.input);
    assert.equal(state.settled, false);
    assert.equal(state.reason, reason);
  });
}

const noted: [string, Record<string, string>, Record<string, unknown>, boolean][] = [
  [
    'an image that is there already',
    { name: 'UpdateDockerImage', status: 'ToDo' },
    { cassandraImage: 'cassandra:1' },
    true,
  ],
  [
    'an image that is not there yet',
    { name: 'UpdateDockerImage', status: 'ToDo' },
    { cassandraImage: 'cassandra:2' },
    false,
  ],
  [
    'an image that is rolled out',
    { name: 'UpdateDockerImage', status: 'Ongoing' },
    { cassandraImage: 'cassandra:1' },
    false,
  ],
  ['scripts that are there already', { name: 'UpdateConfigMap', status: 'ToDo' }, { configMapName: 'scripts' }, true],
  ['scripts that are not there yet', { name: 'UpdateConfigMap', status: 'ToDo' }, {}, false],
  ['nodes that are there already', { name: 'ScaleUp', status: 'ToDo' }, {}, true],
  ['a node that is to leave', { name: 'ScaleDown', status: 'ToDo' }, {}, false],
  ['a restart', { name: 'RollingRestart', status: 'ToDo' }, {}, false],
];

for (const [what, cassandraLastAction, spec, isVoid] of noted) {
  test(`CassKop waits ${isVoid ? 'in vain' : 'for good reason'} with ${what}`, () => {
    const { input, set } = settled();
    const { spec: podSpec } = (set['spec'] ?? {})['template'] as { spec: object };
    Object.assign(podSpec, {
      containers: [{ name: 'cassandra', image: 'cassandra:1' }],
      volumes: [{ name: 'data' }, { name: 'cassandra-config', configMap: { name: 'scripts' } }],
    });
    const status = { phase: 'Running', cassandraRackStatus: { 'eu-rack1': { phase: 'Running', cassandraLastAction } } };
    const read = (member: KubeObject): unknown => casskop.read({ ...input, member }).voidActions;
    const member = { ...input.member, spec, status };
    const end = { cassandraRackStatus: { 'eu-rack1': { cassandraLastAction: { status: 'Done' } } } };
    assert.deepEqual(read(member), isVoid ? { racks: ['eu-rack1'], status: end } : undefined);
    assert.equal(read({ ...member, metadata: { ...member.metadata, generation: 4 } }), undefined);
    Object.assign(set['status'] ?? {}, { updateRevision: 'other' });
    assert.equal(read(member), undefined);
  });
}

test('a status that makes no sense is read as nothing, not thrown at anybody', () => {
  const each = settled();
  const state = casskop.read({ ...each.input, member: { ...each.input.member, status: { seedlist: 7 } } });
  assert.equal(state.settled, false);
  assert.equal(state.statusSeeds, undefined);
});

test('a Secret that is named no more is said to be none, where it was named before', () => {
  const member = { metadata: { name: 'orders' }, spec: { cassandraImage: 'cassandra:5.0.8' } };
  const named = { ...member, spec: { imagePullSecret: { name: 'registry' }, imageJolokiaSecret: {} } };
  assert.deepEqual(casskop.over(member, named)['spec'], { ...member.spec, imagePullSecret: { name: '' } });
  assert.deepEqual(casskop.over(named, named), named);
  assert.deepEqual(casskop.over(member, member), member);
});

test('a write in the middle of a restart does not take back the order of a rack that waits for its turn', () => {
  const member = (rack: Record<string, unknown>[]): KubeObject => ({
    metadata: { name: 'orders' },
    spec: { topology: { dc: [{ name: 'eu', rack }] } },
  });
  const wanted = member([{ name: 'a' }, { name: 'b' }]);
  const live = member([{ name: 'a' }, { name: 'b', rollingRestart: true }]);
  assert.deepEqual(casskop.over(wanted, live), live);
});

test('a rack tells since when, and which pod, it holds to be at an operation; a pod since when it was taken up', () => {
  const labels = { 'operation-name': 'cleanup', 'operation-status': 'Ongoing', 'operation-start': '20260131T235958' };
  const pod = { metadata: { name: 'orders-eu-a-0', labels: { 'dc-rack': 'eu-a', ...labels } } };
  const member = (pods: string[], name = 'cleanup'): KubeObject => {
    const podLastOperation = { name, status: 'Ongoing', startTime: '2026-01-31T23:00:00Z', pods };
    return { metadata: { name: 'orders' }, status: { cassandraRackStatus: { 'eu-a': { podLastOperation } } } };
  };
  const unfinished = { name: 'cleanup', since: '2026-01-31T23:00:00Z' };
  const running = { name: 'cleanup', phase: 'running', since: '2026-01-31T23:59:58Z' };
  assert.deepEqual(casskop.podOperation(pod, member(['orders-eu-a-1'])), {
    ...running,
    unfinished: { ...unfinished, pod: 'orders-eu-a-1' },
  });
  assert.deepEqual(casskop.podOperation(pod, member([])), { ...running, unfinished });
  // Nobody is told to have a node leave anew.
  assert.deepEqual(casskop.podOperation(pod, member(['orders-eu-a-1'], 'decommission')), {
    ...running,
    unfinished: { ...unfinished, name: 'decommission' },
  });
});
