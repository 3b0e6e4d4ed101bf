import { effective, type EffectiveRegion } from '../api/effective.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Reference, RegionalOperator } from '../operators/operator.ts';
import type { NodeView } from '../ring/view.ts';
import { readBookkeeping } from './bookkeeping.ts';
import { guardName } from './guard/guard.ts';
import {
  type Copy,
  keyOf,
  type Looked,
  type RegionSnapshot,
  type Snapshot,
  type UnknownRegion,
  type UserScripts,
} from './snapshot.ts';

/** What the caches hold of one namespace of one region; the runtime provides it. Reading it never waits. */
export interface RegionCaches {
  readonly clusterUid: string;
  readonly registrationProblem?: string;
  readonly credentialsEnd?: string;
  /** Whether the cluster can be reached again, but not for long yet. */
  readonly isUnsteady: boolean;
  readonly namespaceExists: boolean;
  serviceAccountExists(name: string): boolean;
  /** Undefined: not installed. */
  readonly crd: KubeObject | undefined;
  member(name: string): KubeObject | undefined;
  configMap(name: string): KubeObject | undefined;
  /** The ConfigMaps and Secrets that carry our label. */
  readonly labelled: readonly Copy[];
  /** A Secret, whoever has put it there. */
  secret(name: string): Looked;
  readonly statefulSets: readonly KubeObject[];
  readonly claims: readonly KubeObject[];
  readonly pods: readonly KubeObject[];
  /** The pod's latest view; undefined when it has none, or when it is another pod of that name by now. */
  view(pod: KubeObject): NodeView | undefined;
  /** Why the pod's node could not be read last time. */
  unreadable(pod: KubeObject): string | undefined;
  /** Keyspace -> replication, as far as it has been read. */
  readonly replication: Readonly<Record<string, string>> | undefined;
}

export interface Sources {
  nowMs: number;
  monotonicMs: number;
  leaseTransitions: number;
  /** The caches of `namespace` in the cluster of `context`, or why nothing can be said of it. */
  region(context: string, namespace: string): RegionCaches | UnknownRegion;
  /** An object of the hub, in the MultiCassandraCluster's own namespace. */
  hubObject(kind: Reference['kind'], namespace: string, name: string): Looked;
  refusedWrites: Readonly<Record<string, string>>;
  cqlProblem?: string | undefined;
}

/** Takes the snapshot of one MultiCassandraCluster from the caches, at one moment. */
export function observe(mcc: MultiCassandraCluster, operator: RegionalOperator, sources: Sources): Snapshot {
  const federation = effective(mcc);
  const scripts = federation.regions.flatMap(({ memberSpec }) =>
    typeof memberSpec['configMapName'] === 'string' ? [memberSpec['configMapName']] : [],
  );
  return {
    mcc,
    nowMs: sources.nowMs,
    monotonicMs: sources.monotonicMs,
    leaseTransitions: sources.leaseTransitions,
    userScripts: Object.fromEntries(
      [...new Set(scripts)].map((name) => [
        name,
        scriptsOf(sources.hubObject('ConfigMap', federation.namespace, name)),
      ]),
    ),
    sources: Object.fromEntries(
      federation.regions
        .flatMap(({ memberSpec }) => operator.references(memberSpec))
        .map((each) => [keyOf(each), sources.hubObject(each.kind, federation.namespace, each.name)]),
    ),
    refusedWrites: sources.refusedWrites,
    ...(sources.cqlProblem !== undefined && { cqlProblem: sources.cqlProblem }),
    regions: Object.fromEntries(
      federation.regions.map((region) => {
        const caches = sources.region(region.context, region.namespace);
        if ('known' in caches) return [region.name, caches];
        return [region.name, regionSnapshot(caches, federation.clusterName, operator, region)];
      }),
    ),
  };
}

function scriptsOf(looked: Looked): UserScripts {
  if (!looked.known) return looked;
  const { object } = looked;
  if (!object) return { known: true, found: false };
  return { known: true, found: true, data: (object['data'] ?? {}) as Record<string, string> };
}

function regionSnapshot(
  caches: RegionCaches,
  clusterName: string,
  operator: RegionalOperator,
  region: EffectiveRegion,
): RegionSnapshot {
  const pods = caches.pods.filter((pod) => belongsTo(pod, clusterName, `${clusterName}-`, podName));
  const read = pods.flatMap((pod) => {
    const view = caches.view(pod);
    return view ? [[pod.metadata.name, view] as const] : [];
  });
  const unread = pods.flatMap((pod) => {
    const why = caches.unreadable(pod);
    return why === undefined ? [] : [[pod.metadata.name, why] as const];
  });
  return {
    known: true,
    clusterUid: caches.clusterUid,
    ...(caches.registrationProblem !== undefined && { registrationProblem: caches.registrationProblem }),
    ...(caches.credentialsEnd !== undefined && { credentialsEnd: caches.credentialsEnd }),
    ...(caches.isUnsteady && { isUnsteady: true }),
    namespaceExists: caches.namespaceExists,
    serviceAccountExists: caches.serviceAccountExists(operator.serviceAccount(region)),
    capabilities: caches.crd && operator.capabilities(caches.crd),
    member: caches.member(clusterName),
    guard: caches.configMap(guardName(clusterName)),
    named: Object.fromEntries(
      operator
        .references(region.memberSpec)
        .map((each): [string, Looked] => [
          keyOf(each),
          each.kind === 'Secret' ? caches.secret(each.name) : { known: true, object: caches.configMap(each.name) },
        ]),
    ),
    copies: caches.labelled.filter(({ object }) => readBookkeeping(object).contentHash !== undefined),
    statefulSets: caches.statefulSets.filter((set) => belongsTo(set, clusterName, `${clusterName}-`, setName)),
    claims: caches.claims.filter((claim) => belongsTo(claim, clusterName, `data-${clusterName}-`, podName)),
    pods,
    views: Object.fromEntries(read),
    unreadable: Object.fromEntries(unread),
    replication: caches.replication,
  };
}

/** What follows the cluster's name in the names CassKop gives: `<datacenter>-<rack>`, for a pod's things with its ordinal. */
const setName = /^[a-z][a-z0-9]*-[a-z0-9]+$/;
const podName = /^[a-z][a-z0-9]*-[a-z0-9]+-\d+$/;

/**
 * Whether an object is one of this Cassandra cluster's. CassKop labels all it makes with the cluster's name; what has
 * no such label, a restored volume for instance, is told by its name: `start` and what `rest` allows.
 */
function belongsTo(object: KubeObject, clusterName: string, start: string, rest: RegExp): boolean {
  const label = object.metadata.labels?.['cassandracluster'];
  if (label !== undefined) return label === clusterName;
  return object.metadata.name.startsWith(start) && rest.test(object.metadata.name.slice(start.length));
}
