import type { KubeObject, ObjectMeta } from '../../../src/kube/objects.ts';
import { storageKey, type Collection } from './collection.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';

/** How the new state of an object was given: whole, as a change of the stored one, or applied. */
export type Manner = 'put' | 'patch' | 'apply';

/** Why a write is not for the object that is there, or not for the state it is in. */
export function refusedPrecondition(
  collection: Collection,
  before: KubeObject,
  sent: ObjectMeta,
  manner: Manner,
): ApiResponse | undefined {
  const { resource, traits, isCustom } = collection;
  const { name, uid, resourceVersion } = before.metadata;
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
  return undefined;
}

/** Where etcd has the object. */
function registryKey({ resource, isCustom }: Collection, { name, namespace }: ObjectMeta): string {
  const kind = isCustom ? `${resource.group}/${resource.plural}` : resource.plural;
  return `/registry/${kind}/${storageKey(namespace, name)}`;
}
