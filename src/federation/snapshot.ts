import type { Reason } from '../api/conditions.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';
import { perObject } from '../edges/per-object.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Capabilities, Reference } from '../operators/operator.ts';
import type { NodeView } from '../ring/view.ts';

/**
 * Everything one plan is made from: one MultiCassandraCluster and what its regions hold, taken at one moment and never
 * changed afterwards. What is not known says so; it is never taken for absent.
 */
export interface Snapshot {
  readonly mcc: MultiCassandraCluster;
  /** Wall clock, milliseconds since 1970; stamps conditions. */
  readonly nowMs: number;
  /** Monotonic milliseconds on the clock that stamped the views. */
  readonly monotonicMs: number;
  /** The number of the leader that plans; the highest there is for a standby, whose plan nobody carries out. */
  readonly leaseTransitions: number;
  /** By name: the ConfigMaps in the hub that regions name for the user's own pre_run.sh and post_run.sh. */
  readonly userScripts: Readonly<Record<string, UserScripts>>;
  /** What members name, as the MultiCassandraCluster's own namespace of the hub holds it; by kind and name, see keyOf. */
  readonly sources: Readonly<Record<string, Looked>>;
  /** By region: what its API server said when it refused our last write there; a lost race is no refusal. */
  readonly refusedWrites: Readonly<Record<string, string>>;
  /** Why keyspaces could not be altered when that was last tried; with what a person does about it. */
  readonly cqlProblem?: string;
  /** One for each entry of spec.regions, by name. */
  readonly regions: Readonly<Record<string, RegionSnapshot>>;
}

/** The snapshot's wall clock as conditions write it: RFC 3339. */
export const momentOf = perObject((snapshot: Pick<Snapshot, 'nowMs'>) => new Date(snapshot.nowMs).toISOString());

export type UserScripts =
  | { readonly known: false; readonly message: string }
  | { readonly known: true; readonly found: false }
  | { readonly known: true; readonly found: true; readonly data: Readonly<Record<string, string>> };

/** One object that was looked up by its name. */
export type Looked =
  | {
      readonly known: false;
      readonly message: string;
      /** A right is missing, and only a person can give it. */
      readonly isForbidden?: true;
    }
  | { readonly known: true; readonly object: KubeObject | undefined };

/** A copy of ours in a region. Objects of a list do not say of which kind they are. */
export interface Copy {
  readonly kind: Reference['kind'];
  readonly object: KubeObject;
}

/** What an object is known by among those that members name: `Secret registry`. */
export function keyOf({ kind, name }: { kind: string; name: string }): string {
  return `${kind} ${name}`;
}

export type RegionSnapshot = UnknownRegion | KnownRegion;

/** Why nothing can be said of a region right now. */
export type UnknownReason =
  | 'UnknownContext'
  | 'RegistrationRefused'
  | 'NamespaceNotAllowed'
  | 'Unreachable'
  | 'Unauthorized'
  | 'NotSynced'
  | 'BehindOwnWrite'
  | 'IdentityChanged';

export interface UnknownRegion {
  readonly known: false;
  readonly reason: UnknownReason;
  /** A sentence for people. */
  readonly message: string;
  /** Of one that is unreachable or unauthorized: in which way. */
  readonly answer?: Reason<'Reachable'>;
  /** It has never answered, and there was little time for it yet: not unreachable, only not seen. */
  readonly isFirstLook?: true;
  /** It could be seen a moment ago, and may be seen again in another: it is told of as before, and decided on as unknown. */
  readonly isPassing?: true;
}

export interface KnownRegion {
  readonly known: true;
  /** uid of the namespace kube-system: the cluster's identity. */
  readonly clusterUid: string;
  /** Why the region is still reached in the way it was registered before; undefined: it is not. */
  readonly registrationProblem?: string;
  /** When the credentials for it end, and why nobody has renewed them; undefined: not soon. */
  readonly credentialsEnd?: string;
  /** It can be reached again, and not for long yet: who comes and goes is not called reachable. */
  readonly isUnsteady?: true;
  /** What must be there before the first write. */
  readonly namespaceExists: boolean;
  readonly serviceAccountExists: boolean;
  /** Undefined: the regional operator's CRD is not installed. */
  readonly capabilities: Capabilities | undefined;
  readonly member: KubeObject | undefined;
  readonly guard: KubeObject | undefined;
  /** What its member names or is to name, whoever has put it there; see keyOf. */
  readonly named: Readonly<Record<string, Looked>>;
  /** Copies that any MultiCassandraCluster has in its namespace. */
  readonly copies: readonly Copy[];
  /** StatefulSets, PersistentVolumeClaims and pods whose names begin as this cluster's do. */
  readonly statefulSets: readonly KubeObject[];
  readonly claims: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  /** Latest view by pod name, for pods whose node could be read. */
  readonly views: Readonly<Record<string, NodeView>>;
  /** Why a pod's node could not be read, by pod name. */
  readonly unreadable: Readonly<Record<string, string>>;
  /** Keyspace -> replication, from one node; undefined until it was read or when there is no user keyspace to ask about. */
  readonly replication: Readonly<Record<string, string>> | undefined;
}
