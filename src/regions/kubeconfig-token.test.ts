import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubeconfigWith, tokenIn, withToken } from './kubeconfig-token.ts';
import { readSecretKubeconfig } from './secret-kubeconfig.ts';

const at = { server: 'https://us.example:6443', authority: '-----BEGIN CERTIFICATE-----\n', serverName: 'kubernetes' };

test('what is written for a Secret may stand in one, and says where the region is, and who one is', async () => {
  const { context } = readSecretKubeconfig(kubeconfigWith('us', at, 'abc'), 'test');
  assert.equal(context.server, at.server);
  const { headers, tls } = await context.credentials();
  assert.deepEqual(headers, { authorization: 'Bearer abc' });
  assert.deepEqual([String(tls.ca), tls.servername], [at.authority, at.serverName]);
});

test('another token takes the place of the one there, and nothing else changes', () => {
  const text = kubeconfigWith('us', at, 'abc');
  assert.equal(tokenIn(text, 'test'), 'abc');
  assert.equal(withToken(text, 'def', 'test'), kubeconfigWith('us', at, 'def'));
});

test('of several users, the one of the current context counts', () => {
  const text = `
contexts: [{name: a, context: {cluster: c, user: one}}, {name: b, context: {cluster: c, user: two}}]
clusters: [{name: c, cluster: {server: "https://c"}}]
users: [{name: one, user: {token: "1"}}, {name: two, user: {token: "2"}}]
current-context: b
`;
  assert.equal(tokenIn(text, 'test'), '2');
  const changed = withToken(text, '3', 'test');
  assert.equal(tokenIn(changed, 'test'), '3');
  assert.equal(tokenIn(changed.replace('current-context: b', 'current-context: a'), 'test'), '1');
});
