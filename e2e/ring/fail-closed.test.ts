import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { Impostor } from './impostor.ts';
import { assertFoundedOnce } from './one-founder.ts';
import { assertOneUntouchedRing } from './one-ring.ts';

const namespace = 'closed';
const [eu, us, ap] = ['orders-eu-rack1-0', 'orders-us-rack1-0', 'orders-ap-rack1-0'];

function addressOf(pod: string, region: string): string {
  return `${pod}.${namespace}.${region}.db.example.net`;
}

suite('a region that cannot reach the seeds of the others', () => {
  let regions: Regions;
  let federation: Federation;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us', 'ap'] });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace);
    // Their API servers go on answering.
    await regions.cut('us');
    await regions.cut('ap', 'unreachable');
    new ControllerProcess(regions);
    const { seeds } = federation.smallestSpec() as { seeds: object };
    await federation.apply({ seeds: { ...seeds, guardWaitSeconds: 5 } });
  });
  after(() => regions?.stop());

  /** Asserts that the pod is still where only a live seed lets it out: no node of it ever ran. */
  async function assertNeverStarted(region: string, pod: string): Promise<void> {
    const found = (await federation.pods(region)).find((each) => each.metadata.name === pod);
    const bootstrap = found?.status.initContainerStatuses?.find((each) => each.name === 'bootstrap');
    assert.ok(bootstrap?.state?.['running'], `${pod}: ${JSON.stringify(found?.status)}`);
    assert.equal(bootstrap.restartCount, 0);
    assert.equal(regions.region(region).nodeLog(namespace, pod), '');
  }

  test('is named in the MultiCassandraCluster, with the seeds that it cannot reach', async () => {
    const message = new RegExp(`region us.*${addressOf(eu, 'eu')}`);
    const reason = 'SeedsUnreachable';
    await federation.waitForCondition('RingMember', 'False', { region: 'us', reason, message });
    await federation.waitForCondition('Stalled', 'True', { reason, message });
    assert.equal((await federation.condition('Reachable', 'us'))?.status, 'True');
    assert.equal((await federation.condition('Ready'))?.status, 'False');
  });

  test('keeps its pod in the init container, for longer than one with data would wait, and its log says why', async () => {
    const seed = addressOf(eu, 'eu');
    await federation.untilBootstrapSays('us', us, new RegExp(`${seed}: timed out`));
    // Another reason makes the guard say once more how long it has waited.
    await regions.cut('us', 'unreachable');
    const patience = String.raw`it never joined; (1\d|[2-9]\d|\d{3,}) s so far`;
    await federation.untilBootstrapSays('us', us, new RegExp(`${patience}.*${seed}: connection refused or no route`));
    await assertNeverStarted('us', us);
  });

  test('leaves the ring as it is, and no further region starts meanwhile', async () => {
    assert.equal((await federation.condition('RingIntact'))?.status, 'True');
    assert.equal((await federation.get()).status?.ring?.hosts, 1);
    assert.equal(await federation.member('ap'), undefined);
    assert.equal((await federation.region('ap'))?.stage, 'Waiting');
  });

  test('joins with no help once the network has healed', async () => {
    await regions.heal('us');
    await federation.waitForCondition('RingMember', 'True', { region: 'us' });
    await federation.untilBootstrapSays('us', us, new RegExp(`${us} joins: ${addressOf(eu, 'eu')} is NORMAL`));
  });

  test('does not take an open port with nothing NORMAL behind it for a seed', async () => {
    await federation.untilBootstrapSays('ap', ap, /no route/);
    const hosts = (await federation.get()).status?.regions?.flatMap((each) => each.hosts ?? []);
    const hostId = hosts?.find((each) => each.pod === eu)?.hostId ?? '';
    const impostor = await Impostor.start(regions, 'ap', [
      await federation.podAddress('eu', eu),
      await federation.podAddress('us', us),
    ]);
    await regions.heal('ap');
    const untilHeard = (verdict: RegExp): Promise<void> =>
      federation.untilBootstrapSays('ap', ap, new RegExp(`${addressOf(us, 'us')}: ${verdict.source}`));

    await untilHeard(/timed out/);
    impostor.says('220 mail.example.net ESMTP\r\n');
    await untilHeard(/no HTTP answer/);
    impostor.saysOfItself({ OperationMode: 'JOINING', ClusterName: 'orders', LocalHostId: hostId });
    await untilHeard(/its mode is 'JOINING', not NORMAL/);
    const stranger = '00000000-0000-4000-8000-000000000000';
    impostor.saysOfItself({ OperationMode: 'NORMAL', ClusterName: 'orders', LocalHostId: stranger });
    await untilHeard(/its host ID '00000000-.* is not known to be of this ring/);
    await assertNeverStarted('ap', ap);

    await impostor.stop();
    await federation.ready();
  });

  test('is part of one ring in the end, and nothing was ever restarted', async () => {
    await assertOneUntouchedRing(federation, 3);
    await assertFoundedOnce(federation, 'eu');
  });
});
