import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effective } from '../../api/effective.ts';
import type { JsonObject } from '../../api/json.ts';
import { parseMultiCassandraCluster } from '../../api/parse.ts';
import type { MultiCassandraCluster } from '../../api/schema.ts';
import { validate } from '../../api/validate.ts';
import { casskop } from './casskop.ts';
import { fromMultiCasskop, type Migration, type MigrationOptions } from './multi-casskop.ts';

/** After the project's own sample: two regions, zones by external-dns, and seeds by hand. */
const base = {
  apiVersion: 'db.orange.com/v2',
  kind: 'CassandraCluster',
  metadata: { name: 'orders', namespace: 'cassandra', labels: { cluster: 'casskop' } },
  spec: {
    cassandraImage: 'cassandra:3.11.10',
    dataCapacity: '20Gi',
    deletePVC: true,
    autoPilot: true,
    autoUpdateSeedList: false,
    maxPodUnavailable: 1,
    nodesPerRacks: 1,
    resources: { requests: { cpu: '2', memory: '4Gi' }, limits: { cpu: '2', memory: '4Gi' } },
  },
  status: {
    seedlist: ['orders-dc1-rack1-0.my.zone', 'orders-dc1-rack1-1.my.zone', 'orders-dc2-rack4-0.my.zone'],
  },
};
const datacenter = (name: string, rack: string, more: JsonObject = {}): JsonObject => ({
  topology: { dc: [{ name, rack: [{ name: rack }], ...more }] },
});
const override = {
  'k8s-cluster1': {
    spec: datacenter('dc1', 'rack1', { nodesPerRacks: 2, config: { 'cassandra-yaml': { num_tokens: 32 } } }),
  },
  'k8s-cluster2': { spec: datacenter('dc2', 'rack4') },
};

function migrated(spec: JsonObject = {}, options: MigrationOptions = {}, more: JsonObject = {}): Migration {
  const metadata = { name: 'orders', namespace: 'cassandra' };
  return fromMultiCasskop(
    { apiVersion: 'db.orange.com/v2', kind: 'MultiCasskop', metadata, spec: { base, override, ...spec }, ...more },
    options,
  );
}

function accepted({ object, problems }: Migration): MultiCassandraCluster {
  assert.deepEqual(problems, []);
  const parsed = parseMultiCassandraCluster(object, { unknownFields: 'refuse' });
  assert.deepEqual(parsed.problems, undefined);
  assert.ok(parsed.mcc);
  assert.deepEqual(validate(parsed.mcc), []);
  return parsed.mcc;
}

/** The members that the result asks for, without what Ringmaster adds. */
function members(migration: Migration): Record<string, unknown> {
  const federation = effective(accepted(migration));
  return Object.fromEntries(
    federation.regions.map((region) => {
      const { spec, metadata } = casskop.render({
        federation,
        region,
        guardName: undefined,
        seeds: [],
        injecting: false,
      });
      return [region.context, { name: metadata.name, namespace: metadata.namespace, labels: metadata.labels, spec }];
    }),
  );
}

const problems = (migration: Migration): string[] =>
  migration.problems.map(({ path, message }) => `${path}: ${message}`);

test('members come out as Multi-CassKop makes them', () => {
  const { nodesPerRacks: _, autoUpdateSeedList: __, ...shared } = base.spec;
  const member = (topology: JsonObject): unknown => ({
    name: 'orders',
    namespace: 'cassandra',
    labels: { cluster: 'casskop' },
    spec: { ...shared, deletePVC: false, topology },
  });
  assert.deepEqual(members(migrated()), {
    'k8s-cluster1': member({
      dc: [
        { name: 'dc1', nodesPerRacks: 2, rack: [{ name: 'rack1' }], config: { 'cassandra-yaml': { num_tokens: 32 } } },
      ],
    }),
    'k8s-cluster2': member({ dc: [{ name: 'dc2', nodesPerRacks: 1, rack: [{ name: 'rack4' }] }] }),
  });
});

test('the two versions of a MultiCasskop are read alike', () => {
  assert.deepEqual(migrated({}, {}, { apiVersion: 'db.orange.com/v1' }), migrated());
});

