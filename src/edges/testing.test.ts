import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, withDeadline } from './clock.ts';
import { SeededRandom, settle, VirtualClock } from './testing.ts';

const forever = new AbortController().signal;

test('a virtual clock fires timers in the order of their times, then in the order they were set', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  clock.timer(20, () => fired.push('b'));
  clock.timer(10, () => fired.push('a'));
  clock.timer(20, () => fired.push('c'));
  clock.timer(21, () => fired.push('too late'));
  await clock.advance(20);
  assert.deepEqual(fired, ['a', 'b', 'c']);
  assert.equal(clock.monotonic(), 20);
});

test('a virtual clock sees a timer that is set in answer to another', async () => {
  const clock = new VirtualClock(1000);
  const times: number[] = [];
  const loop = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) {
      await sleep(clock, 10, forever);
      times.push(clock.now());
    }
  };
  const done = loop();
  await clock.advance(30);
  await done;
  assert.deepEqual(times, [1010, 1020, 1030]);
});

test('until names what did not happen', async () => {
  const clock = new VirtualClock();
  await assert.rejects(
    clock.until('pigs fly', () => false),
    /no timer is left.*pigs fly/,
  );
  clock.timer(5000, () => undefined);
  await assert.rejects(
    clock.until('pigs fly', () => false, 1000),
    /not within 1000 ms: pigs fly/,
  );
});

test('an aborted sleep rejects with the reason and leaves no timer', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const waiting = sleep(clock, 1000, stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(waiting, /stopped/);
  assert.equal(clock.pendingTimers, 0);
});

test('a deadline aborts with a TimeoutError, and leaves nothing behind once disposed', async () => {
  const clock = new VirtualClock();
  {
    using deadline = withDeadline(clock, 100, forever);
    await clock.advance(100);
    assert.equal((deadline.signal.reason as Error).name, 'TimeoutError');
  }
  {
    using deadline = withDeadline(clock, 100, forever);
    assert.equal(deadline.signal.aborted, false);
  }
  await settle();
  assert.equal(clock.pendingTimers, 0);
});

test('one seed gives one sequence of numbers in [0, 1)', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 1000 }, () => random.next());
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  assert.ok(draw(7).every((number) => number >= 0 && number < 1));
  const mean = draw(7).reduce((sum, number) => sum + number, 0) / 1000;
  assert.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
});
