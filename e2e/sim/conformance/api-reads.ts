import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, freshName, member, paths, pod, refused, type Client, type Stored } from './api-fixtures.ts';

function namesOf({ items }: { items: Stored[] }): string[] {
  return items.map(({ metadata }) => metadata.labels?.['name'] ?? metadata.name);
}

/** Lists: order, selectors, pages, versions. */
export function registerReadTests(client: () => Client): void {
  /** Creates ConfigMaps with the labels `set` and `name`, and answers the path of their list. */
  async function some(...names: string[]): Promise<{ list: string; path: (name: string) => string }> {
    const set = freshName('set');
    const path = (name: string) => `${paths.configMaps}/${set}-${name}`;
    for (const name of names) {
      await client().post(paths.configMaps, configMap(`${set}-${name}`, {}, { labels: { set, name } }));
    }
    return { list: `${paths.configMaps}?labelSelector=set%3D${set}`, path };
  }

  void test('a list comes in the order of names, its built-in items without their kind, custom ones with it', async () => {
    const { list } = await some('b', 'c', 'a');
    const found = await client().list(list);
    assert.deepEqual(namesOf(found), ['a', 'b', 'c']);
    assert.deepEqual([found.items[0]?.kind, (found as { kind?: string }).kind], [undefined, 'ConfigMapList']);
    const name = freshName();
    await client().post(paths.members, member(name));
    const members = await client().list(`${paths.members}?fieldSelector=metadata.name%3D${name}`);
    assert.deepEqual(
      members.items.map(({ kind, metadata }) => [kind, metadata.name]),
      [['CassandraCluster', name]],
    );
  });

  void test('label selectors know equality, sets and presence', async () => {
    const { list } = await some('a', 'b', 'c');
    const cases: [string, string[]][] = [
      ['name=a', ['a']],
      ['name==a', ['a']],
      ['name!=a', ['b', 'c']],
      ['name in (a,b)', ['a', 'b']],
      ['name notin (a,b)', ['c']],
      ['name,!other', ['a', 'b', 'c']],
      ['!name', []],
      ['other!=x', ['a', 'b', 'c']],
    ];
    for (const [selector, expected] of cases) {
      assert.deepEqual(namesOf(await client().list(`${list},${encodeURIComponent(selector)}`)), expected, selector);
    }
    refused(await client().send('GET', `${paths.configMaps}?labelSelector=%3D%3D`), 'BadRequest', 400);
  });

  void test('field selectors know the name, what pods offer, and refuse the rest', async () => {
    const name = freshName();
    await client().post(paths.pods, pod(name, { nodeName: `node-of-${name}` }));
    const found = await client().list(`${paths.pods}?fieldSelector=spec.nodeName%3Dnode-of-${name}`);
    assert.deepEqual(namesOf(found), [name]);
    assert.deepEqual(namesOf(await client().list(`${paths.pods}?fieldSelector=metadata.name%3D${name}`)), [name]);
    const wrong = await client().send('GET', `${paths.configMaps}?fieldSelector=data.x%3D1`);
    refused(wrong, 'BadRequest', 400, /not a known field selector/);
    refused(await client().send('GET', `${paths.members}?fieldSelector=spec.x%3D1`), 'BadRequest', 400);
  });

  void test('the pages of a list show one state, whatever is written between them', async () => {
    const { list, path } = await some('a', 'b', 'c', 'd', 'e');
    const first = await client().list(`${list}&limit=2`);
    await client().delete(path('c'));
    await client().merge(path('e'), { data: { new: '1' } });
    await client().post(paths.configMaps, {
      ...configMap(`${path('bb').split('/').at(-1)}`, {}, { labels: first.items[0]?.metadata.labels }),
    });
    const next = (page: typeof first) => `&continue=${encodeURIComponent(page.metadata.continue ?? '')}`;
    const second = await client().list(`${list}&limit=2${next(first)}`);
    const third = await client().list(`${list}&limit=2${next(second)}`);
    assert.deepEqual([first, second, third].map(namesOf), [['a', 'b'], ['c', 'd'], ['e']]);
    assert.equal(third.items[0]?.data, undefined, 'as it was at the first page');
    assert.equal(third.metadata.continue ?? '', '');
    const versions = [first, second, third].map(({ metadata }) => metadata.resourceVersion);
    assert.equal(new Set(versions).size, 1);
    refused(
      await client().send('GET', `${list}&limit=2&resourceVersion=${versions[0]}${next(first)}`),
      'BadRequest',
      400,
    );
    refused(await client().send('GET', `${list}&continue=nonsense`), 'BadRequest', 400);
  });

  void test('a page without a selector says how many are left', async () => {
    await some('a', 'b');
    const page = (await client().list(`${paths.configMaps}?limit=1`)) as { metadata: { remainingItemCount?: number } };
    assert.ok((page.metadata.remainingItemCount ?? 0) >= 1);
  });

  void test('a list at a version is that state if exact, a newer one if not, and 504 if it is yet to come', async () => {
    const { list, path } = await some('a', 'b');
    const { resourceVersion: version } = (await client().list(list)).metadata;
    await client().delete(path('a'));
    const at = (query: string) => client().list(`${list}&resourceVersion=${version}${query}`);
    assert.deepEqual(namesOf(await at('&resourceVersionMatch=Exact')), ['a', 'b']);
    assert.deepEqual(namesOf(await at('&limit=1')), ['a'], 'with a limit it is exact by default');
    assert.deepEqual(namesOf(await at('&resourceVersionMatch=NotOlderThan')), ['b']);
    assert.deepEqual(namesOf(await at('')), ['b']);
    assert.deepEqual(namesOf(await client().list(`${list}&resourceVersion=0`)), ['b']);
    const future = await client().send('GET', `${list}&resourceVersion=99999999`);
    refused(future, 'ResourceVersionTooLarge', 504, /Too large resource version/);
    refused(await client().send('GET', `${path('b')}?resourceVersion=99999999`), 'ResourceVersionTooLarge', 504);
  });

  void test('a list refuses versions that are no numbers and wishes that make no sense', async () => {
    const { list } = await some('a');
    refused(await client().send('GET', `${list}&resourceVersion=abc`), 'BadRequest', 400);
    for (const query of [
      'resourceVersionMatch=Exact',
      'resourceVersion=0&resourceVersionMatch=Exact',
      'resourceVersion=1&resourceVersionMatch=Nonsense',
    ]) {
      refused(await client().send('GET', `${list}&${query}`), 'Invalid', 422, /resourceVersionMatch/);
    }
  });

  void test('a list over all namespaces holds them all, in their order', async () => {
    const set = freshName('set');
    const namespace = freshName('space');
    await client().post(paths.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    for (const place of [namespace, 'default']) {
      await client().post(`/api/v1/namespaces/${place}/configmaps`, configMap('everywhere', {}, { labels: { set } }));
    }
    const { items } = await client().list(`/api/v1/configmaps?labelSelector=set%3D${set}`);
    assert.deepEqual(
      items.map(({ metadata }) => metadata.namespace),
      ['default', namespace],
    );
    await client().delete(`${paths.configMaps}/everywhere`);
  });

  void test('/readyz says ok, and a path of nobody 404', async () => {
    assert.deepEqual(await client().send('GET', '/readyz'), { status: 200, body: 'ok' });
    assert.equal((await client().send('GET', '/nothing')).status, 404);
  });
}
