import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { settle, VirtualClock } from '../edges/testing.ts';
import { TokenBucket } from './token-bucket.ts';

const forever = new AbortController().signal;

function setUp(perSecond = 20, burst = 40) {
  const clock = new VirtualClock();
  return { clock, bucket: new TokenBucket({ clock, perSecond, burst }) };
}

test('a burst goes at once, and what follows at the steady rate', async () => {
  const { clock, bucket } = setUp();
  const went: number[] = [];
  for (let each = 0; each < 60; each++) void bucket.take(forever, false).then(() => went.push(clock.monotonic()));
  await clock.advance(2_000);
  assert.equal(went.filter((at) => at === 0).length, 40);
  assert.deepEqual(
    went.slice(40).map((at) => Math.round(at)),
    Array.from({ length: 20 }, (_, index) => (index + 1) * 50),
  );
  assert.equal(clock.pendingTimers, 0);
});

test('a write goes before the reads that wait already', async () => {
  const { clock, bucket } = setUp(1, 1);
  const went: string[] = [];
  const take = (name: string, urgent: boolean): void => void bucket.take(forever, urgent).then(() => went.push(name));
  take('first', false);
  take('read', false);
  take('write', true);
  take('later write', true);
  await clock.advance(3_000);
  assert.deepEqual(went, ['first', 'write', 'later write', 'read']);
});

test('who gives up takes no token, and leaves no timer behind', async () => {
  const { clock, bucket } = setUp(1, 1);
  await bucket.take(forever, false);
  const stop = new AbortController();
  const given = assert.rejects(bucket.take(stop.signal, false), /enough/);
  await settle();
  stop.abort(new Error('enough'));
  await given;
  assert.equal(clock.pendingTimers, 0);
  await clock.advance(1_000);
  assert.equal(await bucket.take(forever, false), 0);
});

test('whatever is asked when, no second sees more than the rate and the burst', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 400 }), { maxLength: 80 }), async (pauses) => {
      const { clock, bucket } = setUp(5, 3);
      const went: number[] = [];
      for (const pause of pauses) {
        void bucket.take(forever, pause % 2 === 0).then(() => went.push(clock.monotonic()));
        await clock.advance(pause);
      }
      await clock.advance(60_000);
      assert.equal(went.length, pauses.length);
      for (const since of went) {
        const within = went.filter((at) => at >= since && at < since + 1_000).length;
        assert.ok(within <= 3 + 5, `${within} within a second`);
      }
    }),
    { numRuns: 30 },
  );
});
