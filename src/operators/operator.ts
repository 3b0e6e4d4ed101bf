import type { EffectiveFederation, EffectiveRegion } from '../api/effective.ts';
import type { OpenApiSchema } from '../api/schema-check.ts';
import type { MemberSchema } from '../api/validation/members.ts';
import type { KubeObject, ResourceType } from '../kube/objects.ts';

/**
 * A regional operator: the program in each region that turns the member object into Cassandra pods. Everything here
 * is pure; the planner calls it and the executor sends what comes out.
 */
export interface RegionalOperator {
  readonly name: string;
  /** The member's kind in the region. */
  readonly member: ResourceType;
  /** Label selector of all Cassandra pods the operator makes. */
  readonly podSelector: string;
  /** Name of the CustomResourceDefinition that must be there. */
  readonly crdName: string;
  /** The ServiceAccount its pods run as; admission refuses the pods without it. */
  serviceAccount(region: EffectiveRegion): string;
  /** What the operator installed in the region can do, read from its CRD and not from a version string. */
  capabilities(crd: KubeObject): Capabilities;
  /** The whole member as Ringmaster wants it, without bookkeeping annotations and preconditions. */
  render(input: RenderInput): KubeObject;
  /** The parts of the region's CRD schema that the user writes into: a field unknown there would be dropped in silence. */
  writtenSchema(capabilities: Capabilities): MemberSchema;
  /** What the operator has made of the member so far. */
  read(input: ReadInput): MemberState;
  /** JSON pointers of fields in `wanted.spec` that `live.spec` holds otherwise, after the operator's own normalisation. */
  difference(wanted: KubeObject, live: KubeObject): readonly string[];
  /** JSON pointers of all leaves that `member.spec` sets: what a later render must take back if it leaves them out. */
  paths(member: KubeObject): string[];
  /** Pods that the member asks for, in the order in which the operator starts them. */
  pods(federation: EffectiveFederation, region: EffectiveRegion): readonly PlannedPod[];
}

export interface PlannedPod {
  name: string;
  datacenter: string;
  rack: string;
  ordinal: number;
}

export interface Capabilities {
  /** The member has a status subresource (CassKop >= 2.3.0), so seeds go in by a PATCH of /status. */
  statusSubresource: boolean;
  /** The served version's OpenAPI v3 schema. */
  schema: OpenApiSchema;
}

export interface RenderInput {
  federation: EffectiveFederation;
  region: EffectiveRegion;
  /** Name of the guard's ConfigMap. */
  guardName: string;
  seeds: readonly string[];
  /**
   * The seeds also stand in the spec, where they win over what the operator computes by itself. True from creation
   * until the operator holds the list in its own status.
   */
  injecting: boolean;
}

export interface ReadInput {
  member: KubeObject;
  /** The StatefulSets that exist under the member's name. */
  statefulSets: readonly KubeObject[];
  seeds: readonly string[];
  /** StatefulSet name -> replicas that the member asks for. */
  replicas: Readonly<Record<string, number>>;
}

/** Why a member is not settled; `Settled` itself means: our last write is processed and nothing is under way. */
export type SettledReason =
  | 'Settled'
  | 'NotProcessed'
  | 'Initializing'
  | 'ActionUnderWay'
  | 'Pending'
  | 'Rejected'
  | 'SeedsDiffer'
  | 'PodsDiffer';

export interface MemberState {
  settled: boolean;
  reason: SettledReason;
  /** For people: what it waits for. */
  message: string;
  /** The operator stores this seed list; undefined until it stored one. */
  statusSeeds: readonly string[] | undefined;
  /** The overrides of the injection are still in the spec. */
  injecting: boolean;
  /** StatefulSets whose pods start with another seed list than ours. */
  wrongSeeds: readonly string[];
}
