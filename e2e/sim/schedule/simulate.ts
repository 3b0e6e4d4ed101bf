import { conditionOf, statusOf } from '../invariants/reading.ts';
import { followAdvice } from '../world/repair.ts';
import type { Violation } from '../world/inspection.ts';
import { World } from '../world/world.ts';
import type { History } from './history.ts';
import { perform } from './perform.ts';

/** What became of one history. */
export interface Outcome {
  readonly violation: Violation | undefined;
  /** Virtual time it took, milliseconds. */
  readonly virtualMs: number;
  /** From the first apply to the first Ready=True, milliseconds. */
  readonly readyAfterMs: number | undefined;
  readonly requests: number;
  readonly writes: number;
  readonly checks: number;
  /** What the status said on the way, by conditions and stages. */
  readonly states: ReadonlySet<string>;
  /** What happened, for people; empty unless it was to be kept. */
  readonly timeline: string;
}

/** How long a federation may take to become right once nothing disturbs it any more, milliseconds. */
const convergenceMs = 3_600_000;
const adviceEveryMs = 30_000;
/** After it is right: what is still under way comes to its end, and then there is silence. Milliseconds. */
const settlingMs = 60_000;
const silenceMs = 90_000;

/** Runs one history from the first apply to the silence at its end. The same history gives the same outcome. */
export async function simulate(history: History, options: { keepTimeline?: boolean } = {}): Promise<Outcome> {
  const world = new World(history.seed, history.shape, options);
  try {
    return await play(world, history);
  } catch (cause) {
    throw new Error(`the simulation of seed ${history.seed} failed: ${(cause as Error).message}`, { cause });
  }
}

async function play(world: World, history: History): Promise<Outcome> {
  const { clock } = world;
  const isOver = (): boolean => world.violation !== undefined;
  world.startController();
  world.user.apply();
  for (const { atMs, action } of history.steps) {
    clock.schedule(Math.max(0, atMs - clock.monotonic()), () => {
      clock.wakePromises();
      if (!isOver()) perform(world, action);
    });
  }
  const lastMs = Math.max(history.lastsMs ?? 0, ...history.steps.map(({ atMs }) => atMs));
  await clock.run(lastMs + 1, isOver);
  return finish(world);
}

/** Mends whatever is broken, lets the user do what the status asks for, waits for everything to come right, and listens. */
export async function finish(world: World): Promise<Outcome> {
  const { clock } = world;
  const isOver = (): boolean => world.violation !== undefined;
  let readyAfterMs: number | undefined;
  const isReady = (): boolean => {
    const mcc = world.user.mcc;
    if (world.errands > 0) return false;
    const ready =
      conditionOf(mcc, 'Ready')?.status === 'True' &&
      conditionOf(mcc, 'OperationsDone')?.status !== 'False' &&
      statusOf(mcc).observedGeneration === mcc?.metadata.generation;
    if (ready) readyAfterMs ??= clock.monotonic();
    return ready;
  };
  // What was begun ends by itself first, as an outage does.
  while (!isOver() && (world.isTroubled(0) || world.isMuted)) await clock.run(1_000, isOver);

  world.calmDown();
  const deadline = clock.monotonic() + convergenceMs;
  // What the status says now may be what a controller wrote before it was cut off from the hub.
  await clock.run(adviceEveryMs, isOver);
  while (!isOver() && clock.monotonic() < deadline) {
    if (await clock.run(adviceEveryMs, () => isOver() || isReady())) break;
    followAdvice(world);
  }
  world.quietSinceMs = clock.monotonic() + settlingMs;
  await clock.run(settlingMs + silenceMs, isOver);
  if (!isOver()) world.inspection.onRest();
  for (const process of world.controllers) world.endController(process, 'kill');
  const { oversight, violation } = world;
  return {
    violation,
    virtualMs: clock.monotonic(),
    readyAfterMs,
    requests: oversight.requests,
    writes: oversight.writes,
    checks: world.inspection.checks,
    states: oversight.states,
    timeline: world.timeline.toString(),
  };
}
