import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/objects.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import { regionAccess } from '../../runtime/access.ts';
import { rbacObjects } from '../rbac.ts';
import { decide } from './ensure.ts';
import { hubSecret, type HubSecretOptions, namespacesIn, regionObjects, renewalRole, type Wanted } from './objects.ts';
import { readRegistration, secretNameOf } from './registration.ts';

const account = { namespace: 'ringmaster-system', name: 'ringmaster' };
const secretOptions: HubSecretOptions = {
  region: 'us',
  secretName: 'us',
  namespace: 'ringmaster-system',
  kubeconfig: 'text',
  hubNamespaces: 'cassandra',
  regionNamespaces: ['cassandra'],
  clusterUid: 'u1',
  adminContext: 'us-admin',
  renewAfterSeconds: 60,
};

function withoutLabels({ object }: Wanted): KubeObject {
  const { labels: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** As the API server answers it. */
function there({ object }: Wanted): KubeObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, uid: 'x', resourceVersion: '7', creationTimestamp: 'now' } };
}

test('a region gets exactly what ringmaster rbac region prints, and the namespaces of members', () => {
  const namespaces = ['cassandra', 'orders'];
  const made = regionObjects(account, namespaces, false);
  const printed = rbacObjects({ place: 'region', rules: regionAccess(casskop), namespaces, serviceAccount: account });
  assert.deepEqual(made.slice(-printed.length).map(withoutLabels), printed);
  assert.deepEqual(
    made.slice(0, -printed.length).map(({ kind, object }) => `${kind} ${object.metadata.name}`),
    [
      'Namespace cassandra',
      'ServiceAccount cassandra-cluster-node',
      'Namespace orders',
      'ServiceAccount cassandra-cluster-node',
    ],
  );
});

test('the namespaces of another registration of the same cluster stay in the role that both use', () => {
  const made = regionObjects(account, ['orders'], true, ['cassandra']);
  const role = made.find(({ kind }) => kind === 'ClusterRole');
  assert.ok(role);
  assert.deepEqual(namespacesIn(role.object), ['cassandra', 'orders']);
  assert.ok(
    made.every(({ object: { metadata } }) => metadata.namespace !== 'cassandra' && metadata.name !== 'cassandra'),
  );
});

test('to renew its token, the account may make tokens of its own and of no other one; else nobody may', () => {
  const rules = (renews: boolean): unknown[] =>
    regionObjects(account, ['cassandra'], renews).flatMap(({ object }) => (object['rules'] ?? []) as unknown[]);
  assert.deepEqual(
    rules(true).filter((each) => JSON.stringify(each).includes('token')),
    [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['ringmaster'], verbs: ['create'] }],
  );
  assert.deepEqual(rules(true).length, rules(false).length + 1);
});

test('the right to put a renewed token somewhere is for one Secret', () => {
  const [role] = renewalRole('ringmaster-system', 'us', account);
  assert.deepEqual(role?.object['rules'], [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['us'], verbs: ['patch'] },
  ]);
});

test('what the Secret says of a region is read back', () => {
  const found = readRegistration(hubSecret({ ...secretOptions, region: 'arn:aws/us' }).object);
  const { region, isOurs, clusterUid, adminContext, regionNamespaces, hubNamespaces, renewAfter } = found;
  assert.deepEqual([region, isOurs, clusterUid, adminContext], ['arn:aws/us', true, 'u1', 'us-admin']);
  assert.deepEqual([regionNamespaces, hubNamespaces, renewAfter], [['cassandra'], 'cassandra', '60']);
  assert.equal(found.token, undefined);
});

test('a region may have a name that no Secret can have; two of them stay apart', () => {
  assert.equal(secretNameOf('us'), 'us');
  assert.equal(secretNameOf('us.prod-1'), 'us.prod-1');
  const names = ['arn:aws:eks:us-east-1:123:cluster/prod', 'arn:aws:eks:us-east-1:123:cluster:prod', 'US', 'us_'].map(
    secretNameOf,
  );
  assert.equal(new Set(names).size, 4);
  for (const name of names) assert.match(name, /^[a-z0-9][-a-z0-9]*[a-z0-9]$/);
});

test('what is there as it is wanted is left alone', () => {
  for (const wanted of [...regionObjects(account, ['cassandra'], true), hubSecret(secretOptions)]) {
    assert.equal(decide(wanted, there(wanted), false), 'unchanged');
  }
});

test('what we have made is brought up to date, and what others have put on it stays', () => {
  const wanted = hubSecret(secretOptions);
  const old = there(hubSecret({ ...secretOptions, kubeconfig: 'old', region: 'x' }));
  old.metadata.annotations = { ...old.metadata.annotations, theirs: 'a' };
  const next = decide(wanted, old, false);
  assert.ok(typeof next === 'object');
  assert.deepEqual(next['data'], wanted.object['data']);
  assert.deepEqual([next.metadata.uid, next.metadata.resourceVersion], ['x', '7']);
  const { annotations = {} } = next.metadata;
  assert.deepEqual([annotations['theirs'], annotations['ringmaster.dev/region']], ['a', undefined]);
});

test('what somebody else has made is used if it says the same, and taken over only by force', () => {
  const foreign = (wanted: Wanted): KubeObject => {
    const object = there(wanted);
    return { ...object, metadata: { ...object.metadata, labels: { 'ringmaster.dev/kubeconfig': 'true' } } };
  };
  const [namespace, node, , , role] = regionObjects(account, ['cassandra'], true);
  for (const each of [namespace, node, role]) assert.equal(each && decide(each, foreign(each), false), 'found');
  const wanted = hubSecret(secretOptions);
  const other = foreign(hubSecret({ ...secretOptions, kubeconfig: 'theirs' }));
  assert.throws(() => decide(wanted, other, false), /Secret ringmaster-system\/us is there, was not made by .*--force/);
  const taken = decide(wanted, other, true);
  assert.ok(typeof taken === 'object');
  assert.equal(taken.metadata.labels?.['app.kubernetes.io/managed-by'], 'ringmaster-connect');
});

test('a binding is not taken from another account, and nothing is written into what is being deleted', () => {
  const binding = (name: string): Wanted | undefined =>
    regionObjects({ ...account, name }, ['cassandra'], true).find(({ kind }) => kind === 'ClusterRoleBinding');
  const [ours, theirs] = [binding('ringmaster'), binding('other')];
  assert.ok(ours && theirs);
  assert.throws(() => decide(ours, there(theirs), false), /is for another account, ringmaster-system\/other/);
  const leaving = there(ours);
  leaving.metadata.deletionTimestamp = 'now';
  assert.throws(() => decide(ours, leaving, false), /is being deleted/);
});
