import type { ApiObject } from '../harness/api-server.ts';
import { clusterLabels, ownerReference, type CassandraCluster } from './cluster.ts';

/** A PodDisruptionBudget as far as the operator reads it. */
export interface DisruptionBudget extends ApiObject {
  spec: { maxUnavailable?: number; selector: unknown };
  status?: { disruptionsAllowed?: number; expectedPods?: number };
}

/** The headless service that gives the pods their names, ready or not. Its annotations are written at creation only. */
export function generateService(cluster: CassandraCluster): ApiObject {
  const labels = clusterLabels(cluster);
  const annotations = cluster.spec.service?.annotations;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata(cluster, cluster.metadata.name), labels, ...(annotations && { annotations }) },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      ports: [{ name: 'cql', protocol: 'TCP', port: 9042 }],
      selector: labels,
      publishNotReadyAddresses: true,
    },
  };
}

/** The headless service for metrics. */
export function generateExporterService(cluster: CassandraCluster): ApiObject {
  const labels = clusterLabels(cluster);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadata(cluster, `${cluster.metadata.name}-exporter-jmx`),
      labels: { ...labels, 'k8s-app': 'exporter-cassandra-jmx' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      ports: [{ name: 'promjmx', protocol: 'TCP', port: 9500 }],
      selector: labels,
    },
  };
}

/** One budget over all racks: it is what keeps the operator from changing anything while a pod is missing. */
export function generateDisruptionBudget(cluster: CassandraCluster): DisruptionBudget {
  const labels = clusterLabels(cluster);
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { ...metadata(cluster, cluster.metadata.name), labels },
    spec: { maxUnavailable: cluster.spec.maxPodUnavailable ?? 0, selector: { matchLabels: labels } },
  };
}

function metadata(cluster: CassandraCluster, name: string): ApiObject['metadata'] {
  return { name, namespace: cluster.metadata.namespace ?? '', ownerReferences: [ownerReference(cluster)] };
}
