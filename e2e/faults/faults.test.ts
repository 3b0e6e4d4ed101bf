import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test, type TestContext } from 'node:test';
import { makeCertificates } from '../harness/certificates.ts';
import { command } from '../harness/run/command.ts';
import { controllerUser, waitFor } from '../harness/index.ts';
import { ApiProxy } from '../proxy/api-proxy.ts';
import type { TcpFault } from '../proxy/tcp-proxy.ts';
import { untouchedWrites } from '../proxy/write.ts';
import { installCrd } from '../ring/federation.ts';
import { Bed, hub, type Member, members, timeoutMs } from './bed.ts';
import { compactEtcd } from './compact-etcd.ts';
import { RequestStorm } from './request-storm.ts';
import { type Fault, suffer, told } from './suffer.ts';
import { describe, type Row } from './table.ts';

const none: TcpFault = { kind: 'none' };
const timeout = { status: 'False', reason: 'Timeout' } as const;
const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/multicassandraclusters.ringmaster.dev';
const memberCrdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cassandraclusters.db.orange.com';
/** The CRD is known to be missing, or a write there has just been answered so. */
const noCrd = /^(PreconditionMissing|WriteRefused)$/;
const reset = { status: 'False', reason: 'Reset' } as const;
/** Long enough that whoever leads loses its Lease, seconds. */
const hubDownSeconds = 12;

