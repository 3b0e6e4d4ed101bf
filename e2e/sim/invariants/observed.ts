import type { Invariant } from './invariant.ts';
import { entryOf, specOf, Versions } from './versions.ts';

/** What a controller writes where it has nothing to do with the region. */
const ofTheHub = new Set(['multicassandraclusters', 'leases', 'events']);

export const anObservedRegionIsLetBe: Invariant = {
  name: 'an observed region is let be',
  statement:
    'Nothing is written to a region whose state is Observed in the spec that the controller knew, and no node of it is told anything: whoever sets that works there by hand.',
  watch: (facts) => {
    const versions = new Versions(facts);
    const isObserved = (by: string, region: string): boolean => {
      const known = versions.known(by);
      return specOf(known, region)?.state === 'Observed' && entryOf(known, region)?.leavingSince === undefined;
    };
    return {
      onChange: versions.onChange,
      onWrite: ({ by, cluster, plural, name, why }) =>
        !ofTheHub.has(plural) && isObserved(by, cluster)
          ? `${by} wrote ${plural} ${name} in ${cluster} (${why}), which is only observed`
          : undefined,
      onOrder: ({ by, cluster, pod, what, why }) =>
        isObserved(by, cluster)
          ? `${by} told ${pod} in ${cluster} to ${what} (${why}), which is only observed`
          : undefined,
    };
  },
};