test('it asks to adopt what is there, and names regions, cluster and seeds as they are', () => {
  const { metadata, spec } = accepted(migrated());
  assert.deepEqual([metadata.name, metadata.namespace, spec.clusterName], ['orders', 'cassandra', undefined]);
  assert.equal(spec.adoptionPolicy, 'IfUnchanged');
  assert.equal(spec.deletionPolicy, 'Orphan');
  assert.deepEqual(
    spec.regions.map(({ name, context }) => [name, context]),
    [
      ['k8s-cluster1', undefined],
      ['k8s-cluster2', undefined],
    ],
  );
  assert.equal(spec.seeds.address, '{pod}.my.zone');
});

test('an override adds and replaces, and can empty nothing, as with Multi-CassKop', () => {
  const { spec } = accepted(
    migrated({
      override: {
        one: {
          spec: {
            ...datacenter('dc1', 'rack1'),
            autoPilot: false,
            resources: { limits: { cpu: '4' } },
            imagepullpolicy: 'IfNotPresent',
          },
        },
        two: { spec: datacenter('dc2', 'rack1') },
      },
    }),
  );
  assert.deepEqual(
    spec.regions.map(({ patch }) => patch?.spec),
    [{ resources: { limits: { cpu: '4' } }, imagepullpolicy: 'IfNotPresent' }, undefined],
  );
});

test('a config of an override takes the place of the whole config of the base', () => {
  const config = { 'cassandra-yaml': { num_tokens: 16, read_request_timeout_in_ms: 9000 } };
  const other = { 'cassandra-yaml': { num_tokens: 32 } };
  const found = members(
    migrated({
      base: { ...base, spec: { ...base.spec, config } },
      override: {
        one: { spec: { ...datacenter('dc1', 'rack1'), config: other } },
        two: { spec: datacenter('dc2', 'rack1') },
      },
    }),
  ) as Record<string, { spec: { config: unknown } }>;
  assert.deepEqual([found['one']?.spec.config, found['two']?.spec.config], [other, config]);
});

test('labels of Kubernetes nodes stay where they are', () => {
  const labels = { region: 'west' };
  const rack = [{ name: 'rack1', labels: { zone: 'b' } }];
  const found = members(
    migrated({ override: { one: { spec: { topology: { dc: [{ name: 'dc1', labels, rack }] } } } } }),
  );
  const { topology } = (found['one'] as { spec: { topology: unknown } }).spec;
  assert.deepEqual(topology, { dc: [{ name: 'dc1', nodesPerRacks: 1, labels, rack }] });
});

test('names that a MultiCassandraCluster puts elsewhere are put there', () => {
  const { metadata, spec } = accepted(
    migrated(
      {
        override: {
          'gke_Project-1_west': { metadata: { namespace: 'other' }, spec: datacenter('dc1', 'rack1') },
          two: { spec: datacenter('dc2', 'rack1') },
        },
      },
      {},
      { metadata: { name: 'all-orders', namespace: 'cassandra' } },
    ),
  );
  assert.deepEqual([metadata.name, spec.clusterName], ['all-orders', 'orders']);
  const [first] = spec.regions;
  assert.deepEqual(
    [first?.name, first?.context, first?.namespace],
    ['gke-project-1-west', 'gke_Project-1_west', 'other'],
  );
});

for (const [what, seedlist, address] of [
  ['one zone', ['orders-dc1-rack1-0.z', 'orders-dc2-rack4-0.z'], '{pod}.z'],
  [
    'a zone for each region',
    ['orders-dc1-rack1-0.k8s-cluster1.z', 'orders-dc2-rack4-0.k8s-cluster2.z'],
    '{pod}.{region}.z',
  ],
  ['a zone for each datacenter', ['orders-dc1-rack1-0.dc1.z', 'orders-dc2-rack4-0.dc2.z'], '{pod}.{datacenter}.z'],
  [
    'rack1 and rack10',
    ['orders-dc1-rack1-0.dc1.rack1.z', 'orders-dc2-rack4-0.dc2.rack4.z'],
    '{pod}.{datacenter}.{rack}.z',
  ],
] as const) {
  test(`the address of nodes is told from the seeds: ${what}`, () => {
    const { spec } = accepted(migrated({ base: { ...base, status: { seedlist } } }));
    assert.equal(spec.seeds.address, address);
  });
}

