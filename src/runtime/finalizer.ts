import { finalizer, multiCassandraClusters } from '../api/schema.ts';
import type { JsonPatchOperation, KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { keyOf, type Store } from '../kube/store.ts';
import type { Doubts } from './doubts.ts';

interface Hub {
  readonly client: KubeClient;
  readonly store: Store;
  readonly doubts: Doubts;
}

/** Whether the object carries our finalizer: it does not go before we have taken that away. */
export function isHeld({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(finalizer) ?? false;
}

/**
 * Adds our finalizer to a MultiCassandraCluster, or takes it away; those of others stay as they are.
 * @throws KubeError when that cannot be written, Conflict when the object has changed since.
 */
export async function setHeld(hub: Hub, raw: KubeObject, held: boolean, signal: AbortSignal): Promise<void> {
  const { namespace = '', name, uid = '', resourceVersion = '', finalizers = [] } = raw.metadata;
  const ref = { namespace, name };
  const path = '/metadata/finalizers';
  const kept = finalizers.filter((each) => each !== finalizer);
  const operations: JsonPatchOperation[] = [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'add', path, value: held ? [...kept, finalizer] : kept },
  ];
  try {
    const left = await hub.client.jsonPatch(multiCassandraClusters, ref, operations, signal);
    hub.store.expect(keyOf(raw), left.metadata.resourceVersion ?? '');
  } catch (error) {
    if (isKubeError(error, 'NotFound') && !held) return;
    if (isKubeError(error)) hub.doubts.add(multiCassandraClusters, ref);
    throw error;
  }
}
