import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeededRandom } from '../edges/testing.ts';
import type { KubeErrorCode } from './errors.ts';
import type { KubeObject } from './objects.ts';
import { Bench, failure } from './reflector.fixture.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const edit = fc.record({ kind: fc.constantFrom('put' as const, 'delete' as const), name });
const operation = fc.oneof(
  { weight: 6, arbitrary: edit },
  // Edits that no watch can tell of any more.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('gap' as const), edits: fc.array(edit, { maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('break' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mute' as const), mute: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      verb: fc.constantFrom('list' as const, 'watch' as const),
      code: fc.constantFrom<KubeErrorCode[]>(
        ...([
          'Expired',
          'Unreachable',
          'ServerError',
          'TooManyRequests',
          'Forbidden',
          'NotFound',
          'BadAnswer',
        ] as const),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 200_000 }) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

async function perform(bench: Bench, each: Operation): Promise<void> {
  const { cluster, clock } = bench;
  switch (each.kind) {
    case 'put':
      cluster.put(each.name, { at: clock.monotonic() });
      return;
    case 'delete':
      cluster.delete(each.name);
      return;
    case 'gap':
      cluster.mute = true;
      for (const edited of each.edits) await perform(bench, edited);
      cluster.compact();
      cluster.mute = false;
      cluster.endWatches();
      return;
    case 'compact':
      cluster.compact();
      return;
    case 'end':
      cluster.endWatches();
      return;
    case 'break':
      cluster.endWatches(failure('Unreachable'));
      return;
    case 'mute':
      cluster.mute = each.mute;
      return;
    case 'fail':
      cluster.failNext(each.verb, failure(each.code));
      return;
    case 'wait':
      await clock.advance(each.ms);
  }
}

test('whatever happens to the cluster and the connection, once it is quiet the store and the reported changes equal the cluster', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(operation, { maxLength: 60 }), async (seed, operations) => {
      const bench = new Bench({ random: new SeededRandom(seed), limits: { pageSize: 2 } });
      for (const each of operations) await perform(bench, each);
      bench.cluster.mute = false;
      const truth = versions(bench.cluster.truth.values());
      const quiet = (): boolean => versions(bench.reflector.store.list()) === truth && bench.reflector.store.synced;
      await bench.clock.until('the store equals the cluster', quiet);
      assert.equal(versions(bench.replica.values()), truth, 'who follows the changes holds the same');
      await bench.stop();
    }),
    { numRuns: 300 },
  );
});

function versions(objects: Iterable<KubeObject>): string {
  return [...objects]
    .map((object) => `${object.metadata.name} ${object.metadata.uid} ${object.metadata.resourceVersion}`)
    .sort()
    .join('\n');
}
