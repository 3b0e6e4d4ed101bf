import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { patchAs } from './faulty-casskop.ts';
import { paths, Scene } from './scene.ts';

describe('pods and operators that are stuck', () => {
  test('O#20, O#27: a pod that finds no machine holds up the next region and is named, and the federation goes on by itself once there is room', async () => {
    const scene = new Scene({ eu: {}, us: {}, ap: {} });
    scene.world.region('us').setRoom(false);
    scene.apply();
    await scene.until('a member in us', () => scene.member('us') !== undefined);
    scene.world.trouble(600_000);
    await scene.pass(600_000);
    assert.equal(scene.pod('us')?.status?.conditions?.[0]?.reason, 'Unschedulable');
    assert.equal(scene.member('ap'), undefined);
    assert.equal(scene.condition('Ready')?.reason, 'Forming');
    assert.match(
      scene.condition('Applied', 'ap')?.message ?? '',
      /pod orders-us-rack1-0 of region us is not ready yet/,
    );
    scene.world.region('us').setRoom(true);
    await scene.end();
  });

  test('O#20: an edit by hand whose pods find no machine is named, and the way out leads out: old value, unlockNextOperation, the pod deleted', async () => {
    const scene = await Scene.formed({ eu: {}, us: { nodesPerRacks: 2 } });
    scene.takeWrites();
    await makeUnschedulable(scene, 1);
    assert.match(
      scene.condition('Stalled')?.message ?? '',
      /^\/spec\/resources\/.* were changed by somebody else.*CassKop says phase Pending/,
    );
    scene.editMember('us', { resources: before(scene), unlockNextOperation: true });
    await scene.until('the command to be taken', () => scene.memberSpec('us')['unlockNextOperation'] === undefined);
    scene.delete('us', paths.pod(scene.podName('us', 1)));
    scene.world.region('us').setRoom(true);
    await scene.end();
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('O#20: where no pod of the region is ready CassKop takes no command either: the region stays in the status as it is until there is room', async () => {
    const scene = await Scene.formed();
    scene.takeWrites();
    await makeUnschedulable(scene, 0);
    scene.editMember('us', { resources: before(scene), unlockNextOperation: true });
    scene.world.trouble(600_000);
    await scene.pass(600_000);
    assert.equal(scene.memberSpec('us')['unlockNextOperation'], true);
    assert.match(scene.condition('Settled', 'us')?.message ?? '', /phase Pending/);
    assert.equal(scene.condition('Ready')?.status, 'False');
    scene.world.region('us').setRoom(true);
    await scene.end();
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('O#96: a CassKop that says Pending for ever is not believed to be done, however ready its pods are, and is written nothing', async () => {
    const scene = await Scene.formed();
    scene.takeWrites();
    scene.world.region('us').stopCasskop();
    patchAs(scene, 'us', paths.memberStatus, { status: { phase: 'Pending' } });
    scene.world.trouble(600_000);
    await scene.untilCondition('Ready', 'False', 'NodesNotReady');
    await scene.pass(600_000);
    assert.equal(scene.condition('Ready')?.message, 'us: CassKop says phase Pending: a pod is not ready');
    assert.equal(scene.condition('RingMember', 'us')?.status, 'True', 'the node itself is well');
    assert.deepEqual(scene.takeWrites(), []);
    scene.world.region('us').startCasskop();
    await scene.end();
  });

  test('C#180: regions of three racks with two nodes each start from scratch, and every node joins one ring', async () => {
    const scene = new Scene({ eu: { racks: 3, nodesPerRacks: 2 }, us: { racks: 3, nodesPerRacks: 2 } });
    scene.apply();
    await scene.end();
    assert.equal(scene.foundings, 1);
    assert.equal(scene.hostsSeenFrom('eu').length, 12);
  });

  test('O#126: both racks of a region restart at once: no further region joins until they are back', async () => {
    const scene = new Scene({ eu: { racks: 2 }, us: {} });
    scene.apply();
    await scene.until('eu in the ring', () => scene.regionStatus('eu')?.stage === 'Running');
    assert.equal(scene.member('us'), undefined);
    scene.perform({ do: 'restart region', region: 'eu' });
    await scene.until('eu to be down', () => scene.condition('Ready')?.status !== 'True');
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('O#311: a CassKop that cannot ask its nodes starts and joins a region all the same; a change by hand it leaves undone, which is said, and which is put back once it is done', async (context) => {
    const scene = new Scene();
    const { ring } = scene.world;
    const reaches = ring.reaches.bind(ring);
    const blind = context.mock.method(ring, 'reaches', (from: string, address: string) => {
      const node = reaches(from, address);
      return from === 'us' && node?.options.region === 'us' ? undefined : node;
    });
    scene.apply();
    await scene.ready();
    await scene.pass(60_000);
    scene.takeWrites();
    scene.editMember('us', { cassandraImage: 'cassandra:5.0.6' });
    scene.world.trouble(600_000);
    await scene.pass(300_000);
    assert.equal(scene.statefulSet('us')?.metadata.generation, 1);
    assert.match(scene.condition('Stalled')?.message ?? '', /^\/spec\/cassandraImage of the member/);
    // It would never get over a change that is taken back before it was begun.
    blind.mock.restore();
    scene.world.ring.connectivityChanged();
    await scene.until('the change by hand', () => scene.statefulSet('us')?.metadata.generation === 2);
    await scene.until('it to be back', () => scene.memberSpec('us')['cassandraImage'] === 'cassandra:5.0.8');
    await scene.end();
    assert.deepEqual(
      scene.takeWrites().filter((write) => !write.includes('configmaps')),
      ['us: MODIFIED cassandraclusters orders'],
    );
    assert.equal(scene.statefulSet('us')?.metadata.generation, 3);
  });

  test('an edit by hand that is taken back while a node joins leaves CassKop at ToDo, for ever if nobody told it that there is nothing left to do', async () => {
    const scene = new Scene({ eu: {}, us: { nodesPerRacks: 2 } });
    scene.apply();
    // CassKop asks a node of its own region before it begins, and that one has to have heard of it.
    const isJoining = (): boolean =>
      scene.regionStatus('us') !== undefined &&
      scene.pod('us', 1) !== undefined &&
      scene.node('eu').view.ring.some(({ status }) => status === 'BOOT');
    await scene.until('a joining node in us', isJoining);
    scene.editMember('eu', { cassandraImage: 'cassandra:5.0.6' });
    await scene.until('CassKop to note it', () => scene.memberStatus('eu').lastClusterActionStatus === 'ToDo');
    assert.equal(scene.memberStatus('eu').lastClusterAction, 'UpdateDockerImage');
    scene.editMember('eu', { cassandraImage: 'cassandra:5.0.8' });
    await scene.end();
    assert.equal(scene.statefulSet('eu')?.metadata.generation, 1);
  });

  test('a CassKop that dies at any of its writes while a region is formed is overtaken by its successor: one ring, and no pod that started alone', async () => {
    for (let last = 1; ; last++) {
      const scene = new Scene({ eu: {}, us: { nodesPerRacks: 2 } });
      const region = scene.world.region('us');
      let writes = 0;
      scene.world.server('us').onChange(({ user }) => {
        if (user === 'casskop' && ++writes === last) region.stopCasskop();
      });
      scene.apply();
      await scene.until('the write', () => !region.hasCasskop || scene.isReady);
      const reached = !region.hasCasskop;
      scene.world.trouble(30_000);
      await scene.pass(30_000);
      region.startCasskop();
      await scene.end();
      assert.equal(scene.foundings, 1);
      if (!reached) break;
      assert.ok(last < 100, 'CassKop writes for ever');
    }
  });
});

/** The resources that the user's spec asks for. */
function before(scene: Scene): unknown {
  return (scene.world.user.spec['template'] as { spec: { resources: unknown } }).spec.resources;
}

/** Somebody gives the pods of us by hand more than any machine has; the last one is restarted, and finds no place. */
async function makeUnschedulable(scene: Scene, last: number): Promise<void> {
  scene.world.region('us').setRoom(false);
  scene.editMember('us', { resources: { requests: { cpu: '64' }, limits: { cpu: '64' } } });
  const reason = (): string | undefined => scene.pod('us', last)?.status?.conditions?.[0]?.reason;
  await scene.until('an unschedulable pod', () => reason() === 'Unschedulable');
  await scene.untilCondition('Stalled', 'True', 'Drifted');
  scene.world.trouble(600_000);
  await scene.pass(60_000);
}
