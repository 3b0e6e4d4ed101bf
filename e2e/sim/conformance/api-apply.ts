import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anotherUid,
  configMap,
  federation,
  freshName,
  identityOf,
  managersOf,
  member,
  paths,
  refused,
  type Client,
  type Fields,
  type Stored,
} from './api-fixtures.ts';

function regionsOf({ spec }: Stored): string[] {
  assert.ok(spec, 'there is no spec');
  return (spec['regions'] as { name: string }[]).map(({ name }) => name);
}

/** Server-side apply. */
export function registerApplyTests(client: () => Client): void {
  for (const [kind, collection, make] of [
    [
      'a custom resource',
      paths.members,
      (name: string, value: number, meta?: object) => member(name, { nodesPerRacks: value }, meta),
    ],
    [
      'a built-in kind',
      paths.configMaps,
      (name: string, value: number, meta?: object) => configMap(name, { value: `${value}` }, meta),
    ],
  ] as const) {
    void test(`${kind}: an apply with version 1 creates, and is refused when the object is there`, async () => {
      const name = freshName();
      const body = make(name, 1, { resourceVersion: '1' });
      const created = await client().apply(`${collection}/${name}`, 'test', body);
      assert.deepEqual(managersOf(created), ['test Apply']);
      refused(await client().tryApply(`${collection}/${name}`, 'test', body), 'Conflict', 409);
      const strange = make(name, 1, { resourceVersion: '1', uid: anotherUid });
      refused(await client().tryApply(`${collection}/${name}`, 'test', strange), 'Conflict', 409);
    });

    void test(`${kind}: an apply with uid and version updates that state alone`, async () => {
      const name = freshName();
      const path = `${collection}/${name}`;
      const first = await client().apply(path, 'test', make(name, 1));
      const second = await client().apply(path, 'test', make(name, 2, identityOf(first)));
      refused(await client().tryApply(path, 'test', make(name, 3, identityOf(first))), 'Conflict', 409);
      refused(await client().tryApply(path, 'test', make(name, 2, identityOf(first))), 'Conflict', 409);
      const strange = make(name, 3, { ...identityOf(second), uid: anotherUid });
      refused(await client().tryApply(path, 'test', strange), 'Invalid', 422, /uid.*immutable/i);
      await client().delete(path);
      refused(
        await client().tryApply(path, 'test', make(name, 3, identityOf(second))),
        'Conflict',
        409,
        /uid mismatch/,
      );
    });

    void test(`${kind}: an apply with a version alone creates the object anew when it is gone`, async () => {
      const name = freshName();
      const made = await client().apply(`${collection}/${name}`, 'test', make(name, 1, { resourceVersion: '99' }));
      assert.equal(made.metadata.name, name);
    });
  }

  void test('an apply takes out what it leaves out, unless another manager owns it too', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    await client().apply(path, 'one', configMap(name, { a: '1', b: '1', c: '1' }));
    await client().apply(path, 'other', configMap(name, { b: '1' }));
    await client().merge(`${path}?fieldManager=third`, { data: { c: '2' } });
    assert.deepEqual((await client().apply(path, 'one', configMap(name, {}))).data, { b: '1', c: '2' });
  });

  void test('what a POST has set an apply by the same manager does not take out', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    await client().post(`${paths.configMaps}?fieldManager=one`, configMap(name, { a: '1', b: '1' }));
    assert.deepEqual((await client().apply(path, 'one', configMap(name, { a: '1' }))).data, { a: '1', b: '1' });
  });

  void test('without force an apply is refused for each field that others own and it would change', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    await client().apply(path, 'one', configMap(name, { a: '1', b: '1', c: '1' }));
    const unchanged = await client().tryApply(path, 'other', configMap(name, { c: '1' }), false);
    assert.equal(unchanged.status, 200, 'to agree is no conflict');
    const answer = await client().tryApply(path, 'other', configMap(name, { a: '2', b: '2', c: '1' }), false);
    refused(answer, 'Conflict', 409, /2 conflicts: conflicts with "one":\n- \.data\.a\n- \.data\.b$/);
    const forced = await client().apply(path, 'other', configMap(name, { a: '2', b: '2', c: '1' }));
    assert.deepEqual(forced.data, { a: '2', b: '2', c: '1' });
    const back = await client().tryApply(path, 'one', configMap(name, { a: '1', c: '1' }), false);
    refused(back, 'Conflict', 409, /1 conflict: conflict with "other": \.data\.a$/);
  });

  void test('an apply says who applies, names the kind, and carries no managedFields', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    refused(await client().send('PATCH', path, configMap(name), 'application/apply-patch+yaml'), 'Invalid', 422);
    refused(await client().tryApply(path, 'test', { metadata: { name } }), 'BadRequest', 400);
    refused(await client().tryApply(path, 'test', configMap(name, {}, { managedFields: [] })), 'BadRequest', 400);
    refused(await client().tryApply(path, 'test', configMap('another')), 'BadRequest', 400);
  });

  void test('labels, finalizers and owners are owned one by one', async () => {
    const name = freshName();
    const path = `${paths.configMaps}/${name}`;
    const owner = (uid: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid });
    await client().apply(
      path,
      'one',
      configMap(name, {}, { labels: { a: '1', b: '1' }, finalizers: ['x/one'], ownerReferences: [owner('1')] }),
    );
    await client().apply(
      path,
      'other',
      configMap(
        name,
        {},
        { labels: { b: '1', c: '1' }, finalizers: ['x/other', 'x/one'], ownerReferences: [owner('2')] },
      ),
    );
    const left = await client().apply(path, 'one', configMap(name, {}, { finalizers: ['x/new'] }));
    assert.deepEqual(left.metadata.labels, { b: '1', c: '1' });
    assert.deepEqual([...(left.metadata.finalizers ?? [])].sort(), ['x/new', 'x/one', 'x/other']);
    assert.deepEqual(
      left.metadata.ownerReferences?.map(({ uid }) => uid),
      ['2'],
    );
    await client().merge(path, { metadata: { finalizers: null } });
  });

  void test('a list of maps merges by its keys and keeps the order that was applied', async () => {
    const name = freshName();
    const path = `${paths.federations}/${name}`;
    await client().apply(path, 'one', federation(name, ['eu', 'us']));
    assert.deepEqual(regionsOf(await client().apply(path, 'one', federation(name, ['us', 'eu']))), ['us', 'eu']);
    assert.deepEqual(regionsOf(await client().apply(path, 'other', federation(name, ['ap']))), ['us', 'eu', 'ap']);
    assert.deepEqual(regionsOf(await client().apply(path, 'one', federation(name, ['za', 'ap', 'us']))), [
      'za',
      'ap',
      'us',
    ]);
    assert.deepEqual(regionsOf(await client().apply(path, 'one', federation(name, ['us']))), ['ap', 'us']);
  });

  void test('an atomic list is one value: who changes it owns it whole', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const seeds = (...seedlist: string[]) => member(name, { nodesPerRacks: 1, seedlist });
    await client().apply(path, 'one', seeds('a', 'b'));
    await client().apply(path, 'other', seeds('c'));
    const { spec } = await client().apply(path, 'one', member(name));
    assert.deepEqual(spec?.['seedlist'], ['c']);
  });

  void test('of a subtree that keeps unknown fields a whole branch goes with who applied it', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    await client().apply(path, 'one', member(name, { unknown: { deep: { x: 1 } }, pod: { annotations: { a: '1' } } }));
    await client().merge(`${path}?fieldManager=other`, {
      spec: { unknown: { deep: { y: 1 } }, pod: { annotations: { b: '1' } } },
    });
    const { spec } = await client().apply(path, 'one', member(name));
    assert.equal(spec?.['unknown'], undefined);
    assert.deepEqual(spec?.['pod'], { annotations: { b: '1' } });
  });

  void test('an apply that leaves an object empty where it wrote fields is refused, leaving the object out removes it', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    await client().apply(path, 'one', member(name, { nodesPerRacks: 1, pod: { annotations: { a: '1' } } }));
    const empty = member(name, { nodesPerRacks: 1, pod: {} });
    refused(await client().tryApply(path, 'one', empty), 'Invalid', 422, /spec\.pod.*must be of type object: "null"/);
    assert.equal((await client().apply(path, 'one', member(name))).spec?.['pod'], undefined);
  });

  void test('the spec is not owned by who applies the status, nor the status by who applies the spec', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const whole = (nodesPerRacks: number, phase: string): Fields => ({
      ...member(name, { nodesPerRacks }),
      status: { phase },
    });
    await client().apply(path, 'one', whole(1, 'A'));
    const applied = await client().apply(`${path}/status`, 'one', whole(2, 'B'));
    assert.deepEqual([applied.spec?.['nodesPerRacks'], applied.status], [1, { phase: 'B' }]);
    const again = await client().apply(path, 'one', whole(3, 'C'));
    assert.deepEqual([again.spec?.['nodesPerRacks'], again.status], [3, { phase: 'B' }]);
    assert.deepEqual(managersOf(again), ['one Apply', 'one Apply status']);
    refused(
      await client().tryApply(`${paths.members}/none/status`, 'one', { ...whole(1, 'A'), metadata: { name: 'none' } }),
      'NotFound',
      404,
    );
  });
}
