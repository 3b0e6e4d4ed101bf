import { type AddressVariables, expandAddress, localAddress } from './address.ts';
import { at, isObject, type JsonObject } from './json.ts';
import { mergePatch, parsePointer, without } from './merge.ts';
import { perSpec } from './per-spec.ts';
import type {
  AcknowledgedHost,
  DatacenterSpec,
  MultiCassandraCluster,
  OperationsSpec,
  Operator,
  RackSpec,
  RegionSpec,
  RegionState,
  RebuildSpec,
  RolloutSpec,
  SeedsSpec,
  Spec,
} from './schema.ts';

/** A MultiCassandraCluster with every default applied, so that nothing after this needs to know a default. */
export interface EffectiveFederation {
  name: string;
  namespace: string;
  /** Cassandra's cluster_name; also the name of every member and of its headless service. */
  clusterName: string;
  regions: EffectiveRegion[];
  /** All racks of all regions, in regions order. */
  racks: EffectiveRack[];
  seeds: SeedsSpec & { address: string };
  rollout: RolloutSpec;
  /** Operation -> token. */
  operations: OperationsSpec;
  /** The Secret that holds the role which alters keyspaces, and where nodes listen; undefined: a person does it. */
  cql: { secret: string; port: number } | undefined;
  adoptionPolicy: Spec['adoptionPolicy'];
  dataPolicy: Spec['dataPolicy'];
  deletionPolicy: Spec['deletionPolicy'];
}

export interface EffectiveRegion {
  name: string;
  context: string;
  /** The namespace in the region. */
  namespace: string;
  operator: Operator;
  state: RegionState;
  deletionPolicy: Spec['deletionPolicy'];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** The template's spec less what the region removes, with the region's patch merged over it; no topology. */
  memberSpec: JsonObject;
  datacenters: EffectiveDatacenter[];
  racks: EffectiveRack[];
  acknowledgedHosts: AcknowledgedHost[];
  rebuild: RebuildSpec;
  /** Host IDs that a person has given up for good. */
  abandonedHosts: readonly string[];
}

export interface EffectiveDatacenter {
  name: string;
  /** Nodes in each rack. */
  nodesPerRacks: number;
  racks: { name: string; labels: Record<string, string> }[];
  labels: Record<string, string>;
  overrides: JsonObject;
}

export interface EffectiveRack {
  region: string;
  datacenter: string;
  rack: string;
  /** Nodes in this rack. */
  nodes: number;
}

const defaultRack: RackSpec = { name: 'rack1' };

/** Applies all defaults. Pure and total: it also answers for objects that validate.ts refuses. */
export const effective = perSpec((mcc: MultiCassandraCluster): EffectiveFederation => {
  const { spec } = mcc;
  const regions = spec.regions.map((region) => effectiveRegion(mcc, region));
  return {
    name: mcc.metadata.name,
    namespace: mcc.metadata.namespace,
    clusterName: spec.clusterName ?? mcc.metadata.name,
    regions,
    racks: regions.flatMap((region) => region.racks),
    seeds: { ...spec.seeds, address: spec.seeds.address ?? localAddress },
    rollout: spec.rollout,
    operations: spec.operations ?? {},
    cql: spec.cql && { secret: spec.cql.secretRef.name, port: spec.cql.port },
    adoptionPolicy: spec.adoptionPolicy,
    dataPolicy: spec.dataPolicy,
    deletionPolicy: spec.deletionPolicy,
  };
});

function effectiveRegion(mcc: MultiCassandraCluster, region: RegionSpec): EffectiveRegion {
  const { spec, metadata } = mcc;
  const { memberSpec, labels, annotations } = effectiveTemplate(spec, region);
  const datacenters = (region.datacenters ?? [{ name: region.name }]).map((each) =>
    effectiveDatacenter(each, memberSpec),
  );
  return {
    name: region.name,
    context: region.context ?? region.name,
    namespace: region.namespace ?? metadata.namespace,
    operator: region.operator ?? spec.operator,
    state: region.state,
    deletionPolicy: region.deletionPolicy ?? spec.deletionPolicy,
    labels,
    annotations,
    memberSpec,
    datacenters,
    racks: datacenters.flatMap((datacenter) =>
      datacenter.racks.map((rack) => ({
        region: region.name,
        datacenter: datacenter.name,
        rack: rack.name,
        nodes: datacenter.nodesPerRacks,
      })),
    ),
    acknowledgedHosts: region.acknowledgedHosts ?? [],
    rebuild: region.rebuild ?? { parallel: 1, skip: false },
    abandonedHosts: region.abandonedHosts ?? [],
  };
}

function effectiveTemplate(
  spec: Spec,
  region: RegionSpec,
): Pick<EffectiveRegion, 'memberSpec' | 'labels' | 'annotations'> {
  const pointers = (region.remove ?? []).map(parsePointer).filter((tokens) => tokens !== undefined);
  const left = without(spec.template, pointers);
  return {
    memberSpec: mergePatch(objectAt(left, ['spec']), region.patch?.spec ?? {}),
    labels: objectAt(left, ['metadata', 'labels']) as Record<string, string>,
    annotations: objectAt(left, ['metadata', 'annotations']) as Record<string, string>,
  };
}

function objectAt(value: unknown, keys: string[]): JsonObject {
  const found = at(value, keys);
  return isObject(found) ? found : {};
}

function effectiveDatacenter(datacenter: DatacenterSpec, memberSpec: JsonObject): EffectiveDatacenter {
  const inherited = memberSpec['nodesPerRacks'];
  return {
    name: datacenter.name,
    nodesPerRacks: datacenter.nodesPerRacks ?? (Number.isSafeInteger(inherited) ? Math.max(1, inherited as number) : 1),
    racks: (datacenter.racks ?? [defaultRack]).map(({ name, labels }) => ({ name, labels: labels ?? {} })),
    labels: datacenter.labels ?? {},
    overrides: datacenter.overrides ?? {},
  };
}

/** The pods of one rack, lowest ordinal first, at most `limit`. */
export function podsOf(clusterName: string, rack: EffectiveRack, limit = rack.nodes): string[] {
  const count = Math.min(rack.nodes, limit);
  return Array.from({ length: count }, (_, ordinal) => podName(clusterName, rack, ordinal));
}

/** CassKop's name for a pod: `<cluster>-<datacenter>-<rack>-<ordinal>`, the StatefulSet's name and the ordinal. */
export function podName(
  clusterName: string,
  rack: Pick<EffectiveRack, 'datacenter' | 'rack'>,
  ordinal: number,
): string {
  return `${clusterName}-${rack.datacenter}-${rack.rack}-${ordinal}`;
}

/** The name by which nodes of every region reach this pod. */
export function podAddress(
  federation: EffectiveFederation,
  region: EffectiveRegion,
  rack: EffectiveRack,
  pod: string,
): string {
  const variables: AddressVariables = {
    pod,
    service: federation.clusterName,
    namespace: region.namespace,
    cluster: federation.clusterName,
    datacenter: rack.datacenter,
    rack: rack.rack,
    region: region.name,
  };
  return expandAddress(federation.seeds.address, variables);
}
