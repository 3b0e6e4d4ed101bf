import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { objectWith, said } from '../../src/api/testing.ts';
import { type Hub, jsonRequest, objectsPath, startHub } from './hub.ts';

let hub: Hub;
before(async () => {
  hub = await startHub();
});
after(async () => {
  await hub.server.stop();
});

const us = (fields: Record<string, unknown>): Record<string, unknown> => ({
  regions: [{ name: 'eu' }, { name: 'us', ...fields }],
});
const datacenter = (fields: Record<string, unknown>): Record<string, unknown> =>
  us({ datacenters: [{ name: 'us', ...fields }] });
const address = '{pod}.{region}.db.example.net';

/** What the API server refuses by itself: top-level fields of the spec, and what its message says. */
const refused: [string, Record<string, unknown>, RegExp][] = [
  ['no regions', { regions: [] }, /spec\.regions: .*should have at least 1 items/],
  ['a region without a name', { regions: [{ context: 'eu' }] }, /spec\.regions\[0\]\.name: Required value/],
  ['two regions of one name', { regions: [{ name: 'eu' }, { name: 'eu' }] }, /spec\.regions\[1\]: Duplicate value/],
  ['a region name that is no DNS label', { regions: [{ name: 'EU' }] }, /spec\.regions\[0\]\.name: .*should match/],
  ['a namespace that is none', us({ namespace: 'a.b' }), /spec\.regions\[1\]\.namespace: .*should match/],
  ['a state that is none', us({ state: 'Gone' }), /spec\.regions\[1\]\.state: Unsupported value: "Gone"/],
  [
    'a datacenter name with a hyphen',
    us({ datacenters: [{ name: 'us-east' }] }),
    /datacenters\[0\]\.name: .*should match/,
  ],
  [
    'one datacenter name twice in a region',
    us({ datacenters: [{ name: 'a' }, { name: 'a' }] }),
    /datacenters\[1\]: Duplicate value/,
  ],
  ['no datacenters', us({ datacenters: [] }), /datacenters: .*at least 1 items/],
  ['no nodes', datacenter({ nodesPerRacks: 0 }), /nodesPerRacks: .*greater than or equal to 1/],
  ['no racks', datacenter({ racks: [] }), /racks: .*at least 1 items/],
  ['a rack name with a hyphen', datacenter({ racks: [{ name: 'us-east-1a' }] }), /racks\[0\]\.name: .*should match/],
  ['one rack name twice', datacenter({ racks: [{ name: 'a' }, { name: 'a' }] }), /racks\[1\]: Duplicate value/],
  ['a host ID that is no UUID', us({ acknowledgedHosts: [{ pod: 'p', hostId: '1' }] }), /hostId: .*should match/],
  ['a cluster name that is no service name', { clusterName: '1orders' }, /spec\.clusterName: .*should match/],
  ['an operator that is none', { operator: 'K8ssandra' }, /spec\.operator: Unsupported value/],
  ['a policy that is none', { adoptionPolicy: 'Always' }, /spec\.adoptionPolicy: Unsupported value/],
  ['too many seeds', { seeds: { address, perDatacenter: 4 } }, /perDatacenter: .*less than or equal to 3/],
  [
    'a time that is negative',
    { seeds: { address, guardWaitSeconds: -1 } },
    /guardWaitSeconds: .*greater than or equal to 0/,
  ],
  [
    'a deadline of no time',
    { rollout: { progressDeadlineSeconds: 0 } },
    /progressDeadlineSeconds: .*greater than or equal to 1/,
  ],
  ['text where a boolean belongs', { rollout: { paused: 'yes' } }, /spec\.rollout\.paused: .*must be of type boolean/],
  ['several regions and no address', { seeds: {} }, /spec\.seeds: .*names that resolve in every region/],
  ['several regions and no seeds', { seeds: undefined }, /spec\.seeds: .*names that resolve in every region/],
  ['an address without {pod}', { seeds: { address: '{region}.x' } }, /spec\.seeds\.address: .*must contain \{pod\}/],
];

for (const [title, change, message] of refused) {
  test(`the API server itself refuses: ${title}`, async () => {
    const object = JSON.parse(JSON.stringify(objectWith(change))) as Record<string, unknown>;
    const answer = await hub.create({ ...object, metadata: { name: 'refused', namespace: 'default' } });
    assert.equal(answer.status, 422);
    assert.match(answer.body.message ?? '', message);
    assert.notDeepEqual(said(object), [], 'our own validation says nothing');
  });
}

test('misspelt fields are refused where the schema is closed, as kubectl asks for', async () => {
  for (const change of [
    { rollouts: {} },
    us({ contxt: 'x' }),
    datacenter({ nodesPerRack: 1 }),
    { template: { spce: {} } },
  ]) {
    const answer = await hub.create({ ...objectWith(change), metadata: { name: 'misspelt', namespace: 'default' } });
    assert.equal(answer.status, 400);
    assert.match(answer.body.message ?? '', /unknown field "spec\./);
  }
});

/** Creates an object and answers what the API server says to a change of its spec. */
async function change(name: string, spec: Record<string, unknown>, patch: Record<string, unknown>): Promise<string> {
  const created = await hub.create({ ...objectWith(spec), metadata: { name, namespace: 'default' } });
  assert.equal(created.status, 201, created.body.message);
  const answer = await hub.send(jsonRequest('PATCH', `${objectsPath}/${name}`, { spec: patch }));
  return answer.status === 200 ? 'taken' : `${answer.status} ${answer.body.message}`;
}

test('the name of the cluster cannot be changed, however it was given', async () => {
  const refusal = /^422 .*spec\.clusterName: .*The name of the cluster cannot be changed/;
  assert.match(await change('by-default', {}, { clusterName: 'other' }), refusal);
  assert.match(await change('by-name', { clusterName: 'given' }, { clusterName: 'other' }), refusal);
  assert.match(await change('taken-out', { clusterName: 'given' }, { clusterName: null }), refusal);
});

test('writing the cluster’s default name out, or leaving it out again, is no change', async () => {
  assert.equal(await change('written-out', {}, { clusterName: 'written-out' }), 'taken');
  assert.equal(await change('left-out', { clusterName: 'left-out' }, { clusterName: null }), 'taken');
});

test('the operator cannot be changed', async () => {
  assert.match(
    await change('operator', {}, { operator: 'CassOperator' }),
    /^422 .*spec\.operator: .*cannot be changed/,
  );
});

test('regions can be added, reordered and dropped', async () => {
  assert.equal(await change('more', {}, { regions: [{ name: 'ap' }, { name: 'us' }, { name: 'eu' }] }), 'taken');
  assert.equal(await change('fewer', {}, { regions: [{ name: 'us' }] }), 'taken');
});

test('the largest object that the limits allow is within the cost of the rules', async () => {
  const racks = Array.from({ length: 32 }, (_, index) => ({ name: `r${index}` }));
  const regions = Array.from({ length: 128 }, (_, region) => ({
    name: `region${region}`,
    datacenters: Array.from({ length: 8 }, (_, index) => ({ name: `d${region}x${index}y`, racks })),
  }));
  assert.equal(await change('largest', { regions }, { deletionPolicy: 'Delete' }), 'taken');
});
