import { finalizer } from '../../../src/api/schema.ts';
import { statusOf } from '../invariants/reading.ts';
import { alterKeyspaces, writeCqlLogin } from '../world/repair.ts';
import { mccPath } from '../world/user.ts';
import type { World } from '../world/world.ts';
import { cutOff, type Later, loseRegion } from './cut.ts';
import type { Action } from './history.ts';

type Fields = Record<string, unknown>;
type Leaving = Extract<Action, { do: 'remove region' | 'abandon region' | 'delete everything' }>;

/** How often a person looks how far it is, milliseconds. */
const lookEveryMs = 10_000;
/** The others hold a lost region to be down by then, milliseconds. */
const noticedAfterMs = 30_000;

/** What a person does to be rid of a region, or of all, and to have them back in the end. */
export function letLeave(world: World, action: Leaving, later: Later): void {
  const { user } = world;
  // One at a time, and of an object that goes nothing but its spec comes back.
  if (world.errands > 0 || statusOf(user.mcc).ring === undefined) return;
  if (user.mcc?.metadata.deletionTimestamp !== undefined) return;
  const regions = user.spec['regions'] as Fields[];
  if (regions.length < world.shape.regions.length || regions.some(({ state }) => state === 'Observed')) return;
  switch (action.do) {
    case 'remove region':
      removeRegion(world, action);
      return;
    case 'abandon region':
      abandonRegion(world, action, later);
      return;
    case 'delete everything':
      deleteEverything(world, action);
  }
}

function removeRegion(world: World, { region, forMs }: Extract<Leaving, { do: 'remove region' }>): void {
  if (!maySpare(world, region)) return;
  setRegion(world, region, { state: 'Removing' });
  const begunMs = world.clock.monotonic();
  lookUntil(world, () => {
    const entry = entryOf(world, region);
    if (entry?.stage !== 'Removed') {
      follow(world, region);
      const isTakenBack = world.clock.monotonic() - begunMs >= forMs && entry?.leavingSince === undefined;
      if (!isTakenBack) return false;
    }
    setRegion(world, region, {});
    return true;
  });
}

function abandonRegion(
  world: World,
  { region, forMs, isAlive }: Extract<Leaving, { do: 'abandon region' }>,
  later: Later,
): void {
  const hosts = (entryOf(world, region)?.hosts ?? []).map(({ hostId }) => hostId);
  if (!maySpare(world, region) || hosts.length === 0 || region === world.shape.hub) return;
  if (isAlive) cutOff(world, region, forMs, later);
  else loseRegion(world, region, forMs, later);
  let isGivenUp = false;
  const backAtMs = world.clock.monotonic() + forMs;
  lookUntil(
    world,
    () => {
      if (!isGivenUp) {
        isGivenUp = true;
        setRegion(world, region, { state: 'Abandoned', abandonedHosts: hosts });
        return false;
      }
      const entry = entryOf(world, region);
      const isTakenBack = world.clock.monotonic() >= backAtMs && entry?.leavingSince === undefined;
      if (entry?.stage !== 'Removed' && !isTakenBack) return false;
      setRegion(world, region, {});
      return true;
    },
    noticedAfterMs,
  );
}

function deleteEverything(world: World, { forMs }: Extract<Leaving, { do: 'delete everything' }>): void {
  const { user, shape } = world;
  user.spec = { ...user.spec, deletionPolicy: 'Delete' };
  user.apply();
  lookUntil(world, () => {
    const { mcc } = user;
    if (mcc && mcc.metadata.deletionTimestamp === undefined) {
      if (mcc.metadata.finalizers?.includes(finalizer)) user.delete(world.server(shape.hub), mccPath);
      return false;
    }
    if (mcc) return false;
    const { deletionPolicy: _, ...spec } = user.spec;
    user.spec = spec;
    world.errands++;
    world.trouble(forMs);
    world.clock.schedule(forMs, () => {
      world.clock.wakePromises();
      world.errands--;
      user.apply();
    });
    return true;
  });
}

/** Whether another region stays, and this one is to be in the ring so far. */
function maySpare({ user }: World, region: string): boolean {
  const regions = user.spec['regions'] as Fields[];
  return regions.length > 1 && regions.some(({ name, state }) => name === region && state === undefined);
}

function setRegion({ user }: World, region: string, fields: { state?: string; abandonedHosts?: string[] }): void {
  const regions = (user.spec['regions'] as Fields[]).map((each) => {
    if (each['name'] !== region) return each;
    const { state: _, abandonedHosts: __, ...rest } = each;
    return { ...rest, ...fields };
  });
  user.spec = { ...user.spec, regions };
  user.apply();
}

function entryOf({ user }: World, region: string): NonNullable<ReturnType<typeof statusOf>['regions']>[0] | undefined {
  return statusOf(user.mcc).regions?.find(({ name }) => name === region);
}

/** The gates of a removal ask for other replication, and nothing goes on before they have it. */
function follow(world: World, region: string): void {
  for (const { message } of entryOf(world, region)?.conditions ?? []) {
    if (!writeCqlLogin(world, message)) alterKeyspaces(world, message);
  }
}

/** Looks every so often until it answers true. Nothing is at its end before. */
function lookUntil(world: World, look: () => boolean, firstMs = lookEveryMs): void {
  world.errands++;
  const again = (): void => {
    world.clock.wakePromises();
    if (world.violation !== undefined || look()) world.errands--;
    else world.clock.schedule(lookEveryMs, again);
  };
  world.clock.schedule(firstMs, again);
}
