import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anotherUid,
  claim,
  configMap,
  freshName,
  identityOf,
  member,
  patchTypes,
  paths,
  pod,
  refused,
  statefulSet,
  succeeded,
  type Client,
  type Stored,
} from './api-fixtures.ts';

const hold = ['conformance.example/hold'];

/** Deletion: preconditions, finalizers, grace periods, namespaces. */
export function registerDeletionTests(client: () => Client): void {
  void test('a delete meets exactly the object and the state it was meant for', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const old = await client().post(paths.members, member(name));
    const now = await client().merge(path, { spec: { nodesPerRacks: 2 } });
    const attempt = (preconditions: object) => client().send('DELETE', path, { preconditions });
    refused(await attempt({ ...identityOf(now), uid: anotherUid }), 'Conflict', 409, /UID in the precondition/);
    refused(await attempt(identityOf(old)), 'Conflict', 409, /ResourceVersion in the precondition/);
    await client().delete(path, { preconditions: identityOf(now) });
    refused(await attempt(identityOf(now)), 'NotFound', 404);
  });

  void test('with finalizers an object is marked, counts on, takes no new ones, and goes with the last', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const created = await client().post(paths.members, member(name, { nodesPerRacks: 1 }, { finalizers: hold }));
    const marked = await client().delete(path);
    assert.deepEqual([marked.metadata.generation, marked.metadata.deletionGracePeriodSeconds], [2, 0]);
    assert.ok(marked.metadata.deletionTimestamp);
    assert.equal((await client().delete(path)).metadata.resourceVersion, marked.metadata.resourceVersion);
    refused(await client().send('DELETE', path, { preconditions: identityOf(created) }), 'Conflict', 409);
    refused(await client().send('POST', paths.members, member(name)), 'AlreadyExists', 409, /being deleted/);
    const more = { metadata: { finalizers: [...hold, 'conformance.example/more'] } };
    refused(await client().send('PATCH', path, more, patchTypes.merge), 'Invalid', 422, /no new finalizers/);
    assert.equal((await client().merge(path, { spec: { nodesPerRacks: 3 } })).spec?.['nodesPerRacks'], 3);
    await client().json(path, [{ op: 'remove', path: '/metadata/finalizers/0' }]);
    assert.equal(await client().exists(path), false);
  });

  void test('deletions are answered with the object where it has something to say, else with a Status', async () => {
    const answers: [string, { metadata: { name: string } }, string][] = [
      [paths.configMaps, configMap(freshName()), 'Status'],
      [paths.members, member(freshName()), 'Status'],
      [paths.statefulSets, statefulSet(freshName('rack')), 'Status'],
      [paths.pods, pod(freshName()), 'Pod'],
    ];
    for (const [collection, object, kind] of answers) {
      await client().post(collection, object);
      assert.equal((await client().delete(`${collection}/${object.metadata.name}`)).kind, kind, collection);
    }
  });

  void test('Orphan and Foreground hold the object by a finalizer for the garbage collector, Background does not', async () => {
    const name = freshName('rack');
    const path = `${paths.statefulSets}/${name}`;
    await client().post(paths.statefulSets, statefulSet(name));
    assert.deepEqual((await client().delete(path, { propagationPolicy: 'Orphan' })).metadata.finalizers, ['orphan']);
    const foreground = await client().delete(path, { propagationPolicy: 'Foreground' });
    assert.deepEqual(foreground.metadata.finalizers, ['foregroundDeletion']);
    await client().merge(path, { metadata: { finalizers: null } });
    await client().post(paths.statefulSets, statefulSet(name));
    await client().delete(path, { propagationPolicy: 'Background' });
    assert.equal(await client().exists(path), false);
  });

  void test('a claim is protected from its creation on', async () => {
    const name = freshName('data');
    const path = `${paths.claims}/${name}`;
    const created = await client().post(paths.claims, claim(name));
    assert.deepEqual(created.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    await client().delete(path);
    assert.ok((await client().get(path)).metadata.deletionTimestamp);
    await client().merge(path, { metadata: { finalizers: null } });
    assert.equal(await client().exists(path), false);
  });

  void test('a pod on no node, or one that has ended, goes at once', async () => {
    const [waiting, ended] = [freshName(), freshName()];
    await client().post(paths.pods, pod(waiting));
    await client().delete(`${paths.pods}/${waiting}`);
    await client().post(paths.pods, pod(ended, { nodeName: 'node' }));
    await client().merge(`${paths.pods}/${ended}/status`, { status: { phase: 'Succeeded' } });
    await client().delete(`${paths.pods}/${ended}`);
    for (const name of [waiting, ended]) assert.equal(await client().exists(`${paths.pods}/${name}`), false);
  });

  void test('a pod on a node stays for its grace period, which can only be shortened, until its kubelet ends it', async () => {
    const name = freshName();
    const path = `${paths.pods}/${name}`;
    await client().post(paths.pods, pod(name, { nodeName: 'node', terminationGracePeriodSeconds: 20 }));
    const grace = ({ metadata }: Stored) => metadata.deletionGracePeriodSeconds;
    const begun = await client().delete(path);
    assert.deepEqual([grace(begun), begun.metadata.generation], [20, 2]);
    const until = Date.parse(begun.metadata.deletionTimestamp ?? '');
    assert.equal((await client().delete(path)).metadata.resourceVersion, begun.metadata.resourceVersion);
    assert.equal(grace(await client().delete(path, { gracePeriodSeconds: 30 })), 20);
    const shorter = await client().delete(path, { gracePeriodSeconds: 5 });
    assert.equal(grace(shorter), 5);
    assert.equal(Date.parse(shorter.metadata.deletionTimestamp ?? ''), until - 15_000);
    const mistaken = { gracePeriodSeconds: 0, preconditions: { uid: anotherUid } };
    refused(await client().send('DELETE', path, mistaken), 'Conflict', 409);
    await client().delete(path, { gracePeriodSeconds: 0, preconditions: { uid: begun.metadata.uid } });
    assert.equal(await client().exists(path), false);
  });

  void test('a pod with a finalizer outlives its kubelet’s deletion until the finalizer goes', async () => {
    const name = freshName();
    const path = `${paths.pods}/${name}`;
    await client().post(paths.pods, pod(name, { nodeName: 'node' }, { finalizers: hold }));
    await client().delete(path, { gracePeriodSeconds: 0 });
    assert.equal(await client().exists(path), true);
    await client().merge(path, { metadata: { finalizers: null } });
    assert.equal(await client().exists(path), false);
  });

  void test('a pod is bound to one node, once', async () => {
    const name = freshName();
    const path = `${paths.pods}/${name}`;
    await client().post(paths.pods, pod(name));
    const binding = (node: string) => ({
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { kind: 'Node', name: node },
    });
    succeeded(await client().send('POST', `${path}/binding`, binding('one')), 201);
    refused(await client().send('POST', `${path}/binding`, binding('other')), 'Conflict', 409, /already assigned/);
    const { spec, status } = await client().get(path);
    assert.equal(spec?.['nodeName'], 'one');
    const [condition] = (status?.['conditions'] ?? []) as { type: string; status: string }[];
    assert.deepEqual([condition?.type, condition?.status], ['PodScheduled', 'True']);
  });

  void test('a namespace that is being deleted takes nothing new, and goes when its controller says it is empty', async () => {
    const name = freshName('space');
    const path = `${paths.namespaces}/${name}`;
    const within = `${path}/configmaps`;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    const created = await client().post(paths.namespaces, namespace);
    assert.deepEqual(created.metadata.labels, { 'kubernetes.io/metadata.name': name });
    await client().post(within, configMap('first'));
    assert.deepEqual((await client().delete(path)).status, { phase: 'Terminating' });
    refused(
      await client().send('POST', within, configMap('second')),
      'Forbidden',
      403,
      /because it is being terminated/,
    );
    refused(await client().tryApply(`${within}/second`, 'test', configMap('second')), 'Forbidden', 403);
    await client().apply(`${within}/first`, 'test', configMap('first', { a: '2' }));
    refused(await client().send('POST', paths.namespaces, namespace), 'AlreadyExists', 409, /being deleted/);
    await client().delete(`${within}/first`);
    await client().put(`${path}/finalize`, { ...(await client().get(path)), spec: {} });
    assert.equal(await client().exists(path), false);
    refused(await client().send('POST', within, configMap('third')), 'NotFound', 404);
  });

  void test('a whole collection can be deleted by a selector', async () => {
    const label = freshName();
    for (const name of ['a', 'b']) {
      await client().post(paths.configMaps, configMap(freshName(name), {}, { labels: { doomed: label, name } }));
    }
    await client().delete(`${paths.configMaps}?labelSelector=doomed%3D${label},name%3Da`);
    const { items } = await client().list(`${paths.configMaps}?labelSelector=doomed%3D${label}`);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.labels?.['name']),
      ['b'],
    );
  });
}
