import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anotherUid,
  claim,
  configMap,
  freshName,
  managersOf,
  member,
  patchTypes,
  paths,
  pod,
  refused,
  statefulSet,
  type Client,
} from './api-fixtures.ts';

/** Creating, replacing and patching. */
export function registerWriteTests(client: () => Client): void {
  void test('a new object gets a uid, a version, a time in whole seconds, and a generation if its kind counts them', async () => {
    const name = freshName();
    const { metadata } = await client().post(paths.members, member(name));
    assert.match(metadata.uid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(metadata.resourceVersion ?? '', /^[1-9]\d*$/);
    assert.match(metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(metadata.generation, 1);
    assert.equal((await client().post(paths.configMaps, configMap(name))).metadata.generation, undefined);
  });

  void test('creating what is there is refused, and so is creating in a namespace that is not there', async () => {
    const name = freshName();
    await client().post(paths.configMaps, configMap(name));
    refused(await client().send('POST', paths.configMaps, configMap(name)), 'AlreadyExists', 409, /already exists/);
    const elsewhere = '/api/v1/namespaces/nowhere/configmaps';
    refused(await client().send('POST', elsewhere, configMap(name)), 'NotFound', 404, /namespaces "nowhere" not found/);
    refused(await client().tryApply(`${elsewhere}/${name}`, 'test', configMap(name)), 'NotFound', 404);
    assert.deepEqual((await client().list(elsewhere)).items, []);
  });

  void test('a POST may carry no resourceVersion, and must name its object', async () => {
    const versioned = configMap(freshName(), {}, { resourceVersion: '5' });
    refused(await client().send('POST', paths.configMaps, versioned), 'ServerError', 500);
    const nameless = { ...configMap(''), metadata: {} };
    refused(
      await client().send('POST', paths.configMaps, nameless),
      'Invalid',
      422,
      /name or generateName is required/,
    );
  });

  void test('what is not there, or no kind, is answered with 404', async () => {
    for (const path of [
      `${paths.configMaps}/none`,
      '/api/v1/namespaces/default/things',
      '/apis/db.orange.com/v2/namespaces/default/things',
      '/apis/nobody.example/v1/things',
    ]) {
      refused(await client().send('GET', path), 'NotFound', 404);
    }
    refused(await client().send('PUT', `${paths.configMaps}/none`, configMap('none')), 'NotFound', 404);
  });

  void test('a write that changes nothing leaves the version as it is, whatever the way of writing', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const created = await client().apply(path, 'test', member(name, { nodesPerRacks: 2, seedlist: ['a'] }));
    const writes = [
      () => client().put(path, created),
      () => client().put(`${path}/status`, created),
      () => client().merge(path, { spec: { nodesPerRacks: 2 } }),
      () => client().merge(path, { metadata: { labels: {} } }),
      () => client().json(path, [{ op: 'replace', path: '/spec/seedlist', value: ['a'] }]),
      () => client().apply(path, 'test', member(name, { nodesPerRacks: 2, seedlist: ['a'] })),
    ];
    for (const write of writes)
      assert.equal((await write()).metadata.resourceVersion, created.metadata.resourceVersion);
    assert.notEqual(
      (await client().merge(path, { spec: { nodesPerRacks: 3 } })).metadata.resourceVersion,
      created.metadata.resourceVersion,
    );
  });

  void test('the generation counts changes of the spec, not of metadata or status', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    await client().post(paths.members, member(name));
    assert.equal((await client().merge(path, { metadata: { labels: { a: 'b' } } })).metadata.generation, 1);
    assert.equal((await client().merge(`${path}/status`, { status: { phase: 'Running' } })).metadata.generation, 1);
    assert.equal((await client().merge(path, { spec: { nodesPerRacks: 2 } })).metadata.generation, 2);
  });

  for (const [kind, collection, make] of [
    ['a CassandraCluster', paths.members, member],
    ['a StatefulSet', paths.statefulSets, statefulSet],
    ['a Pod', paths.pods, (name: string) => pod(name)],
    ['a PersistentVolumeClaim', paths.claims, claim],
  ] as const) {
    void test(`${kind}: the status changes by its own path only, which changes nothing else of the spec`, async () => {
      const name = freshName('status');
      const path = `${collection}/${name}`;
      const phase = (object: { status?: Record<string, unknown> }): unknown =>
        object.status?.['replicas'] ?? object.status?.['phase'];
      const [at, one, other] =
        collection === paths.statefulSets
          ? ['replicas', 7, 9]
          : ['phase', collection === paths.claims ? 'Bound' : 'Running', 'Failed'];
      const created = await client().post(collection, { ...make(name), status: { [at]: other } });
      assert.notEqual(phase(created), other);
      const updated = await client().merge(`${path}/status`, {
        spec: { nodeName: 'x', replicas: 5 },
        status: { [at]: one },
      });
      assert.equal(phase(updated), one);
      assert.deepEqual(updated.spec, created.spec);
      const main = await client().merge(path, { metadata: { labels: { a: 'b' } }, status: { [at]: other } });
      assert.equal(phase(main), one);
      assert.deepEqual(main.metadata.labels, { a: 'b' });
    });
  }

  void test('a PUT with an old version is refused, one without a version is taken of a ConfigMap only', async () => {
    const [name, other] = [freshName(), freshName()];
    const old = await client().post(paths.configMaps, configMap(name));
    const path = `${paths.configMaps}/${name}`;
    assert.equal((await client().put(path, configMap(name, { a: '2' }))).data?.['a'], '2');
    refused(await client().send('PUT', path, { ...old, data: { a: '3' } }), 'Conflict', 409, /has been modified/);
    await client().post(paths.members, member(other));
    refused(
      await client().send('PUT', `${paths.members}/${other}`, member(other)),
      'Invalid',
      422,
      /must be specified/,
    );
  });

  void test('a PUT for another uid is refused as a conflict, a patch as invalid', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const created = await client().post(paths.members, member(name));
    const put = { ...created, metadata: { ...created.metadata, uid: anotherUid } };
    refused(await client().send('PUT', path, put), 'Conflict', 409, /Precondition failed: UID/);
    const patch = { metadata: { uid: anotherUid } };
    refused(await client().send('PATCH', path, patch, patchTypes.merge), 'Invalid', 422, /field is immutable/);
    const status = { ...patch, status: { phase: 'Running' } };
    assert.deepEqual((await client().merge(`${path}/status`, status)).status, { phase: 'Running' });
  });

  void test('a merge patch removes what is null, and with an old version is refused', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    const old = await client().post(paths.configMaps, configMap(name, { a: '1', b: '2' }));
    assert.deepEqual((await client().merge(path, { data: { a: null, c: '3' } })).data, { b: '2', c: '3' });
    const stale = { metadata: { resourceVersion: old.metadata.resourceVersion }, data: { d: '4' } };
    refused(await client().send('PATCH', path, stale, patchTypes.merge), 'Conflict', 409);
  });

  void test('a JSON patch whose result is not valid is told from one whose test fails', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    const { metadata } = await client().post(paths.configMaps, configMap(name));
    const patch = (version: string | undefined) =>
      client().send(
        'PATCH',
        path,
        [
          { op: 'test', path: '/metadata/resourceVersion', value: version },
          { op: 'replace', path: '/metadata/uid', value: anotherUid },
        ],
        patchTypes.json,
      );
    refused(await patch('1'), 'Conflict', 422);
    refused(await patch(metadata.resourceVersion), 'Invalid', 422, /field is immutable/);
  });

  void test('a JSON patch is carried out whole or not at all', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    const { metadata } = await client().post(paths.configMaps, configMap(name, { a: '1', b: '2' }));
    const patch = (...operations: object[]) => client().send('PATCH', path, operations, patchTypes.json);
    const isMine = { op: 'test', path: '/metadata/uid', value: metadata.uid };
    const removal = { op: 'remove', path: '/data/a' };
    refused(await patch(removal, { ...isMine, value: anotherUid }), 'Conflict', 422);
    refused(await patch(isMine, removal, { op: 'remove', path: '/data/none' }), 'Conflict', 422);
    refused(await patch(isMine, { op: 'add', path: '/metadata/annotations/x', value: 'y' }), 'Conflict', 422);
    assert.deepEqual((await client().get(path)).data, { a: '1', b: '2' });
    const done = await client().json(path, [
      isMine,
      removal,
      { op: 'add', path: '/metadata/annotations', value: { 'a.b/c': '1' } },
      { op: 'replace', path: '/metadata/annotations/a.b~1c', value: '2' },
    ]);
    assert.deepEqual([done.data, done.metadata.annotations], [{ b: '2' }, { 'a.b/c': '2' }]);
  });

  void test('an unknown kind of patch is refused', async () => {
    const name = freshName();
    await client().post(paths.configMaps, configMap(name));
    const answer = await client().send('PATCH', `${paths.configMaps}/${name}`, { data: {} }, 'application/json');
    refused(answer, 'BadRequest', 415);
  });

  void test('a custom resource gets its defaults, and loses fields that are not declared', async () => {
    const spec = { nodesPerRacks: 1, another: { deep: 1 }, backRestSidecar: { nonsense: true, image: 'x' } };
    const created = await client().post(paths.members, member(freshName(), spec));
    assert.deepEqual(created.spec, {
      nodesPerRacks: 1,
      another: { deep: 1 },
      backRestSidecar: { enabled: true, image: 'x' },
      fsGroup: 1,
      runAsUser: 999,
      serverType: 'cassandra',
    });
  });

  void test('of a StatefulSet only some fields can change', async () => {
    const name = freshName('rack');
    const path = `${paths.statefulSets}/${name}`;
    await client().post(paths.statefulSets, statefulSet(name));
    const patch = { spec: { serviceName: 'other' } };
    refused(await client().send('PATCH', path, patch, patchTypes.merge), 'Invalid', 422, /updates to statefulset spec/);
    assert.equal((await client().merge(path, { spec: { replicas: 3 } })).metadata.generation, 2);
  });

  void test('who wrote what way stands in managedFields, as long as something of it is left', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    await client().post(`${paths.members}?fieldManager=creator`, member(name, { nodesPerRacks: 1, seedlist: ['a'] }));
    await client().merge(`${path}?fieldManager=editor`, { spec: { seedlist: ['b'] } });
    const third = await client().merge(`${path}/status?fieldManager=editor`, { status: { phase: 'Running' } });
    assert.deepEqual(managersOf(third), ['creator Update', 'editor Update', 'editor Update status']);
    const fourth = await client().merge(`${path}?fieldManager=third`, { spec: { seedlist: ['c'] } });
    assert.deepEqual(managersOf(fourth), ['creator Update', 'editor Update status', 'third Update']);
  });
}
