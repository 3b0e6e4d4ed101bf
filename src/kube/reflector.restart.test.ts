import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../edges/testing.ts';
import { Bench, failure } from './reflector.fixture.ts';

test('a watch that does not bring an own write is given up after seconds, and resumed without a list', async () => {
  const bench = await new Bench().synced();
  bench.cluster.mute = true;
  const version = bench.cluster.put('a');
  bench.reflector.store.expect('default/a', version);
  bench.cluster.mute = false;
  await bench.clock.advance(4_900);
  assert.deepEqual(bench.restarts(), {});
  await bench.clock.advance(200);
  assert.deepEqual(bench.names(), ['a']);
  assert.equal(bench.reflector.store.isCurrent(), true);
  assert.deepEqual(bench.restarts(), { behind: 1 });
  assert.deepEqual(bench.verbs(), ['list', 'watch', 'watch']);
  assert.equal(bench.reflector.status.connected, true);
  await bench.stop();
});

test('a write that became known while the watch was opened is waited for as well', async () => {
  const bench = await new Bench().synced();
  bench.cluster.endWatches();
  bench.cluster.mute = true;
  const version = bench.cluster.put('a');
  bench.reflector.store.expect('default/a', version);
  await bench.synced();
  bench.cluster.mute = false;
  await bench.clock.until('the write was seen', () => bench.reflector.store.isCurrent(), 200_000);
  assert.deepEqual(bench.names(), ['a']);
  await bench.stop();
});

test('a watch that brings anything, or has brought the write, is not given up for that', async () => {
  const bench = await new Bench().synced();
  bench.reflector.store.expect('default/z', String(Number(bench.cluster.resourceVersion) + 11));
  for (let turn = 0; turn < 10; turn++) {
    bench.cluster.put(`a${turn}`);
    await bench.clock.advance(4_000);
    assert.equal(bench.reflector.store.isCurrent(), false);
  }
  bench.cluster.put('z');
  await bench.clock.advance(15_000);
  assert.equal(bench.reflector.store.isCurrent(), true);
  assert.deepEqual(bench.restarts(), {});
  await bench.stop();
});

test('a server that does not show what is expected has its watches begun anew ever more rarely', async () => {
  const bench = await new Bench().synced();
  const at: number[] = [0];
  while (at.length < 5) {
    bench.reflector.store.expect('default/a', String(1_000 + at.length));
    await bench.clock.until('it gives up', () => bench.reflector.status.restarts.behind === at.length, 100_000);
    at.push(bench.clock.monotonic());
    await bench.synced();
  }
  const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  assert.deepEqual(pauses, [5_000, 10_000, 20_000, 40_000]);
  await bench.stop();
});

test('a wait that the server asked for is not cut short', async () => {
  const bench = await new Bench().synced();
  bench.cluster.endWatches(failure('TooManyRequests', { status: 429, retryAfterMs: 17_000 }));
  await settle();
  bench.reflector.retryNow();
  await bench.clock.advance(16_000);
  assert.equal(bench.cluster.openWatches, 0);
  await bench.clock.advance(1_000);
  assert.equal(bench.cluster.openWatches, 1);
  await bench.stop();
});

test('what is forbidden or missing after it was there is asked for again soon, as of a server that has just started', async () => {
  for (const code of ['Forbidden', 'NotFound'] as const) {
    const bench = await new Bench().synced();
    bench.cluster.failNext('watch', failure(code));
    bench.cluster.failNext(code === 'NotFound' ? 'list' : 'watch', failure(code));
    bench.cluster.endWatches();
    await settle();
    assert.equal(bench.clock.nextTimerMs, 400);
    await bench.clock.advance(400);
    assert.equal(bench.clock.nextTimerMs, 800);
    await bench.synced();
    await bench.stop();
  }
});

test('after 410 it lists almost at once, then backs off', async () => {
  const bench = await new Bench().synced();
  bench.cluster.failNext('list', failure('Expired', { status: 410 }));
  bench.cluster.endWatches(failure('Expired', { status: 410 }));
  await settle();
  assert.equal(bench.clock.nextTimerMs, 50);
  await bench.clock.advance(50);
  assert.equal(bench.clock.nextTimerMs, 400);
  await bench.synced();
  assert.deepEqual(bench.restarts(), { expired: 2 });
  await bench.stop();
});

test('once it is told that the fault may be mended, the next failure counts as the first', async () => {
  const bench = await new Bench().synced();
  for (let turn = 0; turn < 6; turn++) bench.cluster.failNext('watch', failure('Unreachable'));
  bench.cluster.endWatches(failure('Unreachable'));
  await bench.clock.until('it has failed often', () => bench.reflector.status.restarts.unreachable === 5);
  assert.equal(bench.clock.nextTimerMs, 6_400);
  bench.reflector.retryNow();
  await settle();
  assert.equal(bench.clock.nextTimerMs, 400);
  await bench.stop();
});
