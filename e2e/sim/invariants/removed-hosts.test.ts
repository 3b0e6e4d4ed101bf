import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingBench } from '../region/cassandra/bench.ts';
import { execute } from '../region/cassandra/storage-service.ts';
import type { Facts } from './facts.ts';
import { removedHostsStayAway } from './truth.ts';

// No mutant breaks this one before another invariant sees it: whoever advises to remove a host that may come back breaks
// `advice does no harm` with the advice.
test('a host that comes back after its removal breaks the invariant, and one that stays away does not', async () => {
  const bench = new RingBench();
  const [first, second] = await bench.ring('eu-0', 'us-0');
  assert.ok(first && second);
  const removed = new Set<string>();
  const facts: Pick<Facts, 'ring' | 'removedHosts'> = { ring: () => bench.network, removedHosts: () => removed };
  const checker = removedHostsStayAway.watch(facts as Facts);
  assert.equal(checker.onTick?.(), undefined);

  second.crash();
  await bench.rest();
  execute({ network: bench.network, clock: bench.clock, node: first }, 'removeNode', [second.hostId]);
  removed.add(second.hostId);
  await bench.rest();
  assert.equal(checker.onTick?.(), undefined);

  await bench.startNormal('us-0', ['eu-0'], { disk: second.options.disk });
  await bench.rest();
  assert.match(checker.onTick?.() ?? '', new RegExp(`sees host ${second.hostId} at .* again, which was removed`));
});
