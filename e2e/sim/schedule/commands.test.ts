import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../../../src/edges/testing.ts';
import { World } from '../world/world.ts';
import { drawAction } from './generate.ts';
import type { Action, Shape } from './history.ts';
import { perform } from './perform.ts';
import { finish } from './simulate.ts';

const shape: Shape = {
  regions: ['eu', 'us'].map((name) => ({ name, nodesPerRacks: 1, racks: 1 })),
  hub: 'hub',
  latencyMs: { least: 1, most: 20 },
  guardWaitSeconds: 20,
};

/** What the user and the weather have done so far. */
interface Model {
  readonly done: Action[];
}

/** Lets an action happen, and then time pass; nothing may be violated on the way. */
class Happens implements fc.AsyncCommand<Model, World> {
  readonly #action: Action;
  readonly #waitMs: number;

  constructor(action: Action, waitMs: number) {
    this.#action = action;
    this.#waitMs = waitMs;
  }

  /** Two of a kind at once say nothing that one does not. */
  check({ done }: Readonly<Model>): boolean {
    return done.at(-1)?.do !== this.#action.do;
  }

  async run(model: Model, world: World): Promise<void> {
    model.done.push(this.#action);
    world.clock.wakePromises();
    perform(world, this.#action);
    await world.clock.run(this.#waitMs, () => world.violation !== undefined);
    assert.equal(world.violation, undefined);
  }

  toString(): string {
    return `${JSON.stringify(this.#action)}, then ${this.#waitMs} ms`;
  }
}

const commands = fc.commands(
  [
    fc
      .tuple(fc.noShrink(fc.integer()), fc.integer({ min: 0, max: 60_000 }))
      .map(([seed, waitMs]) => new Happens(drawAction(new SeededRandom(seed), shape), waitMs)),
  ],
  { maxCommands: 6 },
);

/** fast-check makes a failing sequence as short as it can be; FC_SEED and FC_PATH, which it prints, play it again. */
test('no sequence of faults and edits breaks an invariant, and all come right in the end', async () => {
  const seed = Number(process.env['FC_SEED'] ?? 1);
  const path = process.env['FC_PATH'];
  const numRuns = Number(process.env['FC_RUNS'] ?? 25);
  await fc.assert(
    fc.asyncProperty(fc.noShrink(fc.integer({ min: 0 })), commands, async (worldSeed, sequence) => {
      const world = new World(worldSeed, shape);
      world.startController();
      world.user.apply();
      await fc.asyncModelRun(() => ({ model: { done: [] }, real: world }), sequence);
      const { violation } = await finish(world);
      assert.equal(violation, undefined);
    }),
    { seed, numRuns, ...(path !== undefined && { path }) },
  );
});
