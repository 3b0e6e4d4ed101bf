import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { constantRandom, never, SeededRandom, settle, VirtualClock } from '../edges/testing.ts';
import { sleep } from '../edges/clock.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { backgroundPriority, WorkQueue, type ProcessResult, type WorkQueueOptions } from './queue.ts';

/** A queue whose work is under the test's control: each run lasts until `finish` or `fail`. */
class Bench {
  readonly clock = new VirtualClock();
  readonly started: string[] = [];
  readonly failures: string[] = [];
  readonly queue: WorkQueue;
  readonly #open = new Map<string, { resolve: (result?: ProcessResult) => void; reject: (error: Error) => void }>();

  constructor(options: Partial<WorkQueueOptions> = {}) {
    this.queue = new WorkQueue({
      name: 'test',
      concurrency: 2,
      clock: this.clock,
      random: constantRandom(0.999_999),
      process: (key) => {
        this.started.push(this.#open.has(key) ? `${key} beside itself` : key);
        return new Promise<ProcessResult | void>((resolve, reject) => this.#open.set(key, { resolve, reject }));
      },
      onFailure: (key, error, failures) => this.failures.push(`${key} ${(error as Error).message} ${failures}`),
      ...options,
    });
  }

  async finish(key: string, result?: ProcessResult): Promise<void> {
    this.#take(key).resolve(result);
    await settle();
  }

  async fail(key: string): Promise<void> {
    this.#take(key).reject(new Error('failed'));
    await settle();
  }

  get open(): string[] {
    return [...this.#open.keys()];
  }

  #take(key: string): { resolve: (result?: ProcessResult) => void; reject: (error: Error) => void } {
    const open = this.#open.get(key);
    assert.ok(open, `${key} does not run`);
    this.#open.delete(key);
    return open;
  }
}

test('a key added several times before it runs, runs once', async () => {
  const bench = new Bench();
  bench.queue.add('a');
  bench.queue.add('a');
  await settle();
  await bench.finish('a');
  assert.deepEqual(bench.started, ['a']);
});

test('a key added while it runs, runs once more afterwards, never beside itself', async () => {
  const bench = new Bench();
  bench.queue.add('a');
  await settle();
  bench.queue.add('a');
  bench.queue.add('a');
  await settle();
  assert.deepEqual(bench.started, ['a']);
  await bench.finish('a');
  assert.deepEqual(bench.started, ['a', 'a']);
  await bench.finish('a');
  assert.deepEqual(bench.started, ['a', 'a']);
});

test('work never begins inside add', () => {
  const bench = new Bench();
  bench.queue.add('a');
  assert.deepEqual(bench.started, []);
});

test('no more keys run at once than the concurrency allows, first come first served', async () => {
  const bench = new Bench();
  for (const key of ['a', 'b', 'c', 'd']) bench.queue.add(key);
  await settle();
  assert.deepEqual(bench.started, ['a', 'b']);
  assert.equal(bench.queue.waiting, 2);
  await bench.finish('b');
  await bench.finish('c');
  assert.deepEqual(bench.started, ['a', 'b', 'c', 'd']);
});

test('events go before background work, and lift a key that waits in the background', async () => {
  const bench = new Bench({ concurrency: 1 });
  bench.queue.add('running');
  for (const key of ['a', 'b', 'c']) bench.queue.add(key, backgroundPriority);
  bench.queue.add('event');
  bench.queue.add('c');
  await settle();
  for (const key of ['running', 'event', 'c', 'a', 'b']) await bench.finish(key);
  assert.deepEqual(bench.started, ['running', 'event', 'c', 'a', 'b']);
});

test('of several times set for a key the earliest counts, and an add replaces them all', async () => {
  const bench = new Bench();
  bench.queue.addAfter('a', 1000);
  bench.queue.addAfter('a', 500);
  bench.queue.addAfter('a', 800);
  await bench.clock.advance(499);
  assert.deepEqual(bench.started, []);
  await bench.clock.advance(1);
  assert.deepEqual(bench.started, ['a']);
  bench.queue.addAfter('b', 1000);
  bench.queue.add('b');
  await settle();
  await bench.finish('b');
  await bench.clock.advance(10_000);
  assert.deepEqual(bench.started, ['a', 'b']);
  assert.equal(bench.clock.pendingTimers, 0);
});

test('a run can ask for the next one', async () => {
  const bench = new Bench();
  bench.queue.add('a');
  await settle();
  await bench.finish('a', { requeueAfterMs: 3000 });
  await bench.clock.advance(2999);
  assert.equal(bench.started.length, 1);
  await bench.clock.advance(1);
  assert.equal(bench.started.length, 2);
});

test('a failing key is repeated after waits that double up to a bound, and start anew after a success', async () => {
  const bench = new Bench({ retryFirstMs: 100, retryMaxMs: 1000 });
  bench.queue.add('a');
  await settle();
  const waits: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    await bench.fail('a');
    waits.push(Math.round(bench.clock.nextTimerMs ?? -1));
    await bench.clock.advance(1000);
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000]);
  assert.deepEqual(bench.failures.slice(0, 2), ['a failed 1', 'a failed 2']);
  await bench.finish('a');
  assert.equal(bench.queue.failures('a'), 0);
  bench.queue.add('a');
  await bench.clock.advance(50);
  await bench.fail('a');
  assert.equal(Math.round(bench.clock.nextTimerMs ?? -1), 100);
});

