import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { isDeletedMember } from './disruption.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { podsOf, seedListsOf, specOf, statusOf, underWay } from './reading.ts';

/** DESIGN invariant 4. */
export const seedListsAreSound: Invariant = {
  name: 'seed lists are sound',
  statement:
    'No region is ever given an empty seed list, or one without the other regions; and a pod that is still to join is not put into its own list, for a seed skips the bootstrap and would serve rows it does not have.',
  watch: (facts) => {
    const normal = new Set<string>();
    return {
      onNode: ({ kind, pod }) => {
        if (kind === 'became NORMAL') normal.add(pod);
        return undefined;
      },
      onWrite: (write) => {
        const { by, cluster, plural, succeeded, before, after, why } = write;
        if (isDeletedMember(write)) for (const pod of podsOf(before!)) normal.delete(pod);
        if (plural !== 'cassandraclusters' || !succeeded || !after) return undefined;
        const recorded = statusOf(facts.mcc()).seeds ?? [];
        const lists = before ? seedListsOf(before) : new Map<string, readonly string[]>();
        const given = before && [...lists.values()].flat();
        for (const [where, list] of seedListsOf(after)) {
          // What stays is nothing that is given now: running regions keep an older list until they are told to roll.
          if (isDeepStrictEqual(lists.get(where), list)) continue;
          const what = `${by} gave region ${cluster} (${why}) in ${where}`;
          if (list.length === 0) return `${what} an empty seed list`;
          // CassKop writes its own list into the status until it is given ours; that one is not our doing.
          if (where === 'status.seedlist' && list.every((seed) => !recorded.includes(seed))) continue;
          const missing = recorded.filter((seed) => !list.includes(seed));
          if (missing.length > 0) return `${what} a seed list without ${missing.join(', ')}`;
          const promoted = podsOf(after).filter(
            (pod) =>
              !normal.has(pod) &&
              list.some((seed) => seed.startsWith(`${pod}.`)) &&
              given?.length &&
              !given.some((seed) => seed.startsWith(`${pod}.`)),
          );
          if (promoted.length > 0) return `${what} ${promoted.join(', ')} as a seed, which has not joined`;
        }
        return undefined;
      },
    };
  },
};

const statefulSets = { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet', namespaced: true };

/** The StatefulSet of a region whose pods start without some of these seeds, and which those are. */
function withoutSeeds(facts: Facts, region: string, seeds: readonly string[]): string | undefined {
  for (const set of facts.server(region).all(statefulSets)) {
    const { template } = set['spec'] as {
      template: { spec: { initContainers?: { name: string; env?: { name: string; value?: string }[] }[] } };
    };
    const bootstrap = template.spec.initContainers?.find((each) => each.name === 'bootstrap');
    const given = bootstrap?.env?.find((each) => each.name === 'CASSANDRA_SEEDS')?.value?.split(',') ?? [];
    const missing = seeds.filter((seed) => !given.includes(seed));
    if (missing.length > 0)
      return `StatefulSet ${set.metadata.name} of region ${region} starts pods without the seeds ${missing.join(', ')}`;
  }
  return undefined;
}

/** The other half: what the pods themselves start with. */
export const podsStartWithTheFederationsSeeds: Invariant = {
  name: "pods start with the federation's seeds",
  statement:
    "A StatefulSet that has pods in the ring carries the seeds of all regions, and they leave the member's spec only once CassKop is through with it and holds them itself: with those that CassKop computes for itself a restarted pod would look for its ring in its own region only.",
  watch: (facts) => ({
    onWrite: ({ by, cluster, plural, succeeded, before, after, why }) => {
      if (plural !== 'cassandraclusters' || !succeeded || !before || !after) return undefined;
      if (!hasSeedsInSpec(before) || hasSeedsInSpec(after)) return undefined;
      const what = `${by} took the seeds out of the spec of region ${cluster} (${why})`;
      const pending = underWay(before);
      if (pending !== undefined) return `${what} although ${pending}`;
      const held = seedListsOf(before).get('status.seedlist') ?? [];
      const missing = seedsOf(facts, cluster).filter((seed) => !held.includes(seed));
      return missing.length > 0 ? `${what} although CassKop holds none of ${missing.join(', ')}` : undefined;
    },
    onRest: () => {
      for (const { name } of facts.shape.regions) {
        const trouble = withoutSeeds(facts, name, seedsOf(facts, name));
        if (trouble !== undefined) return trouble;
      }
      return undefined;
    },
  }),
};

/** The seeds a region was last given: those of the whole ring at that time. */
function seedsOf(facts: Facts, region: string): readonly string[] {
  const { regions, seeds = [] } = statusOf(facts.mcc());
  return regions?.find(({ name }) => name === region)?.appliedSeeds ?? seeds;
}

function hasSeedsInSpec(member: KubeObject): boolean {
  return specOf(member).backRestSidecar?.envVars?.some(({ name }) => name === 'CASSANDRA_SEEDS') ?? false;
}
