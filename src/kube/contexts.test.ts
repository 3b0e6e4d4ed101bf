import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { ContextError, loadContexts, type ContextErrorCode } from './contexts.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringmaster-contexts-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

/** A kubeconfig as kubeadm writes it: every cluster is called kubernetes, every user admin. */
function kubeadm(context: string, port: number, user: object = { token: `token-of-${context}` }, cluster: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubernetes', cluster: { server: `https://127.0.0.1:${port}/`, ...cluster } }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: context, context: { cluster: 'kubernetes', user: 'admin' } }],
    'current-context': context,
  };
}

function refused(code: ContextErrorCode, pattern: RegExp, files: string[], names?: string[]): void {
  assert.throws(
    () => loadContexts(files, names),
    (error) => {
      assert.ok(error instanceof ContextError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

test('two files with equally named clusters and users keep to themselves', async () => {
  const files = [file('eu', kubeadm('eu', 1)), file('us', kubeadm('us', 2))];
  const contexts = loadContexts(files);
  const seen = await Promise.all(
    contexts.map(async (each) => [each.name, each.file, each.server, (await each.credentials()).headers]),
  );
  assert.deepEqual(seen, [
    ['eu', files[0], 'https://127.0.0.1:1', { authorization: 'Bearer token-of-eu' }],
    ['us', files[1], 'https://127.0.0.1:2', { authorization: 'Bearer token-of-us' }],
  ]);
});

test('two users of one file never present the credentials of each other', async () => {
  const tokens = ['a', 'b'].map((name) => file(`token-${name}`, `token-${name}\n`));
  const path = file('both', {
    clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [
      { name: 'a', user: { tokenFile: tokens[0] } },
      { name: 'b', user: { tokenFile: tokens[1], token: 'stale' } },
      { name: 'c', user: { username: 'carol', password: 'pass' } },
      { name: 'd', user: {} },
    ],
    contexts: ['a', 'b', 'c', 'd'].map((name) => ({ name, context: { cluster: 'one', user: name, namespace: name } })),
  });
  const contexts = loadContexts([path]);
  const headers = async () =>
    Promise.all(contexts.map(async (each) => (await each.credentials()).headers['authorization']));
  const expected = [
    'Bearer token-a',
    'Bearer token-b',
    `Basic ${Buffer.from('carol:pass').toString('base64')}`,
    undefined,
  ];
  assert.deepEqual(await headers(), expected);
  assert.deepEqual(await headers(), expected, 'the second time, when caches are warm');
  assert.deepEqual(
    contexts.map((each) => each.namespace),
    ['a', 'b', 'c', 'd'],
  );
});

test('only the contexts asked for are looked at, in the order asked', () => {
  const path = file('leftovers', {
    ...kubeadm('good', 1),
    contexts: [
      { name: 'leftover', context: { cluster: 'gone', user: 'gone' } },
      { name: 'good', context: { cluster: 'kubernetes', user: 'admin' } },
      { name: 'better', context: { cluster: 'kubernetes', user: 'admin', namespace: 'db' } },
    ],
  });
  assert.deepEqual(
    loadContexts([path], ['better', 'good']).map((each) => [each.name, each.namespace]),
    [
      ['better', 'db'],
      ['good', 'default'],
    ],
  );
  refused('ClusterMissing', /leftovers: context "leftover": there is no cluster "gone"/, [path]);
});

test('a file that cannot be used is named, with what is wrong with it', () => {
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  refused('FileMissing', /no-such-file: there is no such file/, [join(folder, 'no-such-file')]);
  refused('FileUnreadable', /directory: cannot be read \(EISDIR\)/, [directory]);
  refused('NotKubeconfig', /text: is not a kubeconfig/, [file('text', 'just some words')]);
  refused('NotKubeconfig', /contexts\.0\.name/, [file('nameless', { contexts: [{ context: {} }] })]);
  refused('NoContexts', /empty: defines no contexts/, [file('empty', '')]);
  refused('NoContexts', /other: defines no contexts/, [file('other', { apiVersion: 'v1', kind: 'ConfigMap' })]);
});

test('a file that is not YAML is refused without quoting what stands in it', () => {
  const path = file('broken', 'users:\n- name: a\n  user: {token: hunter2\nclusters: [');
  refused('NotYaml', /broken: is not YAML: .* at line \d+/, [path]);
  assert.throws(
    () => loadContexts([path]),
    (error: Error) => !error.message.includes('hunter2') && error.cause === undefined,
  );
});

test('an unknown context is answered with those there are', () => {
  const files = [file('one', kubeadm('eu', 1)), file('two', kubeadm('us', 2))];
  refused('UnknownContext', /unknown context "uk"; .*one, .*two define: eu, us$/, files, ['eu', 'uk']);
});

test('a context found in two files is refused with the names of both, unless nobody asks for it', () => {
  const files = [file('first', kubeadm('eu', 1)), file('second', kubeadm('eu', 2)), file('third', kubeadm('us', 3))];
  refused('DuplicateContext', /context "eu" is defined in both .*first and .*second/, files);
  refused('DuplicateContext', /context "eu" is defined twice in .*first/, [files[0] ?? '', files[0] ?? '']);
  assert.deepEqual(
    loadContexts(files, ['us']).map((each) => each.name),
    ['us'],
  );
});

test('an incomplete context is refused with what is missing', () => {
  const base = kubeadm('eu', 1);
  const context = (entry: object): object => ({ ...base, contexts: [{ name: 'eu', context: entry }] });
  refused('ClusterMissing', /it names no cluster/, [file('a', context({ user: 'admin' }))]);
  refused('ClusterMissing', /no cluster "gone"/, [file('b', context({ cluster: 'gone', user: 'admin' }))]);
  refused('UserMissing', /it names no user/, [file('c', context({ cluster: 'kubernetes' }))]);
  refused('UserMissing', /no user "gone"/, [file('d', context({ cluster: 'kubernetes', user: 'gone' }))]);
  refused('ServerMissing', /cluster "kubernetes" has no server/, [file('e', kubeadm('eu', 1, {}, { server: '' }))]);
  refused('ServerInvalid', /is not a URL/, [file('f', kubeadm('eu', 1, {}, { server: 'eu.example' }))]);
  refused('ServerInvalid', /neither https nor http/, [file('g', kubeadm('eu', 1, {}, { server: 'ftp://eu' }))]);
  refused('ServerInvalid', /clear text/, [file('h', kubeadm('eu', 1, {}, { server: 'http://eu' }))]);
  refused('ServerInvalid', /must not carry credentials/, [
    file('i', kubeadm('eu', 1, {}, { server: 'https://a:b@eu' })),
  ]);
});

test('what would silently be left out is refused instead', () => {
  refused('Unsupported', /proxy-url/, [file('p', kubeadm('eu', 1, {}, { 'proxy-url': 'socks5://x' }))]);
  refused('Unsupported', /as-groups, as-uid/, [
    file('q', kubeadm('eu', 1, { as: 'x', 'as-groups': ['g'], 'as-uid': '1' })),
  ]);
});

test('TLS settings come along, files relative to the kubeconfig, inlined data before files', async () => {
  file('client.crt', 'CERT');
  file('client.key', 'KEY');
  const path = file(
    'tls',
    kubeadm(
      'eu',
      1,
      { 'client-certificate': 'client.crt', 'client-key': 'client.key', as: 'impersonated' },
      {
        'certificate-authority': 'no-such-file',
        'certificate-authority-data': Buffer.from('CA').toString('base64'),
        'tls-server-name': 'api.internal',
      },
    ),
  );
  const [context] = loadContexts([path]);
  const { headers, tls } = (await context?.credentials()) ?? {};
  assert.deepEqual(headers, { 'impersonate-user': 'impersonated' });
  assert.deepEqual(
    [String(tls?.ca), String(tls?.cert), String(tls?.key), tls?.servername, tls?.rejectUnauthorized],
    ['CA', 'CERT', 'KEY', 'api.internal', undefined],
  );
  file('client.crt', 'ROTATED');
  assert.equal(String((await context?.credentials())?.tls.cert), 'ROTATED');
});

test('missing credential files are an error when they are needed, and name the context', async () => {
  const [context] = loadContexts([
    file('lost', kubeadm('eu', 1, { 'client-certificate': 'lost.crt', 'client-key': 'k' })),
  ]);
  await assert.rejects(
    () => context?.credentials() ?? Promise.resolve(),
    (error: ContextError) => error.code === 'CredentialsUnavailable' && /context "eu".*lost\.crt/.test(error.message),
  );
});

function plugin(name: string, script: string): object {
  const path = file(`${name}.js`, script);
  return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [path] } };
}

test('a credential plugin runs once for all who ask, and again only after its answer was dropped', async () => {
  const runs = join(folder, 'runs');
  const user = plugin(
    'counting',
    `const fs = require('fs');
     fs.appendFileSync(${JSON.stringify(runs)}, process.env.KUBERNETES_EXEC_INFO + '\\n');
     const token = 'run-' + fs.readFileSync(${JSON.stringify(runs)}, 'utf8').trim().split('\\n').length;
     console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`,
  );
  const [context] = loadContexts([file('exec', kubeadm('eu', 1, user))]);
  assert.ok(context);
  const tokens = async (): Promise<Set<string | undefined>> =>
    new Set(
      (await Promise.all(Array.from({ length: 10 }, () => context.credentials()))).map(
        (each) => each.headers['authorization'],
      ),
    );
  assert.deepEqual(await tokens(), new Set(['Bearer run-1']));
  assert.deepEqual(await tokens(), new Set(['Bearer run-1']));
  context.dropCredentials();
  assert.deepEqual(await tokens(), new Set(['Bearer run-2']));
  const [first] = readFileSync(runs, 'utf8').split('\n');
  assert.deepEqual(JSON.parse(first ?? ''), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false },
  });
});

test('a plugin that fails is an error with its own words, one that prints a bare token is not quoted', async () => {
  const failing = plugin('failing', `console.error('log in first'); process.exit(1)`);
  const bare = plugin('bare', `console.log('hunter2-hunter2')`);
  const credentials = (user: object, name: string) =>
    loadContexts([file(name, kubeadm('eu', 1, user))])[0]?.credentials();
  await assert.rejects(async () => credentials(failing, 'exec-failing'), /no credentials: log in first/);
  await assert.rejects(
    async () => credentials(bare, 'exec-bare'),
    (error: Error) =>
      /did not print an ExecCredential/.test(error.message) && !JSON.stringify(error).includes('hunter2'),
  );
});