test('a key that took long rests before it runs again, and what happens meanwhile is one run', async () => {
  const bench = new Bench({});
  bench.queue.add('a');
  await settle();
  await bench.clock.advance(10);
  bench.queue.add('a');
  await bench.finish('a');
  assert.equal(bench.started.length, 1);
  await bench.clock.advance(15);
  bench.queue.add('a');
  await settle();
  assert.equal(bench.started.length, 1);
  await bench.clock.advance(5);
  assert.equal(bench.started.length, 2);
  await bench.finish('a');
  bench.queue.add('a');
  await settle();
  assert.equal(bench.started.length, 3, 'one that took no time rests for none');
});

test('the waits of different keys are spread between half and all of their length', async () => {
  const bench = new Bench({ random: new SeededRandom(5), retryFirstMs: 1000, concurrency: 50 });
  for (let index = 0; index < 50; index++) bench.queue.add(`k${index}`);
  await settle();
  for (const key of bench.open) await bench.fail(key);
  await bench.clock.advance(499);
  assert.equal(bench.started.length, 50);
  await bench.clock.advance(250);
  assert.ok(bench.started.length > 60 && bench.started.length < 90, `${bench.started.length}`);
});

test('an event does not wait for the retry of a failing key', async () => {
  const bench = new Bench({ retryFirstMs: 60_000 });
  bench.queue.add('a');
  await settle();
  await bench.fail('a');
  bench.queue.add('a');
  await settle();
  assert.deepEqual(bench.started, ['a', 'a']);
});

test('a process that throws before its first wait is a failure like any other', async () => {
  const bench = new Bench({
    process: () => {
      throw new Error('at once');
    },
  });
  bench.queue.add('a');
  await settle();
  assert.deepEqual(bench.failures, ['a at once 1']);
});

test('drain resolves when nothing waits or runs, whatever waits for a time', async () => {
  const bench = new Bench({ concurrency: 1 });
  let drained = false;
  bench.queue.add('a');
  bench.queue.add('b');
  bench.queue.addAfter('c', 1000);
  const draining = bench.queue.drain().then(() => (drained = true));
  await settle();
  bench.queue.add('a');
  await bench.finish('a');
  assert.equal(drained, false);
  await bench.finish('b');
  assert.equal(drained, false, 'a was added again');
  await bench.finish('a');
  await draining;
  assert.equal(bench.queue.waiting, 0);
});

test('a shutdown drops what waits, aborts what runs, and takes nothing more', async () => {
  const bench = new Bench({
    concurrency: 1,
    process: async (key, signal) => {
      bench.started.push(key);
      await sleep(bench.clock, 1_000_000, signal);
    },
  });
  bench.queue.add('a');
  bench.queue.add('b');
  bench.queue.addAfter('c', 10);
  await settle();
  const left = await bench.queue.shutDown(5000);
  bench.queue.add('d');
  bench.queue.addAfter('e', 10);
  bench.queue.addRateLimited('f');
  await bench.clock.advance(100_000);
  assert.deepEqual(left, []);
  assert.deepEqual(bench.started, ['a']);
  assert.deepEqual(bench.failures, [], 'ending by the signal is no failure');
  assert.equal(bench.clock.pendingTimers, 0);
});

test('a shutdown gives up on work that does not end, and names it', async () => {
  const bench = new Bench({ process: () => never() });
  bench.queue.add('stuck');
  await settle();
  const shutting = bench.queue.shutDown(5000);
  await bench.clock.advance(5000);
  assert.deepEqual(await shutting, ['stuck']);
});

