import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from './objects.ts';
import { compareResourceVersions } from './resource-version.ts';
import { ObjectStore } from './store.ts';

function thing(name: string, uid: string, resourceVersion: string): KubeObject {
  return { metadata: { name, namespace: 'ns', uid, resourceVersion, managedFields: [{}] } };
}

function synced(...items: KubeObject[]): ObjectStore {
  const store = new ObjectStore();
  store.beginList();
  store.replace(items, '10');
  return store;
}

test('nothing can be concluded from a store before its first list', () => {
  const store = new ObjectStore();
  assert.equal(store.synced, false);
  assert.equal(store.isCurrent(), false);
  store.beginList();
  assert.deepEqual(store.replace([], '10'), []);
  assert.equal(store.synced, true);
  assert.equal(store.isCurrent(), true);
});

test('a new list reports what was added, changed and deleted since', () => {
  const store = synced(thing('same', 'a', '1'), thing('changed', 'b', '2'), thing('gone', 'c', '3'));
  const changes = store.replace([thing('same', 'a', '1'), thing('changed', 'b', '11'), thing('new', 'd', '12')], '12');
  assert.deepEqual(
    changes.map((change) => `${change.type} ${change.key}`),
    ['deleted ns/gone', 'updated ns/changed', 'added ns/new'],
  );
  assert.deepEqual(
    store
      .list()
      .map((object) => object.metadata.name)
      .sort(),
    ['changed', 'new', 'same'],
  );
});

test('an object deleted and created again between two lists is reported as both', () => {
  const store = synced(thing('a', 'first', '1'));
  const changes = store.replace([thing('a', 'second', '12')], '12');
  assert.deepEqual(
    changes.map((change) => [change.type, change.object.metadata.uid]),
    [
      ['deleted', 'first'],
      ['added', 'second'],
    ],
  );
});

test('an event that brings nothing new is not reported', () => {
  const store = synced(thing('a', 'u', '1'));
  assert.deepEqual(store.put(thing('a', 'u', '1')), []);
  assert.deepEqual(store.remove(thing('b', 'v', '11')), []);
});

test('managedFields are not kept', () => {
  const store = synced(thing('a', 'u', '1'));
  store.put(thing('b', 'v', '11'));
  assert.ok(store.list().every((object) => !('managedFields' in object.metadata)));
});

test('after a write the store is behind until it has seen that version of the object', () => {
  const store = synced(thing('a', 'u', '1'), thing('b', 'v', '2'));
  store.expect('ns/a', '15');
  assert.equal(store.isCurrent(), false);
  assert.equal(store.isCurrent('ns/a'), false);
  assert.equal(store.isCurrent('ns/b'), true);
  store.put(thing('a', 'u', '14'));
  assert.equal(store.isCurrent('ns/a'), false);
  store.put(thing('a', 'u', '15'));
  assert.equal(store.isCurrent(), true);
});

test('a later event of any object, a deletion and a bookmark all show that the write was seen', () => {
  const proofs: ((store: ObjectStore) => unknown)[] = [
    (store) => store.put(thing('b', 'v', '101')),
    (store) => store.remove(thing('a', 'u', '100')),
    (store) => store.advance('100'),
  ];
  for (const prove of proofs) {
    const store = synced(thing('a', 'u', '1'));
    store.expect('ns/a', '99');
    store.put(thing('b', 'v', '98'));
    assert.equal(store.isCurrent(), false);
    prove(store);
    assert.equal(store.isCurrent(), true);
  }
});

test('a write whose event came before its answer leaves nothing to wait for', () => {
  const store = synced();
  store.put(thing('a', 'u', '15'));
  store.expect('ns/a', '15');
  assert.equal(store.isCurrent(), true);
});

test('an earlier answer that arrives late does not lower what is expected', () => {
  const store = synced(thing('a', 'u', '1'));
  store.expect('ns/a', '20');
  store.expect('ns/a', '15');
  store.put(thing('a', 'u', '15'));
  assert.equal(store.isCurrent(), false);
});

test('a list begun before a write does not count as having seen it, one begun after does', () => {
  const store = synced(thing('a', 'u', '50'));
  store.beginList();
  store.expect('ns/a', '60');
  store.replace([thing('a', 'u', '50')], '55');
  assert.equal(store.isCurrent(), false);
  store.beginList();
  store.replace([thing('a', 'u', '9')], '9');
  assert.equal(store.isCurrent(), true, 'the versions went back, as after a restore, so no version tells');
});

test('resourceVersions are ordered as numbers of any length, and other text not at all', () => {
  assert.ok((compareResourceVersions('9', '10') ?? 0) < 0);
  assert.ok((compareResourceVersions('90071992547409931', '90071992547409930') ?? 0) > 0);
  assert.equal(compareResourceVersions('abc', 'abc'), 0);
  for (const text of ['', '0', '007', '-1', 'abc']) assert.equal(compareResourceVersions(text, '5'), undefined);
});
