import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantRandom, never, settle, VirtualClock } from '../edges/testing.ts';
import type { Outcome } from '../federation/execute.ts';
import type { Intent } from '../federation/intents.ts';
import { KubeError } from '../kube/errors.ts';
import { resources } from '../kube/objects.ts';
import { type Turn, Turns } from './turns.ts';

function setUp() {
  const clock = new VirtualClock();
  const ends: { key: string; afterMs: number }[] = [];
  const outcomes: Outcome[] = [];
  const mistakes: unknown[] = [];
  const turns = new Turns({
    clock,
    random: constantRandom(1),
    onOutcomes: (_turn, those) => outcomes.push(...those),
    onEnd: (key, afterMs) => ends.push({ key, afterMs }),
    onMistake: (_turn, error) => mistakes.push(error),
  });
  return { clock, turns, ends, outcomes, mistakes };
}

function intentOf(region: string, data = ''): Intent {
  const metadata = { name: 'guard', namespace: 'cassandra' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { data } };
  return { region, why: 'write the guard', write: { verb: 'create', resource: resources.configMaps, object } };
}

function turnOf(region: string, send: Turn['send'], changes: Partial<Turn> = {}): Turn {
  return { key: 'cassandra/orders', region, lane: region, intents: [intentOf(region)], send, ...changes };
}

const refused = new KubeError('Forbidden', 'not today');
const fails = (region: string): Promise<Outcome[]> => Promise.resolve([{ intent: intentOf(region), error: refused }]);
const succeeds = (region: string): Promise<Outcome[]> =>
  Promise.resolve([{ intent: intentOf(region), error: undefined }]);

test('a region that never answers holds up neither another region nor another key there', async () => {
  const { turns, ends } = setUp();
  turns.begin(turnOf('us', () => never()));
  turns.begin(turnOf('eu', () => succeeds('eu')));
  turns.begin(turnOf('us', () => succeeds('us'), { key: 'cassandra/other' }));
  await settle();
  assert.deepEqual(ends, [
    { key: 'cassandra/orders', afterMs: 0 },
    { key: 'cassandra/other', afterMs: 0 },
  ]);
  assert.ok(turns.isUnderWay('cassandra/orders', 'us'));
  assert.ok(!turns.isUnderWay('cassandra/orders', 'eu'));
});

test('a key has one turn at a time in a region', async () => {
  const { turns } = setUp();
  let begun = 0;
  const send = (): Promise<Outcome[]> => {
    begun++;
    return never();
  };
  turns.begin(turnOf('us', send));
  turns.begin(turnOf('us', send));
  await settle();
  assert.equal(begun, 1);
});

test('many keys that wait for a cluster that never answers leave the lanes of the others free', async () => {
  const { turns, ends } = setUp();
  for (let each = 0; each < 50; each++) turns.begin(turnOf('us', () => never(), { key: `cassandra/${each}` }));
  turns.begin(turnOf('eu', () => succeeds('eu')));
  await settle();
  assert.deepEqual(ends, [{ key: 'cassandra/orders', afterMs: 0 }]);
});

test('a change of a member that was refused waits, although each plan delivers it at another moment', async () => {
  const { turns, ends } = setUp();
  const intents = (since: string, cpu: string): Intent[] => {
    const delivery = JSON.stringify({ since, target: 'hash' });
    const metadata = { name: 'orders', annotations: { 'ringmaster.dev/delivery': delivery } };
    const object = { metadata, spec: { cpu } };
    return [{ region: 'eu', why: 'change', write: { verb: 'update', resource: resources.configMaps, object } }];
  };
  const at = (since: string, cpu: string): Turn => {
    const intent = intents(since, cpu)[0] ?? assert.fail();
    return turnOf('eu', () => Promise.resolve([{ intent, error: refused }]), { intents: [intent] });
  };
  turns.begin(at('2026-01-01T00:00:00Z', '1'));
  await settle();
  assert.equal(turns.begin(at('2026-01-01T00:00:01Z', '1')), ends[0]?.afterMs);
  assert.equal(turns.begin(at('2026-01-01T00:00:02Z', '2')), undefined, 'another change is tried at once');
});

test('the outcome is told before the region counts as free', async () => {
  const { clock } = setUp();
  const order: string[] = [];
  const turns: Turns = new Turns({
    clock,
    random: constantRandom(1),
    onOutcomes: ({ key, region }) => order.push(turns.isUnderWay(key, region) ? 'outcome, under way' : 'outcome, free'),
    onEnd: (key) => order.push(turns.isUnderWay(key, 'eu') ? 'end, under way' : 'end, free'),
    onMistake: () => undefined,
  });
  turns.begin(turnOf('eu', () => succeeds('eu')));
  await settle();
  assert.deepEqual(order, ['outcome, under way', 'end, free']);
});

test('the same write is tried again after a wait that doubles with each failure, up to half a minute', async () => {
  const { clock, turns, ends } = setUp();
  for (let failures = 0; failures < 14; failures++) {
    assert.equal(turns.begin(turnOf('us', () => fails('us'))), undefined);
    await settle();
    await clock.advance(ends.at(-1)?.afterMs ?? 0);
  }
  assert.deepEqual(
    ends.map(({ afterMs }) => afterMs),
    [20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 30_000, 30_000, 30_000],
  );
});

test('a write that failed a moment ago waits, and says how long', async () => {
  const { clock, turns } = setUp();
  turns.begin(turnOf('us', () => fails('us')));
  await settle();
  await clock.advance(5);
  assert.equal(turns.begin(turnOf('us', () => succeeds('us'))), 15);
  assert.ok(!turns.isUnderWay('cassandra/orders', 'us'));
});

test('another write than the one that failed is sent at once', async () => {
  const { turns, outcomes } = setUp();
  turns.begin(turnOf('us', () => fails('us')));
  await settle();
  assert.equal(turns.begin(turnOf('us', () => succeeds('us'), { intents: [intentOf('us', 'mended')] })), undefined);
  await settle();
  assert.equal(outcomes.at(-1)?.error, undefined);
});

test('a mistake in the program is told, and costs the region a wait and nothing else', async () => {
  const { turns, ends, mistakes } = setUp();
  turns.begin(turnOf('us', () => Promise.reject(new TypeError('undefined is not a function'))));
  await settle();
  assert.equal(mistakes.length, 1);
  assert.deepEqual(ends, [{ key: 'cassandra/orders', afterMs: 20 }]);
});

test('a stop lets what is under way end, and begins nothing more', async () => {
  const { turns } = setUp();
  let answer: ((outcomes: Outcome[]) => void) | undefined;
  turns.begin(turnOf('us', () => new Promise((resolve) => (answer = resolve))));
  await settle();
  let stopped = false;
  const stop = turns.shutDown(10_000).then(() => (stopped = true));
  turns.begin(turnOf('eu', () => succeeds('eu')));
  await settle();
  assert.ok(turns.isStopping && !stopped && !turns.isUnderWay('cassandra/orders', 'eu'));
  answer?.([]);
  await stop;
});

test('a stop aborts what has not ended by its deadline', async () => {
  const { clock, turns, mistakes } = setUp();
  const untilAborted = (signal: AbortSignal): Promise<Outcome[]> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
  turns.begin(turnOf('us', untilAborted));
  const stop = turns.shutDown(10_000);
  await clock.advance(10_000);
  await stop;
  assert.deepEqual([mistakes.length, clock.pendingTimers], [0, 0]);
});
