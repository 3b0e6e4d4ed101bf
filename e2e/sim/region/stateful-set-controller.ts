import type { ObjectMeta } from '../../../src/kube/objects.ts';
import type { ObjectChange } from '../api/request.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';
import type { PendingWork } from './pending-work.ts';
import { revisionOf } from './revision.ts';
import {
  controllerOf,
  hasLabels,
  isHealthy,
  isRunningAndReady,
  type Pod,
  type StatefulSet,
  type StatefulSetStatus,
} from './workload-objects.ts';

/** The label that says of which revision a pod is. */
export const revisionLabel = 'controller-revision-hash';

/**
 * The StatefulSet controller of Kubernetes 1.36 for podManagementPolicy OrderedReady: one pod at a time, upwards only
 * over pods that are ready, an update from the highest ordinal down. A pod of an old revision that is not ready stops
 * everything and is not replaced.
 */
export class StatefulSetController {
  readonly #access: ClusterAccess;
  readonly #nodeName: string;
  readonly #work: PendingWork;
  /** Pod templates by the name of their revision, for pods of a partition that keep the old one. */
  readonly #templates = new Map<string, StatefulSet['spec']['template']>();

  constructor(access: ClusterAccess, nodeName: string, work: (sync: (key: string) => void) => PendingWork) {
    this.#access = access;
    this.#nodeName = nodeName;
    this.#work = work((key) => this.#sync(key));
  }

  see(change: ObjectChange): void {
    if (this.#access.isOwn(change)) return;
    const { resource, object } = change;
    if (resource === kinds.statefulSets) {
      if (change.type !== 'DELETED') this.#work.add(keyOf(object.metadata));
    } else if (resource === kinds.pods) {
      // The name says to which it belongs, also while it has no owner yet.
      this.#work.add(keyOf(object.metadata).replace(/-\d+$/, ''));
    } else if (resource === kinds.claims && change.type === 'DELETED') {
      for (const set of this.#access.all(kinds.statefulSets, object.metadata.namespace)) {
        if (object.metadata.name.includes(`-${set.metadata.name}-`)) this.#work.add(keyOf(set.metadata));
      }
    }
  }

  stop(): void {
    this.#work.cancel();
  }

  #sync(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const set = this.#access.find(kinds.statefulSets, namespace, name);
    if (!set) return;
    const updateRevision = revisionOf(set);
    this.#templates.set(updateRevision, set.spec.template);
    const currentRevision = set.status?.currentRevision ?? updateRevision;
    if (set.metadata.deletionTimestamp === undefined) {
      this.#adopt(set);
      this.#step(set, currentRevision, updateRevision);
    }
    this.#writeStatus(set, currentRevision, updateRevision);
  }