test('what runs can be asked for, with its age', async () => {
  const bench = new Bench();
  bench.queue.add('a');
  await settle();
  await bench.clock.advance(1500);
  assert.deepEqual(bench.queue.running, [{ key: 'a', forMs: 1500 }]);
  await bench.finish('a');
});

test('metrics count adds, retries, results and the present state', async () => {
  const metrics = new Metrics();
  const bench = new Bench({ metrics: metrics.queue('mcc'), concurrency: 1 });
  bench.queue.add('a');
  bench.queue.add('b');
  await settle();
  await bench.clock.advance(2000);
  const during = await metrics.page();
  assert.match(during.text, /^workqueue_depth\{name="mcc",controller="mcc",priority="0"\} 1$/m);
  assert.match(during.text, /^workqueue_unfinished_work_seconds\{name="mcc",controller="mcc"\} 2$/m);
  await bench.finish('a');
  await bench.fail('b');
  const after = await metrics.page();
  assert.match(after.text, /^workqueue_adds_total\{name="mcc",controller="mcc"\} 2$/m);
  assert.match(after.text, /^workqueue_retries_total\{name="mcc",controller="mcc"\} 1$/m);
  assert.match(after.text, /^controller_runtime_reconcile_total\{controller="mcc",result="success"\} 1$/m);
  assert.match(after.text, /^controller_runtime_reconcile_total\{controller="mcc",result="error"\} 1$/m);
  assert.match(after.text, /^workqueue_queue_duration_seconds_sum\{name="mcc",controller="mcc"\} 2$/m);
  assert.match(after.text, /^workqueue_depth\{name="mcc",controller="mcc",priority="0"\} 0$/m);
});

const key = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key, priority: fc.constantFrom(0, backgroundPriority) }),
  fc.record({ kind: fc.constant('after' as const), key, ms: fc.integer({ min: 0, max: 500 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 500 }) }),
);

test('whatever is added when: no key beside itself, never more than the concurrency, and each add is followed by a run', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { maxLength: 40 }), async (seed, steps) => {
      const clock = new VirtualClock();
      const random = new SeededRandom(seed);
      const running = new Set<string>();
      const owed = new Set<string>();
      const violations: string[] = [];
      const queue: WorkQueue = new WorkQueue({
        name: 'property',
        concurrency: 2,
        clock,
        random,
        onFailure: () => undefined,
        process: async (each, signal) => {
          if (running.has(each) || running.size >= 2) violations.push(`${each} beside ${[...running].join()}`);
          running.add(each);
          owed.delete(each);
          await sleep(clock, random.next() * 300, signal);
          running.delete(each);
          if (random.next() < 0.2) throw new Error('now and then');
        },
      });
      for (const each of steps) {
        if (each.kind === 'wait') await clock.advance(each.ms);
        else {
          owed.add(each.key);
          if (each.kind === 'add') queue.add(each.key, each.priority);
          else queue.addAfter(each.key, each.ms);
        }
      }
      await clock.until('every key had its run', () => owed.size === 0 && clock.pendingTimers === 0);
      assert.equal(queue.waiting + queue.running.length, 0);
      assert.deepEqual(violations, []);
    }),
    { numRuns: 300 },
  );
});

test('failures are counted by kind, and a terminal one is tried again after the longest wait only', async () => {
  const metrics = new Metrics();
  const kinds = ['usual', 'terminal', 'timeout', 'panic'] as const;
  let runs = 0;
  const bench = new Bench({
    metrics: metrics.queue('mcc'),
    retryFirstMs: 10,
    retryMaxMs: 60_000,
    kindOf: () => kinds[runs++] ?? 'usual',
  });
  bench.queue.add('a');
  for (const waitMs of [10, 60_000, 20]) {
    await settle();
    await bench.fail('a');
    await bench.clock.advance(waitMs - 1);
    assert.deepEqual(bench.open, []);
    await bench.clock.advance(1);
    assert.deepEqual(bench.open, ['a']);
  }
  await bench.fail('a');
  const { text } = await metrics.page();
  assert.match(text, /^controller_runtime_reconcile_errors_total\{controller="mcc"\} 4$/m);
  for (const name of ['terminal_reconcile_errors', 'reconcile_panics', 'reconcile_timeouts']) {
    assert.match(text, new RegExp(`^controller_runtime_${name}_total\\{controller="mcc"\\} 1$`, 'm'));
  }
  await bench.queue.shutDown(0);
});
