import type { EffectiveFederation, EffectiveRegion } from '../api/effective.ts';
import type { OpenApiSchema } from '../api/schema-check.ts';
import type { JsonObject } from '../api/json.ts';
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
  /**
   * What turns `live` into `wanted`, field by field after the operator's own normalisation, and what each costs.
   * @param gone JSON pointers into the spec of fields that we once set and do not want any more.
   */
  changes(wanted: KubeObject, live: KubeObject, gone: readonly string[]): readonly Change[];
  /**
   * What `live` has that `wanted` does not ask for, and that the operator has not put there itself. Whoever takes a member over that others
   * have written would lose it as soon as that member has to be made anew.
   */
  beyond(wanted: KubeObject, live: KubeObject): readonly Change[];
  /** `wanted` with the live value at the place of each of `held`, which come from `changes`. */
  without(wanted: KubeObject, held: readonly Change[]): KubeObject;
  /** The datacenters that the member asks for now; the same object for the same member. */
  topology(member: KubeObject): Topology;
  /**
   * `wanted` over `live`: it says of what is gone that it is empty, where an apply that merely left it out would be refused, and keeps
   * what was ordered and is not begun, such as the restart of a rack.
   */
  over(wanted: KubeObject, live: KubeObject): KubeObject;
  /** The member with a command in it that the operator carries out once and takes back: restart all, or skip its guard against disruption. */
  command(member: KubeObject, command: 'restart' | 'unlock'): KubeObject;
  /** What a pod was last told to do, and how that went. */
  podOperation(pod: KubeObject, member: KubeObject): PodOperationState;
  /** All labels of a pod once it is told to do something. */
  labelsToOrder(pod: KubeObject, operation: OrderedOperation): Record<string, string>;
  /** Pods that keep the operator from rolling out what the member says now: not ready, and made before it. */
  obsoletePods(input: ReadInput, pods: readonly KubeObject[]): readonly KubeObject[];
  /** JSON pointers of all leaves that `member.spec` sets: what a later render must take back if it leaves them out. */
  paths(member: KubeObject): string[];
  /** The Secrets and ConfigMaps that pods of a member with this spec are given, each as often as it is named. */
  references(spec: JsonObject): readonly Reference[];
  /** Pods that the member asks for, in the order in which the operator starts them. */
  pods(federation: EffectiveFederation, topology: Topology): readonly PlannedPod[];
}

/**
 * What a change of the member costs in its region.
 * - benign: nothing restarts.
 * - restart: its nodes restart, one after the other.
 * - seeds: its nodes restart for another seed list; never in one step with anything else, or they would restart twice.
 * - storage: its volumes grow; nothing restarts.
 * - operation: its nodes do something on command, one after the other; nothing restarts, and the member stays as it is.
 * - datacenter, scale-up: nodes join the ring.
 * - scale-down: nodes leave the ring and their volumes are deleted.
 * - forbidden: the operator refuses it, or would do harm.
 */
export type ChangeKind =
  'benign' | 'restart' | 'seeds' | 'storage' | 'operation' | 'datacenter' | 'scale-up' | 'scale-down' | 'forbidden';

export interface Change {
  /** JSON pointer into the member, such as /spec/cassandraImage. */
  readonly path: string;
  readonly kind: ChangeKind;
  /** Undefined: absent. */
  readonly from: unknown;
  readonly to: unknown;
  /** Why it is forbidden, and what to do instead. */
  readonly message?: string;
}

/** What the operator has single nodes do on command. */
export type PodOperation = 'cleanup' | 'rebuild' | 'upgradesstables';

export interface OrderedOperation {
  readonly name: PodOperation;
  /** Of a rebuild: the datacenter to take the rows from. */
  readonly argument?: string;
}

export interface PodOperationState {
  /** What it was last told to do; undefined: nothing, or something else than these. */
  readonly name?: PodOperation;
  /**
   * - none: nothing that counts.
   * - ordered: the operator has not taken it up yet.
   * - running: nothing else may be ordered.
   * - done, failed: it is over.
   */
  readonly phase: 'none' | 'ordered' | 'running' | 'done' | 'failed';
  /** When it was taken up, RFC 3339; undefined: it is not running, or that is not told. */
  readonly since?: string;
  /**
   * What the operator has not put down as over in its rack: it would note any other operation under that name. `pod`: the one that it holds to be
   * at it, if it may be told to begin anew; undefined: there is none, or it ends by itself. `since`: when the rack began with it, RFC 3339.
   */
  readonly unfinished?: { readonly name: string; readonly pod?: string; readonly since?: string };
}

/** A place in a member's spec that names a Secret or a ConfigMap of its namespace. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** Where the name stands, below the spec. */
  readonly path: readonly (string | number)[];
  /** The one key that is read; undefined: all there are. */
  readonly key: string | undefined;
  /** Pods start without it. */
  readonly optional: boolean;
}

/** What decides which pods there are, as a region asks for it or as its member has it. */
export interface Topology {
  readonly datacenters: readonly {
    readonly name: string;
    /** Nodes in each rack. */
    readonly nodesPerRacks: number;
    /** In the order of the operator; of a member empty where it leaves them to the operator. */
    readonly racks: readonly { readonly name: string }[];
  }[];
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
  /** Name of the guard's ConfigMap; undefined: its pods go without it for now, and with what the spec itself names. */
  guardName: string | undefined;
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

/**
 * Why a member is not settled; `Settled` itself means: our last write is processed and nothing is under way. `PodOperation`: nothing but
 * what single nodes do on command, which takes nothing away from the ring.
 */
export type SettledReason =
  | 'Settled'
  | 'NotProcessed'
  | 'Initializing'
  | 'ActionUnderWay'
  | 'Pending'
  | 'Rejected'
  | 'SeedsDiffer'
  | 'PodsDiffer'
  | 'PodOperation';

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
  /** Nodes leave the ring: nothing may be written to the member before that is over. */
  scalingDown: boolean;
  /** The operator has put back what was last written. */
  rejected: boolean;
  /**
   * Racks for which the operator has noted an action that there is nothing left to do of, and waits with it for ever; and what its status becomes by a
   * merge patch, so that it goes on. Undefined: there are none.
   */
  voidActions: { readonly racks: readonly string[]; readonly status: JsonObject } | undefined;
}
