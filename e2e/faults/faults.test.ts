import { after, before, suite, test, type TestContext } from 'node:test';
import { command } from '../harness/run/command.ts';
import { waitFor } from '../harness/index.ts';
import type { TcpFault } from '../proxy/tcp-proxy.ts';
import { Bed, type Fault, hub, type Member, members } from './bed.ts';
import { describe } from './table.ts';
import { compactEtcd } from './compact-etcd.ts';

const none: TcpFault = { kind: 'none' };
const unreachable = { status: 'False', reason: /^(Timeout|Refused)$/ } as const;

suite('a region with a fault', () => {
  let bed: Bed;

  before(async () => {
    bed = await Bed.start();
  });
  after(async () => {
    console.log(describe(bed?.rows ?? []));
    await bed?.stop();
  });

  /** A fault between the controller and a region. */
  function onTheWay(name: string, region: Member, fault: TcpFault, more: Partial<Fault> = {}): Fault {
    const proxy = bed.proxy(region);
    return {
      name,
      region,
      begin: () => void (proxy.fault = fault),
      end: () => void (proxy.fault = none),
      ...more,
    };
  }

  async function suffers(t: TestContext, fault: Fault): Promise<void> {
    t.diagnostic(describe([await bed.suffer(fault)]));
  }

  test('reset connections', (t) =>
    suffers(t, onTheWay('connections reset', 'eu', { kind: 'reset' }, { says: { status: 'False', reason: /./ } })));

  test('one third of the regions black-holed', (t) =>
    suffers(t, onTheWay('one third black-holed', 'us', { kind: 'black hole' }, { says: unreachable })));

  test('half-open connections', (t) =>
    suffers(t, onTheWay('half-open connections', 'ap', { kind: 'half-open' }, { says: unreachable })));

  test('a watch that stalls without FIN: what comes later is not missed', (t) =>
    suffers(t, onTheWay('watch stalled without FIN', 'eu', { kind: 'freeze' }, { letsThrough: true })));

  test('answers that come in drips', (t) =>
    suffers(t, onTheWay('slow drip', 'us', { kind: 'drip', bytes: 200, everyMs: 5 }, { letsThrough: true })));

  test('answers that are cut off', (t) =>
    suffers(
      t,
      onTheWay('answers truncated', 'ap', { kind: 'truncate', bytes: 700 }, { says: { status: 'False', reason: /./ } }),
    ));

  test('4 s of latency', (t) =>
    suffers(t, onTheWay('4 s latency', 'eu', { kind: 'latency', ms: 4_000 }, { letsThrough: true })));

  test('an API server that stands still and goes on', (t) => {
    const plane = bed.regions.region('us').controlPlane;
    return suffers(t, {
      name: 'API server SIGSTOPped and continued',
      region: 'us',
      begin: () => plane.pause(),
      end: () => plane.resume(),
      says: unreachable,
    });
  });

  test('a control plane that is down and comes back', (t) => {
    const plane = bed.regions.region('ap').controlPlane;
    return suffers(t, {
      name: 'region down, and back',
      region: 'ap',
      begin: () => plane.kill(),
      end: () => plane.up(AbortSignal.timeout(120_000)),
      says: { status: 'False', reason: /./ },
    });
  });

  test('a history compacted while the watch was away: 410', (t) =>
    suffers(t, {
      name: 'etcd compaction (410)',
      region: 'eu',
      begin: async () => {
        bed.proxy('eu').fault = { kind: 'black hole' };
        for (let count = 0; count < 3; count++) await touchPods(bed, 'eu');
        await compactEtcd(bed.regions.region('eu'));
      },
      end: () => void (bed.proxy('eu').fault = none),
    }));

  test('a token that is revoked, and rotated', async (t) => {
    const { account } = bed.regions.region('ap').controlPlane;
    const first = await account.revocableToken();
    bed.register({ ap: first.token });
    await waitFor(
      () => bed.controller.log().some((line) => line['region'] === 'ap' && /registered now/.test(line.message)),
      {
        what: 'the token to be in use',
        timeoutMs: 120_000,
      },
    );
    await suffers(t, {
      name: 'token revoked, then rotated',
      region: 'ap',
      begin: () => first.revoke(),
      end: () => bed.register(),
      says: { status: 'False', reason: /^Unauthorized$/ },
    });
  });

  test('a hub that is down and comes back', async (t) => {
    const beforeMs = await bed.latencyOfEdits(members);
    const plane = bed.regions.region(hub).controlPlane;
    await plane.kill();
    await command('sleep', ['12']);
    await plane.up(AbortSignal.timeout(120_000));
    const ended = performance.now();
    await bed.untilArrived(await bed.edit(), members);
    const row = {
      fault: 'hub down, and back',
      beforeMs,
      duringMs: undefined,
      recoveryMs: performance.now() - ended,
      says: '-',
    };
    bed.rows.push(row);
    t.diagnostic(describe([row]));
  });

  test('a region that is down when the controller starts', async (t) => {
    const plane = bed.regions.region('us').controlPlane;
    await bed.restartController(() => plane.kill());
    await suffers(t, {
      name: 'region down at the start',
      region: 'us',
      begin: () => undefined,
      end: () => plane.up(AbortSignal.timeout(120_000)),
      says: { status: 'False', reason: /./ },
    });
  });

  test('leaves nothing behind in the end: all is Ready, and no node was restarted', async () => {
    await bed.federation.ready();
    for (const { pod } of await bed.federation.allPods()) {
      for (const { restartCount } of pod.status.containerStatuses ?? []) {
        if (restartCount > 0) throw new Error(`${pod.metadata.name} was restarted`);
      }
    }
  });
});

/** Changes what is watched, so that its history grows. */
async function touchPods(bed: Bed, region: string): Promise<void> {
  const { namespace } = bed.federation;
  for (const { metadata } of await bed.federation.pods(region)) {
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}`;
    await bed.federation
      .api(region)
      .patch(path, 'merge', { metadata: { annotations: { touched: String(performance.now()) } } });
  }
}