test('an address that the seeds do not tell has to be given', () => {
  const seedlist = ['10.0.0.1', '10.0.0.2'];
  const spec = { base: { ...base, status: { seedlist } } };
  assert.match(problems(migrated(spec))[0] ?? '', /^spec\.base\.status\.seedlist: .*--seeds-address/);
  const given = migrated(spec, { seedsAddress: '{pod}.given' });
  assert.equal(accepted(given).spec.seeds.address, '{pod}.given');
  assert.match(given.notes.join('\n'), /10\.0\.0\.1 is none of the pods/);
});

for (const [what, spec, words] of [
  ['no base', { base: undefined }, /^spec\.base: This field is required/],
  ['a base that is text', { base: 'x' }, /^spec\.base: This must be an object/],
  ['no overrides', { override: {} }, /^spec\.override: There is no region/],
  ['no name', { base: { ...base, metadata: {} } }, /^spec\.base\.metadata\.name: /],
  [
    'seeds that are text',
    { base: { ...base, status: { seedlist: 'a,b' } } },
    /^spec\.base\.status\.seedlist: This must be a list/,
  ],
  ['an override that is a list', { override: { one: [] } }, /^spec\.override\.one: This must be an object/],
  ['no datacenters', { override: { one: {} } }, /^spec\.base\.spec\.topology\.dc: Name the datacenters/],
  [
    'no racks',
    { override: { one: { spec: { topology: { dc: [{ name: 'dc1' }] } } } } },
    /^spec\.override\.one\.spec\.topology\.dc\[0\]\.rack: /,
  ],
  [
    'a datacenter without nodes',
    { override: { one: { spec: datacenter('dc1', 'r', { nodesPerRacks: 0 }) } } },
    /\.dc\[0\]\.nodesPerRacks: /,
  ],
  [
    'a config of a single rack',
    { override: { one: { spec: { topology: { dc: [{ name: 'dc1', rack: [{ name: 'r', config: { a: 1 } }] }] } } } } },
    /\.dc\[0\]\.rack\[0\]\.config: /,
  ],
  [
    'names that differ',
    { override: { ...override, 'k8s-cluster2': { metadata: { name: 'other' }, spec: datacenter('dc2', 'rack4') } } },
    /^spec\.override\.k8s-cluster2\.metadata\.name: All members of one ring have one name/,
  ],
  [
    'labels that differ',
    {
      override: { ...override, 'k8s-cluster2': { metadata: { labels: { a: 'b' } }, spec: datacenter('dc2', 'rack4') } },
    },
    /^spec\.override\.k8s-cluster2\.metadata\.labels: /,
  ],
] as [string, JsonObject, RegExp][]) {
  test(`what cannot be taken over is refused by its field: ${what}`, () => {
    const found = migrated(spec);
    assert.equal(found.object, undefined);
    assert.match(problems(found).join('\n'), words);
  });
}

test('other objects and versions are refused', () => {
  assert.match(problems(fromMultiCasskop('x'))[0] ?? '', /not an object/);
  assert.match(problems(fromMultiCasskop({ kind: 'CassandraCluster' }))[0] ?? '', /^kind: /);
  assert.match(
    problems(migrated({}, {}, { apiVersion: 'db.orange.com/v1alpha1' }))[0] ?? '',
    /^apiVersion: .*v1 or db\.orange\.com\/v2/,
  );
});

test('what differs is noted once, by its field', () => {
  const { notes } = migrated({
    base: { ...base, spec: { ...base.spec, rollingPartition: 0, configMapName: 'scripts' } },
  });
  const found = (pattern: RegExp): number => notes.filter((note) => pattern.test(note)).length;
  assert.equal(found(/^spec\.base\.spec\.deletePVC: /), 1);
  assert.equal(found(/deletePVC/), 1);
  assert.equal(found(/^spec\.base\.spec\.rollingPartition: CassKop 2 does not know this field/), 1);
  assert.equal(found(/^spec\.base\.spec\.configMapName: .*scripts/), 1);
  assert.equal(found(/^spec\.deleteCassandraCluster: /), 1);
});
