import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiCassandraClusters } from '../api/schema.ts';
import { settle, VirtualClock } from '../edges/testing.ts';
import type { Line } from '../federation/story.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Events } from './events.ts';

const orders: KubeObject = { metadata: { namespace: 'cassandra', name: 'orders', uid: 'u1' } };
const line: Line = { type: 'Normal', reason: 'Ready', action: 'Ready', note: 'three regions run one ring' };

function setUp(options: { enabled?: boolean; fail?: boolean } = {}) {
  const clock = new VirtualClock();
  const created: KubeObject[] = [];
  const counted: unknown[] = [];
  const results: string[] = [];
  const events = new Events({
    client: {
      create: async (_resource, object) => {
        if (options.fail) throw new KubeError('Forbidden', 'no events for you', { status: 403 });
        created.push(object);
        return Promise.resolve(object);
      },
      jsonPatch: async (_resource, ref, [operation]) => {
        counted.push(operation && 'value' in operation ? operation.value : undefined);
        return Promise.resolve({ metadata: ref });
      },
    },
    clock,
    logger: createLogger({ level: 'error', clock }),
    metrics: { event: (result) => void results.push(result) },
    reportingInstance: 'here_1',
    enabled: () => options.enabled ?? true,
  });
  const stop = new AbortController();
  const running = events.run(stop.signal);
  return { clock, created, counted, results, events, end: () => (stop.abort(), running) };
}

test('an event says of what, by whom, why and when', async () => {
  const { created, events, end } = setUp();
  events.tell(multiCassandraClusters, orders, [line]);
  await settle();
  const [event] = created;
  assert.deepEqual(event?.['regarding'], {
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    namespace: 'cassandra',
    name: 'orders',
    uid: 'u1',
  });
  assert.match(String(event?.['eventTime']), /\.\d{6}Z$/);
  assert.deepEqual([event?.['type'], event?.['reason'], event?.['note']], ['Normal', 'Ready', line.note]);
  await end();
});

test('the same line again is counted on the event that is there', async () => {
  const { created, counted, events, clock, end } = setUp();
  for (let time = 0; time < 3; time++) {
    events.tell(multiCassandraClusters, orders, [line]);
    await clock.advance(1_000);
  }
  assert.equal(created.length, 1);
  assert.deepEqual(
    counted.map((each) => (each as { count: number }).count),
    [2, 3],
  );
  await clock.advance(11 * 60_000);
  events.tell(multiCassandraClusters, orders, [line]);
  await clock.advance(1_000);
  assert.equal(created.length, 2);
  await end();
});

test('a standby tells nothing', async () => {
  const { created, events, end } = setUp({ enabled: false });
  events.tell(multiCassandraClusters, orders, [line]);
  await settle();
  assert.deepEqual(created, []);
  await end();
});

test('a hub that takes no events costs nothing but the events', async () => {
  const { events, results, end } = setUp({ fail: true });
  events.tell(multiCassandraClusters, orders, [line, line]);
  await settle();
  assert.deepEqual(results, ['failed', 'failed']);
  await end();
});

test('a long note is cut to what an event can hold, and a storm to what a person can read', async () => {
  const { created, events, results, clock, end } = setUp();
  events.tell(multiCassandraClusters, orders, [{ ...line, note: 'é'.repeat(2000) }]);
  const storm = Array.from({ length: 500 }, (_, index) => ({ ...line, note: `line ${index}` }));
  events.tell(multiCassandraClusters, orders, storm);
  await clock.advance(10 * 60_000);
  assert.ok(Buffer.byteLength(String(created[0]?.['note'])) <= 1024);
  assert.ok(created.length <= 51, String(created.length));
  assert.equal(results.filter((each) => each === 'dropped').length, 501 - created.length);
  await end();
});

test('one object that has much to tell does not silence another', async () => {
  const { created, events, clock, end } = setUp();
  const storm = Array.from({ length: 500 }, (_, index) => ({ ...line, note: `line ${index}` }));
  events.tell(multiCassandraClusters, orders, storm);
  events.tell(multiCassandraClusters, { metadata: { namespace: 'shop', name: 'carts', uid: 'u2' } }, [line]);
  await clock.advance(60_000);
  assert.ok(created.some(({ metadata }) => metadata.name.startsWith('carts.')));
  await end();
});

test('what is told in one moment is named in the order in which it was told', async () => {
  const { created, events, clock, end } = setUp();
  const notes = Array.from({ length: 10 }, (_, index) => `line ${index}`);
  events.tell(
    multiCassandraClusters,
    orders,
    notes.map((note) => ({ ...line, note })),
  );
  await clock.advance(10_000);
  const byName = created.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  assert.deepEqual(
    byName.map((each) => each['note']),
    notes,
  );
  await end();
});
