import { perObject } from '../edges/per-object.ts';
import { expandAddress } from '../api/address.ts';
import type { EffectiveFederation, EffectiveRegion } from '../api/effective.ts';
import type { PlannedPod, RegionalOperator } from '../operators/operator.ts';

export interface Seed {
  region: string;
  pod: string;
  address: string;
}

/**
 * The seeds of all planned regions, in the order of spec.regions: per datacenter the lowest ordinals, spread over its
 * racks. Computed from the spec alone, once, so that nothing that happens to a region can change the list.
 */
export function plannedSeeds(federation: EffectiveFederation, operator: RegionalOperator): readonly Seed[] {
  const known = plannedBy(operator);
  let seeds = known.get(federation);
  if (!seeds) known.set(federation, (seeds = planSeeds(federation, operator)));
  return seeds;
}

const plannedBy = perObject<RegionalOperator, WeakMap<EffectiveFederation, readonly Seed[]>>(() => new WeakMap());

function planSeeds(federation: EffectiveFederation, operator: RegionalOperator): Seed[] {
  return federation.regions.flatMap((region) => {
    const pods = operator.pods(federation, region);
    return region.datacenters.flatMap((datacenter) =>
      pods
        .filter((pod) => pod.datacenter === datacenter.name)
        .sort((one, other) => one.ordinal - other.ordinal)
        .slice(0, federation.seeds.perDatacenter)
        .map((pod) => ({ region: region.name, pod: pod.name, address: podAddress(federation, region, pod) })),
    );
  });
}

/** The name under which every region can reach `pod`: the template seeds.address, filled in. */
export function podAddress(federation: EffectiveFederation, region: EffectiveRegion, pod: PlannedPod): string {
  return expandAddress(federation.seeds.address, {
    pod: pod.name,
    service: federation.clusterName,
    namespace: region.namespace,
    cluster: federation.clusterName,
    datacenter: pod.datacenter,
    rack: pod.rack,
    region: region.name,
  });
}

/**
 * The list for one region: its own seeds first, then the others as they stand. CassKop's run.sh asks the entries in
 * order and gives up on a temporary DNS failure, so another region's dead name server must not come first.
 * @param recorded the federation's seed addresses in their recorded order.
 */
export function seedListFor(region: string, recorded: readonly string[], planned: readonly Seed[]): string[] {
  const own = new Set(planned.filter((seed) => seed.region === region).map((seed) => seed.address));
  return [...recorded.filter((address) => own.has(address)), ...recorded.filter((address) => !own.has(address))];
}

/**
 * The seeds a running federation should have by now. A datacenter keeps those it has for as long as the spec has their
 * pods, so scaling changes no list; one that has none, because it is new or seeds.address is another one, is given those of
 * the spec. New ones come last: a recorded seed never moves.
 */
export function dueSeeds(
  federation: EffectiveFederation,
  operator: RegionalOperator,
  recorded: readonly string[],
): string[] {
  const planned = plannedSeeds(federation, operator).map((seed) => seed.address);
  const due = federation.regions.flatMap((region) => {
    const pods = operator.pods(federation, region);
    return region.datacenters.flatMap((datacenter) => {
      const addresses = pods
        .filter((pod) => pod.datacenter === datacenter.name)
        .map((pod) => podAddress(federation, region, pod));
      const kept = addresses.filter((address) => recorded.includes(address));
      return kept.length > 0 ? kept : planned.filter((address) => addresses.includes(address));
    });
  });
  const wanted = new Set([...due, ...federation.seeds.external]);
  return [...new Set([...recorded.filter((address) => wanted.has(address)), ...wanted])];
}

/** `known` with everything from `more` that it lacks behind it: a recorded seed never leaves and never moves. */
export function appendSeeds(known: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...known, ...more])];
}
