import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { paths, Scene } from './scene.ts';

/** Somebody edits a member with kubectl, and CassKop does what it does then. Ringmaster puts it back where that helps, and names it where only they can. */
describe('a member that somebody edits by hand', () => {
  test('fewer nodes and another image at once take nodes away without a decommission; put back, the same nodes are there again', async () => {
    const scene = await Scene.formed({ eu: {}, us: { nodesPerRacks: 3 } });
    const hosts = scene.hostsSeenFrom('eu');
    scene.takeWrites();
    scene.editMember('us', { cassandraImage: 'cassandra:5.0.9', topology: scene.topology('us', 1) });
    scene.world.trouble(600_000);
    await scene.until('a StatefulSet of one', () => scene.statefulSet('us')?.spec.replicas === 1);
    await scene.pass(120_000);
    assert.equal(scene.memberStatus('us').lastClusterAction, 'UpdateDockerImage', 'never a ScaleDown');
    assert.equal(scene.condition('Stalled')?.reason, 'Drifted');
    assert.match(
      scene.condition('Stalled')?.message ?? '',
      /^\/spec\/cassandraImage, \/spec\/topology\/dc\/0\/nodesPerRacks of the member were changed.*put them back by hand$/,
    );
    assert.match(scene.condition('Applied', 'us')?.message ?? '', /the ring is not at rest: .* to be down/);
    assert.doesNotMatch(JSON.stringify(scene.world.user.mcc), /removenode/);
    scene.editMember('us', { cassandraImage: 'cassandra:5.0.8', topology: scene.topology('us', 3) });
    await scene.end();
    assert.deepEqual(scene.hostsSeenFrom('eu'), hosts);
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('O#369: a datacenter without nodes is refused by CassKop, which puts the number back: Ready again, and nothing was written', async () => {
    const scene = await Scene.formed();
    scene.takeWrites();
    scene.editMember('us', { topology: scene.topology('us', 0) });
    await scene.until('CassKop to refuse', () => scene.memberStatus('us').lastClusterAction === 'CorrectCRDConfig');
    await scene.end();
    assert.deepEqual(scene.memberSpec('us').topology?.dc?.[0]?.nodesPerRacks, 1);
    assert.equal(scene.statefulSet('us')?.metadata.generation, 1);
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('an added rack is refused by CassKop, which puts the topology back: Ready again, and no pod of it was ever started', async () => {
    const scene = await Scene.formed();
    scene.takeWrites();
    const rack = [{ name: 'rack1' }, { name: 'rack2' }];
    scene.editMember('us', { topology: { dc: [{ name: 'us', nodesPerRacks: 1, rack }] } });
    await scene.until('CassKop to refuse', () => scene.memberStatus('us').lastClusterAction === 'CorrectCRDConfig');
    await scene.end();
    assert.equal(scene.memberSpec('us').topology?.dc?.[0]?.rack?.length, 1);
    assert.equal(scene.statefulSet('us', 'rack2'), undefined);
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('an edit that drops the guard’s ConfigMap is named, and put back once CassKop has done with it', async () => {
    const scene = await Scene.formed();
    scene.takeWrites();
    scene.editMember('us', { configMapName: null });
    await scene.untilCondition('Applied', 'False', 'Drifted', 'us');
    assert.match(scene.condition('Applied', 'us')?.message ?? '', /^\/spec\/configMapName of the member/);
    scene.world.trouble(300_000);
    await scene.until('it to be back', () => scene.memberSpec('us')['configMapName'] === 'orders-ringmaster');
    await scene.end();
    assert.deepEqual(memberWrites(scene), ['us: MODIFIED cassandraclusters orders']);
    assert.equal(scene.statefulSet('us')?.metadata.generation, 3, 'one roll for each of the two changes');
  });

  test('O#340: with autoUpdateSeedList CassKop throws the other regions’ seeds out; the region is not Ready from then on, and is once its list is back', async () => {
    const scene = await Scene.formed();
    const { seedlist } = scene.memberStatus('us');
    scene.takeWrites();
    scene.editMember('us', { autoUpdateSeedList: true });
    await scene.until('a list without eu', () => scene.memberStatus('us').seedlist?.length === 1);
    scene.world.trouble(600_000);
    await scene.pass(300_000);
    assert.equal(scene.condition('Settled', 'us')?.message, 'CassKop holds another seed list than the federation');
    assert.match(scene.condition('Stalled')?.message ?? '', /^the seeds of the member were changed by somebody else/);
    assert.equal(scene.condition('Ready')?.status, 'False');
    assert.equal(scene.condition('RingIntact')?.status, 'True', 'the ring holds');
    assert.deepEqual(scene.takeWrites(), []);
    scene.editMember('us', { autoUpdateSeedList: false });
    scene.patch('us', paths.memberStatus, { status: { seedlist: seedlist ?? [] } });
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('a StatefulSet that somebody deletes is made again by CassKop, and its nodes come back with their data and our seeds', async () => {
    const scene = await Scene.formed();
    const hosts = scene.hostsSeenFrom('eu');
    scene.takeWrites();
    scene.delete('us', paths.statefulSet('orders-us-rack1'));
    await scene.until('not to be Ready', () => !scene.isReady);
    await scene.end();
    assert.deepEqual(scene.hostsSeenFrom('us'), hosts);
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('deletePVC, set by hand, and the member deleted: the data is gone and the node with it, so nothing is created over it', async () => {
    const scene = await Scene.formed({ eu: {}, us: {}, ap: {} });
    scene.takeWrites();
    scene.editMember('us', { deletePVC: true });
    await scene.until('CassKop’s finalizer', () => scene.member('us')?.metadata.finalizers?.length === 1);
    scene.delete('us', paths.member);
    await scene.untilCondition('Stalled', 'True', 'MemberMissing');
    scene.world.trouble(600_000);
    await scene.pass(300_000);
    assert.equal(scene.member('us'), undefined);
    assert.match(scene.condition('Applied', 'us')?.message ?? '', /with it the volumes of orders-us-rack1-0/);
    assert.deepEqual(scene.takeWrites(), []);
    scene.close();
  });
});

function memberWrites(scene: Scene): string[] {
  return scene.takeWrites().filter((write) => !write.includes('configmaps'));
}

describe('the seed list in CassKop’s status', () => {
  test('may come 14 s too late, when CassKop has long put its own there: the StatefulSet is generated once, and no pod restarts', async () => {
    const scene = new Scene();
    scene.world.oversight.plan({
      matches: ({ request }) => request.path.includes('cassandraclusters/orders/status'),
      after: 0,
      count: 2,
      mishap: { delayMs: 14_000 },
    });
    const pods = new Map<string, Set<string>>();
    for (const region of ['eu', 'us']) {
      scene.world.server(region).onChange(({ resource, object }) => {
        if (resource.plural !== 'pods') return;
        const { name, uid = '' } = object.metadata;
        pods.set(name, (pods.get(name) ?? new Set()).add(uid));
      });
    }
    scene.apply();
    await scene.until('CassKop’s own list', () => scene.memberStatus('eu').seedlist?.length === 1);
    await scene.end();
    for (const region of ['eu', 'us']) {
      assert.equal(scene.statefulSet(region)?.metadata.generation, 1);
      assert.equal(pods.get(scene.podName(region))?.size, 1);
      assert.equal(scene.memberStatus(region).seedlist?.length, 2);
    }
  });
});
