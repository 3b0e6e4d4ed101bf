import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { stringify } from 'yaml';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess, main } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';

interface Edit {
  title: string;
  /** Merged over the template's spec. */
  template?: Record<string, unknown>;
  /** Merged over the spec. */
  spec?: Record<string, unknown>;
  code: number;
  words: RegExp;
}

const edits: Edit[] = [
  { title: 'nothing', code: 0, words: /^= region eu: nothing changes\n= region us: nothing changes\n$/ },
  {
    title: 'another image',
    template: { cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' },
    code: 2,
    words:
      /^~ region eu: restarts its 1 node for \/spec\/cassandraImage, \/spec\/serverVersion\n.*"cassandra:5\.0\.8" -> "cassandra:5\.0\.9" \(restart\)[^]*^~ region us[^]*begin to change region eu[^]*another region is being changed/m,
  },
  {
    title: 'more memory',
    template: { resources: { requests: { cpu: '500m', memory: '2Gi' } } },
    code: 2,
    words: /restarts its 1 node for .*memory/,
  },
  {
    title: 'a harmless field',
    template: { autoPilot: true },
    code: 2,
    words: /changes \/spec\/autoPilot, which restarts nothing/,
  },
  {
    title: 'more nodes',
    template: { nodesPerRacks: 2 },
    code: 2,
    words: /adds nodes \(\/spec\/topology\/dc\/0\/nodesPerRacks from 1 to 2\)/,
  },
  {
    title: 'larger volumes',
    template: { dataCapacity: '2Gi' },
    code: 2,
    words: /lets its volumes grow \(\/spec\/dataCapacity from 1Gi to 2Gi\)/,
  },
  {
    title: 'smaller volumes',
    template: { dataCapacity: '500Mi' },
    code: 1,
    words: /^refused: spec\.regions\[0\]: .*neither shrink/,
  },
  {
    title: 'a misspelt field',
    template: { cassandraImag: 'cassandra:5.0.9' },
    code: 1,
    words: /^refused: spec\.template\.spec\.cassandraImag: /,
  },
  {
    title: 'a restart',
    spec: { rollout: { restartToken: 'now' } },
    code: 2,
    words: /restarts its 1 node for spec\.rollout\.restartToken/,
  },
  {
    title: 'a region that nobody knows',
    spec: { regions: [{ name: 'eu' }, { name: 'us' }, { name: 'mars' }] },
    code: 1,
    words: /^\? region mars: .*no region mars is registered/m,
  },
];

suite('ringmaster plan', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('planned');
    federation = new Federation(regions, 'planned');
  });
  after(async () => {
    await controller?.stop();
    await regions?.stop();
  });

  function plan(
    spec: Record<string, unknown>,
    ...args: string[]
  ): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const file = join(regions.directory, 'planned.yaml');
    const { name, namespace } = federation;
    const metadata = { name, namespace };
    writeFileSync(
      file,
      stringify({ apiVersion: 'ringmaster.dev/v1alpha1', kind: 'MultiCassandraCluster', metadata, spec }),
    );
    const known = ['--kubeconfig', regions.controllerKubeconfig, '--hub', 'eu', '--timeout', '60'];
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, 'plan', ...known, '-f', file, ...args],
        { timeout: 120_000, encoding: 'utf8' },
        (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });
  }

  test('before there is anything: who founds the ring, and who joins it', async () => {
    const { code, stdout, stderr } = await plan(federation.smallestSpec());
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout, /^\+ region eu: its 1 node founds the ring\n\+ region us: its 1 node joins the ring\n/);
    assert.match(stdout, /record eu as the region that founds the ring/);
  });

  test('of a formed ring: what each edit costs, in which order, and what is refused; nothing is written by asking', async (t) => {
    await federation.apply();
    controller = new ControllerProcess(regions, { name: 'planned' });
    await federation.waitForCondition('Ready', 'True', { timeoutMs: formationTimeoutMs });
    const before = await versions();
    for (const { title, template, spec, code, words } of edits) {
      const smallest = federation.smallestSpec() as { template: { spec: object } };
      const edited = { ...smallest, template: { spec: { ...smallest.template.spec, ...template } }, ...spec };
      const found = await plan(edited);
      t.diagnostic(`${title}:\n${found.stdout}`);
      assert.match(found.stdout, words, `${title}: ${found.stderr}`);
      assert.equal(found.code, code, `${title}: ${found.stdout}`);
    }
    assert.deepEqual(await versions(), before);
  });

  test('as JSON, for programs', async () => {
    const { code, stdout } = await plan(federation.smallestSpec(), '-o', 'json');
    assert.equal(code, 0);
    const { regions: found } = JSON.parse(stdout) as { regions: { region: string; outcome: string }[] };
    assert.deepEqual(
      found.map(({ region, outcome }) => [region, outcome]),
      [
        ['eu', 'unchanged'],
        ['us', 'unchanged'],
      ],
    );
  });

  test('and what was done stands in kubectl describe', async () => {
    const args = ['--context', 'eu', '-n', federation.namespace, 'describe', 'multicassandracluster', federation.name];
    const describe = (): string => execFileSync(regions.kubectl, args, { encoding: 'utf8', timeout: 60_000 });
    const story = [
      /Normal +MemberCreated .*create the member of region eu, which founds the ring/,
      /Normal +MemberCreated .*create the member of region us, which joins the ring/,
      /Normal +Ready .*2 regions run one ring of 2 nodes/,
    ];
    await waitFor(() => story.every((line) => line.test(describe())), { what: 'the events', timeoutMs: 300_000 });
  });

  /** What the server counts whenever somebody changes one of our objects. */
  async function versions(): Promise<unknown[]> {
    const path = `/apis/db.orange.com/v2/namespaces/${federation.namespace}/cassandraclusters/${federation.name}`;
    const members = regions.all.map(({ api }) =>
      api.get<{ metadata: { generation?: number; annotations?: Record<string, string> } }>(path),
    );
    const found = await Promise.all(members);
    return [(await federation.get()).metadata.generation, ...found.map(({ metadata }) => metadata.generation)];
  }
});
