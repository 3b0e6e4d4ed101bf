import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { configMap, freshName, member, paths, refused, type Client, type Stored } from './api-fixtures.ts';
import { isAnswer, type OpenWatch } from './api-subject.ts';

/** Watches: from where, of what, and when not. */
export function registerWatchTests(client: () => Client): void {
  const open = new Set<OpenWatch>();
  after(() => open.forEach((each) => each.close()));

  async function watch(path: string): Promise<OpenWatch> {
    const answer = await client().subject.watch(path);
    assert.ok(!isAnswer(answer), JSON.stringify(answer));
    open.add(answer);
    return answer;
  }

  async function next(watched: OpenWatch): Promise<{ type: string; object: Stored }> {
    const event = await watched.next();
    assert.ok(event, 'the watch has ended');
    return { type: event.type, object: event.object as Stored };
  }

  /** The next events, as `TYPE name value`, until one is about the object `last`. */
  async function heard(watched: OpenWatch, last: string): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const event = await watched.next();
      if (!event) return [...lines, 'end'];
      const { metadata, data } = event.object as Stored;
      if (metadata.name === last) return lines;
      lines.push([event.type, metadata.name, data?.['value'] ?? []].flat().join(' '));
    }
  }

  async function write(name: string, value: string, labels: Record<string, string>): Promise<Stored> {
    return client().apply(`${paths.configMaps}/${name}`, 'test', configMap(name, { value }, { labels }));
  }

  void test('a watch begins after its version, and tells of each change once, in order', async () => {
    const set = freshName('set');
    const [one, other, last] = [`${set}-one`, `${set}-other`, `${set}-z`];
    const { metadata } = await write(one, '1', { set });
    const from = `${paths.configMaps}?watch=true&labelSelector=set%3D${set}&resourceVersion=${metadata.resourceVersion}`;
    const live = await watch(from);
    await write(one, '2', { set });
    await write(one, '2', { set });
    await write(other, '1', { set });
    await client().delete(`${paths.configMaps}/${one}`);
    await write(one, '3', { set });
    await write(last, '', { set });
    const expected = [`MODIFIED ${one} 2`, `ADDED ${other} 1`, `DELETED ${one} 2`, `ADDED ${one} 3`];
    assert.deepEqual(await heard(live, last), expected);
    assert.deepEqual(await heard(await watch(from), last), expected, 'begun later from the same version');
    const all = await watch(from.replace(/&resourceVersion=\d+/, ''));
    assert.deepEqual(
      await heard(all, last),
      [`ADDED ${one} 3`, `ADDED ${other} 1`],
      'without a version it begins with what is there',
    );
    const any = await watch(from.replace(/&resourceVersion=\d+/, '&resourceVersion=0'));
    assert.ok((await heard(any, last)).includes(`ADDED ${one} 3`));
  });

  void test('what begins or ceases to be selected is added or deleted for the watch', async () => {
    const set = freshName('set');
    const [one, last] = [`${set}-one`, `${set}-z`];
    const { metadata } = await write(one, '1', {});
    const version = `&resourceVersion=${metadata.resourceVersion}`;
    const live = await watch(`${paths.configMaps}?watch=true&labelSelector=set%3D${set}${version}`);
    const named = await watch(`${paths.configMaps}?watch=true&fieldSelector=metadata.name%3D${one}${version}`);
    await write(one, '2', { set });
    await write(one, '3', { set });
    const out = await write(one, '4', {});
    await write(one, '5', {});
    await client().delete(`${paths.configMaps}/${one}`);
    await write(last, '', { set });
    const events = [await next(live), await next(live), await next(live)];
    const seen = events.map(({ type, object }) => `${type} ${object.data?.['value']}`);
    assert.deepEqual(seen, ['ADDED 2', 'MODIFIED 3', 'DELETED 3']);
    assert.equal(events[2]?.object.metadata.resourceVersion, out.metadata.resourceVersion);
    assert.deepEqual(await heard(live, last), []);
    const types = [];
    for (let i = 0; i < 5; i++) types.push((await named.next())?.type);
    assert.deepEqual(types, ['MODIFIED', 'MODIFIED', 'MODIFIED', 'MODIFIED', 'DELETED']);
  });

  void test('a deletion shows the object as it was last stored, at the version of the deletion', async () => {
    const name = freshName();
    const path = `${paths.members}/${name}`;
    const created = await client().post(paths.members, member(name, { nodesPerRacks: 1 }, { finalizers: ['x.y/z'] }));
    const live = await watch(
      `${paths.members}?watch=true&fieldSelector=metadata.name%3D${name}&resourceVersion=${created.metadata.resourceVersion}`,
    );
    const marked = await client().delete(path);
    await client().merge(path, { metadata: { finalizers: null }, spec: { nodesPerRacks: 2 } });
    const [first, second] = [await next(live), await next(live)];
    assert.deepEqual([first.type, second.type], ['MODIFIED', 'DELETED']);
    const { metadata, spec } = second.object;
    assert.deepEqual([metadata.finalizers, spec?.['nodesPerRacks']], [['x.y/z'], 1]);
    assert.ok(Number(metadata.resourceVersion) > Number(marked.metadata.resourceVersion));
  });

  void test('a watch continues from where a list was', async () => {
    const set = freshName('set');
    const [one, last] = [`${set}-one`, `${set}-z`];
    await write(one, '1', { set });
    const { metadata } = await client().list(`${paths.configMaps}?labelSelector=set%3D${set}&limit=500`);
    await write(one, '2', { set });
    await write(last, '', { set });
    const query = `labelSelector=set%3D${set}&resourceVersion=${metadata.resourceVersion}&allowWatchBookmarks=true`;
    assert.deepEqual(await heard(await watch(`${paths.configMaps}?watch=true&${query}`), last), [`MODIFIED ${one} 2`]);
  });

  void test('what is from before the memory of the server is answered with 410, and a new list leads on', async () => {
    const set = freshName('set');
    const [one, other, last] = [`${set}-one`, `${set}-other`, `${set}-z`];
    await write(one, '1', { set });
    await write(other, '1', { set });
    const list = `${paths.configMaps}?labelSelector=set%3D${set}`;
    const { metadata } = await client().list(`${list}&limit=1`);
    await write(one, '2', { set });
    await client().subject.forget();
    const old = await watch(`${list}&watch=true&resourceVersion=${metadata.resourceVersion}`);
    const { type, object } = await next(old);
    const { code, reason, message } = object as unknown as { code: number; reason: string; message: string };
    assert.deepEqual([type, code, reason], ['ERROR', 410, 'Expired']);
    assert.match(message, /^too old resource version: \d+ \(\d+\)$/);
    assert.equal(await old.next(), undefined, 'the end');
    const page = await client().send('GET', `${list}&limit=1&continue=${encodeURIComponent(metadata.continue ?? '')}`);
    refused(page, 'Expired', 410);
    const exact = `${list}&resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`;
    refused(await client().send('GET', exact), 'Expired', 410);
    const now = await client().list(list);
    await write(one, '3', { set });
    await write(last, '', { set });
    const anew = await watch(`${list}&watch=true&resourceVersion=${now.metadata.resourceVersion}`);
    assert.deepEqual(await heard(anew, last), [`MODIFIED ${one} 3`]);
  });

  void test('a watch that cannot be is refused like a list', async () => {
    const refusals: [string, Parameters<typeof refused>[1], number][] = [
      [`${paths.configMaps}?watch=true&resourceVersion=abc`, 'ServerError', 500],
      [`${paths.configMaps}?watch=true&labelSelector=%3D%3D`, 'BadRequest', 400],
      [`${paths.members}?watch=true&fieldSelector=spec.x%3D1`, 'BadRequest', 400],
      ['/apis/nobody.example/v1/things?watch=true', 'NotFound', 404],
    ];
    for (const [path, code, status] of refusals) {
      const answer = await client().subject.watch(path);
      assert.ok(isAnswer(answer), path);
      refused(answer, code, status);
    }
  });
}
