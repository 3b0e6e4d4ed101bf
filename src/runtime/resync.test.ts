import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom, VirtualClock } from '../edges/testing.ts';
import { resync } from './resync.ts';

test('rounds come every ten minutes, a tenth more or less, and end with the signal', async () => {
  const clock = new VirtualClock();
  const rounds: number[] = [];
  const stop = new AbortController();
  const running = resync(clock, new SeededRandom(1), () => rounds.push(clock.monotonic()), stop.signal);
  await clock.advance(6_000_000);
  stop.abort();
  await running;
  const pauses = rounds.map((at, index) => at - (rounds[index - 1] ?? 0));
  assert.ok(rounds.length >= 9 && pauses.every((pause) => pause >= 540_000 && pause <= 660_000));
  assert.ok(new Set(pauses).size > 1);
  assert.equal(clock.pendingTimers, 0);
});
