import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { constantRandom, never, VirtualClock } from '../edges/testing.ts';
import { isKubeError, KubeError } from '../kube/errors.ts';
import { type LeaseRecord, newLease, readLease, withRecord } from '../kube/lease.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { LogFields, Logger } from '../telemetry/logger.ts';
import { LeaderElection } from './leader-election.ts';

/** One Lease on a server that can be cut off, and as many candidates as a test needs, on one clock. */
class Bench {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  lease: KubeObject | undefined;
  /** `silent`: what is sent arrives, and no answer ever comes. */
  state: 'open' | 'down' | 'silent' = 'open';
  requests = { get: 0, create: 0, replace: 0 };
  #version = 0;

  get record(): LeaseRecord {
    if (!this.lease) throw new Error('there is no Lease');
    return readLease(this.lease);
  }

  put(record: Partial<LeaseRecord>): void {
    const whole = { holder: '', durationMs: 15_000, acquiredAt: 0, renewedAt: 0, transitions: 0, ...record };
    const ref = { namespace: 'ns', name: 'ringmaster' };
    this.#store(this.lease ? withRecord(this.lease, whole) : newLease(ref, whole));
  }

  candidate(context: TestContext, identity: string, wallAheadMs = 0): Candidate {
    const stop = new AbortController();
    const clock = {
      ahead: wallAheadMs,
      now: () => this.clock.now() + clock.ahead,
      monotonic: () => this.clock.monotonic(),
      timer: (delayMs: number, fire: () => void) => this.clock.timer(delayMs, fire),
    };
    const say = (message: string, fields?: LogFields): void => {
      this.log.push(`${identity}: ${message} ${JSON.stringify(fields?.['why'] ?? '')}`);
    };
    const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
    let isLeader = (): boolean => false;
    const election = new LeaderElection({
      client: () => ({
        get: (_resource, _ref, signal) => this.#answer('get', signal, () => this.#there()),
        create: (_resource, object, signal) =>
          this.#answer('create', signal, () => {
            if (this.lease) throw new KubeError('AlreadyExists', 'exists', { status: 409 });
            return this.#store(object);
          }),
        replace: (_resource, object, signal) =>
          this.#answer('replace', signal, () => {
            const { resourceVersion } = this.#there().metadata;
            if (object.metadata.resourceVersion !== resourceVersion) {
              throw new KubeError('Conflict', 'changed', { status: 409 });
            }
            return this.#store(object);
          }),
      }),
      clock,
      random: constantRandom(0.5),
      logger,
      metrics: { leader: (_name, answer) => (isLeader = answer), leaderSlowPath: () => undefined },
      namespace: 'ns',
      name: 'ringmaster',
      identity,
    });
    const ended = election.run(stop.signal);
    context.after(async () => {
      this.state = 'open';
      stop.abort();
      await this.clock.advance(10_000);
      await ended;
    });
    return { election, clock, isLeader: () => isLeader(), stop: () => (stop.abort(), ended) };
  }

  #there(): KubeObject {
    if (!this.lease) throw new KubeError('NotFound', 'no such Lease', { status: 404 });
    return this.lease;
  }

  #store(object: KubeObject): KubeObject {
    const metadata = { ...object.metadata, uid: 'u', resourceVersion: String(++this.#version) };
    return (this.lease = { ...object, metadata });
  }

  async #answer(verb: keyof Bench['requests'], signal: AbortSignal, act: () => KubeObject): Promise<KubeObject> {
    this.requests[verb]++;
    if (this.state === 'down') throw new KubeError('Unreachable', 'connection refused');
    const answered = Promise.resolve().then(act);
    if (this.state === 'open') return answered;
    await answered;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => aborted.reject(signal.reason as Error));
    return Promise.race([never<KubeObject>(), aborted.promise]);
  }
}

interface Candidate {
  election: LeaderElection;
  clock: { ahead: number };
  isLeader: () => boolean;
  stop: () => Promise<void>;
}

function assertNotPermitted({ election }: Candidate): void {
  assert.throws(
    () => election.permit(),
    (error) => error instanceof KubeError && error.code === 'NotLeader' && !error.mayHaveActed,
  );
}

test('the first one leads at once, as number 0, and renews every two seconds without reading', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  assertNotPermitted(one);
  await bench.clock.advance(0);
  assert.equal(one.election.term?.transitions, 0);
  assert.equal(one.isLeader(), true);
  assert.deepEqual([bench.record.holder, bench.record.durationMs], ['one', 15_000]);
  await bench.clock.advance(20_000);
  assert.deepEqual(bench.requests, { get: 1, create: 1, replace: 10 });
});

test('a term that is renewed stays the same term', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(0);
  const { term } = one.election;
  await bench.clock.advance(60_000);
  assert.equal(one.election.term, term);
  assert.equal(one.election.permit(), term?.signal);
});

test('a Lease that is not renewed is taken fifteen seconds after it was last seen to change', async (context) => {
  const bench = new Bench();
  // Its own times say that it ended long ago, and those are another machine's.
  bench.put({ holder: 'dead', renewedAt: 1, transitions: 4 });
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(14_900);
  assertNotPermitted(one);
  await bench.clock.advance(4_500);
  assert.equal(one.election.term?.transitions, 5);
});

