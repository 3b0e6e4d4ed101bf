import type { EffectiveFederation } from '../api/effective.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Change, MemberState, RegionalOperator } from '../operators/operator.ts';
import type { NodeView, RingState } from '../ring/view.ts';
import { commonAnnotations, type Owner, type Stamp } from './bookkeeping.ts';
import type { Hosts } from './hosts.ts';
import type { Memory } from './memory.ts';
import type { RegionPicture } from './picture.ts';
import { seedListFor } from './seeds.ts';
import type { Snapshot } from './snapshot.ts';

/** Everything one pass of the planner has worked out of its snapshot; the steps of the plan share it. */
export interface PlanContext {
  readonly snapshot: Snapshot;
  readonly federation: EffectiveFederation;
  readonly operator: RegionalOperator;
  readonly pictures: readonly RegionPicture[];
  readonly memory: Memory;
  /** Fresh views by pod name, of whoever answers. */
  readonly heard: ReadonlyMap<string, NodeView>;
  /** Those that count: without nodes that have left, and blind to hosts that are given up and down. */
  readonly views: ReadonlyMap<string, NodeView>;
  readonly ring: RingState;
  readonly hosts: Hosts;
  /** By region, filled as it is needed: several steps ask for the same. */
  readonly workedOut: Map<string, WorkedOut>;
}

/** What has been worked out of one region's member in this pass. */
export interface WorkedOut {
  state?: MemberState;
  changes?: RegionChanges;
  /** As it is to be, without and with the seeds in its spec. */
  plain?: Rendered;
  /** Whether the member is to name the guard that it was adopted without. */
  guardDue?: boolean;
  injecting?: Rendered;
}

/** A member as the spec asks for it, without bookkeeping. */
export interface Rendered {
  readonly object: KubeObject;
  /** JSON pointers into its spec of all leaves it sets. */
  readonly paths: readonly string[];
  readonly hash: string;
}

/** What a region still lacks of what the spec asks for. */
export interface RegionChanges {
  readonly changes: readonly Change[];
  /** Hash of all the spec asks of the region, however much of it was delivered. */
  readonly target: string;
  /** All of it was delivered before, so whatever differs was changed by somebody else since. */
  readonly drifted: boolean;
  /** The operator has put back what was delivered; it is not sent again before the spec changes. */
  readonly rejected: boolean;
}

/** Where this pass keeps what it works out of a region's member. */
export function workedOut(context: PlanContext, picture: RegionPicture): WorkedOut {
  let known = context.workedOut.get(picture.region.name);
  if (!known) context.workedOut.set(picture.region.name, (known = {}));
  return known;
}

/** The seeds a region's nodes start with: those it was given already, else its list of the recorded ones. */
export function seedsOf(context: PlanContext, picture: RegionPicture): readonly string[] {
  const given = picture.known ? picture.member?.bookkeeping.seeds : undefined;
  const { seeds, planned } = context.memory;
  return given ?? picture.recorded?.appliedSeeds ?? seedListFor(picture.region.name, seeds, planned);
}

/**
 * The seeds the region should be given by now. The same seeds in another order are those it has: the operator restarts
 * every node for a mere reorder.
 */
export function dueSeedsOf(context: PlanContext, picture: RegionPicture): readonly string[] {
  const given = seedsOf(context, picture);
  const { seeds, planned } = context.memory;
  if (seeds.length === 0) return given;
  const due = seedListFor(picture.region.name, seeds, planned);
  return due.length === given.length && due.every((seed) => given.includes(seed)) ? given : due;
}

/** Whose what is written to a region is, and who writes it. */
export function authorship(
  { snapshot }: PlanContext,
  picture: RegionPicture,
): { owner: Owner; region: string; stamp: Stamp } {
  const { mcc, leaseTransitions } = snapshot;
  const { uid = '', namespace, name, generation = 0 } = mcc.metadata;
  return { owner: { uid, namespace, name }, region: picture.region.name, stamp: { generation, leaseTransitions } };
}

/** Annotations for members and guards. */
export function annotationsFor(
  context: PlanContext,
  picture: RegionPicture,
  seeds: readonly string[] = seedsOf(context, picture),
): Record<string, string> {
  return commonAnnotations({ ...authorship(context, picture), founder: context.memory.founder ?? '', seeds });
}
