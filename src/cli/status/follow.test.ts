import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { constantRandom, settle, VirtualClock } from '../../edges/testing.ts';
import { KubeError } from '../../kube/errors.ts';
import { FakeCluster } from '../../kube/testing.ts';
import { follow, type FollowOptions } from './follow.ts';

/** Follows federations of a hub in memory, on a clock that moves when told. */
function following(options: Partial<FollowOptions> & { isTTY?: boolean } = {}): {
  clock: VirtualClock;
  hub: FakeCluster;
  /** What was written, one element a write. */
  written: string[];
  stop: AbortController;
  ended: Promise<void>;
} {
  const clock = new VirtualClock();
  const hub = new FakeCluster(clock);
  hub.put('orders');
  const stop = new AbortController();
  const written: string[] = [];
  const out = { isTTY: options.isTTY ?? false, columns: 80, write: (text: string) => void written.push(text) };
  const shown = { name: undefined, namespace: 'default' };
  const random = constantRandom(0.5);
  const all: FollowOptions = {
    hub: { client: hub },
    selection: {},
    shown,
    first: [],
    output: 'text',
    out,
    clock,
    random,
  };
  return { clock, hub, written, stop, ended: follow({ ...all, ...options }, stop.signal) };
}

test('elsewhere than on a terminal a text follows the other when something has changed, and not because time goes by', async () => {
  const { clock, hub, written, stop, ended } = following();
  await clock.until('it is shown', () => written.some((text) => /orders/.test(text)));
  const before = written.length;
  await clock.advance(60_000);
  assert.equal(written.length, before);
  hub.put('bills');
  await clock.advance(2_000);
  assert.equal(written.length, before + 1);
  assert.match(written.at(-1) ?? '', /^\nNAMESPACE.*\ndefault +bills .*\ndefault +orders /);
  stop.abort();
  await clock.advance(1_000);
  await ended;
});

test('many changes at once are one drawing a second', async () => {
  const { clock, hub, written, stop, ended } = following();
  await clock.advance(2_000);
  const before = written.length;
  for (let index = 0; index < 100; index++) {
    hub.put(`bills${index}`);
    await clock.advance(30);
  }
  assert.ok(written.length - before <= 4, `${written.length - before} drawings in 3 s`);
  stop.abort();
  await clock.advance(1_000);
  await ended;
});

test('on a terminal it is drawn in place, and says for how long the hub has not answered', async () => {
  const { clock, hub, written, stop, ended } = following({ isTTY: true });
  await clock.until('it is shown', () => written.some((text) => /orders/.test(text)));
  assert.ok(written.every((text) => text.startsWith('\u001B[H\u001B[2J')));
  const lost = new KubeError('Unreachable', 'GET /apis: connect ECONNREFUSED');
  for (let index = 0; index < 50; index++) for (const verb of ['list', 'watch'] as const) hub.failNext(verb, lost);
  hub.endWatches(lost);
  await clock.advance(12_000);
  const last = stripVTControlCharacters(written.at(-1) ?? '');
  assert.match(last, /default +orders [^]*\n\nThe hub has not answered for 1\ds: GET \/apis: connect ECONNREFUSED\n$/);
  stop.abort();
  await clock.advance(1_000);
  await ended;
});

test('it ends when the one that is named is gone', async () => {
  const { clock, hub, written, ended } = following({ shown: { name: 'orders', namespace: 'default' } });
  await clock.until('it is shown', () => written.some((text) => /default\/orders/.test(text)));
  hub.delete('orders');
  await clock.advance(2_000);
  await settle();
  await ended;
  assert.equal(written.at(-1), 'orders is gone.\n');
});

test('documents follow each other as YAML does it, and as JSON', async () => {
  for (const [output, second] of [
    ['yaml', /^---\nitems:\n/],
    ['json', /^\{\n {2}"items": \[/],
  ] as const) {
    const { clock, hub, written, stop, ended } = following({ output });
    await clock.advance(2_000);
    hub.put('bills');
    await clock.advance(2_000);
    assert.match(written.at(-1) ?? '', second);
    stop.abort();
    await clock.advance(1_000);
    await ended;
  }
});
