import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inClusterRegistration } from './in-cluster.ts';
import { defaultTenancy } from './tenancy.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringmaster-pod-'));
after(() => rmSync(folder, { recursive: true }));

test('the cluster of the pod is reached by its ServiceAccount, whose files are read again', async () => {
  for (const [name, text] of Object.entries({ token: 'first\n', 'ca.crt': 'CA', namespace: 'ringmaster\n' }))
    writeFileSync(join(folder, name), text);
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  const { context, name } = inClusterRegistration('hub', defaultTenancy, env, folder);
  assert.equal(name, 'hub');
  assert.equal(context.server, 'https://[fd00::1]:6443');
  assert.equal(context.namespace, 'ringmaster');
  const { headers, tls } = await context.credentials();
  assert.deepEqual(headers, { authorization: 'Bearer first' });
  assert.equal(String(tls.ca), 'CA');
  writeFileSync(join(folder, 'token'), 'second');
  writeFileSync(join(folder, 'ca.crt'), 'another CA');
  context.dropCredentials();
  const again = await context.credentials();
  assert.deepEqual(again.headers, { authorization: 'Bearer second' });
  assert.equal(String(again.tls.ca), 'another CA');
});

test('outside of a pod there is no such cluster', () => {
  assert.throws(() => inClusterRegistration('hub', defaultTenancy, {}, folder), /KUBERNETES_SERVICE_HOST is not set/);
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  assert.throws(() => inClusterRegistration('hub', defaultTenancy, env, join(folder, 'none')), /no ServiceAccount/);
});
