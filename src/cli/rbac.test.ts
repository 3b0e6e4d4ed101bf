import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { UndeclaredAccess, restricted } from '../kube/access.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { hubAccess, regionAccess } from '../runtime/access.ts';
import { defaultServiceAccount, rbacObjects, rbacYaml, type RbacOptions } from './rbac.ts';

const hub: RbacOptions = {
  place: 'hub',
  rules: hubAccess,
  namespaces: ['cassandra'],
  serviceAccount: defaultServiceAccount,
};
const region: RbacOptions = { ...hub, place: 'region', rules: regionAccess(casskop) };

interface PolicyRule {
  resources?: string[];
  resourceNames?: string[];
  verbs: string[];
}

function rulesOf(object: KubeObject): PolicyRule[] {
  return (object['rules'] ?? []) as PolicyRule[];
}

for (const options of [hub, region]) {
  test(`config/rbac/${options.place}.yaml is what the rules say today`, () => {
    const file = join(import.meta.dirname, '../../config/rbac', `${options.place}.yaml`);
    const committed = readFileSync(file, 'utf8');
    assert.equal(committed, rbacYaml(options), 'run `make rbac` and commit the result');
    const objects = parseAllDocuments(committed).map((document) => document.toJS() as KubeObject);
    assert.deepEqual(objects, rbacObjects(options));
  });

  test(`the roles of a ${options.place} hold no wildcard and nothing that could widen them`, () => {
    for (const rule of rbacObjects(options).flatMap(rulesOf)) {
      assert.ok(!JSON.stringify(rule).includes('*'), JSON.stringify(rule));
      for (const verb of rule.verbs) assert.ok(!['escalate', 'bind', 'impersonate'].includes(verb));
    }
  });
}

test('of a region, no claim or StatefulSet is written, pods are labelled or deleted and never made, and Secrets in the namespaces of members alone', () => {
  for (const rule of rbacObjects(region).flatMap(rulesOf)) {
    if (rule.resources?.some((each) => /^(persistentvolumeclaims|statefulsets)$/.test(each))) {
      assert.deepEqual(rule.verbs, ['list', 'watch']);
    }
    if (rule.resources?.includes('pods')) assert.deepEqual(rule.verbs, ['get', 'list', 'watch', 'patch', 'delete']);
  }
  for (const object of rbacObjects(region)) {
    if (!rulesOf(object).some(({ resources: kinds }) => kinds?.includes('secrets'))) continue;
    assert.deepEqual([object.kind, object.metadata.namespace], ['Role', 'cassandra']);
  }
});

test('of the hub, Secrets are read where MultiCassandraClusters and registrations are, and written nowhere', () => {
  for (const object of rbacObjects(hub)) {
    for (const rule of rulesOf(object)) {
      if (!rule.resources?.includes('secrets')) continue;
      assert.equal(object.kind, 'Role');
      assert.deepEqual(rule.verbs, ['get', 'list', 'watch']);
    }
  }
});

test('each namespace gets a Role of its own, and is named in the ClusterRole', () => {
  const objects = rbacObjects({ ...region, namespaces: ['one', 'two'] });
  const roles = objects.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace);
  assert.deepEqual(roles, ['one', 'two']);
  const cluster = objects.find(({ kind }) => kind === 'ClusterRole');
  const namespaces = cluster && rulesOf(cluster).find((rule) => rule.resources?.includes('namespaces'));
  assert.deepEqual(namespaces?.resourceNames, ['kube-system', 'one', 'two']);
});

const never = new AbortController().signal;
/** Answers everything; what is tested is what reaches it. */
const permissive = new Proxy({} as KubeClient, {
  get: () => () => Promise.resolve({ metadata: { name: 'x' }, status: 200, body: '', items: [] }),
});

test('a client does not send what its rules do not allow', async () => {
  const client = restricted(permissive, regionAccess(casskop));
  const refused = { code: new UndeclaredAccess('').code };
  const ref = { namespace: 'cassandra', name: 'orders' };
  await client.get(casskop.member, ref, never);
  await client.apply(casskop.member, { metadata: ref }, never);
  await client.podProxyGet('cassandra', 'orders-0', 8778, '/jolokia/', never);
  await client.getPath('/readyz', never);
  await client.list(resources.pods, { namespace: 'cassandra' }, never);
  await client.get(resources.namespaces, { name: 'kube-system' }, never);

  await assert.rejects(client.get(resources.statefulSets, ref, never), refused);
  await assert.rejects(client.delete(resources.statefulSets, ref, { uid: '', resourceVersion: '' }, never), refused);
  await assert.rejects(client.patchStatus(resources.pods, ref, '', {}, never), refused);
  await assert.rejects(client.getPath('/metrics', never), refused);
  await assert.rejects(client.list(resources.pods, {}, never), refused, 'in all namespaces');
  await assert.rejects(client.get(resources.customResourceDefinitions, { name: 'others.example.net' }, never), refused);
  const watch = client.watch(resources.namespaces, { resourceVersion: '1', timeoutSeconds: 1 }, never);
  await assert.rejects(watch[Symbol.asyncIterator]().next(), refused);
});
