import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../src/edges/testing.ts';
import type { WatchEvent } from '../../../src/kube/client.ts';
import { resources, type KubeObject } from '../../../src/kube/objects.ts';
import { MemoryApiServer, type ApiResponse } from './server.ts';

const path = '/api/v1/namespaces/default/configmaps';

function start(watchWindow?: number): MemoryApiServer {
  let uids = 0;
  return new MemoryApiServer({
    name: 'eu',
    clock: new VirtualClock(),
    uid: () => `uid-${++uids}`,
    ...(watchWindow !== undefined && { watchWindow }),
  });
}

function put(server: MemoryApiServer, name: string, value: string): ApiResponse {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } };
  const contentType = 'application/apply-patch+yaml';
  return server.handle({
    method: 'PATCH',
    path: `${path}/${name}?fieldManager=test&force=true`,
    contentType,
    body,
    user: 'test',
  });
}

test('two servers count their versions from different numbers', () => {
  const one = new MemoryApiServer({ name: 'eu', clock: new VirtualClock(), uid: () => '1' });
  const other = new MemoryApiServer({ name: 'us', clock: new VirtualClock(), uid: () => '1' });
  assert.notEqual(one.resourceVersion, other.resourceVersion);
});

test('who listens and writes in answer does not change the order in which others hear', () => {
  const server = start();
  const heard: string[] = [];
  server.onChange(({ object }) => {
    if (object.metadata.name === 'one') put(server, 'two', 'x');
  });
  server.onChange(({ object }) => heard.push(object.metadata.name));
  const watched: WatchEvent[] = [];
  server.watch(
    { method: 'GET', path: `${path}?watch=true`, user: 'test' },
    { event: (event) => watched.push(event), end: () => undefined },
  );
  put(server, 'one', 'x');
  assert.deepEqual(heard, ['one', 'two']);
  assert.deepEqual(
    watched.map(({ object }) => (object as KubeObject).metadata.name),
    ['one', 'two'],
  );
});

test('a watch from before the window hears that it is too old, one from within hears what it missed', () => {
  const server = start(3);
  const versions = ['1', '2', '3', '4', '5'].map((value) => {
    put(server, 'one', value);
    return server.resourceVersion;
  });
  const watch = (since: number | undefined): string[] => {
    const heard: string[] = [];
    server.watch(
      { method: 'GET', path: `${path}?watch=true&resourceVersion=${since}`, user: 'test' },
      { event: ({ type }) => heard.push(type), end: () => heard.push('end') },
    );
    return heard;
  };
  assert.deepEqual(watch(versions[0]), ['ERROR', 'end']);
  assert.deepEqual(watch(versions[1]), ['MODIFIED', 'MODIFIED', 'MODIFIED']);
  server.compact();
  assert.deepEqual(watch(versions[3]), ['ERROR', 'end']);
  assert.deepEqual(watch(versions[4]), []);
});

test('what is stored is shared, and kept from write to write as far as it does not change', () => {
  const server = start();
  put(server, 'one', 'x');
  const before = server.find(resources.configMaps, 'default', 'one');
  const patch = { metadata: { labels: { a: 'b' } } };
  const contentType = 'application/merge-patch+json';
  server.handle({ method: 'PATCH', path: `${path}/one`, contentType, body: patch, user: 'test' });
  const after = server.find(resources.configMaps, 'default', 'one');
  assert.notEqual(after, before);
  assert.equal(after?.['data'], before?.['data']);
  assert.equal(server.handle({ method: 'GET', path: `${path}/one`, user: 'test' }).body, after);
});
