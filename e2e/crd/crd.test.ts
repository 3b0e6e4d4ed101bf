import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { parseMultiCassandraCluster } from '../../src/api/parse.ts';
import type { Status } from '../../src/api/schema.ts';
import { objectWith } from '../../src/api/testing.ts';
import type { ApiObject } from '../harness/api-server.ts';
import { waitFor } from '../harness/wait-for.ts';
import { definitionPath, type Hub, jsonRequest, objectsPath, startHub } from './hub.ts';

let hub: Hub;
before(async () => {
  hub = await startHub();
});
after(async () => {
  await hub.server.stop();
});

/** A valid object of that name, with top-level fields of its spec replaced. */
function named(name: string, change: Record<string, unknown> = {}): ReturnType<typeof objectWith> {
  return { ...objectWith(change), metadata: { name, namespace: 'default' } };
}

async function created(name: string, change: Record<string, unknown> = {}): Promise<ApiObject> {
  const { status, body } = await hub.create(named(name, change));
  assert.equal(status, 201, body.message);
  return body;
}

test('the API server takes the CRD without a warning, and establishes it', async () => {
  assert.equal(hub.installed.status, 201, hub.installed.body.message);
  assert.deepEqual(hub.installed.warnings, []);
  const conditions = await waitFor(
    async () => {
      const { status } = await hub.server.other.get<{ status: { conditions: { type: string; status: string }[] } }>(
        definitionPath,
      );
      return status.conditions.some(({ type }) => type === 'Established') && status.conditions;
    },
    { what: 'the CRD to be established', timeoutMs: 300_000 },
  );
  const said = conditions.map(({ type, status }) => `${type}=${status}`).toSorted();
  // A schema that is not structural would add NonStructuralSchema=True.
  assert.deepEqual(said, ['Established=True', 'NamesAccepted=True']);
});

test('discovery names the kind, its short name and its status', async () => {
  const { resources } = await hub.server.other.get<{ resources: Record<string, unknown>[] }>(
    '/apis/ringmaster.dev/v1alpha1',
  );
  assert.deepEqual(
    resources.map(({ name, kind, shortNames, namespaced }) => ({ name, kind, shortNames, namespaced })),
    [
      { name: 'multicassandraclusters', kind: 'MultiCassandraCluster', shortNames: ['mcc'], namespaced: true },
      { name: 'multicassandraclusters/status', kind: 'MultiCassandraCluster', shortNames: undefined, namespaced: true },
    ],
  );
});

test('the samples are taken without a warning', async () => {
  const folder = new URL('../../config/samples/', import.meta.url);
  for (const sample of readdirSync(folder)) {
    const object = parse(readFileSync(new URL(sample, folder), 'utf8')) as ApiObject;
    const { status, warnings, body } = await hub.create({
      ...object,
      metadata: { ...object.metadata, namespace: 'default' },
    });
    assert.equal(status, 201, body.message);
    assert.deepEqual(warnings, [], sample);
  }
});

test('the API server fills in the same defaults as our own parser, nested ones too', async () => {
  const smallest = {
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: { name: 'defaults', namespace: 'default' },
    spec: { regions: [{ name: 'eu', datacenters: [{ name: 'eu' }] }] },
  };
  const { status, body } = await hub.create(smallest);
  assert.equal(status, 201, body.message);
  const { mcc } = parseMultiCassandraCluster(smallest);
  assert.deepEqual(body['spec'], mcc?.spec);
  assert.deepEqual((body['spec'] as { seeds: unknown }).seeds, {
    external: [],
    guardWaitSeconds: 600,
    perDatacenter: 2,
    updatePolicy: 'Deferred',
  });
});

test('content that is passed through is kept as it is, unknown fields and false and 0 included', async () => {
  const spec = { anything: { deep: [1, { x: false }] }, autoPilot: false, zero: 0, empty: '' };
  const overrides = { config: { 'cassandra-yaml': { num_tokens: 4 } } };
  const regions = [{ name: 'eu', patch: { spec }, datacenters: [{ name: 'eu', overrides }] }];
  const body = await created('passed-through', { template: { spec }, regions });
  const kept = body['spec'] as {
    template: { spec: unknown };
    regions: { patch: unknown; datacenters: { overrides: unknown }[] }[];
  };
  assert.deepEqual(kept.template.spec, spec);
  assert.deepEqual(kept.regions[0]?.patch, { spec });
  assert.deepEqual(kept.regions[0]?.datacenters[0]?.overrides, overrides);
});

