import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantRandom, settle } from '../edges/testing.ts';
import { TransportError } from '../edges/transport.ts';
import { KubeError } from './errors.ts';
import { Bench, failure } from './reflector.fixture.ts';

test('it lists consistently, in pages, and then watches from the list on', async () => {
  const bench = await new Bench({ limits: { pageSize: 2 } }, (cluster) => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.put(name);
  }).synced();
  assert.deepEqual(bench.names(), ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(bench.verbs(), ['list', 'list', 'list', 'watch']);
  const [first] = bench.cluster.calls;
  assert.ok(first?.verb === 'list' && first.options.resourceVersion === undefined);
  const watch = bench.cluster.calls.at(-1);
  assert.ok(watch?.verb === 'watch');
  assert.equal(watch.options.resourceVersion, '105');
  assert.ok(watch.options.timeoutSeconds >= 240 && watch.options.timeoutSeconds <= 480);
  await bench.stop();
});

test('nothing is in the store before the last page is', async () => {
  const bench = new Bench({ limits: { pageSize: 1 } }, (cluster) => {
    cluster.put('a');
    cluster.put('b');
    cluster.failNext('list', failure('Unreachable'));
  });
  assert.equal(bench.reflector.store.synced, false);
  assert.deepEqual(bench.changes, []);
  await bench.synced();
  assert.deepEqual(bench.changes, ['added default/a', 'added default/b']);
  await bench.stop();
});

test('changes arrive by the watch, without the managed fields', async () => {
  const bench = await new Bench({}, (cluster) => void cluster.put('a')).synced();
  bench.cluster.put('b');
  bench.cluster.put('a', { changed: true });
  bench.cluster.delete('a');
  await settle();
  assert.deepEqual(bench.changes, ['added default/a', 'added default/b', 'updated default/a', 'deleted default/a']);
  assert.ok(!('managedFields' in (bench.reflector.store.get('default/b')?.metadata ?? {})));
  await bench.stop();
});

test('when the server ends the watch in good order, it watches on from the last event, without a list', async () => {
  const bench = await new Bench().synced();
  const version = bench.cluster.put('a');
  await bench.clock.until('the watch was renewed', () => bench.reflector.status.restarts.closed === 1);
  await bench.synced();
  assert.deepEqual(bench.verbs(), ['list', 'watch', 'watch']);
  const last = bench.cluster.calls.at(-1);
  assert.ok(last?.verb === 'watch' && last.options.resourceVersion === version);
  assert.equal(bench.reflector.status.connected, true);
  await bench.stop();
});

test('bookmarks move the version on, so that a quiet watch outlives a compaction', async () => {
  const bench = await new Bench().synced();
  bench.cluster.put('a');
  bench.cluster.delete('a');
  await bench.clock.advance(61_000);
  bench.cluster.compact();
  bench.cluster.endWatches();
  await bench.synced();
  bench.cluster.put('b');
  await settle();
  assert.deepEqual(bench.names(), ['b']);
  assert.deepEqual(bench.verbs(), ['list', 'watch', 'watch']);
  await bench.stop();
});

test('a silent watch is given up after the idle limit and resumed without a list', async () => {
  const bench = await new Bench().synced();
  bench.cluster.mute = true;
  bench.cluster.put('a');
  await bench.clock.advance(140_000);
  assert.equal(bench.reflector.status.connected, true);
  bench.cluster.mute = false;
  await bench.clock.advance(20_000);
  assert.deepEqual(bench.names(), ['a']);
  assert.deepEqual(bench.restarts(), { idle: 1 });
  assert.deepEqual(bench.verbs(), ['list', 'watch', 'watch']);
  await bench.stop();
});

test('when a second watch in a row brings nothing either, the version may be worthless, and it lists anew', async () => {
  const bench = await new Bench().synced();
  bench.cluster.mute = true;
  bench.cluster.put('a');
  await bench.clock.until('a second list', () => bench.verbs().filter((verb) => verb === 'list').length === 2);
  bench.cluster.mute = false;
  await bench.synced();
  assert.deepEqual(bench.names(), ['a']);
  assert.deepEqual(bench.verbs(), ['list', 'watch', 'watch', 'list', 'watch']);
  assert.deepEqual(bench.restarts(), { idle: 2 });
  await bench.stop();
});

test('each chunk puts the idle limit off', async () => {
  const bench = await new Bench().synced();
  for (let minute = 0; minute < 4; minute++) {
    bench.cluster.put(`a${minute}`);
    await bench.clock.advance(55_000);
  }
  assert.deepEqual(bench.restarts(), {});
  await bench.stop();
});

test('a watch that the server never ends is ended after its time', async () => {
  const bench = await new Bench({ limits: { watchSecondsMin: 100, watchSecondsMax: 100 } }).synced();
  bench.cluster.mute = true;
  // 100 s and 30 s of grace: sooner than the idle limit of 150 s.
  await bench.clock.advance(131_000);
  assert.deepEqual(bench.restarts(), { overrun: 1 });
  await bench.stop();
});

