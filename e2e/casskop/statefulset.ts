import type { ApiObject } from '../harness/api-server.ts';
import {
  clusterLabels,
  nodesPerRack,
  ownerReference,
  rackLabels,
  storageOf,
  type CassandraCluster,
  type ClusterStatus,
  type RackOfCluster,
} from './cluster.ts';
import { configMapVolume, containersOf, initContainersOf, type Container } from './containers.ts';
import { canonicalQuantity } from './quantity.ts';

export interface VolumeClaimTemplate {
  metadata: { name: string; labels?: Record<string, string> };
  spec: { resources?: { requests?: Record<string, string> }; [field: string]: unknown };
  [field: string]: unknown;
}

/** What the operator reads and writes of a StatefulSet. */
export interface StatefulSet extends ApiObject {
  spec: {
    replicas: number;
    template: {
      metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: {
        initContainers: Container[];
        containers: Container[];
        volumes?: { name: string; configMap?: { name: string }; [field: string]: unknown }[];
        [field: string]: unknown;
      };
    };
    volumeClaimTemplates?: VolumeClaimTemplate[];
    [field: string]: unknown;
  };
  status?: {
    replicas?: number;
    readyReplicas?: number;
    currentRevision?: string;
    updateRevision?: string;
  };
}

/** The StatefulSet of one rack, all of it computed from the present spec and `status`. */
export function generateStatefulSet(
  cluster: CassandraCluster,
  status: ClusterStatus,
  rack: RackOfCluster,
): StatefulSet {
  const { spec } = cluster;
  const labels = rackLabels(cluster, rack);
  const claims = volumeClaimTemplates(cluster, rack, labels);
  const containers = containersOf(cluster, status, rack);
  const replaced = replaceMountsOfClaims(containers, claims);
  const annotations = spec.pod?.annotations ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: rack.statefulSetName,
      namespace: cluster.metadata.namespace ?? '',
      labels,
      ownerReferences: [ownerReference(cluster)],
    },
    spec: {
      serviceName: cluster.metadata.name,
      replicas: nodesPerRack(cluster, rack.dc),
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: rack.rack.rollingPartition ?? 0 } },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels }, ...(Object.keys(annotations).length > 0 && { annotations }) },
        spec: {
          affinity: affinity(cluster, rack),
          ...(spec.pod?.tolerations?.length && { tolerations: spec.pod.tolerations }),
          securityContext: {
            ...(spec.runAsUser !== undefined && { runAsUser: spec.runAsUser }),
            runAsNonRoot: true,
            ...(spec.fsGroup !== undefined && { fsGroup: spec.fsGroup }),
          },
          initContainers: initContainersOf(cluster, status, rack),
          containers,
          volumes: volumesOf(cluster).filter(({ name }) => !replaced.has(name)),
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 1800,
          ...(spec.shareProcessNamespace !== undefined && { shareProcessNamespace: spec.shareProcessNamespace }),
          serviceAccountName: spec.serviceAccountName,
          ...(spec.imagePullSecret.name && { imagePullSecrets: [spec.imagePullSecret] }),
        },
      },
      ...(claims.length > 0 && { volumeClaimTemplates: claims }),
    },
  };
}

function affinity(cluster: CassandraCluster, { dc, rack }: RackOfCluster): unknown {
  const nodeLabels = Object.entries({ ...dc.labels, ...rack.labels }).sort(([a], [b]) => (a < b ? -1 : 1));
  const matchExpressions = nodeLabels.map(([key, value]) => ({ key, operator: 'In', values: [value] }));
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: clusterLabels(cluster) } };
  return {
    nodeAffinity:
      matchExpressions.length > 0
        ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } }
        : {},
    podAntiAffinity: cluster.spec.hardAntiAffinity
      ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
  };
}

function volumesOf({ spec }: CassandraCluster): { name: string; [source: string]: unknown }[] {
  const volumes = ['bootstrap', 'extra-lib', 'tools', 'log', 'tmp'].map((name) => ({ name, emptyDir: {} }));
  if (!spec.configMapName) return volumes;
  return [...volumes, { name: configMapVolume, configMap: { name: spec.configMapName, defaultMode: 0o755 } }];
}

function volumeClaimTemplates(
  cluster: CassandraCluster,
  { dc }: RackOfCluster,
  labels: Record<string, string>,
): VolumeClaimTemplate[] {
  const { capacity, storageClass } = storageOf(cluster, dc);
  if (!capacity) return [];
  return [
    {
      metadata: { name: 'data', labels },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: canonicalQuantity(capacity) } },
        ...(storageClass && { storageClassName: storageClass }),
      },
    },
    ...(cluster.spec.storageConfigs ?? []).map(({ name, pvcSpec }) => ({
      metadata: { name, labels },
      spec: pvcSpec as VolumeClaimTemplate['spec'],
    })),
  ];
}

/**
 * Where cassandra mounts a claim at a place that the operator has a volume for, that volume and its mount are left out.
 * Answers the names of such volumes. CassKop means to give other containers the claim instead, but they keep mounting
 * the volume that is gone, and the StatefulSet is invalid.
 */
function replaceMountsOfClaims(containers: Container[], claims: VolumeClaimTemplate[]): Set<string> {
  const names = new Set(claims.map((claim) => claim.metadata.name));
  const cassandra = containers.find(({ name }) => name === 'cassandra');
  const claimed = new Set(
    (cassandra?.volumeMounts ?? []).filter(({ name }) => names.has(name)).map(({ mountPath }) => mountPath),
  );
  const isReplaced = ({ name, mountPath }: { name: string; mountPath: string }): boolean =>
    claimed.has(mountPath) && !names.has(name);
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  const replaced = new Set(mounts.filter(isReplaced).map(({ name }) => name));
  if (cassandra?.volumeMounts) cassandra.volumeMounts = cassandra.volumeMounts.filter((mount) => !isReplaced(mount));
  return replaced;
}