const fullStatus: Status = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'False',
      reason: 'Forming',
      message: 'eu founds the ring.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      observedGeneration: 1,
    },
  ],
  summary: { regions: '0/2', nodes: '1/2' },
  ring: { founder: 'eu', hosts: 1 },
  seeds: ['a.eu.example.net', 'a.us.example.net'],
  regions: [
    {
      name: 'eu',
      stage: 'Founding',
      nodes: 1,
      readyNodes: 1,
      identity: { context: 'eu', namespace: 'default', clusterUID: 'c', memberUID: 'm' },
      appliedSeeds: ['a.eu.example.net'],
      hosts: [{ pod: 'orders-eu-rack1-0', hostId: '8d5ed9f4-7764-4dbd-bad8-43fddce94b7c' }],
      conditions: [
        {
          type: 'Reachable',
          status: 'True',
          reason: 'Reachable',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  ],
};

test('status is a subresource: it keeps all we write, and neither side can write the other', async () => {
  const { body: before } = await hub.create({ ...named('with-status'), status: { seeds: ['x'] } });
  // What kstatus takes for an object that is still to be looked at.
  assert.deepEqual(before['status'], { observedGeneration: -1 });
  const path = `${objectsPath}/with-status`;
  const answer = await hub.send(
    jsonRequest('PATCH', `${path}/status?fieldValidation=Strict`, {
      status: fullStatus,
      spec: { deletionPolicy: 'Delete' },
    }),
  );
  assert.equal(answer.status, 200, answer.body.message);
  assert.deepEqual(answer.body['status'], fullStatus);
  assert.equal(answer.body.metadata.generation, 1);
  assert.deepEqual(answer.body['spec'], before['spec']);
  const { body } = await hub.send(
    jsonRequest('PATCH', path, { status: { seeds: [] }, spec: { deletionPolicy: 'Delete' } }),
  );
  assert.deepEqual(body['status'], fullStatus);
  assert.equal(body.metadata.generation, 2);
});

test('kubectl get shows readiness, counts, founder, reason and age', async () => {
  await created('in-a-table');
  await hub.send(jsonRequest('PATCH', `${objectsPath}/in-a-table/status`, { status: fullStatus }));
  const { body } = await hub.send({
    method: 'GET',
    path: `${objectsPath}/in-a-table`,
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  const columns = body['columnDefinitions'] as { name: string; priority: number }[];
  const [row] = body['rows'] as { cells: unknown[] }[];
  const shown = columns.map(({ name, priority }, index) => [name, row?.cells[index], priority] as const);
  assert.deepEqual(
    shown.filter(([name]) => name !== 'Age'),
    [
      ['Name', 'in-a-table', 0],
      ['Ready', 'False', 0],
      ['Regions', '0/2', 0],
      ['Nodes', '1/2', 0],
      ['Founder', 'eu', 0],
      ['Reason', 'Forming', 0],
      ['Message', 'eu founds the ring.', 1],
    ],
  );
  assert.match(String(shown.at(-1)?.[1]), /^\d+s$/);
});

test('an object that only the controller refuses can still be given a status and a finalizer, and be deleted', async () => {
  const spec = { topology: null, nodesPerRacks: 0, config: { 'cluster-info': {} } };
  await created('refused-by-us', { template: { spec }, regions: [{ name: 'eu-1' }] });
  const path = `${objectsPath}/refused-by-us`;
  for (const [target, patch] of [
    [`${path}/status`, { status: fullStatus }],
    [path, { metadata: { finalizers: ['ringmaster.dev/members'] } }],
    [path, { metadata: { finalizers: null } }],
  ] as const) {
    const { status, body } = await hub.send(jsonRequest('PATCH', target, patch));
    assert.equal(status, 200, body.message);
  }
  assert.equal((await hub.send({ method: 'DELETE', path })).status, 200);
  assert.equal((await hub.send({ method: 'GET', path })).status, 404);
});