test('a version too old for the server leads to a list, whether told by an event or by HTTP', async () => {
  for (const byEvent of [true, false]) {
    const bench = await new Bench({}, (cluster) => {
      cluster.put('a');
      cluster.put('b');
    }).synced();
    bench.cluster.mute = true;
    bench.cluster.put('c');
    bench.cluster.delete('a');
    bench.cluster.mute = false;
    if (byEvent) bench.cluster.compact();
    else bench.cluster.failNext('watch', failure('Expired', { status: 410 }));
    bench.cluster.endWatches();
    await bench.clock.until('a second list', () => bench.verbs().filter((verb) => verb === 'list').length === 2);
    await bench.synced();
    assert.deepEqual(bench.names(), ['b', 'c']);
    assert.deepEqual(bench.changes.slice(2).sort(), ['added default/c', 'deleted default/a']);
    assert.equal(bench.reflector.status.restarts.expired, 1);
    await bench.stop();
  }
});

test('a page whose token expired starts the list again', async () => {
  const bench = new Bench({ limits: { pageSize: 1 } }, (cluster) => {
    cluster.put('a');
    cluster.put('b');
    cluster.failNext('list', undefined);
    cluster.failNext('list', failure('Expired', { status: 410 }));
  });
  await bench.synced();
  assert.deepEqual(bench.names(), ['a', 'b']);
  const continued = bench.cluster.calls.map((call) => call.verb === 'list' && call.options.continue !== undefined);
  assert.deepEqual(continued, [false, true, false, true, false]);
  await bench.stop();
});

test('after a failure it goes on from the last version, later each time, and tells why', async () => {
  const bench = await new Bench().synced();
  for (let turn = 0; turn < 4; turn++) bench.cluster.failNext('watch', failure('Unreachable'));
  bench.cluster.endWatches(failure('Unreachable'));
  await settle();
  assert.equal(bench.reflector.status.connected, false);
  assert.match(bench.reflector.status.lastError?.message ?? '', /Unreachable/);
  const waits: number[] = [];
  while (bench.cluster.openWatches === 0) {
    const calls = bench.cluster.calls.length;
    const before = bench.clock.monotonic();
    await bench.clock.until('the next try', () => bench.cluster.calls.length > calls);
    waits.push(bench.clock.monotonic() - before);
  }
  assert.deepEqual(waits, [400, 800, 1600, 3200, 6400]);
  assert.deepEqual(
    bench.verbs().filter((verb) => verb === 'list'),
    ['list'],
  );
  assert.equal(bench.reflector.status.connected, true);
  assert.equal(bench.reflector.status.lastError, undefined);
  await bench.stop();
});

test('waits never exceed their bound, and start small again after two healthy minutes', async () => {
  const bench = await new Bench({ random: constantRandom(0.999) }).synced();
  for (let turn = 0; turn < 12; turn++) bench.cluster.failNext('watch', failure('Unreachable'));
  bench.cluster.endWatches(failure('Unreachable'));
  await settle();
  for (let turn = 0; turn < 12; turn++) {
    assert.ok((bench.clock.nextTimerMs ?? 0) <= 30_000);
    const calls = bench.cluster.calls.length;
    await bench.clock.until('the next try', () => bench.cluster.calls.length > calls);
  }
  await bench.synced();
  await bench.clock.advance(121_000);
  bench.cluster.endWatches(failure('Unreachable'));
  await settle();
  assert.ok((bench.clock.nextTimerMs ?? 0) <= 800);
  await bench.stop();
});

test('when its connection was given up for another one, it watches on at once, and nobody takes it for disconnected', async () => {
  const bench = await new Bench().synced();
  bench.cluster.put('a');
  await bench.clock.advance(1);
  for (let time = 0; time < 5; time++) {
    const cause = new TransportError('replaced', 'there is another connection');
    bench.cluster.endWatches(new KubeError('Unreachable', 'GET /things', { cause }));
    await bench.clock.advance(0);
    assert.equal(bench.cluster.openWatches, 1);
  }
  bench.cluster.put('b');
  await bench.clock.advance(1);
  assert.deepEqual(bench.names(), ['a', 'b']);
  assert.deepEqual(new Set(bench.connections), new Set([true]));
  assert.deepEqual(bench.restarts(), { replaced: 5 });
  assert.equal(bench.verbs().filter((verb) => verb === 'list').length, 1);
  await bench.stop();
});

test('it waits as long as the server asks', async () => {
  for (const error of [
    failure('TooManyRequests', { status: 429, retryAfterMs: 17_000 }),
    failure('ServerError', { status: 503, retryAfterMs: 17_000 }),
  ]) {
    const bench = await new Bench().synced();
    bench.cluster.endWatches(error);
    await settle();
    assert.equal(bench.clock.nextTimerMs, 17_000);
    await bench.stop();
  }
});

