import type { KubeObject, ObjectMeta } from '../../../src/kube/objects.ts';
import { storageKey, type Collection } from './collection.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';

/** How the new state of an object was given: whole, as a change of the stored one, or applied. */
export type Manner = 'put' | 'patch' | 'apply';

/** Why what a write says of the object's identity forbids it. Which answer it gets depends on the manner. */
export function refusedPrecondition(
  collection: Collection,
  before: KubeObject,
  sent: ObjectMeta,
  manner: Manner,
  isSubresource: boolean,
): ApiResponse | undefined {
  const { resource, traits, isCustom } = collection;
  const { name, uid, resourceVersion, deletionTimestamp } = before.metadata;
  const hasVersion = sent.resourceVersion !== undefined && sent.resourceVersion !== '';
  const otherUid = sent.uid === undefined || sent.uid === '' || sent.uid === uid ? undefined : sent.uid;
  if (manner === 'put' && otherUid !== undefined) {
    const key = registryKey(collection, before.metadata);
    const words =
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ` +
      `Precondition failed: UID in precondition: ${otherUid}, UID in object meta: ${uid}`;
    return status.conflict(resource, name, words);
  }
  if (hasVersion && sent.resourceVersion !== resourceVersion) {
    return status.conflict(resource, name, status.modifiedSince);
  }
  if (!hasVersion && manner === 'put' && (isCustom || !traits.unconditionalUpdate)) {
    return status.versionRequired(resource, name);
  }
  // Of a custom resource's status everything else that was sent is ignored.
  if (isCustom && isSubresource) return undefined;
  if (otherUid !== undefined) return status.immutable(resource, name, 'metadata.uid', otherUid);
  if (sent.deletionTimestamp && sent.deletionTimestamp !== deletionTimestamp) {
    return status.immutable(resource, name, 'metadata.deletionTimestamp', sent.deletionTimestamp);
  }
  return undefined;
}

/** Where etcd has the object. */
function registryKey({ resource, isCustom }: Collection, { name, namespace }: ObjectMeta): string {
  const kind = isCustom ? `${resource.group}/${resource.plural}` : resource.plural;
  return `/registry/${kind}/${storageKey(namespace, name)}`;
}
