import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { systemClock } from '../../../src/edges/clock.ts';
import { systemRandom } from '../../../src/edges/random.ts';
import { startLoneApiServer, type LoneApiServer } from '../../api/server.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { askNode } from '../jolokia.ts';
import { paces } from '../pace.ts';
import { run } from '../run.ts';
import type { StatefulSet } from '../statefulset.ts';

const folder = new URL('../crds/', import.meta.url);
const crdsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const namespace = '/namespaces/default';
const clusters = `/apis/db.orange.com/v2${namespace}/cassandraclusters`;
const statefulSets = `/apis/apps/v1${namespace}/statefulsets`;
const never = new AbortController().signal;
const timeoutMs = 300_000;
const warnings: string[] = [];
let server: LoneApiServer;

before(async () => {
  server = await startLoneApiServer();
  for (const file of readdirSync(folder)) {
    const crd = parse(readFileSync(new URL(file, folder), 'utf8')) as unknown;
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const request = { method: 'POST', path: crdsPath, headers, body: JSON.stringify(crd) } as const;
    const answer = await server.transport.send(request, never);
    for await (const _ of answer.body);
    assert.equal(answer.status, 201, file);
    if (answer.headers['warning']) warnings.push(answer.headers['warning']);
  }
  await waitFor(() => server.other.find(clusters), { what: 'the CRDs to be served', timeoutMs });
});
after(() => server?.stop());

function cluster(name: string, spec: unknown): unknown {
  return { apiVersion: 'db.orange.com/v2', kind: 'CassandraCluster', metadata: { name }, spec };
}

test('the API server takes the CRDs without a warning', () => {
  assert.deepEqual(warnings, []);
});

test('an unknown field is kept directly under spec and dropped deeper down, and the schema fills in its defaults', async () => {
  const created = await server.other.post(
    clusters,
    cluster('unknown', { misspelt: 1, backRestSidecar: { imagge: 'x' }, topology: { dc: [{ name: 'eu', rakc: [] }] } }),
  );
  assert.deepEqual(created['spec'], {
    misspelt: 1,
    backRestSidecar: { enabled: true },
    topology: { dc: [{ name: 'eu' }] },
    runAsUser: 999,
    fsGroup: 1,
    serverType: 'cassandra',
  });
  await server.other.delete(`${clusters}/unknown`);
});

test('a value of the wrong type is refused, and so is a datacenter with a hyphen', async () => {
  for (const spec of [{ nodesPerRacks: '2' }, { topology: { dc: [{ name: 'eu-west' }] } }]) {
    await assert.rejects(server.other.post(clusters, cluster('wrong', spec)), { status: 422 });
  }
});

test('on a real API server the stand-in comes to rest: it creates once and then writes nothing more', async () => {
  const stop = new AbortController();
  const log: string[] = [];
  const running = run(
    {
      api: server.other,
      namespace: 'default',
      pace: { ...paces.fast, resyncMs: 50 },
      ask: askNode,
      clock: systemClock,
      random: systemRandom,
      operatorName: 'casskop',
      log: (message) => log.push(message),
    },
    stop.signal,
  );
  try {
    const spec = {
      dataCapacity: '2048Mi',
      resources: { requests: { cpu: '0.5', memory: '1024Mi' } },
      livenessInitialDelaySeconds: 0,
      envVars: [{ name: 'EMPTY', value: '' }],
      sidecarConfigs: [{ name: 'side', image: 'side:1', resources: { limits: { memory: '1024Mi' } } }],
      topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1', rollingRestart: false }] }] },
    };
    await server.other.post(clusters, cluster('rest', spec));
    const created = (): Promise<unknown> => server.other.find(`${statefulSets}/rest-eu-rack1`);
    await waitFor(created, { what: 'the StatefulSet', timeoutMs });
    const versions = async (): Promise<(string | undefined)[]> => {
      const paths = [`${clusters}/rest`, `${statefulSets}/rest-eu-rack1`];
      const objects = await Promise.all(paths.map((path) => server.other.get(path)));
      return objects.map(({ metadata }) => metadata.resourceVersion);
    };
    let before = await versions();
    let quietLooks = 0;
    const isAtRest = async (): Promise<boolean> => {
      const after = await versions();
      quietLooks = String(after) === String(before) ? quietLooks + 1 : 0;
      before = after;
      return quietLooks === 10;
    };
    await waitFor(isAtRest, { what: 'ten looks in a row without a write', timeoutMs });
    const { metadata } = await server.other.get<StatefulSet>(`${statefulSets}/rest-eu-rack1`);
    assert.equal(metadata.generation, 1);
    assert.deepEqual(log, []);
  } finally {
    stop.abort(new Error('the test is over'));
    await running;
  }
});
