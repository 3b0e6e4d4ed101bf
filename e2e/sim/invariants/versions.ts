import type { RegionSpec, RegionStatus, Spec } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { statusOf } from './reading.ts';

/** Every version of the MultiCassandraCluster: what a process has heard tells which of them it knows. */
export class Versions {
  readonly #facts: Facts;
  readonly #all: KubeObject[] = [];

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  readonly onChange: NonNullable<ReturnType<Invariant['watch']>['onChange']> = (cluster, { resource, object }) => {
    if (resource.plural === 'multicassandraclusters' && cluster === this.#facts.shape.hub) this.#all.push(object);
    return undefined;
  };

  known(process: string): KubeObject | undefined {
    const heard = this.#facts.heard(process, this.#facts.shape.hub, 'multicassandraclusters') ?? 0;
    return this.#all.findLast(({ metadata }) => Number(metadata.resourceVersion) <= heard);
  }
}

export function specOf(mcc: KubeObject | undefined, region: string): RegionSpec | undefined {
  return (mcc?.['spec'] as Spec | undefined)?.regions.find(({ name }) => name === region);
}

export function entryOf(mcc: KubeObject | undefined, region: string): RegionStatus | undefined {
  return statusOf(mcc).regions?.find(({ name }) => name === region);
}
