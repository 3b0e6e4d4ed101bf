import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constantRandom, FakeTransport, jsonResponse, never, VirtualClock } from '../edges/testing.ts';
import { type HttpResponse, TransportError } from '../edges/transport.ts';
import { createKubeClient } from './http-client.ts';
import { isKubeError, type KubeError } from './errors.ts';
import { resources } from './objects.ts';
import { RequestGate } from './request-gate.ts';

const forever = new AbortController().signal;
const ref = { namespace: 'cassandra', name: 'guard' };

/** A client behind a gate, of a server that answers as `answer` says at that moment. */
function setUp() {
  const clock = new VirtualClock();
  const gate = new RequestGate(clock, constantRandom(1));
  const world = { answer: (): Promise<HttpResponse> | HttpResponse => up() };
  const transport = new FakeTransport(() => world.answer());
  const client = createKubeClient({
    transport: gate.guard(transport),
    clock,
    fieldManager: 'test',
    userAgent: 'test',
    requestDeadlineMs: 15_000,
  });
  const ask = async (): Promise<KubeError | undefined> => {
    const answer = client.patchStatus(resources.configMaps, ref, '1', {}, forever).then(
      () => undefined,
      (error: unknown) => error,
    );
    const [error] = await Promise.all([answer, clock.advance(0)]);
    assert.ok(error === undefined || isKubeError(error));
    return error;
  };
  return { clock, gate, world, transport, client, ask };
}

const up = (): HttpResponse =>
  jsonResponse(200, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...ref, resourceVersion: '2' } });
const refused = (): never => {
  throw new TransportError('refused', 'connect ECONNREFUSED');
};

test('after three requests without an answer the next fails at once, and surely changed nothing', async () => {
  const { world, transport, ask } = setUp();
  world.answer = refused;
  for (let each = 0; each < 3; each++) assert.equal((await ask())?.code, 'Unreachable');
  const error = await ask();
  assert.equal(error?.code, 'CircuitOpen');
  assert.equal(error?.mayHaveActed, false);
  assert.match(error?.message ?? '', /not sent, since 3 requests in a row had no answer, the last: .*ECONNREFUSED/);
  assert.equal(transport.sent.length, 3);
});

test('requests that ran into their deadline count', async () => {
  const { clock, gate, world, client } = setUp();
  world.answer = () => never();
  const all = Promise.allSettled([1, 2, 3].map(() => client.get(resources.configMaps, ref, forever)));
  await clock.advance(15_000);
  await all;
  assert.match(gate.breaker.problem ?? '', /no answer within 15000 ms/);
});

test('an answer that is no success is an answer, and what was given up says nothing', async () => {
  const { clock, gate, world, client, ask } = setUp();
  world.answer = () => jsonResponse(503, { kind: 'Status', apiVersion: 'v1' });
  for (let each = 0; each < 5; each++) assert.equal((await ask())?.code, 'ServerError');
  world.answer = () => never();
  for (let each = 0; each < 5; each++) {
    const stop = new AbortController();
    const request = client.get(resources.configMaps, ref, stop.signal).catch(() => undefined);
    await clock.advance(1);
    stop.abort();
    await request;
  }
  assert.equal(gate.breaker.problem, undefined);
});

test('it stays open until a probe was answered and a wait is over; then one request tries', async () => {
  const { clock, gate, world, transport, ask } = setUp();
  world.answer = refused;
  for (let each = 0; each < 3; each++) await ask();
  await clock.advance(60_000);
  assert.equal((await ask())?.code, 'CircuitOpen');
  gate.breaker.serverAnswers();
  assert.equal((await ask())?.code, 'Unreachable');
  assert.equal(transport.sent.length, 4);
  gate.breaker.serverAnswers();
  assert.equal((await ask())?.code, 'CircuitOpen', 'the wait is not over');
  await clock.advance(2_000);
  world.answer = up;
  assert.equal(await ask(), undefined);
  assert.equal(await ask(), undefined);
});

test('while one request tries the others fail', async () => {
  const { clock, gate, world, client, ask } = setUp();
  world.answer = refused;
  for (let each = 0; each < 3; each++) await ask();
  await clock.advance(10_000);
  gate.breaker.serverAnswers();
  let answer: ((response: HttpResponse) => void) | undefined;
  world.answer = () => new Promise((resolve) => (answer = resolve));
  const trial = client.get(resources.configMaps, ref, forever);
  await clock.advance(1);
  assert.equal((await ask())?.code, 'CircuitOpen');
  answer?.(up());
  await trial;
  assert.equal(gate.breaker.problem, undefined);
});

test('each failure is told, so that somebody asks whether the server is there', async () => {
  const { gate, world, ask } = setUp();
  let told = 0;
  const end = gate.breaker.onFailure(() => told++);
  world.answer = refused;
  await ask();
  assert.equal(told, 1);
  end();
  await ask();
  assert.equal(told, 1);
});

test('watches pass: neither limited nor counted nor refused', async () => {
  const { gate, world, transport } = setUp();
  const guarded = gate.guard(transport);
  world.answer = refused;
  const watch = { method: 'GET', path: '/api/v1/pods?watch=true', streaming: true } as const;
  for (let each = 0; each < 100; each++) await assert.rejects(guarded.send(watch, forever), /ECONNREFUSED/);
  assert.equal(gate.breaker.problem, undefined);
});

test('a request that waits beyond its deadline for its turn surely changed nothing', async () => {
  const { clock, client } = setUp();
  const errors: unknown[] = [];
  for (let each = 0; each < 500; each++) {
    client.patchStatus(resources.configMaps, ref, '1', {}, forever).catch((error: unknown) => errors.push(error));
  }
  await clock.advance(15_000);
  // The last token comes in the very moment of the deadline.
  assert.ok(Math.abs(errors.length - (500 - 40 - 20 * 15)) <= 1, `${errors.length} were not sent`);
  assert.ok(errors.every((error) => isKubeError(error, 'Timeout') && !error.mayHaveActed));
});
