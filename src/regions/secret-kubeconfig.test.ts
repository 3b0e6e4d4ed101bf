import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { readSecretKubeconfig } from './secret-kubeconfig.ts';

function kubeconfig(cluster: object = {}, user: object = { token: 'secret-token' }, more: object = {}): string {
  return stringify({
    clusters: [
      {
        name: 'c',
        cluster: { server: 'https://region.example:6443', 'certificate-authority-data': 'Q0E=', ...cluster },
      },
    ],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'orders' } }],
    'current-context': 'x',
    ...more,
  });
}

test('its current context is used, with what is inlined in it', async () => {
  const { context } = readSecretKubeconfig(kubeconfig(), 'Secret a/b');
  assert.equal(context.server, 'https://region.example:6443');
  assert.equal(context.namespace, 'orders');
  const { headers, tls } = await context.credentials();
  assert.deepEqual(headers, { authorization: 'Bearer secret-token' });
  assert.equal(String(tls.ca), 'CA');
});

test('its fingerprint is another one exactly when address, authority or credentials are', () => {
  const of = (text: string): string => readSecretKubeconfig(text, 'Secret a/b').fingerprint;
  assert.equal(of(kubeconfig()), of(kubeconfig({}, undefined, { preferences: {} })));
  const all = [kubeconfig(), kubeconfig({}, { token: 'other' }), kubeconfig({ server: 'https://other.example' })];
  assert.equal(new Set([...all, kubeconfig({ 'certificate-authority-data': 'QkI=' })].map(of)).size, 4);
});

test('whatever reaches for programs, files or other ways than verified TLS is refused by the name of its field', () => {
  const token = { token: 't' };
  const cases: [string, object, object][] = [
    ['user.exec', {}, { exec: { command: 'sh', apiVersion: 'client.authentication.k8s.io/v1' } }],
    ['user.auth-provider', {}, { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'sh' } } }],
    ['user.tokenFile', {}, { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' }],
    ['user.token-file', {}, { 'token-file': '/etc/passwd' }],
    ['user.client-certificate', {}, { 'client-certificate': '/a', 'client-key-data': 'YQ==' }],
    ['user.client-key', {}, { 'client-certificate-data': 'YQ==', 'client-key': '/a' }],
    ['cluster.certificate-authority', { 'certificate-authority': '/etc/passwd' }, token],
    ['cluster.insecure-skip-tls-verify', { 'insecure-skip-tls-verify': true }, token],
    ['cluster.insecure-skip-tls-verify', { 'insecure-skip-tls-verify': 'true' }, token],
    ['cluster.proxy-url', { 'proxy-url': 'http://proxy.example' }, token],
    ['cluster.server', { server: 'http://region.example' }, token],
    ['cluster.server', { server: 'file:///etc/passwd' }, token],
    ['cluster.caFile', { caFile: '/etc/passwd' }, token],
    ['user.authProvider', {}, { authProvider: { name: 'exec' } }],
  ];
  for (const [field, cluster, user] of cases) {
    assert.throws(
      () => readSecretKubeconfig(kubeconfig(cluster, user), 'Secret a/b'),
      (error) => error instanceof Error && error.message.startsWith(`Secret a/b: ${field} is not allowed`),
      field,
    );
  }
});

test('fields that are set to nothing ask for nothing', () => {
  const { context } = readSecretKubeconfig(
    kubeconfig({ 'insecure-skip-tls-verify': false, 'certificate-authority': null }, { token: 't', exec: null }),
    'Secret a/b',
  );
  assert.equal(context.name, 'x');
});

test('other contexts of the kubeconfig do not matter, and a current one must be named', () => {
  const users = [
    { name: 'u', user: { token: 't' } },
    { name: 'evil', user: { exec: { command: 'sh' } } },
  ];
  const contexts = [
    { name: 'x', context: { cluster: 'c', user: 'u' } },
    { name: 'y', context: { cluster: 'c', user: 'evil' } },
  ];
  assert.equal(readSecretKubeconfig(kubeconfig({}, {}, { users, contexts }), 's').context.name, 'x');
  assert.throws(
    () => readSecretKubeconfig(kubeconfig({}, {}, { users, contexts, 'current-context': 'y' }), 's'),
    /exec/,
  );
  assert.throws(() => readSecretKubeconfig(kubeconfig({}, {}, { 'current-context': '' }), 's'), /no current-context/);
});

test('text that is no kubeconfig is refused without being quoted', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
  for (const text of ['', 'token: [secret-token', 'just secret-token', bomb]) {
    assert.throws(
      () => readSecretKubeconfig(text, 'Secret a/b'),
      (error) =>
        error instanceof Error && error.message.startsWith('Secret a/b: ') && !/secret-token/.test(error.message),
      text.slice(0, 20),
    );
  }
});
