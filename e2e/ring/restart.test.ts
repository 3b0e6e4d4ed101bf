import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';
import { assertOneRing, untilOneRing } from './one-ring.ts';

const namespace = 'restart';
const names = ['eu', 'us', 'ap'];
const guardWaitSeconds = 5;

suite('nodes that come back', () => {
  let regions: Regions;
  let federation: Federation;

  before(async () => {
    regions = await startRegions({ regions: names });
    await installCrd(regions, 'eu');
    // ap cannot start before it has the namespace too, which one test gives it.
    for (const region of ['eu', 'us']) await regions.region(region).prepareNamespace(namespace);
    await regions.region('ap').controlPlane.account.admit(namespace);
    federation = new Federation(regions, namespace);
    new ControllerProcess(regions);
    await apply();
    for (const region of ['eu', 'us']) await federation.waitForCondition('RingMember', 'True', { region });
    await federation.waitForCondition('RingIntact', 'True');
  });
  after(() => regions?.stop());

  async function apply(acknowledgedHosts: { pod: string; hostId: string }[] = []): Promise<void> {
    const { seeds } = federation.smallestSpec() as { seeds: object };
    await federation.apply({
      seeds: { ...seeds, guardWaitSeconds },
      regions: names.map((name) => ({
        name,
        ...(name === 'us' && acknowledgedHosts.length > 0 && { acknowledgedHosts }),
      })),
    });
  }

  function podOf(region: string): string {
    return `orders-${region}-rack1-0`;
  }

  /** Region -> host ID that its node carries now. */
  async function hostIds(): Promise<Record<string, unknown>> {
    const entries = names.map(async (name) => {
      const { LocalHostId } = await federation.ask(name, podOf(name), 'LocalHostId,OperationMode');
      return [name, LocalHostId] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  suite('one of them with an empty disk', () => {
    let lost: string;
    let found: string;

    test('is suspected to have lost its data, and that is said', async () => {
      lost = String((await federation.ask('us', podOf('us'), 'LocalHostId,OperationMode'))['LocalHostId']);
      await regions.region('us').wipePod(namespace, podOf('us'));
      const stalled = await federation.waitForCondition('Stalled', 'True', { reason: 'DataLossSuspected' });
      assert.match(stalled.message, new RegExp(`pod ${podOf('us')} of region us .* was ${lost} before`));
      found = /came back as host ([-0-9a-f]{36})/.exec(stalled.message)?.[1] ?? '';
      assert.ok(found && found !== lost);
      await federation.waitForCondition('RingIntact', 'False', { reason: 'DataLossSuspected' });
      await federation.waitForCondition('RingMember', 'False', { region: 'us', reason: 'DataLossSuspected' });
    });

    test('keeps the next region from joining', async () => {
      await regions.region('ap').prepareNamespace(namespace);
      const applied = await federation.waitForCondition('Applied', 'False', { region: 'ap', reason: 'Waiting' });
      assert.match(applied.message, new RegExp(found));
      assert.equal((await federation.region('ap'))?.stage, 'Waiting');
      assert.equal(await federation.member('ap'), undefined);
      assert.equal(await federation.guard('ap'), undefined);
    });

    test('is taken for what it is once a person has acknowledged it; its old host is left to be removed', async () => {
      await apply([{ pod: podOf('us'), hostId: found }]);
      const message = new RegExp(`nodetool removenode ${lost}`);
      await federation.waitForCondition('RingIntact', 'False', { reason: 'UnknownHosts', message });
      await federation.waitForCondition('Stalled', 'True', { reason: 'UnknownHosts', message });
      assert.equal(await federation.member('ap'), undefined);
    });

    test('lets the next region join when the old host was removed', async () => {
      await federation.call('eu', podOf('eu'), `removeNode/${lost}`);
      await federation.ready();
      await assertOneRing(federation, 3);
      assert.equal((await hostIds())['us'], found);
      assert.match((await federation.guard('ap'))?.data?.['joined'] ?? '', new RegExp(`${podOf('us')} ${found}`));
    });
  });

  test('all of them together, each with a new address, are the same one ring again', async () => {
    const [before, writes] = [await hostIds(), federation.writesToRegions()];
    const addresses = await Promise.all(names.map((name) => federation.podAddress(name, podOf(name))));
    const pods = (await federation.allPods()).map(({ pod }) => pod);
    await Promise.all(names.map((name) => regions.region(name).deletePod(namespace, podOf(name))));
    await untilReplaced(pods.map((pod) => pod.metadata.uid ?? ''));
    await untilOneRing(federation, 3);
    await federation.ready();

    assert.deepEqual(await hostIds(), before);
    for (const name of names) assert.ok(!addresses.includes(await federation.podAddress(name, podOf(name))));
    assert.deepEqual(federation.writesToRegions(), writes);
  });

  test('one of a region cut off from the others waits, then starts with its data, and finds them after the cut', async () => {
    const [before, writes] = [await hostIds(), federation.writesToRegions()];
    await regions.cut('us');
    const [pod] = await federation.pods('us');
    await regions.region('us').deletePod(namespace, podOf('us'));
    await untilReplaced([pod?.metadata.uid ?? '']);
    await federation.untilBootstrapSays('us', podOf('us'), /waits for a live seed \(for 5 s at most/);
    await federation.untilBootstrapSays('us', podOf('us'), /starts without a seed: it has joined the ring before/);
    await waitFor(
      async () => {
        const { OperationMode, LocalHostId, LiveNodes } = await federation.ask(
          'us',
          podOf('us'),
          'OperationMode,LocalHostId,LiveNodes',
        );
        assert.equal(OperationMode, 'NORMAL');
        assert.equal(LocalHostId, before['us']);
        assert.deepEqual(LiveNodes, [await federation.podAddress('us', podOf('us'))]);
        return true;
      },
      { what: 'the node that is cut off to run alone', timeoutMs: formationTimeoutMs },
    );

    await regions.heal('us');
    await untilOneRing(federation, 3);
    await federation.ready();
    assert.deepEqual(await hostIds(), before);
    assert.deepEqual(federation.writesToRegions(), writes);
  });

  /** Waits until pods are gone for good and each has a successor. */
  async function untilReplaced(uids: readonly string[]): Promise<void> {
    await waitFor(
      async () => {
        const pods = (await federation.allPods()).map(({ pod }) => pod);
        return pods.length === names.length && !pods.some((pod) => uids.includes(pod.metadata.uid ?? ''));
      },
      { what: 'the pods to be replaced', timeoutMs: formationTimeoutMs },
    );
  }
});
