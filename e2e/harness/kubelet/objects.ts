import type { ApiObject } from '../api-server.ts';

/** The parts of Kubernetes objects that the kubelet reads; see the core/v1 API reference. */

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: {
    fieldRef?: { fieldPath: string };
    configMapKeyRef?: { name: string; key: string; optional?: boolean };
    secretKeyRef?: { name: string; key: string; optional?: boolean };
  };
}

export interface Container {
  name: string;
  image: string;
  env?: EnvironmentVariable[];
  volumeMounts?: { name: string; mountPath: string }[];
}

export interface Volume {
  name: string;
  configMap?: { name: string; optional?: boolean };
  persistentVolumeClaim?: { claimName: string };
}

export interface Pod extends ApiObject {
  metadata: ApiObject['metadata'] & { namespace: string; uid: string };
  spec: {
    nodeName?: string;
    hostname?: string;
    subdomain?: string;
    serviceAccountName?: string;
    terminationGracePeriodSeconds?: number;
    initContainers?: Container[];
    containers: Container[];
    volumes?: Volume[];
  };
  status?: { phase?: string; conditions?: Condition[] };
}

export interface Condition {
  type: string;
  status: 'True' | 'False';
  reason?: string;
  lastTransitionTime: string;
}

export interface Claim extends ApiObject {
  metadata: ApiObject['metadata'] & { namespace: string; uid: string };
  spec: {
    accessModes: string[];
    resources: { requests?: { storage?: string } };
    storageClassName?: string;
    volumeMode?: string;
    volumeName?: string;
  };
  status?: { phase?: string; capacity?: { storage?: string } };
}

export interface ConfigMap extends ApiObject {
  metadata: ApiObject['metadata'] & { namespace: string };
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

/** Label by which a pod of a CassandraCluster is known; other pods are none of the harness's business. */
export const datacenterLabel = 'cassandraclusters.db.orange.com.dc';
export const rackLabel = 'cassandraclusters.db.orange.com.rack';

export function podPath({ metadata }: Pod): string {
  return `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
}
