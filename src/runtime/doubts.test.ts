import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import { KubeError } from '../kube/errors.ts';
import { resources } from '../kube/objects.ts';
import { Doubts } from './doubts.ts';

test('an object that is gone stays in doubt until the cache has heard of that, too', async () => {
  const clock = new VirtualClock();
  let isAbsent = false;
  const doubts = new Doubts({
    client: { get: () => Promise.reject(new KubeError('NotFound', 'gone', { status: 404 })) },
    clock,
    found: () => assert.fail('nothing is there'),
    isAbsent: () => isAbsent,
    onSettled: () => undefined,
  });
  const stop = new AbortController();
  const running = doubts.run(stop.signal);
  doubts.add(resources.configMaps, { namespace: 'cassandra', name: 'guard' });
  await clock.advance(10_000);
  assert.ok(doubts.any, 'the cache is older than our write');
  isAbsent = true;
  await clock.advance(1_000);
  assert.ok(!doubts.any);
  stop.abort();
  await running;
});
