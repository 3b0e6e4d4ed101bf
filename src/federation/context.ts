import type { EffectiveFederation } from '../api/effective.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { MemberState, RegionalOperator } from '../operators/operator.ts';
import type { NodeView, RingState } from '../ring/view.ts';
import { commonAnnotations } from './bookkeeping.ts';
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
  /** Fresh views by pod name. */
  readonly views: ReadonlyMap<string, NodeView>;
  readonly ring: RingState;
  readonly hosts: Hosts;
  /** By region, filled as it is needed: several steps ask for the same. */
  readonly workedOut: Map<string, WorkedOut>;
}

/** What has been worked out of one region's member in this pass. */
export interface WorkedOut {
  state?: MemberState;
  /** As it is to be, without and with the seeds in its spec. */
  plain?: Rendered;
  injecting?: Rendered;
}

export interface Rendered {
  readonly object: KubeObject;
  readonly paths: readonly string[];
  readonly hash: string;
}

/** The seeds a region's nodes start with: those it was given already, else its list of the recorded ones. */
export function seedsOf(context: PlanContext, picture: RegionPicture): readonly string[] {
  const given = picture.known ? picture.member?.bookkeeping.seeds : undefined;
  const { seeds, planned } = context.memory;
  return given ?? picture.recorded?.appliedSeeds ?? seedListFor(picture.region.name, seeds, planned);
}

/** Annotations for whatever is written to a region, member or guard. */
export function annotationsFor(context: PlanContext, picture: RegionPicture): Record<string, string> {
  const { mcc, leaseTransitions } = context.snapshot;
  const { uid = '', namespace, name, generation = 0 } = mcc.metadata;
  return commonAnnotations({
    owner: { uid, namespace, name },
    region: picture.region.name,
    stamp: { generation, leaseTransitions },
    founder: context.memory.founder ?? '',
    seeds: seedsOf(context, picture),
  });
}
