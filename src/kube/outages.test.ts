import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunks, FakeTransport, VirtualClock } from '../edges/testing.ts';
import { type HttpResponse, TransportError } from '../edges/transport.ts';
import { Outages } from './outages.ts';

const forever = new AbortController().signal;
const reset = new TransportError('reset', 'test');
const timeout = new DOMException('test', 'TimeoutError');

/** A cluster whose answers a test gives, and how often it was told that an outage is over. */
class Bench {
  readonly clock = new VirtualClock();
  readonly outages = new Outages(this.clock);
  over = 0;
  error: Error | undefined;
  #late: PromiseWithResolvers<HttpResponse> | undefined;
  readonly #transport = this.outages.guard(
    new FakeTransport(() => {
      if (this.#late) return this.#late.promise;
      if (this.error) throw this.error;
      return { status: 200, headers: {}, body: chunks() };
    }),
  );

  constructor() {
    this.outages.onOver(() => this.over++);
  }

  async ask(error?: Error, path = '/'): Promise<void> {
    this.error = error;
    const asked = this.#transport.send({ method: 'GET', path }, forever);
    if (error) await assert.rejects(asked, error);
    else await asked;
  }

  /** A request that is answered when what is returned is called. */
  askLate(): () => Promise<void> {
    const late = (this.#late = Promise.withResolvers());
    const answered = this.#transport.send({ method: 'GET', path: '/' }, forever);
    this.#late = undefined;
    return async () => {
      late.resolve({ status: 200, headers: {}, body: chunks() });
      await answered;
    };
  }
}

test('an outage is over with the first answer after it, and that is told once', async () => {
  for (const failure of [reset, timeout, new TransportError('refused', 'test')]) {
    const bench = new Bench();
    await bench.ask();
    await bench.ask(failure);
    await bench.ask(failure);
    assert.equal(bench.over, 0);
    await bench.ask();
    await bench.ask();
    assert.equal(bench.over, 1);
  }
});

test('an answer to a request of before the failure shows nothing', async () => {
  const bench = new Bench();
  const answer = bench.askLate();
  await bench.ask(reset);
  await answer();
  assert.equal(bench.over, 0);
  await bench.ask();
  assert.equal(bench.over, 1);
});

test('credentials that cannot be had, connections that were replaced and a slow node are no outage', async () => {
  const bench = new Bench();
  await bench.ask(new TransportError('credentials', 'test'));
  await bench.ask(new TransportError('replaced', 'test'));
  await bench.ask(timeout, '/api/v1/namespaces/a/pods/b:8778/proxy/jolokia');
  await bench.ask();
  assert.equal(bench.over, 0);
});

test('a suspicion is cleared up by the next answer', async () => {
  const bench = new Bench();
  bench.outages.suspect();
  assert.equal(bench.over, 0);
  await bench.ask();
  assert.equal(bench.over, 1);
});

test('one that comes and goes is told ever more rarely, and none is forgotten', async () => {
  const bench = new Bench();
  const at: number[] = [];
  for (let second = 0; second < 200; second++) {
    const before = bench.over;
    await bench.ask(reset);
    await bench.ask();
    if (bench.over > before) at.push(second);
    await bench.clock.advance(1_000);
  }
  assert.deepEqual(at, [0, 5, 15, 35, 75, 135, 195]);
  await bench.ask(reset);
  await bench.clock.advance(60_000);
  const before = bench.over;
  await bench.ask();
  assert.equal(bench.over, before + 1);
});

test('after two calm minutes the pause is short again', async () => {
  const bench = new Bench();
  for (let turn = 0; turn < 4; turn++) {
    await bench.ask(reset);
    await bench.ask();
    await bench.clock.advance(60_000);
  }
  assert.equal(bench.over, 4);
  await bench.clock.advance(121_000);
  await bench.ask(reset);
  await bench.ask();
  await bench.clock.advance(5_000);
  await bench.ask(reset);
  await bench.ask();
  assert.equal(bench.over, 6);
});