test('a Lease whose holder renews it is never taken, whatever its times say', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  for (let renewal = 1; renewal <= 30; renewal++) {
    bench.put({ holder: 'other', renewedAt: renewal, transitions: 4 });
    await bench.clock.advance(5_000);
    assertNotPermitted(one);
  }
});

test('a leader that cannot reach the hub stops ten seconds after it began its last renewal', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(4_000);
  const { term } = one.election;
  bench.state = 'down';
  await bench.clock.advance(9_900);
  assert.equal(term?.signal.aborted, false);
  await bench.clock.advance(200);
  assert.equal(term?.signal.aborted, true);
  assert.ok(isKubeError(term?.signal.reason, 'NotLeader'));
  assertNotPermitted(one);
  assert.equal(one.isLeader(), false);
  bench.state = 'open';
  await bench.clock.advance(10_000);
  assert.ok(one.election.term, 'it leads again');
  assert.notEqual(one.election.term, term);
});

test('an answer that comes after the deadline of its request’s term does not lengthen it', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(0);
  bench.state = 'silent';
  await bench.clock.advance(10_100);
  assertNotPermitted(one);
});

test('a wall clock that jumps ahead ends the term too: a machine may have slept', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(1_000);
  const { term } = one.election;
  one.clock.ahead = 60_000;
  assertNotPermitted(one);
  assert.equal(term?.signal.aborted, true);
});

test('a wall clock that is set back lengthens nothing', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(1_000);
  one.clock.ahead = -3_600_000;
  bench.state = 'down';
  await bench.clock.advance(10_100);
  assertNotPermitted(one);
});

test('who stops gives the Lease back, and the next one takes it within seconds', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(0);
  const two = bench.candidate(context, 'two');
  await bench.clock.advance(6_000);
  assertNotPermitted(two);
  const { term } = one.election;
  await one.stop();
  assert.equal(term?.signal.aborted, true);
  assert.deepEqual([bench.record.holder, bench.record.durationMs, bench.record.transitions], ['', 1000, 0]);
  await bench.clock.advance(4_500);
  assert.equal(two.election.term?.transitions, 1);
});

test('who stops before a renewal was answered gives the Lease back all the same', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(1_000);
  bench.state = 'silent';
  await bench.clock.advance(1_500);
  bench.state = 'open';
  await one.stop();
  assert.equal(bench.record.holder, '');
});

test('a Lease that was deleted is made anew by its leader, above all numbers before', async (context) => {
  const bench = new Bench();
  bench.put({ transitions: 6 });
  const one = bench.candidate(context, 'one');
  const two = bench.candidate(context, 'two');
  await bench.clock.advance(5_000);
  assert.equal(one.election.term?.transitions, 7);
  bench.lease = undefined;
  await bench.clock.advance(5_000);
  assert.equal(one.election.term?.transitions, 8);
  assertNotPermitted(two);
});

test('a leader that somebody else takes the Lease from stands by', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(1_000);
  bench.put({ holder: 'thief', transitions: 1 });
  await bench.clock.advance(3_000);
  assertNotPermitted(one);
  assert.equal(bench.record.holder, 'thief');
});

test('who meets the stamp of a later leader gives the Lease back, says why, and comes again above it', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  await bench.clock.advance(0);
  one.election.met(41, 'the member of region eu');
  assertNotPermitted(one);
  await bench.clock.advance(100);
  assert.equal(bench.record.holder, '');
  assert.ok(bench.log.some((line) => line.includes('the member of region eu carries the stamp of leader number 41')));
  await bench.clock.advance(4_000);
  assertNotPermitted(one);
  await bench.clock.advance(10_000);
  assert.equal(one.election.term?.transitions, 42);
});

test('a stamp that a standby has met is below its first term', async (context) => {
  const bench = new Bench();
  bench.put({ holder: 'dead', transitions: 2 });
  const one = bench.candidate(context, 'one');
  one.election.met(9, 'the guard of region us');
  await bench.clock.advance(25_000);
  assert.equal(one.election.term?.transitions, 10);
});

test('what concerns the Lease itself is exempt, and nothing else', (context) => {
  const { election } = new Bench().candidate(context, 'one');
  const lease = '/apis/coordination.k8s.io/v1/namespaces/ns/leases';
  for (const path of [`${lease}/ringmaster?fieldManager=x`, `${lease}?fieldManager=x`]) {
    assert.equal(election.exempts(path), true, path);
  }
  for (const path of [`${lease}/other`, '/api/v1/namespaces/ns/configmaps/ringmaster', '/readyz']) {
    assert.equal(election.exempts(path), false, path);
  }
});

test('everybody can tell who leads, and that nobody does', async (context) => {
  const bench = new Bench();
  const one = bench.candidate(context, 'one');
  assert.equal(one.election.leader, undefined);
  await bench.clock.advance(5_000);
  const two = bench.candidate(context, 'two');
  await bench.clock.advance(5_000);
  assert.deepEqual([one.election.leader, two.election.leader], ['one', 'one']);
  bench.state = 'down';
  await bench.clock.advance(30_000);
  assert.deepEqual([one.election.leader, two.election.leader], [undefined, undefined]);
});
