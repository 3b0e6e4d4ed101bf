import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resources } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { guardOf } from '../invariants/reading.ts';
import { casskopDefinition } from '../region/premises.ts';
import { clusterName } from '../world/user.ts';
import { Scene } from './scene.ts';

/** Lets the controller and a region miss each other's packets, both ways. */
function disconnect(scene: Scene, region: string): void {
  for (const process of scene.world.controllers) {
    scene.world.network.set(process.name, region, 'dropped');
    scene.world.network.set(region, process.name, 'dropped');
  }
}

describe('what stops Multi-CassKop does not stop Ringmaster', () => {
  test('a create body’s status is dropped by the API server: the seeds come by a write of their own, once, and the second region follows', async () => {
    const scene = new Scene();
    scene.apply();
    await scene.ready();
    const creation = (region: string): string[] => [
      `${region}: ADDED configmaps orders-ringmaster`,
      `${region}: ADDED cassandraclusters orders`,
      `${region}: MODIFIED cassandraclusters orders/status`,
      // The seeds leave the spec, and then the list of fields that were ours.
      `${region}: MODIFIED cassandraclusters orders`,
      `${region}: MODIFIED cassandraclusters orders`,
    ];
    const writes = scene.takeWrites();
    const guardUpdates = writes.filter((write) => write.endsWith('MODIFIED configmaps orders-ringmaster'));
    assert.ok(guardUpdates.length <= 4, String(guardUpdates));
    for (const region of ['eu', 'us']) {
      assert.deepEqual(
        writes.filter((write) => write.startsWith(region) && !guardUpdates.includes(write)),
        creation(region),
      );
      assert.deepEqual(scene.memberStatus(region).seedlist?.toSorted(), [
        'orders-eu-rack1-0.eu.db.example.net',
        'orders-us-rack1-0.us.db.example.net',
      ]);
    }
    await scene.end();
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('O#160: a configured region that no spec names is left alone and holds nobody up, reachable or not', async () => {
    const scene = new Scene({ eu: {}, us: {}, ap: {} });
    const regions = scene.world.user.spec['regions'] as { name: string }[];
    scene.apply({ spec: { regions: regions.filter(({ name }) => name !== 'ap') } });
    await scene.until('a first member', () => scene.member('eu') !== undefined);
    disconnect(scene, 'ap');
    await scene.ready();
    await scene.pass(120_000);
    assert.equal(scene.member('ap'), undefined);
    assert.ok(scene.isReady);
    assert.deepEqual(
      scene.takeWrites().filter((write) => write.startsWith('ap')),
      [],
    );
    scene.close();
  });

  test('a region that cannot be reached at the start does not stop the controller: it says which, founds nothing yet, and goes on by itself', async () => {
    const scene = new Scene();
    disconnect(scene, 'us');
    scene.apply();
    await scene.untilCondition('RegionsReachable', 'False', 'SomeUnreachable');
    await scene.pass(120_000);
    assert.match(scene.condition('RegionsReachable')?.message ?? '', /^us: /);
    assert.match(scene.condition('Reconciling')?.message ?? '', /waiting for us/);
    assert.equal(scene.member('eu'), undefined);
    scene.world.network.heal();
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('a region that is lost later blocks no correction in the others, and gets its own once it is back', async () => {
    const scene = await Scene.formed({ eu: {}, us: {}, ap: {} });
    disconnect(scene, 'us');
    await scene.untilCondition('Ready', 'Unknown', 'RegionsUnreachable');
    scene.perform({ do: 'set guardWaitSeconds', to: 45 });
    const waitIn = (region: string): number =>
      guardOf(scene.find(region, resources.configMaps, `${clusterName}-ringmaster`)).waitSeconds;
    await scene.until('the correction in eu and ap', () => waitIn('eu') === 45 && waitIn('ap') === 45, 30_000);
    assert.equal(waitIn('us'), 60);
    scene.world.network.heal();
    await scene.until('the correction in us', () => waitIn('us') === 45, 120_000);
    await scene.end();
  });

  test('a region that never gets done does not look done, and the next one waits for it with a reason', async () => {
    const scene = new Scene({ eu: {}, us: {}, ap: {} });
    scene.apply();
    await scene.until('a member in us', () => scene.member('us') !== undefined);
    scene.world.region('us').stopCasskop();
    scene.world.trouble(600_000);
    await scene.pass(600_000);
    assert.equal(scene.member('ap'), undefined);
    assert.equal(scene.condition('Ready')?.reason, 'Forming');
    assert.match(scene.condition('Settled', 'us')?.message ?? '', /has not processed/);
    assert.match(scene.condition('Applied', 'ap')?.message ?? '', /orders-us-rack1-0 of region us is not ready/);
    scene.world.region('us').startCasskop();
    await scene.end();
  });

  test('O#386, C#56: a region without CassKop’s CustomResourceDefinition is named before anything is founded, and all goes on once it is installed', async () => {
    const scene = new Scene();
    scene.delete('us', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${casskop.crdName}`);
    scene.apply();
    await scene.untilCondition('Stalled', 'True', 'PreconditionMissing');
    assert.match(scene.condition('Stalled')?.message ?? '', /region us lacks .*cassandraclusters\.db\.orange\.com/);
    await scene.pass(60_000);
    assert.equal(scene.member('us'), undefined);
    const { status } = scene.world.server('us').handle({
      method: 'POST',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      body: casskopDefinition,
      user: 'admin',
    });
    assert.equal(status, 201);
    scene.world.clock.wakePromises();
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('no finalizer of ours is on a member, where CassKop would wipe it', async () => {
    const scene = await Scene.formed();
    for (const region of ['eu', 'us']) assert.equal(scene.member(region)?.metadata.finalizers, undefined);
    await scene.end();
  });
});
