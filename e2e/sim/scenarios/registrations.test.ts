import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Scene } from './scene.ts';

/** Takes the registration of a region away from every controller, or gives it back. */
function register(scene: Scene, region: string, isThere: boolean): void {
  for (const process of scene.world.controllers) process.register(region, isThere);
}

describe('registrations of regions come and go', () => {
  test('at any moment of a formation, with caches that begin anew each time: one ring', async () => {
    for (const region of ['eu', 'us']) {
      for (let atMs = 500; atMs < 60_000; atMs *= 2) {
        const scene = new Scene();
        scene.apply();
        await scene.pass(atMs);
        register(scene, region, false);
        await scene.pass(20_000);
        register(scene, region, true);
        await scene.end();
        assert.equal(scene.foundings, 1, `${region} away after ${atMs} ms`);
      }
    }
  });

  test('while nobody registers a region it is unknown and left alone, and so is everything else', async () => {
    const scene = await Scene.formed({ eu: {}, us: {}, ap: {} });
    const hosts = scene.hostsSeenFrom('eu');
    scene.takeWrites();
    register(scene, 'us', false);
    await scene.untilCondition('Reachable', 'False', 'UnknownContext', 'us');
    await scene.pass(600_000);
    assert.deepEqual(scene.takeWrites(), []);
    assert.equal(scene.condition('Reachable', 'ap')?.status, 'True');
    register(scene, 'us', true);
    await scene.end();
    assert.deepEqual(scene.takeWrites(), []);
    assert.deepEqual(scene.hostsSeenFrom('us'), hosts);
  });
});
