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
    const words = `Precondition failed: UID in precondition: ${otherUid}, UID in object meta: ${uid}`;
    return storageConflict(collection, before.metadata, words);
  }
  if (hasVersion && sent.resourceVersion !== resourceVersion) {
    return status.conflict(resource, name, status.modifiedSince);
  }
  if (!hasVersion && manner === 'put' && (isCustom || !traits.unconditionalUpdate)) {
    return status.versionRequired(resource, name);
  }
  return undefined;
}

/** The storage below the server found another object or state than it was told to write. */
export function storageConflict({ resource, isCustom }: Collection, metadata: ObjectMeta, words: string): ApiResponse {
  const kind = isCustom ? `${resource.group}/${resource.plural}` : resource.plural;
  const key = `/registry/${kind}/${storageKey(metadata.namespace, metadata.name)}`;
  const problem = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${words}`;
  return status.conflict(resource, metadata.name, problem);
}
