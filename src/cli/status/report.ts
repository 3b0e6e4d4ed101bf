import * as z from 'zod';
import { findCondition } from '../../api/conditions.ts';
import type { Condition, ConditionStatus, RegionStatus, Status } from '../../api/schema.ts';
import { statusSchema } from '../../api/status-schema.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { type Matters, mattersOf } from '../../api/matters.ts';

/**
 * What `ringmaster status -o json` prints of one MultiCassandraCluster: its status, read for people. The shape is stable: fields are added,
 * never renamed or taken away. Times are RFC 3339. See docs/reference/cli.md.
 */
export interface StatusReport extends Matters {
  readonly namespace: string;
  readonly name: string;
  /** Whether the status speaks of the spec as it is now. */
  readonly current: boolean;
  readonly ready: ConditionReport;
  readonly ring: ConditionReport & { readonly founder?: string; readonly hosts?: number };
  readonly summary: { readonly regions: string; readonly nodes: string };
  readonly regions: readonly RegionReport[];
  /** In the order of the status, each with the regions whose nodes are started with it. */
  readonly seeds: readonly { readonly address: string; readonly appliedIn: readonly string[] }[];
}

/** A condition as it stands; `Unknown` with the reason `NotSaid` as long as it was not said. */
export interface ConditionReport {
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
  /** Since when the status is that. */
  readonly since?: string;
}

export interface RegionReport {
  readonly name: string;
  /** What the spec wants of it; `Dropped`: the spec does not name it any more, and it is still there. */
  readonly state: string;
  readonly stage: string;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly reachable: ConditionReport;
  /** `None` before it was given any. */
  readonly seeds: 'Current' | 'Older' | 'None';
}

/** The few fields that are read beside the status; a spec of another version is shown all the same. */
const objectSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default('default'),
    generation: z.int().exactOptional(),
  }),
  spec: z
    .looseObject({
      regions: z.array(z.looseObject({ name: z.string(), state: z.string().default('Managed') })).default([]),
    })
    .catch({ regions: [] }),
});

/** Reads what the hub holds of a MultiCassandraCluster. A status that cannot be read counts as none. Pure. */
export function reportOf(object: KubeObject): StatusReport {
  const { metadata, spec } = objectSchema.parse(object);
  const status: Status = statusSchema.safeParse(object['status']).data ?? {};
  const told = status.regions ?? [];
  const seeds = status.seeds ?? [];
  const named = spec.regions.map(({ name }) => name);
  const dropped = told.map(({ name }) => name).filter((name) => !named.includes(name));
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    current: status.observedGeneration !== undefined && status.observedGeneration === metadata.generation,
    ready: conditionReport(status.conditions, 'Ready'),
    ring: {
      ...conditionReport(status.conditions, 'RingIntact'),
      ...(status.ring?.founder !== undefined && { founder: status.ring.founder }),
      ...(status.ring?.hosts !== undefined && { hosts: status.ring.hosts }),
    },
    summary: status.summary ?? { regions: `0/${named.length}`, nodes: '0/0' },
    regions: [...named, ...dropped].map((name) => {
      const state = spec.regions.find((each) => each.name === name)?.state ?? 'Dropped';
      return regionReport(
        name,
        state,
        told.find((each) => each.name === name),
        seeds,
      );
    }),
    seeds: seeds.map((address) => ({
      address,
      appliedIn: told
        .filter(({ stage, appliedSeeds = [] }) => stage !== 'Waiting' && appliedSeeds.includes(address))
        .map(({ name }) => name),
    })),
    ...mattersOf(status),
  };
}

function regionReport(
  name: string,
  state: string,
  told: RegionStatus | undefined,
  seeds: readonly string[],
): RegionReport {
  // One that waits for its turn has a guard at most, and no node.
  const applied = (told?.stage === 'Waiting' ? undefined : told?.appliedSeeds) ?? [];
  return {
    name,
    state,
    stage: told?.stage ?? 'Unknown',
    nodes: told?.nodes ?? 0,
    readyNodes: told?.readyNodes ?? 0,
    reachable: conditionReport(told?.conditions, 'Reachable'),
    seeds: applied.length === 0 ? 'None' : seeds.every((seed) => applied.includes(seed)) ? 'Current' : 'Older',
  };
}

function conditionReport(
  list: readonly Condition[] | undefined,
  type: Parameters<typeof findCondition>[1],
): ConditionReport {
  const found = findCondition(list, type);
  if (!found) return { status: 'Unknown', reason: 'NotSaid', message: 'the controller has not said yet' };
  const { status, reason, message, lastTransitionTime: since } = found;
  return { status, reason, message, since };
}
