import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import { TransportError } from '../edges/transport.ts';
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
    changes.length = 0;
    set(up);
    await clock.advance(60_000);
    assert.equal(probe.state, true);
    assert.equal(changes.length, 2, 'that it answers, and that it has gone on doing so');
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

test('it is called steady only after half a minute without a failure', async () => {
  const { probe, clock, set } = watched(refused);
  await whileRunning(probe, async () => {
    await clock.advance(10_000);
    set(up);
    await clock.until('it answers', () => probe.state === true);
    assert.ok(!probe.isSteady);
    await clock.advance(20_000);
    set(refused);
    await clock.advance(10_000);
    set(up);
    await clock.advance(20_000);
    assert.ok(!probe.isSteady, 'one failure begins it anew');
    await clock.advance(20_000);
    assert.ok(probe.isSteady);
  });
});

test('a cluster that has not answered since the start is not called unreachable within the first minute', async () => {
  const { probe, clock } = watched(refused);
  await whileRunning(probe, async () => {
    await clock.advance(59_000);
    assert.equal(problemOf(probe).isFirstLook, true);
    await clock.advance(1_000);
    assert.equal(problemOf(probe).isFirstLook, undefined);
  });
});

const failures = [
  ['refused', 'Refused'],
  ['dns', 'NameNotFound'],
  ['tls', 'TLS'],
  ['timeout', 'Timeout'],
  ['reset', 'Reset'],
  ['unreachable', 'NoRoute'],
  ['credentials', 'Unauthorized'],
] as const;
for (const [failure, answer] of failures) {
  test(`a transport that fails with ${failure} makes the reason ${answer}`, async () => {
    const cause = new TransportError(failure, 'what happened');
    const { probe, clock } = watched(() => Promise.reject(new KubeError('Unreachable', 'what happened', { cause })));
    await whileRunning(probe, async () => {
      await clock.advance(10_000);
      assert.equal(problemOf(probe).answer, answer);
      assert.match(problemOf(probe).message, /since 2026-01-01T00:00:00.000Z its API server .*what happened/);
    });
  });
}

test('a server that answers that it is not ready, or that it forbids the question, is told from one that is silent', async () => {
  for (const [status, answer] of [
    [500, 'NotReady'],
    [403, 'Forbidden'],
  ] as const) {
    const { probe, clock } = watched(() => Promise.resolve({ status, body: 'no' }));
    await whileRunning(probe, async () => {
      await clock.advance(10_000);
      assert.equal(problemOf(probe).answer, answer);
      assert.ok(probe.lastSeen !== undefined);
    });
  }
});

test('a server without /readyz is asked for /healthz', async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const getPath: KubeClient['getPath'] = (path) => {
    asked.push(path);
    return Promise.resolve({ status: path === '/healthz' ? 200 : 404, body: '' });
  };
  const probe = new Reachability('eu', { getPath }, clock, () => undefined);
  await whileRunning(probe, async () => {
    await clock.advance(10_000);
    assert.equal(probe.state, true);
    assert.deepEqual(asked, ['/readyz', '/healthz', '/healthz']);
  });
});

test('a nudge has it ask again soon, and a hundred of them ask no oftener than once a second', async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const getPath: KubeClient['getPath'] = () => {
    asked++;
    return Promise.resolve({ status: 200, body: '' });
  };
  const probe = new Reachability('eu', { getPath }, clock, () => undefined);
  await whileRunning(probe, async () => {
    for (let each = 0; each < 100; each++) {
      await clock.advance(50);
      probe.nudge();
    }
    assert.ok(asked >= 4 && asked <= 6, `${asked} times in 5 s`);
  });
});

test('a cluster that answers the first time it is asked is called so at once', async () => {
  const { probe, clock } = watched(up);
  await whileRunning(probe, async () => {
    await clock.until('it is reachable', () => probe.state === true);
    assert.ok(probe.isSteady);
  });
});
