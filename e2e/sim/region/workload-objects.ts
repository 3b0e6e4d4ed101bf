import type { KubeObject, ObjectMeta } from '../../../src/kube/objects.ts';

/** The parts of Kubernetes objects that the actors of a cluster read: see the API reference of Kubernetes 1.36. */

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly { name: string; value?: string }[];
  readonly volumeMounts?: readonly { name: string; mountPath: string }[];
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { name: string; optional?: boolean };
  readonly persistentVolumeClaim?: { claimName: string };
}

export interface PodSpec {
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

export interface PodCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly lastTransitionTime: string;
}

export interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly conditions?: readonly PodCondition[];
}

export interface Pod extends KubeObject {
  metadata: ObjectMeta & { namespace: string; uid: string };
  spec: PodSpec;
  status?: PodStatus;
}

export interface StatefulSet extends KubeObject {
  metadata: ObjectMeta & { namespace: string; uid: string };
  spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly selector: { matchLabels?: Record<string, string> };
    readonly updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
    readonly template: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: PodSpec;
    };
    readonly volumeClaimTemplates?: readonly { metadata: ObjectMeta; spec: object }[];
  };
  status?: StatefulSetStatus;
}

export interface StatefulSetStatus {
  readonly observedGeneration?: number;
  readonly replicas: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly collisionCount?: number;
}

export interface Claim extends KubeObject {
  metadata: ObjectMeta & { namespace: string; uid: string };
  spec: { readonly accessModes?: readonly string[]; readonly resources?: { requests?: { storage?: string } } };
  status?: { readonly phase?: string; readonly capacity?: { storage?: string } };
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface DisruptionBudget extends KubeObject {
  spec: { readonly maxUnavailable?: number; readonly selector?: { matchLabels?: Record<string, string> } };
  status?: Readonly<Record<string, number>>;
}

/** Whether the pod's Ready condition holds. */
export function isPodReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

/** Whether the StatefulSet controller counts the pod as healthy. */
export function isHealthy(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && isRunningAndReady(pod);
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

/** uid of the owner that manages the object. */
export function controllerOf({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
}

/** Whether an object has all of these labels. */
export function hasLabels({ metadata: { labels } }: KubeObject, wanted: Readonly<Record<string, string>>): boolean {
  for (const name in wanted) if (labels?.[name] !== wanted[name]) return false;
  return true;
}
