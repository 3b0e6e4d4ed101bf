import type { JsonPatchOperation } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';

/** A pod of the planner's world, with its node. */
export interface Pod {
  region: string;
  name: string;
  hostId: string;
  address: string;
  ready: boolean;
  /** It was decommissioned, and goes on running. */
  left?: true;
  /** Another one than the others have. */
  schemaVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** What every node says of itself that is asked before it is told what to do. */
export const ownWords = { LeavingNodes: [], OperationMode: 'NORMAL', ReleaseVersion: '5.0.8' };

/** As the API server has it; what stands in for its version changes with its labels and annotations. */
export function metadataOf({ name, hostId, labels, annotations }: Pod): KubeObject['metadata'] {
  const resourceVersion = JSON.stringify([labels, annotations]);
  const [, datacenter = '', rack = ''] = /^orders-([a-z0-9]+)-([a-z0-9]+)-\d+$/.exec(name) ?? [];
  return {
    name,
    uid: `pod-${hostId}`,
    resourceVersion,
    labels: { 'dc-rack': `${datacenter}-${rack}`, ...labels },
    ...(annotations && { annotations }),
  };
}

/** A JSON patch of a pod's metadata. @throws Error when one of its tests fails. */
export function labelPod(pods: readonly Pod[], name: string, operations: readonly JsonPatchOperation[]): KubeObject {
  const pod = pods.find((each) => each.name === name);
  if (!pod) throw new Error(`there is no pod ${name}`);
  const there = metadataOf(pod);
  for (const { op, path, value } of operations) {
    const field = path.slice('/metadata/'.length) as 'uid' | 'resourceVersion' | 'labels' | 'annotations';
    if (op === 'test' && there[field] !== value) throw new Error(`test of ${path}`);
    if (op === 'add') Object.assign(pod, { [field]: value });
  }
  return { metadata: metadataOf(pod) };
}

/** Lets nodes do what their pods' labels tell them, those of `failing` in vain; answers what was done, as `cleanup orders-eu-rack1-0`. */
export function carryOutOrders(pods: readonly Pod[], failing: ReadonlySet<string>): string[] {
  return pods.flatMap((pod) => {
    if (pod.labels?.['operation-status'] !== 'ToDo') return [];
    pod.labels = { ...pod.labels, 'operation-status': failing.has(pod.name) ? 'Error' : 'Done' };
    return [`${pod.labels['operation-name']} ${pod.name}`];
  });
}
