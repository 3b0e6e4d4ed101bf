import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Regions, startRegions, waitFor, type ApiObject } from '../harness/index.ts';
import { ControllerProxies } from '../proxy/controller-proxies.ts';
import { holdWrites } from '../proxy/hold.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import { isOfLease, makeSecondAccount, Replica, writesOfReplicas, writesWithoutLease } from './replica.ts';

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/ringmaster-system/leases/ringmaster';
const leaseDurationMs = 15_000;
/** No more than a request on its way adds to it. */
const renewDeadlineMs = 10_500;
/** What a busy machine may add to every time that is promised. */
const slackMs = 8_000;
const editEveryMs = 250;

interface Lease extends ApiObject {
  spec: { holderIdentity: string; leaseTransitions: number; renewTime: string; acquireTime: string };
}

suite('two controllers on one hub', () => {
  let regions: Regions;
  let federation: Federation;
  let leader: Replica;
  let standby: Replica;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('cassandra', { nodes: 'light', pace: 'fast' });
    federation = new Federation(regions, 'cassandra');
    await federation.apply();
    leader = new Replica(regions, 'first', 'ringmaster');
    await leader.untilLeads();
    await makeSecondAccount(regions, 'eu', 'cassandra');
    standby = new Replica(regions, 'second', 'second');
    await standby.untilReady();
    await federation.ready();
  });
  after(() => regions?.stop());

  const lease = (): Promise<Lease> => regions.region('eu').api.get<Lease>(leasePath);

  /** Has the user edit all the time while `work` runs, so that whoever leads writes to both regions all the time. */
  async function whileEditing<T>(work: () => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const edits = (async () => {
      for (let seconds = 20; !stop.signal.aborted; seconds = 20 + ((seconds + 1) % 100)) {
        await federation.apply({
          seeds: { ...(federation.smallestSpec()['seeds'] as object), guardWaitSeconds: seconds },
        });
        await delay(editEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    })();
    try {
      return await work();
    } finally {
      stop.abort();
      await edits;
    }
  }

  /** Waits until `replica` has delivered something to both regions from now on. */
  async function untilWrites(replica: Replica): Promise<void> {
    const since = Date.now();
    await waitFor(
      () =>
        ['eu', 'us'].every((region) =>
          writesOfReplicas(regions).some(
            ({ user, atMs, what }) => user === replica.user && atMs > since && what.startsWith(`${region}: `),
          ),
        ),
      { what: `${replica.process.logFile} to write to both regions`, timeoutMs: 300_000 },
    );
  }

  /** The one that stood by leads now, and `next` stands by. */
  async function change(next: Replica): Promise<void> {
    [leader, standby] = [standby, next];
    await standby.untilReady();
  }

  function assertOneWriter(): void {
    assert.deepEqual(writesWithoutLease(writesOfReplicas(regions)), []);
  }

  test('one of them leads; the other is ready, has metrics and writes nothing', async () => {
    await whileEditing(() => untilWrites(leader));
    assert.equal((await standby.get('/readyz')).status, 200);
    assert.deepEqual([await leader.masterStatus(), await standby.masterStatus()], ['1', '0']);
    assert.match((await standby.get('/metrics')).text, /^ringmaster_region_up\{.*"us".*\} 1$/m);
    assert.ok(writesOfReplicas(regions).every(({ user }) => user === leader.user));
    const { spec } = await lease();
    assert.match(spec.renewTime, /\.\d{6}Z$/);
    assert.match(spec.holderIdentity, /_[-0-9a-f]{36}$/);
  });

  test('a leader that is asked to stop hands over within seconds, and ends with code 0', async (context) => {
    await whileEditing(async () => {
      await untilWrites(leader);
      const before = (await lease()).spec.leaseTransitions;
      const leads = standby.untilLeads(standby.terms + 1);
      const since = performance.now();
      assert.equal(await leader.process.stop(), 0);
      context.diagnostic(`stopped after ${Math.round(performance.now() - since)} ms`);
      context.diagnostic(`handed over after ${Math.round(await leads)} ms`);
      assert.ok((await leads) < slackMs);
      await untilWrites(standby);
      assert.equal((await lease()).spec.leaseTransitions, before + 1);
    });
    await change(new Replica(regions, 'third', 'ringmaster'));
    assertOneWriter();
  });

  test('a leader that is killed is followed within the Lease’s duration and a look at it', async (context) => {
    await whileEditing(async () => {
      await untilWrites(leader);
      const leads = standby.untilLeads(standby.terms + 1);
      await leader.process.kill();
      const tookMs = await leads;
      context.diagnostic(`taken over after ${Math.round(tookMs)} ms`);
      assert.ok(tookMs < leaseDurationMs + slackMs, `${tookMs} ms`);
      await untilWrites(standby);
    });
    await change(new Replica(regions, 'fourth', 'second'));
    assertOneWriter();
  });

  test('a leader that stands still past its Lease writes nothing when it goes on', async (context) => {
    await whileEditing(async () => {
      await untilWrites(leader);
      leader.process.signal('SIGSTOP');
      context.diagnostic(`taken over after ${Math.round(await standby.untilLeads(standby.terms + 1))} ms`);
      await untilWrites(standby);
      const continuedAtMs = Date.now();
      leader.process.signal('SIGCONT');
      await waitFor(() => leader.process.log().some(({ message }) => message === 'leads no longer'), {
        what: 'the one that stood still to notice',
        timeoutMs: 300_000,
      });
      await untilWrites(standby);
      const late = writesOfReplicas(regions).filter(({ user, atMs }) => user === leader.user && atMs >= continuedAtMs);
      assert.deepEqual(
        late.filter((write) => !isOfLease(write)),
        [],
      );
      assert.ok(leader.process.running, 'it goes on as a standby');
    });
    [leader, standby] = [standby, leader];
    assertOneWriter();
  });

  test('a Lease that is deleted by hand is made anew by its leader, above its number before', async () => {
    const before = await lease();
    const terms = standby.terms;
    await regions.region('eu').api.delete(leasePath);
    const made = await waitFor(async () => lease(), { what: 'another Lease', timeoutMs: 300_000 });
    assert.equal(made.spec.holderIdentity, before.spec.holderIdentity);
    assert.ok(made.spec.leaseTransitions > before.spec.leaseTransitions);
    await whileEditing(() => untilWrites(leader));
    assert.equal(standby.terms, terms);
    assertOneWriter();
  });

  test('a leader whose requests the hub does not answer any more writes to no region from its renew deadline on', async (context) => {
    const proxies = await ControllerProxies.start({
      targets: regions.all.map(({ controlPlane }) => controlPlane),
      directory: regions.directory,
      name: 'fifth',
    });
    try {
      // The one that will be cut off is the only one of its user.
      assert.equal(standby.user, 'ringmaster');
      assert.equal(await standby.process.stop(), 0);
      standby = new Replica(regions, 'fifth', 'ringmaster', { kubeconfig: proxies.kubeconfig });
      await standby.untilReady();
      const hasLed = standby.untilLeads();
      assert.equal(await leader.process.stop(), 0);
      await hasLed;
      await change(new Replica(regions, 'sixth', 'second'));
      await whileEditing(async () => {
        await untilWrites(leader);
        const cut = holdWrites(proxies, (write) => write.region === 'eu');
        const cutOffAtMs = Date.now();
        context.diagnostic(`taken over after ${Math.round(await standby.untilLeads(standby.terms + 1))} ms`);
        await untilWrites(standby);
        const late = writesOfReplicas(regions).filter(
          ({ user, atMs }) => user === leader.user && atMs > cutOffAtMs + renewDeadlineMs,
        );
        assert.deepEqual(late, []);
        assert.equal(await leader.masterStatus(), '0');
        cut.release();
        await untilWrites(standby);
      });
      [leader, standby] = [standby, leader];
      assertOneWriter();
      assert.equal(await standby.process.stop(), 0);
    } finally {
      await proxies.close();
    }
    standby = new Replica(regions, 'seventh', 'ringmaster');
    await standby.untilReady();
  });

  test('a change of the leader alone causes no write', async () => {
    await federation.ready();
    const settled = await waitFor(
      async () => {
        const writes = writesOfReplicas(regions).filter((write) => !isOfLease(write)).length;
        await delay(3_000);
        const later = writesOfReplicas(regions).filter((write) => !isOfLease(write)).length;
        return later === writes && later;
      },
      { what: 'silence', timeoutMs: 600_000 },
    );
    const leads = standby.untilLeads(standby.terms + 1);
    assert.equal(await leader.process.stop(), 0);
    await leads;
    await delay(5_000);
    assert.equal(writesOfReplicas(regions).filter((write) => !isOfLease(write)).length, settled);
    assertOneWriter();
  });
});
