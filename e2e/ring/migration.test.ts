import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { type ApiObject, type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess, main } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { makeByHand } from './made-by-hand.ts';
import { assertOneRing } from './one-ring.ts';

const names = ['eu', 'us'];
const resources = { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '500m', memory: '1Gi' } };
const shared = {
  cassandraImage: 'cassandra:5.0.8',
  serverVersion: '5.0.8',
  dataCapacity: '1Gi',
  backRestSidecar: { enabled: false },
  resources,
};

interface Case {
  version: 'v1' | 'v2';
  namespace: string;
  labels: Record<string, string>;
  base: Record<string, unknown>;
  override: Record<string, Record<string, unknown>>;
  /** As Multi-CassKop merges the two for each context, written out by hand. */
  members: Record<string, Record<string, unknown>>;
  seeds: string[];
  nodes: number;
}

const rack = [{ name: 'rack1' }];
const zone = { 'example.net/zone': 'b' };
const config = { 'cassandra-yaml': { num_tokens: 8 } };
const annotations = { 'example.net/pool': 'routable' };

const cases: Case[] = [
  {
    version: 'v1',
    namespace: 'from-v1',
    labels: {},
    base: { ...shared, nodesPerRacks: 1 },
    override: { eu: { topology: { dc: [{ name: 'dc1', rack }] } }, us: { topology: { dc: [{ name: 'dc2', rack }] } } },
    members: {
      eu: { ...shared, nodesPerRacks: 1, topology: { dc: [{ name: 'dc1', rack }] } },
      us: { ...shared, nodesPerRacks: 1, topology: { dc: [{ name: 'dc2', rack }] } },
    },
    seeds: ['orders-dc1-rack1-0.from-v1.eu.db.example.net', 'orders-dc2-rack1-0.from-v1.us.db.example.net'],
    nodes: 2,
  },
  {
    version: 'v2',
    namespace: 'from-v2',
    labels: { cluster: 'casskop' },
    base: {
      ...shared,
      configMapName: 'scripts',
      deletePVC: true,
      autoPilot: true,
      autoUpdateSeedList: false,
      maxPodUnavailable: 1,
    },
    override: {
      eu: { pod: { annotations }, topology: { dc: [{ name: 'dc1', nodesPerRacks: 2, config, rack }] } },
      us: {
        pod: { annotations },
        autoPilot: false,
        imagepullpolicy: 'IfNotPresent',
        topology: {
          dc: [{ name: 'dc2', nodesPerRacks: 1, labels: zone, rack: [{ name: 'rack1', labels: { rack: 'one' } }] }],
        },
      },
    },
    members: {
      eu: {
        ...shared,
        configMapName: 'scripts',
        deletePVC: true,
        autoPilot: true,
        maxPodUnavailable: 1,
        pod: { annotations },
        topology: { dc: [{ name: 'dc1', nodesPerRacks: 2, config, rack }] },
      },
      us: {
        ...shared,
        configMapName: 'scripts',
        deletePVC: true,
        // False in an override does not count.
        autoPilot: true,
        maxPodUnavailable: 1,
        pod: { annotations },
        imagepullpolicy: 'IfNotPresent',
        topology: {
          dc: [{ name: 'dc2', nodesPerRacks: 1, labels: zone, rack: [{ name: 'rack1', labels: { rack: 'one' } }] }],
        },
      },
    },
    seeds: [
      'orders-dc1-rack1-0.from-v2.eu.db.example.net',
      'orders-dc1-rack1-1.from-v2.eu.db.example.net',
      'orders-dc2-rack1-0.from-v2.us.db.example.net',
    ],
    nodes: 3,
  },
];

suite('what Multi-CassKop has made', () => {
  let regions: Regions;

  before(async () => {
    regions = await startRegions({ regions: names, nodes: 'light' });
    await installCrd(regions, 'eu');
  });
  after(() => regions?.stop());

  function ringmaster(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], { timeout: 120_000, encoding: 'utf8' }, (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });
  }

  for (const { version, namespace, labels, base, override, members, seeds, nodes } of cases) {
    test(`of a MultiCasskop ${version} is adopted without a restart, by the object that migrate writes, and takes an edit`, async (t) => {
      await regions.prepareNamespace(namespace);
      const federation = new Federation(regions, namespace);
      for (const { api } of regions.all) {
        await api.apply(`/api/v1/namespaces/${namespace}/configmaps/scripts`, 'kubectl', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'scripts', namespace },
          data: { 'pre_run.sh': 'echo the user was here\n' },
        });
      }
      for (const [index, region] of names.entries()) {
        const hosts = index === 0 ? nodes - 1 : nodes;
        await makeByHand(federation, { region, labels, spec: members[region] ?? {}, seeds, hosts });
      }
      const running = await federation.whatRuns();

      const multi = join(regions.directory, `${namespace}.multicasskop.yaml`);
      const file = join(regions.directory, `${namespace}.yaml`);
      writeFileSync(
        multi,
        stringify({
          apiVersion: `db.orange.com/${version}`,
          kind: 'MultiCasskop',
          metadata: { name: 'orders', namespace },
          spec: {
            deleteCassandraCluster: true,
            base: { metadata: { name: 'orders', namespace, labels }, spec: base, status: { seedlist: seeds } },
            override: Object.fromEntries(Object.entries(override).map(([context, spec]) => [context, { spec }])),
          },
        }),
      );
      const migrated = await ringmaster('migrate', '-f', multi, '-o', file);
      t.diagnostic(migrated.stderr);
      assert.equal(migrated.code, 0, migrated.stderr);
      const known = ['--kubeconfig', regions.controllerKubeconfig, '--hub', 'eu', '--timeout', '60'];
      const planned = await ringmaster('plan', ...known, '-f', file);
      assert.match(planned.stdout, /^> region eu: its member is adopted, and nothing restarts/m, planned.stderr);
      assert.match(planned.stdout, /^> region us: its member is adopted, and nothing restarts/m);
      assert.equal(planned.code, 2);
      assert.deepEqual(federation.writesToRegions(), []);

      const object = parse(readFileSync(file, 'utf8')) as ApiObject & { spec: { template: { spec: object } } };
      const controller = new ControllerProcess(regions, { name: namespace });
      await federation.hub.apply(federation.path, 'kubectl', object);
      await federation.ready();
      await federation.waitForCondition('SeedsCurrent', 'True');
      assert.deepEqual(await federation.whatRuns(), running);
      await assertOneRing(federation, nodes);
      for (const name of names) {
        const { spec } = (await federation.member(name)) ?? assert.fail();
        assert.equal(spec['deletePVC'] ?? false, false);
        assert.equal(spec['configMapName'], members[name]?.['configMapName']);
      }

      const spec = {
        ...object.spec,
        template: { ...object.spec.template, spec: { ...object.spec.template.spec, keyspaceCleanupThreads: 2 } },
      };
      await federation.hub.apply(federation.path, 'kubectl', { ...object, spec });
      await federation.ready();
      for (const name of names) assert.equal((await federation.member(name))?.spec['keyspaceCleanupThreads'], 2);
      assert.deepEqual(await federation.whatRuns(), running);
      assert.equal(await controller.stop(), 0);
    });
  }
});
