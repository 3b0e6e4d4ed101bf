import type { EffectiveFederation } from '../api/effective.ts';
import type { RegionStatus } from '../api/schema.ts';
import { perObject } from '../edges/per-object.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import { parseGuard } from './guard/guard.ts';
import { hasGone, isGivenUp, isUnmarked, type KnownPicture, type OwnedObject, type RegionPicture } from './picture.ts';
import { appendSeeds, dueSeeds, plannedSeeds, type Seed } from './seeds.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What must never be forgotten because it cannot be observed again. The status of the MultiCassandraCluster comes
 * first; the members and the guards in the regions carry the same facts, so a wiped status or a new hub gets them back.
 */
export interface Memory {
  /** The one region that starts the ring; undefined: no ring was ever founded, as far as all reachable places say. */
  readonly founder: string | undefined;
  /** Regions disagree on who founded the ring: there are two histories, and nobody but a person can tell. */
  readonly founderConflict: string | undefined;
  /** Seed addresses that the whole ring should have by now, in their recorded order; empty before the founding, unless there is a ring to be adopted. */
  readonly seeds: readonly string[];
  /** What the spec computes to, with pods; `seeds` is this once the founding is recorded. */
  readonly planned: readonly Seed[];
  /** Pod -> host ID of every node that was proven NORMAL. */
  readonly hosts: ReadonlyMap<string, string>;
  /** Regions that are part of the ring and not in the spec any more. */
  readonly dropped: readonly string[];
  /** Host IDs that a person has given up for good; they may never be in the ring again. */
  readonly abandonedHosts: readonly string[];
}

export function recall(
  snapshot: Snapshot,
  federation: EffectiveFederation,
  operator: RegionalOperator,
  pictures: readonly RegionPicture[],
): Memory {
  const status = snapshot.mcc.status;
  const witnesses = pictures.flatMap(witnessesOf);
  const founders = new Set(witnesses.flatMap(({ bookkeeping }) => bookkeeping.founder ?? []));
  const recordedFounder = status?.ring?.founder;
  if (recordedFounder !== undefined) founders.add(recordedFounder);

  const planned = plannedSeeds(federation, operator);
  // The seeds of a ring that is about to be taken over are recorded along with its founder.
  const founded = founders.size > 0 || pictures.some(isUnmarked);
  const fromMembers = witnesses.flatMap(({ bookkeeping }) => bookkeeping.seeds ?? []);
  const recovered = appendSeeds(
    // Each member names its own seeds first, so their lists together are put into the spec's order again.
    planned.map((seed) => seed.address).filter((address) => fromMembers.includes(address)),
    fromMembers,
  );
  const abandonedHosts = [
    ...new Set([
      ...(status?.ring?.abandonedHosts ?? []),
      ...witnesses.flatMap(({ bookkeeping }) => bookkeeping.abandonedHosts),
      ...pictures.filter(isGivenUp).flatMap(({ region }) => region.abandonedHosts),
    ]),
  ].sort();
  return {
    founder: recordedFounder ?? (founders.size === 1 ? [...founders][0] : undefined),
    founderConflict: founders.size > 1 ? [...founders].sort().join(' and ') : undefined,
    seeds: founded
      ? dueSeeds(present(federation, pictures), operator, appendSeeds(status?.seeds ?? [], recovered))
      : [],
    planned,
    hosts: recallHosts(snapshot, pictures, abandonedHosts),
    dropped: (status?.regions ?? [])
      .filter((each) => isPlaced(each) && !federation.regions.some((region) => region.name === each.name))
      .map(({ name }) => name),
    abandonedHosts,
  };
}

/** The federation without regions that have left the ring: nobody is to start from their nodes any more. */
function present(federation: EffectiveFederation, pictures: readonly RegionPicture[]): EffectiveFederation {
  const left = new Set(pictures.filter(hasGone).map(({ region }) => region.name));
  if (left.size === 0) return federation;
  return { ...federation, regions: federation.regions.filter(({ name }) => !left.has(name)) };
}

/** Objects whose annotations may be believed: ours, and of an adoptable region those beside its member. */
function witnessesOf(picture: RegionPicture): OwnedObject[] {
  if (!picture.known) return [];
  return [picture.member, guardOf(picture)].filter(
    (each) => each !== undefined && each.ownership !== 'foreign',
  ) as OwnedObject[];
}

/**
 * The guard, unless it is only a remainder: one that an earlier MultiCassandraCluster left, in a region that holds no
 * member of it any more, speaks of a ring that is gone.
 */
export function guardOf(picture: KnownPicture): OwnedObject | undefined {
  const remainder = picture.guard?.ownership === 'adoptable' && picture.member?.ownership !== 'adoptable';
  return remainder ? undefined : picture.guard;
}

const readGuard = perObject((data: Readonly<Record<string, string>>) => parseGuard(data));

function recallHosts(
  snapshot: Snapshot,
  pictures: readonly RegionPicture[],
  abandonedHosts: readonly string[],
): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const picture of pictures) {
    const guard = picture.known ? guardOf(picture) : undefined;
    if (guard === undefined || guard.ownership === 'foreign') continue;
    const data = guard.object['data'] as Record<string, string> | undefined;
    // The guard of a region that comes back from the dead still names nodes that the others have been rid of since.
    const isOutdated = (hostId: string): boolean =>
      picture.region.state === 'Abandoned' && abandonedHosts.includes(hostId);
    for (const { pod, hostId } of data ? readGuard(data).joined : []) if (!isOutdated(hostId)) hosts.set(pod, hostId);
  }
  for (const region of snapshot.mcc.status?.regions ?? []) {
    for (const { pod, hostId } of region.hosts ?? []) hosts.set(pod, hostId);
  }
  return hosts;
}

/**
 * Whether a region may hold part of the ring. After a wiped status its hosts are known from the guards of other regions
 * before it has been seen itself.
 */
export function isPlaced({ stage, identity, hosts = [] }: RegionStatus): boolean {
  if (stage === 'Removed' || stage === 'Abandoned') return false;
  return identity !== undefined || hosts.length > 0;
}
