import { isDeepStrictEqual } from 'node:util';
import {
  initialRackStatus,
  nodesPerRack,
  racksOf,
  type CassandraCluster,
  type Datacenter,
  type RackStatus,
} from './cluster.ts';
import { copyJson } from './json.ts';

const everyPass = {
  cassandraImage: 'cassandra:3.11.10',
  imagepullpolicy: 'Always',
  bootstrapImage: 'ghcr.io/cscetbon/casskop-bootstrap:0.1.21',
  configBuilderImage: 'datastax/cass-config-builder:1.0.4',
  serviceAccountName: 'cassandra-cluster-node',
  readOnlyRootFilesystem: true,
  livenessInitialDelaySeconds: 120,
  livenessHealthCheckTimeout: 20,
  livenessHealthCheckPeriod: 10,
  readinessInitialDelaySeconds: 60,
  readinessHealthCheckTimeout: 10,
  readinessHealthCheckPeriod: 10,
};
const sidecarImage = 'ghcr.io/cscetbon/instaclustr-icarus:1.1.3';

/** What CassKop fills in on every pass; it reaches the server with the next write. */
export function setDefaults({ spec }: CassandraCluster): void {
  Object.assign(spec, { ...everyPass, ...spec });
  spec.backRestSidecar = { ...spec.backRestSidecar };
  spec.backRestSidecar.enabled ??= true;
  spec.backRestSidecar.image ??= sidecarImage;
}

/**
 * What CassKop fills in once, before anything else, while status.phase is empty: counts, limits, the first status and,
 * unless status.seedlist is there already, the seed list. Answers whether that pass has to write.
 */
export function initialise(cluster: CassandraCluster): boolean {
  const { spec, status } = cluster;
  const before = copyJson(cluster);
  spec.nodesPerRacks ??= 1;
  if (!status.phase) {
    status.phase = 'Initializing';
    status.initializingSubPhase = 'FirstPodPerRack';
    status.cassandraRackStatus = initialRacks(cluster);
    status.seedlist ??= defaultSeedList(cluster);
  } else if (status.phase === 'Initializing') {
    status.initializingSubPhase ??= 'FirstPodPerRack';
  }
  spec.maxPodUnavailable ??= 1;
  if (!spec.resources.limits && spec.resources.requests) spec.resources.limits = { ...spec.resources.requests };
  return !isDeepStrictEqual(before, cluster);
}

/** A rack status per rack. A datacenter without racks replaces the whole topology by itself with one rack: CassKop's bug. */
function initialRacks(cluster: CassandraCluster): Record<string, RackStatus> {
  const { topology } = cluster.spec;
  const named = (name: string): Datacenter => ({ name, rack: [{ name: 'rack1' }], resources: {} });
  if (!topology.dc?.length) topology.dc = [named('dc1')];
  const empty = topology.dc.findLast((dc) => !dc.rack?.length);
  if (empty) topology.dc = [named(empty.name)];
  return Object.fromEntries(racksOf(cluster).map(({ key }) => [key, initialRackStatus()]));
}

/**
 * At most three seeds per datacenter: of one rack its first three pods, of two racks two each until there are three, of
 * more racks the first pod of the first three. Names are `<pod>.<cluster>.<namespace>`.
 */
export function defaultSeedList(cluster: CassandraCluster): string[] {
  const { name, namespace } = cluster.metadata;
  return (cluster.spec.topology.dc ?? []).flatMap((dc) => {
    const racks = dc.rack ?? [];
    const perRack = racks.length > 2 ? 1 : Math.min(nodesPerRack(cluster, dc), 4 - racks.length);
    const pods = racks.flatMap((rack) => Array.from({ length: perRack }, (_, i) => `${dc.name}-${rack.name}-${i}`));
    return pods.slice(0, 3).map((pod) => `${name}-${pod}.${name}.${namespace}`);
  });
}