suite('a region with a fault', () => {
  let bed: Bed;
  let nodes: Record<string, unknown>;

  before(async () => {
    bed = await Bed.start();
    nodes = await bed.federation.whatRuns();
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
    t.diagnostic(describe([await suffer(bed, fault)]));
  }

  function tell(t: TestContext, row: Row): void {
    bed.rows.push(row);
    t.diagnostic(describe([row]));
  }

  test('reset connections', (t) => suffers(t, onTheWay('connections reset', 'eu', { kind: 'reset' }, { says: reset })));

  test('one third of the regions black-holed', (t) =>
    suffers(t, onTheWay('one third black-holed', 'us', { kind: 'black hole' }, { says: timeout })));

  test('half-open connections', (t) =>
    suffers(t, onTheWay('half-open connections', 'ap', { kind: 'half-open' }, { says: timeout })));

  test('a watch that stalls without FIN: what comes later is not missed', (t) =>
    suffers(t, onTheWay('watch stalled without FIN', 'eu', { kind: 'freeze' }, { letsThrough: true })));

  test('answers that come in drips', (t) =>
    suffers(t, onTheWay('slow drip', 'us', { kind: 'drip', bytes: 200, everyMs: 5 }, { letsThrough: true })));

  test('answers that are cut off', (t) =>
    suffers(t, onTheWay('answers truncated', 'ap', { kind: 'truncate', bytes: 700 }, { says: reset })));

  test('4 s of latency', (t) =>
    suffers(t, onTheWay('4 s latency', 'eu', { kind: 'latency', ms: 4_000 }, { letsThrough: true })));

  test('an API server that stands still and goes on', (t) => {
    const plane = bed.regions.region('us').controlPlane;
    return suffers(t, {
      name: 'API server SIGSTOPped and continued',
      region: 'us',
      begin: () => plane.pause(),
      end: () => plane.resume(),
      says: timeout,
    });
  });

  test('a control plane that is down and comes back', (t) => {
    const plane = bed.regions.region('ap').controlPlane;
    return suffers(t, {
      name: 'region down, and back',
      region: 'ap',
      begin: () => plane.kill(),
      end: () => plane.up(AbortSignal.timeout(120_000)),
      says: reset,
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
      says: timeout,
    }));

  test('an API server that answers 429 to everything', (t) => {
    const region = bed.regions.region('us');
    const storm = new RequestStorm(region, bed.federation.namespace);
    return suffers(t, {
      name: 'storm of 429',
      region: 'us',
      begin: async () => {
        await storm.begin();
        // Watches of before would go on.
        bed.proxy('us').fault = { kind: 'reset' };
        bed.proxy('us').fault = none;
      },
      end: () => storm.end(),
      says: { status: 'False', reason: 'NotReady' },
    });
  });

  test('a region that the network cuts off from everything', (t) =>
    suffers(t, {
      name: 'region partitioned off',
      region: 'ap',
      begin: () => bed.regions.cut('ap', 'blackhole', 'everything'),
      end: () => bed.regions.heal('ap'),
      says: timeout,
    }));

  test('a region that the network cuts off from the other regions only', (t) =>
    suffers(t, {
      name: 'partition between regions',
      region: 'eu',
      begin: () => bed.regions.cut('eu'),
      end: () => bed.regions.heal('eu'),
      says: { type: 'RingMember', status: 'False', reason: 'NotAlive' },
      letsThrough: true,
    }));

  test('a token that is revoked, and rotated', async (t) => {
    const { account } = bed.regions.region('ap').controlPlane;
    const first = await account.revocableToken();
    await bed.registered('ap', () => bed.register({ ap: { token: first.token } }));
    await suffers(t, {
      name: 'token revoked, then rotated',
      region: 'ap',
      begin: () => first.revoke(),
      end: () => bed.register(),
      says: { status: 'False', reason: 'Unauthorized' },
    });
  });

  test('an authority that is rotated in the region first, then in the registration', async (t) => {
    const target = bed.regions.region('eu').controlPlane;
    const proxy = bed.proxy('eu');
    const servers = ['old', 'next'].map(async (name) => {
      const certificates = await makeCertificates(name, ['127.0.0.1']);
      const rewrite = (path: string): string => path;
      const server = await ApiProxy.start({ target, certificates, rewrite, writes: untouchedWrites });
      return { server, authority: certificates.authority };
    });
    const [old, next] = (await Promise.all(servers)) as [Awaited<(typeof servers)[0]>, Awaited<(typeof servers)[0]>];
    try {
      await bed.registered('eu', () => {
        proxy.leadTo(old.server.url);
        bed.register({ eu: { authority: old.authority } });
      });
      await suffers(t, {
        name: 'CA rotated',
        region: 'eu',
        begin: () => proxy.leadTo(next.server.url),
        end: () => bed.register({ eu: { authority: next.authority } }),
        says: { status: 'False', reason: 'TLS' },
      });
      await bed.registered('eu', () => {
        proxy.leadTo(target.url);
        bed.register();
      });
    } finally {
      proxy.leadTo(target.url);
      await Promise.all([old.server.close(), next.server.close()]);
    }
  });

  test('a hub that is down and comes back', async (t) => {
    await bed.untilCalm();
    const beforeMs = await bed.latencyOfEdits(members);
    const plane = bed.regions.region(hub).controlPlane;
    await plane.kill();
    await command('sleep', [String(hubDownSeconds)]);
    await plane.up(AbortSignal.timeout(120_000));
    const ended = performance.now();
    await bed.untilArrived(await bed.edit(), members);
    const recoveryMs = performance.now() - ended;
    tell(t, { fault: 'hub down, and back', beforeMs, duringMs: undefined, recoveryMs, says: '-' });
  });

  test('a hub whose CRD is deleted, with all that is of it, and created again: no region is touched', async (t) => {
    await bed.untilCalm();
    const beforeMs = await bed.latencyOfEdits(members);
    const { api } = bed.regions.region(hub);
    const writes = bed.federation.writesToRegions();
    await api.delete(crdPath);
    await waitFor(async () => (await api.find(crdPath)) === undefined, { what: 'the CRD to be gone', timeoutMs });
    const notFound = listsNotFound(bed);
    await waitFor(() => listsNotFound(bed) > notFound, { what: 'the controller to notice', timeoutMs });
    assert.deepEqual(bed.federation.writesToRegions(), writes);
    await installCrd(bed.regions, hub);
    const ended = performance.now();
    await bed.untilArrived(await bed.edit(), members);
    const recoveryMs = performance.now() - ended;
    tell(t, { fault: 'CRD of the hub deleted, and back', beforeMs, duringMs: undefined, recoveryMs, says: '-' });
  });

  test('a region that is down when the controller starts', async (t) => {
    const plane = bed.regions.region('us').controlPlane;
    await suffers(t, {
      name: 'region down at the start',
      region: 'us',
      begin: () => bed.restartController(() => plane.kill()),
      end: () => plane.up(AbortSignal.timeout(120_000)),
      says: reset,
    });
  });

  test('leaves nothing behind in the end: all is Ready, and no node was restarted', async () => {
    await bed.federation.ready();
    assert.deepEqual(await bed.federation.whatRuns(), nodes);
  });

  test('a region whose CRD is deleted, and its member with it, and created again: the member comes back on its disks', async (t) => {
    const [region, others] = ['ap', ['eu', 'us']] as const;
    await bed.untilCalm();
    const beforeMs = await bed.latencyOfEdits(others);
    const { controller } = bed;
    const { api } = bed.regions.region(region);
    const hosts = (await bed.federation.region(region))?.hosts;
    await api.delete(memberCrdPath);
    await waitFor(async () => (await api.find(memberCrdPath)) === undefined, { what: 'the CRD to be gone', timeoutMs });
    const duringMs = await bed.latencyOfEdits(others);
    const said = await waitFor(
      async () => {
        const found = await bed.federation.condition('Applied', region);
        if (found?.status === 'False' && noCrd.test(found.reason)) return found;
        throw new Error(JSON.stringify(found));
      },
      { what: 'the status to say that the member cannot be written', timeoutMs },
    );
    assert.equal((await bed.federation.condition('Ready'))?.status, 'False');
    await bed.regions.region(region).applyOperatorCrds();
    const ended = performance.now();
    await bed.untilArrived(await bed.edit(), members);
    await bed.federation.ready();
    const recoveryMs = performance.now() - ended;
    assert.deepEqual((await bed.federation.region(region))?.hosts, hosts, 'the hosts of before, with their data');
    const now = await bed.federation.whatRuns();
    for (const other of others) assert.deepEqual(now[other], nodes[other]);
    assert.ok(controller.running && controller === bed.controller, 'it is the same controller');
    tell(t, { fault: 'CRD of a region deleted, and back', beforeMs, duringMs, recoveryMs, says: told(said) });
  });
});

/** How often the controller has asked the hub for MultiCassandraClusters where there was no such kind. */
function listsNotFound(bed: Bed): number {
  const isOne = (line: string): boolean =>
    [controllerUser, '"resource":"multicassandraclusters"', '"code":404'].every((part) => line.includes(part));
  return readFileSync(bed.regions.region(hub).auditLog, 'utf8').split('\n').filter(isOne).length;
}

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
