import { isDeepStrictEqual } from 'node:util';
import { resources } from '../../../src/kube/objects.ts';
import type { Facts } from './facts.ts';
import type { Invariant, Write } from './invariant.ts';
import { revisionOf } from '../region/revision.ts';
import { revisionLabel } from '../region/stateful-set-controller.ts';
import type { StatefulSet } from '../region/workload-objects.ts';
import { type MemberSpec, podsOf, specOf, underWay } from './reading.ts';

/** DESIGN invariant 2. */
export const oneRegionAtATime: Invariant = {
  name: 'one region at a time',
  statement:
    'At most one region is disrupted at a time, a join included: two at once can take the quorum, and two joins at once can leave a token range without its data.',
  watch: (facts) => {
    /** Region -> uid of the member that we disturbed, until all its pods have been NORMAL since. */
    const disturbed = new Map<string, { uid: string | undefined; waitsFor: Set<string> }>();
    const members = new Set<string>();
    return {
      onNode: ({ kind, pod, region }) => {
        if (kind === 'became NORMAL') {
          members.add(pod);
          disturbed.get(region)?.waitsFor.delete(pod);
        }
        return undefined;
      },
      onWrite: (write) => {
        const { cluster, after, why, by } = write;
        // One that is let go, and comes again, joins as for the first time.
        if (isDeletedMember(write)) {
          for (const pod of podsOf(write.before!)) members.delete(pod);
          disturbed.delete(cluster);
        }
        if (!disrupts(write) || !after) return undefined;
        // A member that somebody deleted is written again: its nodes come back, and nobody may have to wait for that.
        if (!write.before && podsOf(after).every((pod) => members.has(pod))) return undefined;
        const other = [...disturbed].find(
          ([region, { uid, waitsFor }]) =>
            region !== cluster && waitsFor.size > 0 && facts.member(region)?.metadata.uid === uid,
        );
        disturbed.set(cluster, { uid: after.metadata.uid, waitsFor: podsToCome(facts, write) });
        if (!other) return undefined;
        const [region, { waitsFor }] = other;
        const waiting = [...waitsFor].filter((pod) => !isThrough(facts, region, pod));
        if (waiting.length === 0) return undefined;
        return `${by} disturbed region ${cluster} (${why}) while ${waiting.join(', ')} of region ${region} had not come up since it was disturbed`;
      },
    };
  },
};

/** A controller has deleted a member. */
export function isDeletedMember({ method, plural, succeeded, before }: Write): boolean {
  return method === 'DELETE' && plural === 'cassandraclusters' && succeeded && before !== undefined;
}

/** Whether nothing is left to be done to a pod that never had to restart: its change was taken back before its turn came. */
function isThrough(facts: Facts, region: string, pod: string): boolean {
  const member = facts.member(region);
  if (!member || underWay(member) !== undefined) return false;
  const node = [...facts.ring().nodes].find(({ options }) => options.region === region && options.name === pod);
  const revision = facts.server(region).find(resources.pods, member.metadata.namespace, pod)?.metadata.labels?.[
    revisionLabel
  ];
  const sets = [...facts.server(region).all(resources.statefulSets)] as StatefulSet[];
  return node?.mode === 'NORMAL' && sets.some((set) => revisionOf(set) === revision);
}

/** A new member starts all of its pods; a changed one restarts those that run; another size alone starts those that are new. */
function podsToCome(facts: Facts, { cluster, after, before }: Write): Set<string> {
  const pods = after ? podsOf(after) : [];
  if (before && after && isDeepStrictEqual(withoutSize(specOf(before)), withoutSize(specOf(after)))) {
    return new Set(pods.filter((pod) => !podsOf(before).includes(pod)));
  }
  if (before) return new Set(pods);
  const normal = new Set(
    [...facts.ring().nodes]
      .filter((node) => node.mode === 'NORMAL' && node.options.region === cluster)
      .map((node) => node.options.name),
  );
  return new Set(pods.filter((pod) => !normal.has(pod)));
}

/**
 * Whether pods start or restart by it. Where the seeds stand makes no difference to them (measured with CassKop 2.3.4), and
 * maxPodUnavailable goes into the PodDisruptionBudget alone.
 */
function disrupts({ plural, succeeded, subresource, before, after }: Write): boolean {
  if (plural !== 'cassandraclusters' || !succeeded || subresource !== undefined || !after) return false;
  return !before || !isDeepStrictEqual(essence(specOf(before)), essence(specOf(after)));
}

function essence(spec: MemberSpec): unknown {
  const {
    backRestSidecar = {},
    config = {},
    maxPodUnavailable: ___,
    ...rest
  } = spec as MemberSpec & { maxPodUnavailable?: number };
  const { envVars: _, ...sidecar } = backRestSidecar;
  const { 'cluster-info': __, ...configuration } = config;
  return withoutEmpty({ ...rest, sidecar, configuration });
}

/** CassKop fills its types' empty structs in again. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const left = Object.entries(value)
    .map(([field, child]) => [field, withoutEmpty(child)] as const)
    .filter(([, child]) => child !== undefined);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** DESIGN invariant 7. */
export const scaleDownIsAlone: Invariant = {
  name: 'a scale-down is alone',
  statement:
    'nodesPerRacks is lowered by a write that changes nothing else, in a region that is at rest, and until it is done nothing is written to that member: a racing write can leave a decommission stuck and lose rows.',
  watch: () => {
    /** Regions with a scale-down of ours under way. */
    const lowered = new Map<string, string>();
    return {
      onChange: (cluster, { resource, object, type }) => {
        if (resource.plural !== 'cassandraclusters') return undefined;
        if (type === 'DELETED') lowered.delete(cluster);
        const status = object['status'] as { lastClusterAction?: string; lastClusterActionStatus?: string } | undefined;
        if (status?.lastClusterAction === 'ScaleDown' && status.lastClusterActionStatus === 'Done')
          lowered.delete(cluster);
        return undefined;
      },
      onWrite: ({ plural, succeeded, cluster, before, after, why, by }) => {
        if (plural !== 'cassandraclusters' || !succeeded || !before || !after) return undefined;
        const pending = lowered.get(cluster);
        if (pending !== undefined) {
          return `${by} wrote to the member of region ${cluster} (${why}) before the scale-down of ${pending} was done`;
        }
        const fewer = podsOf(before).filter((pod) => !podsOf(after).includes(pod));
        if (fewer.length === 0) return undefined;
        lowered.set(cluster, fewer.join(', '));
        const status = before['status'] as { phase?: string; lastClusterActionStatus?: string } | undefined;
        if (status?.phase !== 'Running' || status.lastClusterActionStatus !== 'Done') {
          return `${by} took ${fewer.join(', ')} out of region ${cluster} (${why}) while CassKop was at ${status?.phase} ${status?.lastClusterActionStatus}`;
        }
        const alone = isDeepStrictEqual(withoutSize(specOf(before)), withoutSize(specOf(after)));
        return alone
          ? undefined
          : `${by} took ${fewer.join(', ')} out of region ${cluster} (${why}) together with other changes`;
      },
    };
  },
};

function withoutSize(spec: MemberSpec): unknown {
  const dc = (spec.topology?.dc ?? []).map((each) => ({ ...each, nodesPerRacks: 0 }));
  return withoutEmpty({ ...spec, nodesPerRacks: 0, topology: { ...spec.topology, dc } });
}
