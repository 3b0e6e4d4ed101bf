import { setTimeout as delay } from 'node:timers/promises';
import type { ApiObject, ApiServer } from '../api-server.ts';
import { podPath, type Pod } from './objects.ts';
import { podStatus, timestamp, type PodRecord } from './pod-status.ts';

/** What a kubelet needs for a pod's volumes and cgroups, roughly. Milliseconds. */
const cleanUpMs = 1_000;
/** Where no StatefulSet controller works, nobody counts. */
const countingMaxMs = 5_000;
const retryDelayMs = 100;

/**
 * A kubelet says that a pod has ended, then cleans up after it, and only then has the object go. By that time the StatefulSet
 * controller has counted the pod out, also on a machine where that controller is slow: CassKop has one node more leave
 * when it finds a pod gone that is still counted.
 * @throws ApiError, the signal's reason
 */
export async function sayThatItEnded(api: ApiServer, pod: Pod, record: PodRecord, signal: AbortSignal): Promise<void> {
  const set = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'StatefulSet');
  const countReady = async (): Promise<number> => {
    const path = `/apis/apps/v1/namespaces/${pod.metadata.namespace}/statefulsets/${set?.name}`;
    const found = set && (await api.find<ApiObject & { status?: { readyReplicas?: number } }>(path, signal));
    return found?.status?.readyReplicas ?? 0;
  };
  const before = await countReady();
  const { uid } = pod.metadata;
  await api.patch(
    `${podPath(pod)}/status`,
    'merge',
    { metadata: { uid }, ...podStatus(pod, record, timestamp()) },
    signal,
  );
  const wasReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const until = performance.now() + (wasReady && before > 0 ? countingMaxMs : 0);
  while (performance.now() < until && (await countReady()) >= before) await delay(retryDelayMs, undefined, { signal });
  await delay(cleanUpMs, undefined, { signal });
}
