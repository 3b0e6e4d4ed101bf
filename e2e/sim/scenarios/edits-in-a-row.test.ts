import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resources } from '../../../src/kube/objects.ts';
import { guardOf } from '../invariants/reading.ts';
import { Scene } from './scene.ts';

const regions = ['eu', 'us'] as const;
/** Longest that an edit may take whose event crosses the write of the status, virtual milliseconds. */
const longestMs = 400;

describe('edits in a row', () => {
  test('each arrives at once, although the status of the one before is being written: a lost race costs no wait', async (context) => {
    const scene = await Scene.formed();
    const times: number[] = [];
    for (let guardWaitSeconds = 61; guardWaitSeconds <= 80; guardWaitSeconds++) {
      const since = scene.world.clock.monotonic();
      scene.perform({ do: 'set guardWaitSeconds', to: guardWaitSeconds });
      await scene.until(`${guardWaitSeconds} s everywhere`, () =>
        regions.every(
          (region) =>
            guardOf(scene.find(region, resources.configMaps, 'orders-ringmaster')).waitSeconds === guardWaitSeconds,
        ),
      );
      times.push(scene.world.clock.monotonic() - since);
    }
    context.diagnostic(`virtual ms: ${times.map((each) => each.toFixed(0)).join(' ')}`);
    assert.ok(Math.max(...times) <= longestMs, `${Math.max(...times)} ms`);
    await scene.end();
  });
});
