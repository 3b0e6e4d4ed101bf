import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { types } from 'cassandra-driver';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { countOrders, cql, createTables, writeOrders } from './cql.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';

const namespace = 'leaving';
const orders = 10_000;
type State = 'Managed' | 'Removing' | 'Abandoned';

suite('regions that come and go, and rows that stay', () => {
  let regions: Regions;
  let federation: Federation;

  before(async () => {
    // The hub has no nodes: it must outlive every region.
    regions = await startRegions({ regions: ['hub', 'eu', 'us', 'ap'] });
    await installCrd(regions, 'hub');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace, { hub: 'hub' });
    new ControllerProcess(regions);
    await apply({ eu: 'Managed', us: 'Managed' });
    await federation.ready();
    await createTables(federation, { eu: 1, us: 1 });
    await writeOrders(federation, 'us', 0, orders);
  });
  after(() => regions?.stop());

  function apply(states: Record<string, State>, more: Record<string, object> = {}): Promise<unknown> {
    return federation.apply({
      regions: Object.entries(states).map(([name, state]) => ({ name, state, ...more[name] })),
    });
  }

  function untilStage(region: string, stage: string): Promise<unknown> {
    return waitFor(
      async () => {
        const found = await federation.region(region);
        if (found?.stage === stage) return true;
        throw new Error(`${found?.stage}: ${JSON.stringify(found?.conditions)}`);
      },
      { what: `region ${region} to be ${stage}`, timeoutMs: formationTimeoutMs },
    );
  }

  async function hostsSeenBy(region: string): Promise<string[]> {
    const pod = `orders-${region}-rack1-0`;
    const { EndpointToHostId } = await federation.ask(region, pod, 'EndpointToHostId,OperationMode');
    return Object.values(EndpointToHostId as Record<string, string>).sort();
  }

  const hostsOf = async (region: string): Promise<string[]> =>
    ((await federation.region(region))?.hosts ?? []).map(({ hostId }) => hostId);

  /** What the message of a condition gives to run, run as a person does who copies it. */
  async function runStatements(message: string): Promise<void> {
    const statements = message.match(/ALTER KEYSPACE [^;]*;/g) ?? assert.fail(message);
    await cql(federation, 'us', async (client) => {
      for (const statement of statements) await client.execute(statement);
    });
  }

  suite('a region that is added', () => {
    test('joins once all keyspaces can have replicas there, and asks for them', async () => {
      await apply({ eu: 'Managed', us: 'Managed', ap: 'Managed' });
      const before = await federation.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate' });
      assert.match(before.message, /ALTER KEYSPACE system_auth .*NetworkTopologyStrategy/);
      await runStatements(before.message);
      const message = /region ap has joined/;
      const after = await federation.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate', message });
      assert.match(after.message, /ALTER KEYSPACE ledger WITH replication = .*'ap': 1/);
      await runStatements(after.message);
    });

    test('streams its rows, and has them all when nobody else can be asked', async () => {
      await federation.ready();
      const { metadata } = (await federation.member('ap')) ?? assert.fail();
      const { rebuild } = JSON.parse(metadata.annotations?.['ringmaster.dev/operations'] ?? '{}') as {
        rebuild?: { argument: string; complete: boolean; failed: string[] };
      };
      assert.deepEqual([rebuild?.argument, rebuild?.complete, rebuild?.failed], ['eu', true, []]);
      await regions.cut('ap');
      assert.equal(await countOrders(federation, 'ap', types.consistencies.localOne), orders);
      await regions.heal('ap');
      await federation.ready();
    });
  });

  suite('the founder', () => {
    test('does not begin to leave while keyspaces have replicas there', async () => {
      await apply({ eu: 'Removing', us: 'Managed', ap: 'Managed' });
      const { message } = await federation.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate' });
      assert.match(message, /ALTER KEYSPACE ledger WITH replication = .*'us': 1/);
      assert.equal((await federation.region('eu'))?.leavingSince, undefined);
      await runStatements(message);
    });

    test('leaves with all that is ours, and every row is still there', async () => {
      const message = /the nodes of region eu have left the ring/;
      const last = await federation.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate', message });
      assert.match(last.message, /ALTER KEYSPACE system_auth/);
      await runStatements(last.message);
      await untilStage('eu', 'Removed');
      assert.equal(await federation.member('eu'), undefined);
      assert.equal(await federation.guard('eu'), undefined);
      assert.deepEqual(await federation.pods('eu'), []);
      for (const region of ['us', 'ap']) {
        assert.equal(await countOrders(federation, region), orders);
        assert.equal((await hostsSeenBy(region)).length, 2);
      }
      await federation.ready();
    });

    test('may be dropped from the spec, and its seeds are not due any more', async () => {
      await apply({ us: 'Managed', ap: 'Managed' });
      await federation.ready();
      const { status } = await federation.get();
      assert.deepEqual(
        status?.regions?.map(({ name }) => name),
        ['us', 'ap'],
      );
      assert.ok(status?.seeds?.every((seed) => !seed.includes('-eu-')));
    });

    test('is not needed by a node that restarts later', async () => {
      const pod = 'orders-us-rack1-0';
      const [before] = await federation.pods('us');
      await regions.region('us').deletePod(namespace, pod);
      await waitFor(
        async () => {
          const [now] = await federation.pods('us');
          const isReady = now?.status.containerStatuses?.every(({ ready }) => ready) ?? false;
          return now?.metadata.uid !== before?.metadata.uid && isReady;
        },
        { what: `${pod} to be back`, timeoutMs: formationTimeoutMs },
      );
      await federation.ready();
      assert.equal((await hostsSeenBy('us')).length, 2);
    });
  });

  suite('a region that is lost', () => {
    let lost: string[];

    test('is given up only when its hosts are typed, and then leaves every view', async () => {
      lost = await hostsOf('ap');
      assert.equal(lost.length, 1);
      await regions.cut('ap', 'blackhole', 'everything');
      await apply({ us: 'Managed', ap: 'Abandoned' });
      const unconfirmed = await federation.waitForCondition('Stalled', 'True', { reason: 'AbandonUnconfirmed' });
      assert.ok(unconfirmed.message.includes(lost[0] ?? ''));
      await apply({ us: 'Managed', ap: 'Abandoned' }, { ap: { abandonedHosts: lost } });
      await untilStage('ap', 'Abandoned');
      assert.deepEqual(await hostsSeenBy('us'), await hostsOf('us'));
      assert.deepEqual((await federation.get()).status?.ring?.abandonedHosts, lost);
      assert.equal(await countOrders(federation, 'us'), orders);
    });

    test('does not come back into the ring when it returns from the dead', async () => {
      await regions.heal('ap');
      await untilStage('ap', 'Removed');
      assert.equal(await federation.member('ap'), undefined);
      assert.deepEqual(await federation.pods('ap'), []);
      assert.deepEqual(await hostsSeenBy('us'), await hostsOf('us'));
      await federation.ready();
    });
  });
});
