import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resources } from '../../../src/kube/objects.ts';
import { guardOf } from '../invariants/reading.ts';
import { Scene } from './scene.ts';

const regions = { eu: {}, us: {}, ap: {} };
/** How long us swallows what is sent to it, milliseconds. */
const silentMs = 120_000;
/** Time between two edits: each comes while the region that swallows everything is at another point of its failing. */
const pauseMs = 3_000;
/** What messages take here, 1 to 20 ms each, differs by so much at most: a write, its event and the status before it. */
const noiseMs = 100;

/** How long benign edits take until eu and ap have them, virtual milliseconds each. */
async function editTimes(swallowed: readonly string[]): Promise<number[]> {
  const scene = await Scene.formed(regions);
  for (const to of swallowed) {
    const ends = { from: 'controller', to, bothWays: true } as const;
    scene.perform({ do: 'cut', ...ends, passage: 'dropped', forMs: silentMs });
  }
  const times: number[] = [];
  for (let guardWaitSeconds = 61; guardWaitSeconds <= 70; guardWaitSeconds++) {
    const since = scene.world.clock.monotonic();
    scene.perform({ do: 'set guardWaitSeconds', to: guardWaitSeconds });
    await scene.until(`${guardWaitSeconds} s in eu and ap`, () =>
      ['eu', 'ap'].every(
        (region) =>
          guardOf(scene.find(region, resources.configMaps, 'orders-ringmaster')).waitSeconds === guardWaitSeconds,
      ),
    );
    times.push(scene.world.clock.monotonic() - since);
    await scene.pass(pauseMs);
  }
  for (const to of swallowed) {
    assert.notEqual(guardOf(scene.find(to, resources.configMaps, 'orders-ringmaster')).waitSeconds, 70);
  }
  await scene.end();
  for (const region of Object.keys(regions)) {
    assert.equal(guardOf(scene.find(region, resources.configMaps, 'orders-ringmaster')).waitSeconds, 70);
  }
  return times;
}

describe('a region that swallows packets', () => {
  test('costs the others nothing: an edit reaches them as fast as without it, at every point of its failing', async (context) => {
    const without = await editTimes([]);
    const beside = await editTimes(['us']);
    const show = (times: readonly number[]): string => times.map((each) => each.toFixed(0)).join(' ');
    context.diagnostic(`virtual ms without: ${show(without)}; beside a region that swallows packets: ${show(beside)}`);
    assert.ok(Math.max(...beside) <= Math.max(...without) + noiseMs);
  });
});
