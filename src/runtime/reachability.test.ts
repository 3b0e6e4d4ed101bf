import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import type { KubeClient } from '../kube/client.ts';
import type { UnknownRegion } from '../federation/snapshot.ts';
import { KubeError } from '../kube/errors.ts';
import { Reachability } from './reachability.ts';

type Answer = () => ReturnType<KubeClient['getPath']>;

const up: Answer = () => Promise.resolve({ status: 200, body: 'ok' });
const refused: Answer = () => Promise.reject(new KubeError('Unreachable', 'GET /readyz: connection refused'));

/** A cluster that answers each probe as `answer` says at that moment. */
function watched(first: Answer): {
  probe: Reachability;
  clock: VirtualClock;
  changes: number[];
  set: (answer: Answer) => void;
} {
  const clock = new VirtualClock();
  const changes: number[] = [];
  let answer = first;
  const probe = new Reachability('eu', { getPath: () => answer() }, clock, () => changes.push(clock.monotonic()));
  return { probe, clock, changes, set: (next) => (answer = next) };
}

function problemOf({ state }: Reachability): UnknownRegion {
  assert.ok(state !== true, 'it is reachable');
  return state;
}

async function whileRunning(probe: Reachability, check: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const running = probe.run(stop.signal);
  await check();
  stop.abort();
  await running;
}

test('a cluster that answers is reachable', async () => {
  const { probe, clock } = watched(up);
  await whileRunning(probe, async () => {
    await clock.until('it is reachable', () => probe.state === true);
  });
});

test('before the first answer nothing can be said', () => {
  const { state } = watched(up).probe;
  assert.ok(state !== true);
  assert.equal(state.reason, 'NotSynced');
});

test('one lost probe is no outage, two in a row are', async () => {
  const { probe, clock, set } = watched(up);
  await whileRunning(probe, async () => {
    await clock.advance(1);
    set(refused);
    await clock.advance(10_000);
    assert.equal(probe.state, true);
    await clock.advance(3_000);
    assert.equal(problemOf(probe).reason, 'Unreachable');
    assert.match(problemOf(probe).message, /connection refused/);
  });
});

test('an unreachable cluster is found again, and each change is told once', async () => {
  const { probe, clock, changes, set } = watched(refused);
  await whileRunning(probe, async () => {
    await clock.advance(60_000);
    assert.equal(changes.length, 0);
    set(up);
    await clock.advance(60_000);
    assert.equal(probe.state, true);
    assert.equal(changes.length, 1);
  });
});

test('a probe without an answer ends at its deadline', async () => {
  const hanging = {
    getPath: (_path: string, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  };
  const clock = new VirtualClock();
  const probe = new Reachability('eu', hanging, clock, () => undefined);
  await whileRunning(probe, async () => {
    await clock.advance(20_000);
    assert.match(problemOf(probe).message, /no answer within 5000 ms/);
  });
});

test('refused credentials are told from an unreachable server', async () => {
  const { probe, clock } = watched(() => Promise.resolve({ status: 401, body: 'Unauthorized' }));
  await whileRunning(probe, async () => {
    await clock.advance(10_000);
    assert.equal(problemOf(probe).reason, 'Unauthorized');
  });
});

test('it stops at once, leaving no timer behind', async () => {
  const { probe, clock } = watched(up);
  await whileRunning(probe, () => clock.advance(25_000));
  assert.equal(clock.pendingTimers, 0);
});