test('after 401 it tries again almost at once, then backs off', async () => {
  const bench = new Bench({}, (cluster) => {
    for (let turn = 0; turn < 2; turn++) cluster.failNext('list', failure('Unauthorized', { status: 401 }));
  });
  await settle();
  assert.equal(bench.clock.nextTimerMs, 50);
  await bench.clock.advance(50);
  assert.equal(bench.clock.nextTimerMs, 400);
  await bench.synced();
  assert.deepEqual(bench.restarts(), { unauthorized: 2 });
  await bench.stop();
});

test('while the kind is missing or forbidden it asks slowly, and takes it up when it appears', async () => {
  for (const [code, cause] of [
    ['NotFound', 'missing'],
    ['Forbidden', 'forbidden'],
  ] as const) {
    const bench = new Bench({}, (cluster) => {
      cluster.put('a');
      for (let turn = 0; turn < 20; turn++) cluster.failNext('list', failure(code));
    });
    await bench.clock.advance(200_000);
    assert.equal(bench.reflector.status.hasSynced, false);
    assert.ok(bench.cluster.calls.length <= 14, `${bench.cluster.calls.length} calls in 200 s`);
    await bench.synced();
    assert.deepEqual(bench.restarts(), { [cause]: 20 });
    assert.deepEqual(bench.names(), ['a']);
    await bench.stop();
  }
});

test('a wait after a failure ends at once when it is told that the fault may be mended', async () => {
  const bench = new Bench({}, (cluster) => cluster.failNext('list', failure('NotFound')));
  await bench.clock.advance(0);
  const waitMs = bench.clock.nextTimerMs ?? 0;
  assert.ok(waitMs > 5_000, `it waits ${waitMs} ms`);
  bench.reflector.retryNow();
  await bench.clock.advance(0);
  assert.equal(bench.reflector.status.hasSynced, true);
  // While it does not wait there is nothing to end.
  bench.reflector.retryNow();
  await bench.clock.advance(0);
  assert.deepEqual(bench.restarts(), { missing: 1 });
  await bench.stop();
});

test('watches that end at once do not make a busy loop', async () => {
  const bench = await new Bench().synced();
  const cut = setWatchesToEndAtOnce(bench);
  await bench.clock.advance(60_000);
  cut.stop();
  assert.ok(bench.cluster.calls.length < 20, `${bench.cluster.calls.length} calls in a minute`);
  assert.ok(bench.reflector.status.restarts.short > 3);
  await bench.stop();
});

function setWatchesToEndAtOnce(bench: Bench): { stop: () => void } {
  let timer = bench.clock.timer(1, again);
  function again(): void {
    bench.cluster.endWatches();
    timer = bench.clock.timer(1, again);
  }
  return { stop: () => timer.cancel() };
}

test('a handler that throws is counted, and the store has the change all the same', async () => {
  const bench = new Bench(
    {
      onChange: () => {
        throw new Error('handler');
      },
      onConnection: () => {
        throw new Error('handler');
      },
    },
    (cluster) => void cluster.put('a'),
  );
  await bench.synced();
  bench.cluster.put('b');
  await settle();
  assert.deepEqual(bench.names(), ['a', 'b']);
  assert.equal(bench.reflector.status.handlerFailures, 4);
  await bench.stop();
});

test('readers are told when the connection turns', async () => {
  const bench = await new Bench().synced();
  bench.cluster.endWatches(failure('Unreachable'));
  await bench.clock.advance(1000);
  assert.deepEqual(bench.connections, [true, true, false, true], 'connected, synced, lost, found again');
  await bench.stop();
});

test('it can be stopped in every state, ends without an error and leaves nothing behind', async () => {
  const during: Record<string, (bench: Bench) => Promise<void>> = {
    list: () => Promise.resolve(),
    watch: async (bench) => void (await bench.synced()),
    backoff: async (bench) => {
      await bench.synced();
      bench.cluster.endWatches(failure('Unreachable'));
      await settle();
      assert.equal(bench.cluster.openWatches, 0);
    },
    silence: async (bench) => {
      await bench.synced();
      bench.cluster.mute = true;
      await bench.clock.advance(100_000);
    },
  };
  for (const reach of Object.values(during)) {
    const bench = new Bench({}, (cluster) => void cluster.put('a'));
    await reach(bench);
    const restarts = bench.restarts();
    await bench.stop();
    assert.deepEqual(bench.restarts(), restarts, 'stopping counts as no failure');
    const calls = bench.cluster.calls.length;
    await bench.clock.advance(600_000);
    assert.equal(bench.cluster.calls.length, calls, 'nothing is asked after the stop');
  }
});
