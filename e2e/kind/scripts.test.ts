import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { parse } from 'yaml';
import { runValidate } from '../../src/cli/validate.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';
import { readSecretKubeconfig } from '../../src/regions/secret-kubeconfig.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { findHelm } from '../deploy/helm.ts';
import { readObjects } from '../deploy/rendered.ts';
import type { ApiObject } from '../harness/api-server.ts';
import { type Call, StandIns } from './stand-ins.ts';

const folder = import.meta.dirname;
const repository = join(folder, '../..');
const regions = ['eu', 'us', 'ap'];
const context = (region: string): string => `kind-ringmaster-${region}`;
const node = (region: string): string => `ringmaster-${region}-control-plane`;
const podsOf: Record<string, string> = { eu: '10.110.0.0/24', us: '10.111.0.0/24', ap: '10.112.0.0/24' };
const addressOf: Record<string, string> = { eu: '172.18.0.2', us: '172.18.0.3', ap: '172.18.0.4' };
const corefile = '.:53 {\n    errors\n    forward . /etc/resolv.conf\n}';

/** What the programs say of three clusters that have just been made. */
const answers: [string, string][] = [
  ...regions.map((region): [string, string] => [
    `kubectl --context ${context(region)} get nodes`,
    `${node(region)} ${podsOf[region]} ${addressOf[region]}`,
  ]),
  ['get configmap coredns', `${corefile}\n# zones of the regions\nold.test:53 {\n}`],
  ['create token', 'a-token'],
  ['config view', Buffer.from('an authority').toString('base64')],
  ['rbac region', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: ringmaster-system}'],
];

