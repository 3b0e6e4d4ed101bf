import type { KubeObject } from '../../../src/kube/objects.ts';
import { storageKey, type Collection } from './collection.ts';
import { changedParts, compareObjects, compareWithNothing, type StoredMeta } from './objects.ts';
import { afterUpdate } from './ownership.ts';
import type { Storage } from './storage.ts';
import { plain } from './values.ts';

/** Stores `object` just as it is. What it does not say of its own metadata is made up, or kept from what is there. */
export function restore(
  storage: Storage,
  collection: Collection,
  object: KubeObject,
  user: string,
  makeUid: () => string,
): KubeObject {
  const { schema } = collection.traits;
  const { name, namespace } = object.metadata;
  const entry = collection.find(namespace, name);
  const before: StoredMeta | undefined = entry?.object.metadata;
  const metadata: StoredMeta = {
    ...(plain(object.metadata) as StoredMeta),
    uid: object.metadata.uid ?? before?.uid ?? makeUid(),
    creationTimestamp: object.metadata.creationTimestamp ?? before?.creationTimestamp ?? storage.timestamp(),
    ...(before && { resourceVersion: before.resourceVersion, managedFields: before.managedFields }),
  };
  const head = { apiVersion: collection.apiVersion, kind: collection.resource.kind };
  const next = { ...(plain(object) as KubeObject), ...head, metadata };
  const author = { user, request: undefined };
  const identity = { manager: user, operation: 'Update' as const, apiVersion: head.apiVersion, subresource: undefined };
  if (!entry) {
    const owners = afterUpdate([], identity, compareWithNothing(schema, next), storage.timestamp());
    return storage.create(collection, storageKey(namespace, name), next, owners, author);
  }
  if (changedParts(entry.object, next).length === 0) return entry.object;
  const owners = afterUpdate(entry.owners, identity, compareObjects(schema, entry.object, next), storage.timestamp());
  return storage.update(collection, entry, next, owners, author);
}
