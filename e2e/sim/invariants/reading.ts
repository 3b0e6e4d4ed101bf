import { annotations, readBookkeeping } from '../../../src/federation/bookkeeping.ts';
import { parseGuard, type Guard } from '../../../src/federation/guard/guard.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Spec, Status } from '../../../src/api/schema.ts';

export interface Datacenter {
  name: string;
  nodesPerRacks?: number;
  rack?: { name: string }[];
}

export interface MemberSpec {
  nodesPerRacks?: number;
  topology?: { dc?: Datacenter[] };
  backRestSidecar?: { envVars?: { name: string; value?: string }[]; [field: string]: unknown };
  config?: { 'cluster-info'?: { seeds?: string }; [field: string]: unknown };
  [field: string]: unknown;
}

export function specOf(member: KubeObject | undefined): MemberSpec {
  return (member?.['spec'] as MemberSpec | undefined) ?? {};
}

/** The pods that a member asks for. */
export function podsOf(member: KubeObject): string[] {
  const { topology, nodesPerRacks = 1 } = specOf(member);
  return (topology?.dc ?? []).flatMap((dc) =>
    (dc.rack ?? []).flatMap((rack) =>
      Array.from(
        { length: dc.nodesPerRacks ?? nodesPerRacks },
        (_, ordinal) => `${member.metadata.name}-${dc.name}-${rack.name}-${ordinal}`,
      ),
    ),
  );
}

/** Every seed list in a member, by where it stands. */
export function seedListsOf(member: KubeObject): Map<string, readonly string[]> {
  const spec = specOf(member);
  const status = member['status'] as { seedlist?: string[] } | undefined;
  const lists = new Map<string, readonly string[]>();
  const variable = spec.backRestSidecar?.envVars?.find((each) => each.name === 'CASSANDRA_SEEDS')?.value;
  if (variable !== undefined) lists.set('spec.backRestSidecar.envVars', split(variable));
  const configured = spec.config?.['cluster-info']?.seeds;
  if (configured !== undefined) lists.set('spec.config.cluster-info.seeds', split(configured));
  if (status?.seedlist) lists.set('status.seedlist', status.seedlist);
  return lists;
}

function split(list: string): string[] {
  return list.split(',').filter((entry) => entry !== '');
}

export function statusOf(mcc: KubeObject | undefined): Status {
  return (mcc?.['status'] as Status | undefined) ?? {};
}

export function guardOf(configMap: KubeObject | undefined): Guard {
  return parseGuard(configMap?.['data'] as Record<string, string> | undefined);
}

/** uid of the MultiCassandraCluster that an object says it belongs to. */
export function ownerOf(object: KubeObject | undefined): string | undefined {
  return object && readBookkeeping(object).owner?.uid;
}

export function hasOurAnnotations(object: KubeObject | undefined): boolean {
  return object?.metadata.annotations?.[annotations.owner] !== undefined;
}

export function conditionOf(
  mcc: KubeObject | undefined,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return statusOf(mcc).conditions?.find((each) => each.type === type);
}

/** Why CassKop is not through with a member, as the member itself tells; undefined: it is. */
export function underWay(member: KubeObject): string | undefined {
  const { phase, lastClusterAction, lastClusterActionStatus } = (member['status'] ?? {}) as Record<string, string>;
  const applied = member.metadata.annotations?.['cassandraclusters.db.orange.com/last-applied-configuration'] ?? '{}';
  const { metadata } = JSON.parse(applied) as Partial<KubeObject>;
  const { generation = 0 } = member.metadata;
  if ((metadata?.generation ?? 0) < generation) return `CassKop has not processed its generation ${generation}`;
  if (phase !== 'Running') return `CassKop says phase ${phase}`;
  return lastClusterActionStatus === 'Done' ? undefined : `${lastClusterAction} is ${lastClusterActionStatus}`;
}

/** Regions that the spec asks for and does not let go. */
export function stayingRegions(mcc: KubeObject | undefined, names: readonly { name: string }[]): string[] {
  const { regions = [] } = (mcc?.['spec'] as Spec | undefined) ?? {};
  const leaving = new Set(
    regions.filter(({ state }) => state === 'Removing' || state === 'Abandoned').map(({ name }) => name),
  );
  return names.map(({ name }) => name).filter((name) => !leaving.has(name));
}
