import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { stringify } from 'yaml';
import { systemClock } from '../edges/clock.ts';
import { KubeconfigFiles, type KubeconfigFilesOptions } from './kubeconfig-files.ts';
import { isRefused } from './registration.ts';
import { defaultTenancy } from './tenancy.ts';

const deadlineMs = 30_000;

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringmaster-files-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function kubeconfig(...contexts: string[]): string {
  return stringify({
    clusters: contexts.map((name) => ({ name, cluster: { server: `https://${name}.example` } })),
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: name, user: 'u' } })),
  });
}

interface Following {
  files: KubeconfigFiles;
  /** Registered names, those that are refused with a question mark. */
  names: () => string[];
  until: (what: string, condition: () => boolean) => Promise<void>;
}

/** Follows the files for as long as the test runs. */
async function follow(
  context: TestContext,
  paths: string[],
  more: Partial<KubeconfigFilesOptions> = {},
): Promise<Following> {
  const files = await KubeconfigFiles.open({ paths, tenancyOf: () => defaultTenancy, clock: systemClock, ...more });
  const stop = new AbortController();
  const wakes = new Set<() => void>();
  const running = files.run(stop.signal, () => wakes.forEach((wake) => wake()));
  context.after(async () => {
    stop.abort();
    await running;
  });
  const names = (): string[] =>
    files.read().map((each) => (isRefused(each) ? (each.name ? `${each.name}?` : each.problem) : each.name));
  const until = (what: string, condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ${what}: ${names().join(', ')}`)), deadlineMs);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        wakes.delete(check);
        resolve();
      };
      wakes.add(check);
      check();
    });
  return { files, names, until };
}

test('every context of every file of a directory is a region, hidden files and folders left out', async (context) => {
  const folder = folderOf(context);
  writeFileSync(join(folder, 'b'), kubeconfig('us', 'ap'));
  writeFileSync(join(folder, 'a'), kubeconfig('eu'));
  writeFileSync(join(folder, '.hidden'), 'nonsense: [');
  mkdirSync(join(folder, 'more'));
  const { files, names } = await follow(context, [folder]);
  assert.deepEqual(names(), ['eu', 'us', 'ap']);
  assert.equal(files.read()[0]?.origin, `kubeconfig ${join(folder, 'a')}, context eu`);
});

test('only the contexts that are asked for are regions', async (context) => {
  const file = join(folderOf(context), 'all');
  writeFileSync(file, kubeconfig('eu', 'us'));
  const { files, names } = await follow(context, [file], { contexts: new Set(['us', 'ap']) });
  assert.deepEqual(names(), ['us']);
  assert.deepEqual(files.contextNames, ['eu', 'us']);
});

test('files that come, change and go are followed', async (context) => {
  const folder = folderOf(context);
  writeFileSync(join(folder, 'a'), kubeconfig('eu'));
  const { names, until } = await follow(context, [folder]);
  writeFileSync(join(folder, 'b'), kubeconfig('us'));
  await until('both', () => names().join() === 'eu,us');
  writeFileSync(join(folder, 'b'), kubeconfig('ap'));
  await until('the changed one', () => names().join() === 'eu,ap');
  rmSync(join(folder, 'a'));
  await until('one alone', () => names().join() === 'ap');
});

test('a file that breaks keeps what it said, and says what is wrong with it', async (context) => {
  const file = join(folderOf(context), 'a');
  writeFileSync(file, kubeconfig('eu', 'us'));
  const { files, names, until } = await follow(context, [file]);
  const before = files.read();
  writeFileSync(file, kubeconfig('eu', 'us').slice(0, 40));
  await until('broken', () => names().length === 3);
  assert.deepEqual(names().slice(1), ['eu?', 'us?']);
  assert.match(names()[0] ?? '', /a: (?:is not YAML|defines no contexts)/);
  assert.deepEqual(
    files.read().map(({ tenancy }) => tenancy),
    [undefined, defaultTenancy, defaultTenancy],
  );
  writeFileSync(file, kubeconfig('eu', 'us'));
  await until('whole again', () => names().join() === 'eu,us');
  assert.deepEqual(
    files.read().map((each) => !isRefused(each) && each.fingerprint),
    before.map((each) => !isRefused(each) && each.fingerprint),
  );
});

test('a mounted Secret, whose files change by one link that is turned, is followed', async (context) => {
  const folder = folderOf(context);
  for (const [version, name] of [
    ['..1', 'eu'],
    ['..2', 'us'],
  ] as const) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'kubeconfig'), kubeconfig(name));
  }
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/kubeconfig', join(folder, 'kubeconfig'));
  const { names, until } = await follow(context, [folder]);
  assert.deepEqual(names(), ['eu']);
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  await until('turned', () => names().join() === 'us');
});

test('a file that is not there is said, and counts as soon as it is', async (context) => {
  const file = join(folderOf(context), 'later');
  const { names, until } = await follow(context, [file]);
  assert.match(names().join(), /later: there is no such file/);
  writeFileSync(file, kubeconfig('eu'));
  await until('there', () => names().join() === 'eu');
});
