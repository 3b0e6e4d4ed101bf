import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effective, podAddress, podsOf } from './effective.ts';
import { multiCassandraClusterSchema, type MultiCassandraCluster } from './schema.ts';

function mcc(spec: Record<string, unknown>): MultiCassandraCluster {
  return multiCassandraClusterSchema.parse({
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: { name: 'orders', namespace: 'cassandra' },
    spec,
  });
}

test('the smallest object gets one datacenter a region, named after it, with one rack and the template’s nodes', () => {
  const federation = effective(
    mcc({ template: { spec: { nodesPerRacks: 3 } }, regions: [{ name: 'eu' }, { name: 'us' }] }),
  );
  assert.equal(federation.clusterName, 'orders');
  assert.deepEqual(federation.racks, [
    { region: 'eu', datacenter: 'eu', rack: 'rack1', nodes: 3 },
    { region: 'us', datacenter: 'us', rack: 'rack1', nodes: 3 },
  ]);
  assert.deepEqual(
    federation.regions.map(({ context, namespace, operator, state, deletionPolicy }) => ({
      context,
      namespace,
      operator,
      state,
      deletionPolicy,
    })),
    ['eu', 'us'].map((context) => ({
      context,
      namespace: 'cassandra',
      operator: 'CassKop',
      state: 'Managed',
      deletionPolicy: 'Orphan',
    })),
  );
  assert.deepEqual(federation.seeds, {
    perDatacenter: 2,
    address: '{pod}.{service}.{namespace}',
    external: [],
    updatePolicy: 'Deferred',
    guardWaitSeconds: 600,
  });
  assert.deepEqual(federation.rollout, {
    paused: false,
    bakeSeconds: 0,
    progressDeadlineSeconds: 3600,
    restartToken: '',
  });
});

test('a datacenter’s own nodesPerRacks goes before the patch’s, and that before the template’s', () => {
  const nodes = (region: Record<string, unknown>, template: Record<string, unknown> = { nodesPerRacks: 2 }): unknown =>
    effective(mcc({ template: { spec: template }, regions: [{ name: 'eu', ...region }] })).racks[0]?.nodes;
  assert.equal(nodes({}), 2);
  assert.equal(nodes({}, {}), 1);
  assert.equal(nodes({ patch: { spec: { nodesPerRacks: 4 } } }), 4);
  assert.equal(nodes({ patch: { spec: { nodesPerRacks: 4 } }, datacenters: [{ name: 'eu', nodesPerRacks: 5 }] }), 5);
});

test('a region’s removals come before its patch, so a patch can replace a whole object', () => {
  const [region] = effective(
    mcc({
      template: {
        metadata: { labels: { team: 'orders', tier: 'gold' } },
        spec: {
          autoPilot: true,
          resources: { limits: { cpu: '2', memory: '4Gi' } },
          config: { 'cassandra-yaml': { num_tokens: 16 } },
        },
      },
      regions: [
        {
          name: 'eu',
          remove: ['/spec/resources/limits', '/spec/config', '/metadata/labels/tier'],
          patch: { spec: { autoPilot: false, resources: { limits: { cpu: '1' } } } },
        },
      ],
    }),
  ).regions;
  assert.deepEqual(region?.memberSpec, { autoPilot: false, resources: { limits: { cpu: '1' } } });
  assert.deepEqual(region?.labels, { team: 'orders' });
});

test('pods and their addresses follow the regional operator’s names', () => {
  const federation = effective(
    mcc({
      clusterName: 'fed',
      template: { spec: { nodesPerRacks: 2 } },
      regions: [
        { name: 'eu-west-1', namespace: 'db', datacenters: [{ name: 'eu', racks: [{ name: 'a' }, { name: 'b' }] }] },
      ],
      seeds: { address: '{pod}.{service}.{namespace}.{cluster}.{datacenter}.{rack}.{region}.example.net' },
    }),
  );
  const [region] = federation.regions;
  const rack = federation.racks[1];
  assert.ok(region && rack);
  assert.deepEqual(podsOf('fed', rack), ['fed-eu-b-0', 'fed-eu-b-1']);
  assert.deepEqual(podsOf('fed', rack, 1), ['fed-eu-b-0']);
  assert.equal(podAddress(federation, region, rack, 'fed-eu-b-0'), 'fed-eu-b-0.fed.db.fed.eu.b.eu-west-1.example.net');
});
