import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/objects.ts';
import { needs } from './in-use.ts';

function federation(spec: object[], status: object[] = []): KubeObject {
  return { metadata: { namespace: 'ns', name: 'orders' }, spec: { regions: spec }, status: { regions: status } };
}

test('a region is needed by whoever names it, by its context or its name', () => {
  assert.deepEqual(needs([federation([{ name: 'us' }])], 'us'), ['ns/orders: region us is Managed']);
  assert.deepEqual(needs([federation([{ name: 'america', context: 'us' }])], 'us'), [
    'ns/orders: region america is Managed',
  ]);
  assert.deepEqual(needs([federation([{ name: 'us', context: 'other' }, { name: 'eu' }])], 'us'), []);
});

test('one that leaves the ring is needed until it has left; one that is lost is not', () => {
  const removing = [{ name: 'us', state: 'Removing' }];
  assert.equal(needs([federation(removing, [{ name: 'us', stage: 'Removing' }])], 'us').length, 1);
  assert.deepEqual(needs([federation(removing, [{ name: 'us', stage: 'Removed' }])], 'us'), []);
  assert.deepEqual(needs([federation([{ name: 'us', state: 'Abandoned' }])], 'us'), []);
});

test('one that the spec has dropped and the status still has is needed', () => {
  const status = [{ name: 'us', stage: 'Running', identity: { context: 'us' } }];
  assert.deepEqual(needs([federation([], status)], 'us'), [
    'ns/orders: region us is in its status, with stage Running',
  ]);
});

test('what is no federation, or not as one is, names nothing', () => {
  const odd = [{ metadata: { name: 'a' } }, { metadata: { name: 'b' }, spec: { regions: 'us' }, status: null }];
  assert.deepEqual(needs(odd, 'us'), []);
});