suite('the scripts for kind', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringmaster-kind-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Runs one of the scripts with nothing but stand-ins on its PATH. */
  const run = (
    script: string,
    args: readonly string[],
    standIns: StandIns,
    env: Record<string, string> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const options = { env: { PATH: standIns.path, ...env }, maxBuffer: 1 << 24 };
      const child = execFile('/bin/bash', [join(folder, script), ...args], options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });

  const applied = (calls: readonly Call[]): { context: string; object: ApiObject }[] =>
    calls
      .filter(({ program, args }) => program === 'kubectl' && args.includes('apply') && args.includes('-'))
      .map(({ args, input }) => ({ context: args[1] ?? '', object: parse(input) as ApiObject }));

  test('call nothing with --dry-run, and print every command', async () => {
    const standIns = new StandIns(directory, []);
    const { code, stdout, stderr } = await run('up.sh', ['--dry-run'], standIns);
    assert.equal(code, 0, stderr);
    assert.deepEqual(standIns.calls, []);
    const down = await run('down.sh', ['--dry-run'], standIns);
    assert.deepEqual(standIns.calls, []);
    const deleted = regions.map((region) => `kind delete cluster --name ringmaster-${region}`);
    assert.deepEqual(down.stdout.trim().split('\n'), deleted);
    for (const line of [
      /^docker build -f deploy\/Dockerfile -t ringmaster:kind \.$/m,
      /^kind create cluster --name ringmaster-ap --image kindest\/node:v[\d.]+@sha256:[0-9a-f]{64} /m,
      /^docker exec ringmaster-eu-control-plane ip route replace CIDR-1 via ADDRESS-1$/m,
      /^helm --kube-context kind-ringmaster-us upgrade --install casskop oci:\/\/ghcr\.io\/cscetbon\/casskop-helm --version 2\.3\.4 /m,
      /^kubectl --context kind-ringmaster-eu apply -f e2e\/kind\/orders\.yaml$/m,
    ])
      assert.match(stdout, line);
  });

  test('call what they print, and nothing else', async () => {
    const dry = new StandIns(mkdtempSync(join(directory, 'dry-')), []);
    const real = new StandIns(mkdtempSync(join(directory, 'real-')), answers);
    const printed = await run('up.sh', ['--dry-run'], dry);
    const done = await run('up.sh', [], real);
    assert.equal(done.code, 0, done.stderr);
    const commands = `${printed.stdout}\n${printed.stderr}`
      .split('\n')
      .filter((line) => /^(docker|kind|kubectl|helm) /.test(line));
    const firstWords = (words: readonly string[]): string => words.slice(0, 3).join(' ');
    assert.deepEqual(
      real.calls.map(({ program, args }) => firstWords([program, ...args])).toSorted(),
      commands.map((line) => firstWords(line.split(' '))).toSorted(),
    );
  });

  test('give every cluster addresses of its own, and each node a way to the pods of all others', async () => {
    const standIns = new StandIns(directory, answers);
    await run('up.sh', [], standIns);
    const { calls } = standIns;
    const made = calls.filter(({ program, args }) => program === 'kind' && args[0] === 'create');
    const networks = made.map(({ input }) => (parse(input) as { networking: Record<string, string> }).networking);
    const subnets = networks.flatMap((each) => Object.values(each));
    assert.equal(new Set(subnets).size, 6);
    const inNodes = calls.filter(({ args }) => args[0] === 'exec').map(({ args }) => args.slice(1).join(' '));
    const expected = regions.flatMap((from) =>
      regions
        .filter((to) => to !== from)
        .flatMap((to) => {
          const rule = `KIND-MASQ-AGENT -d ${podsOf[to]} -j RETURN`;
          return [
            `${node(from)} ip route replace ${podsOf[to]} via ${addressOf[to]}`,
            `${node(from)} sh -c iptables -t nat -C ${rule} || iptables -t nat -I ${rule}`,
          ];
        }),
    );
    assert.deepEqual(inNodes, expected);
  });

  test('have each cluster answer for its own region, and ask the right cluster for any other', async () => {
    const standIns = new StandIns(directory, answers);
    await run('up.sh', [], standIns);
    const configured = applied(standIns.calls).filter(({ object }) => object.metadata.name === 'coredns');
    assert.deepEqual(
      configured.map((each) => each.context),
      regions.map(context),
    );
    for (const [index, { object }] of configured.entries()) {
      const { Corefile = '' } = object['data'] as Record<string, string>;
      assert.ok(Corefile.startsWith(corefile), 'what was there stays');
      assert.doesNotMatch(Corefile, /old\.test/, 'what an earlier run appended does not');
      const own = regions[index] ?? '';
      assert.ok(Corefile.includes(`name regex (.+)\\.${own}\\.db\\.test {1}.orders.cassandra.svc.cluster.local`));
      assert.ok(Corefile.includes(`answer name (.+)\\.orders\\.cassandra\\.svc\\.cluster\\.local {1}.${own}.db.test`));
      const asked = [...Corefile.matchAll(/^(\w+)\.db\.test:53 \{\n +errors\n +forward \. (\S+)$/gm)];
      assert.deepEqual(
        asked.map(([, region, address]) => [region, address]),
        regions.filter((region) => region !== own).map((region) => [region, `${addressOf[region]}:30053`]),
      );
    }
  });

  test('give the hub a kubeconfig for each other region that Ringmaster takes, and show no token', async () => {
    const standIns = new StandIns(directory, answers);
    const { stdout, stderr } = await run('up.sh', [], standIns);
    const secrets = applied(standIns.calls).filter(({ object }) => object.kind === 'Secret');
    assert.deepEqual(
      secrets.map(({ object }) => object.metadata.name),
      ['us', 'ap'],
    );
    for (const { context: cluster, object } of secrets) {
      assert.equal(cluster, context('eu'));
      assert.equal(object.metadata.namespace, 'ringmaster-system');
      assert.equal(object.metadata.labels?.['ringmaster.dev/kubeconfig'], 'true');
      const { kubeconfig = '' } = object['stringData'] as Record<string, string>;
      const read = readSecretKubeconfig(kubeconfig, object.metadata.name);
      assert.equal(read.context.server, `https://${node(object.metadata.name)}:6443`);
      assert.deepEqual((await read.context.credentials()).headers, { authorization: 'Bearer a-token' });
    }
    assert.ok(!`${stdout}${stderr}`.includes('a-token'));
  });

  test('install Ringmaster with values that its chart knows, as hub and region in one', async () => {
    const standIns = new StandIns(directory, answers);
    await run('up.sh', [], standIns);
    const call = standIns.calls.find(
      ({ program, args }) => program === 'helm' && args.includes('deploy/helm/ringmaster'),
    );
    const sets = (call?.args ?? []).flatMap((arg, index, all) => (all[index - 1] === '--set' ? ['--set', arg] : []));
    assert.ok(sets.length > 6);
    const helm = await findHelm(new AbortController().signal);
    const chart = join(repository, 'deploy/helm/ringmaster');
    const yaml = await helm(['template', 'ringmaster', chart, '-n', 'ringmaster-system', ...sets]);
    const objects = readObjects(yaml);
    assert.ok(objects.has('Role cassandra/ringmaster-region'));
    assert.match(yaml, /image: "ringmaster:kind"/);
    assert.match(yaml, /- "?--hub=eu"?/);
  });

  test('make no cluster twice, and leave its pods alone when they are run again', async () => {
    const standIns = new StandIns(directory, [
      ['kind get clusters', 'ringmaster-eu\nringmaster-us\nringmaster-ap'],
      ...answers,
    ]);
    const { code, stderr } = await run('up.sh', [], standIns);
    assert.equal(code, 0, stderr);
    assert.ok(!standIns.calls.some(({ program, args }) => program === 'kind' && args[0] === 'create'));
  });

  test('name a program that is missing, and refuse a flag that they do not know, before anything is done', async () => {
    const standIns = new StandIns(directory, answers);
    rmSync(join(standIns.path, 'kind'));
    const missing = await run('up.sh', [], standIns);
    assert.equal(missing.code, 1);
    assert.equal(missing.stderr, 'The program kind is missing: e2e/kind/README.md says where it comes from.\n');
    assert.deepEqual(standIns.calls, []);
    assert.equal((await run('up.sh', ['--dry-rum'], standIns)).code, 2);
  });

  test('apply a ring that Ringmaster and CassKop understand, in the zone that the names are in', () => {
    const member = parse(
      readFileSync(join(repository, 'e2e/casskop/crds/cassandraclusters.yaml'), 'utf8'),
    ) as KubeObject;
    const memberSchema = casskop.writtenSchema(casskop.capabilities(member));
    let said = '';
    const file = join(folder, 'orders.yaml');
    assert.equal(runValidate(file, { write: (text) => (said += text) }, { memberSchema }), 0, said);
    const orders = parse(readFileSync(file, 'utf8')) as ApiObject & {
      spec: { regions: { name: string }[]; seeds: { address: string } };
    };
    const settings = readFileSync(join(folder, 'settings.sh'), 'utf8');
    const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(settings)?.[1] ?? '';
    assert.deepEqual(orders.metadata, { name: setting('FEDERATION'), namespace: setting('NAMESPACE') });
    assert.equal(orders.spec.seeds.address, `{pod}.{region}.${setting('ZONE')}`);
    assert.deepEqual(
      orders.spec.regions.map(({ name }) => name),
      regions,
    );
  });
});
