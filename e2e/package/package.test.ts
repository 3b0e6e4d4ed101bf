import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { command } from '../harness/run/command.ts';

const checkout = join(import.meta.dirname, '../..');

/** What a project that depends on the package may write. */
const consumer = `
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { casskop, parseMultiCassandraCluster, plan, preview, type Plan, type Snapshot, type UnknownRegion } from 'ringmaster';

const { mcc, problems } = parseMultiCassandraCluster({
  apiVersion: 'ringmaster.dev/v1alpha1',
  kind: 'MultiCassandraCluster',
  metadata: { name: 'orders', namespace: 'cassandra' },
  spec: {
    template: {
      spec: { cassandraImage: 'cassandra:4.0.19', serverVersion: '4.0.19', nodesPerRacks: 1, dataCapacity: '1Gi' },
    },
    regions: [{ name: 'eu' }, { name: 'us' }],
    seeds: { address: '{pod}.{region}.example.net' },
  },
});
if (!mcc) throw new Error(JSON.stringify(problems));
const dark: UnknownRegion = { known: false, reason: 'Unreachable', message: 'nobody answers' };
const snapshot: Snapshot = {
  mcc,
  nowMs: 0,
  monotonicMs: 0,
  leaseTransitions: 0,
  userScripts: {},
  sources: {},
  refusedWrites: {},
  regions: { eu: dark, us: dark },
};
const planned: Plan = plan(snapshot, casskop);
const crd = readFileSync(createRequire(import.meta.url).resolve('ringmaster/crds/ringmaster.dev_multicassandraclusters.yaml'), 'utf8');
console.log(JSON.stringify({
  intents: planned.intents.length,
  reachable: planned.status.conditions?.find(({ type }) => type === 'RegionsReachable')?.status,
  waits: preview(snapshot, casskop).waits,
  crd: crd.includes('multicassandraclusters.ringmaster.dev'),
}));
`;

interface Packed {
  filename: string;
  files: { path: string }[];
}

describe('the npm package', () => {
  let directory: string;
  let packed: Packed;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ringmaster-package-'));
    const source = join(directory, 'source');
    await mkdir(source);
    for (const part of [
      'src',
      'crds',
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'README.md',
      'LICENSE',
      'Makefile',
    ])
      await cp(join(checkout, part), join(source, part), { recursive: true });
    await symlink(join(checkout, 'node_modules'), join(source, 'node_modules'));
    await command('make', ['-o', 'node_modules/.package-lock.json', 'build'], { cwd: source, timeoutMs: 300_000 });
    const said = await command('npm', ['pack', '--json', '--pack-destination', directory], {
      cwd: source,
      timeoutMs: 300_000,
    });
    [packed] = JSON.parse(said) as [Packed];
    await command('tar', ['-xzf', join(directory, packed.filename), '-C', directory]);
    await mkdir(join(directory, 'consumer/node_modules'), { recursive: true });
    await symlink(join(checkout, 'node_modules'), join(directory, 'package/node_modules'));
    await symlink(join(directory, 'package'), join(directory, 'consumer/node_modules/ringmaster'));
    await symlink(join(checkout, 'node_modules/@types'), join(directory, 'consumer/node_modules/@types'));
    await symlink(join(checkout, 'node_modules/undici-types'), join(directory, 'consumer/node_modules/undici-types'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('holds the program, its types, the guard and the CRD, and nothing that only tests need', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/federation/guard/pre_run.sh',
      'crds/ringmaster.dev_multicassandraclusters.yaml',
      'README.md',
      'LICENSE',
    ])
      assert.ok(paths.includes(path), path);
    assert.deepEqual(
      paths.filter(
        (path) =>
          !/^(dist\/.*\.(js|d\.ts|sh)|dist\/ui\/assets\/.*\.(css|svg)|crds\/.*\.yaml|package\.json|README\.md|LICENSE)$/.test(
            path,
          ),
      ),
      [],
    );
    assert.deepEqual(
      paths.filter((path) => /test|fixture/.test(path)),
      [],
    );
  });

  test('is what publint expects of one', async () => {
    const pkgDir = join(directory, 'package');
    const { messages } = await publint({ pkgDir, strict: true, pack: false });
    const pkg = JSON.parse(await readFile(join(pkgDir, 'package.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      messages.map((message) => formatMessage(message, pkg)),
      [],
    );
  });

  test('gives another project types that check and a planner that plans', async () => {
    const project = join(directory, 'consumer');
    const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, types: ['node'], outDir: 'out' };
    await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    await writeFile(join(project, 'main.ts'), consumer);
    await command(join(checkout, 'node_modules/.bin/tsc'), ['-p', project], { timeoutMs: 300_000 });
    const said = await command(process.execPath, [join(project, 'out/main.js')], { timeoutMs: 300_000 });
    const { waits, ...rest } = JSON.parse(said) as { waits: string[] };
    assert.deepEqual(rest, { intents: 0, reachable: 'False', crd: true });
    assert.match(waits.join(), /eu \(nobody answers\)/);
  });

  test('is described, name by name, in docs/reference/api.md', async () => {
    const index = await readFile(join(checkout, 'src/index.ts'), 'utf8');
    const names = [...index.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) => list.split(','));
    const exported = names.map((name) => name.replace('type ', '').trim()).filter((name) => name !== '');
    assert.ok(exported.length > 60);
    const page = await readFile(join(checkout, 'docs/reference/api.md'), 'utf8');
    const described = new Set([...page.matchAll(/^### (\w+)/gm)].map(([, name]) => name));
    assert.deepEqual(
      exported.filter((name) => !described.has(name)),
      [],
      'run make api-docs',
    );
  });
});