  /** Pods that have its labels and its names, and nobody's. */
  #adopt(set: StatefulSet): void {
    for (const pod of this.#access.all(kinds.pods, set.metadata.namespace)) {
      if (controllerOf(pod) !== undefined || pod.metadata.deletionTimestamp !== undefined) continue;
      if (ordinalIn(set, pod) === undefined || !hasLabels(pod, set.spec.selector.matchLabels ?? {})) continue;
      const ownerReferences = [...(pod.metadata.ownerReferences ?? []), referenceTo(set)];
      this.#access.putMetadata(kinds.pods, pod, { ...pod.metadata, ownerReferences });
    }
  }

  #podsOf(set: StatefulSet): Pod[] {
    const pods: Pod[] = [];
    for (const pod of this.#access.all(kinds.pods, set.metadata.namespace)) {
      const ordinal = controllerOf(pod) === set.metadata.uid ? ordinalIn(set, pod) : undefined;
      if (ordinal !== undefined) pods[ordinal] = pod;
    }
    return pods;
  }

  /** As updateStatefulSet: one thing, or nothing while one is awaited. */
  #step(set: StatefulSet, currentRevision: string, updateRevision: string): void {
    const pods = this.#podsOf(set);
    const { replicas, updateStrategy } = set.spec;
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      const pod = pods[ordinal];
      if (!pod) {
        const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
        this.#createPod(set, ordinal, ordinal < partition ? currentRevision : updateRevision);
        return;
      }
      if (pod.status?.phase === 'Pending' && !this.#provideClaims(set, pod.metadata.name)) return;
      if (!isHealthy(pod)) return;
    }
    const condemned = pods.findLast((pod, ordinal) => pod !== undefined && ordinal >= replicas);
    if (condemned) {
      const firstUnhealthy = pods.find((pod) => pod !== undefined && !isHealthy(pod));
      if (condemned.metadata.deletionTimestamp !== undefined) return;
      if (!isRunningAndReady(condemned) && condemned !== firstUnhealthy) return;
      this.#access.remove(kinds.pods, condemned);
      return;
    }
    if (updateStrategy?.type === 'OnDelete') return;
    for (let ordinal = replicas - 1; ordinal >= (updateStrategy?.rollingUpdate?.partition ?? 0); ordinal--) {
      const pod = pods[ordinal];
      if (!pod) return;
      if (pod.metadata.labels?.[revisionLabel] !== updateRevision) {
        this.#access.remove(kinds.pods, pod);
        return;
      }
    }
  }

  /** Answers whether every claim of the pod is there, and to stay. */
  #provideClaims(set: StatefulSet, podName: string): boolean {
    const { namespace } = set.metadata;
    let complete = true;
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const name = `${template.metadata.name}-${podName}`;
      const claim = this.#access.find(kinds.claims, namespace, name);
      if (claim) {
        complete &&= claim.metadata.deletionTimestamp === undefined;
        continue;
      }
      const labels = { ...template.metadata.labels, ...set.spec.selector.matchLabels };
      const finalizers = ['kubernetes.io/pvc-protection'];
      const metadata = { name, namespace, labels, finalizers };
      this.#access.create(kinds.claims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata,
        spec: template.spec,
      });
    }
    return complete;
  }

  #createPod(set: StatefulSet, ordinal: number, revision: string): void {
    const name = `${set.metadata.name}-${ordinal}`;
    if (!this.#provideClaims(set, name)) return;
    const template = this.#templates.get(revision) ?? set.spec.template;
    const claims = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
    const labels = {
      ...template.metadata?.labels,
      [revisionLabel]: revision,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    };
    const annotations = template.metadata?.annotations;
    const volumes = [
      ...(template.spec.volumes ?? []).filter((volume) => !claims.includes(volume.name)),
      ...claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}` } })),
    ];
    this.#access.create(kinds.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: set.metadata.namespace,
        labels,
        ...(annotations && { annotations }),
        ownerReferences: [referenceTo(set)],
      },
      // A scheduler would put it on a node a moment later.
      spec: { ...template.spec, volumes, hostname: name, subdomain: set.spec.serviceName, nodeName: this.#nodeName },
    });
  }

  #writeStatus(set: StatefulSet, currentRevision: string, updateRevision: string): void {
    const pods = this.#podsOf(set).filter((pod) => pod !== undefined);
    const of = (revision: string): number =>
      pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision && !pod.metadata.deletionTimestamp).length;
    const readyReplicas = pods.filter(isRunningAndReady).length;
    const updatedReplicas = of(updateRevision);
    const { replicas } = set.spec;
    const isComplete = [updatedReplicas, readyReplicas, pods.length].every((count) => count === replicas);
    const status: StatefulSetStatus = {
      observedGeneration: set.metadata.generation ?? 0,
      replicas: pods.length,
      readyReplicas,
      availableReplicas: readyReplicas,
      currentReplicas: isComplete ? updatedReplicas : of(currentRevision),
      updatedReplicas,
      currentRevision: isComplete ? updateRevision : currentRevision,
      updateRevision,
      collisionCount: 0,
    };
    const before = set.status;
    const names = Object.keys(status) as (keyof StatefulSetStatus)[];
    if (before && names.every((name) => before[name] === status[name])) return;
    this.#access.putStatus(kinds.statefulSets, set, status);
  }
}

function keyOf({ namespace, name }: ObjectMeta): string {
  return `${namespace}/${name}`;
}

function ordinalIn(set: StatefulSet, pod: Pod): number | undefined {
  const { name } = pod.metadata;
  const prefix = `${set.metadata.name}-`;
  if (!name.startsWith(prefix)) return undefined;
  const rest = name.slice(prefix.length);
  return /^\d+$/.test(rest) ? Number(rest) : undefined;
}

function referenceTo({ metadata: { name, uid } }: StatefulSet) {
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true, blockOwnerDeletion: true };
}
