import { type KubeObject, type ObjectMeta, resources } from '../../../src/kube/objects.ts';
import type { Collection, Entry } from './collection.ts';
import { removeNow } from './deletion.ts';
import { changedMetadata } from './objects.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';
import type { Author, Storage } from './storage.ts';
import { isRecord } from './values.ts';

const resource = resources.namespaces;

/** Why nothing can be created in a namespace: it is not there, or it is on its way out. */
export function refusedNamespace(
  namespaces: Collection,
  collection: Collection,
  namespace: string,
  name: string,
): ApiResponse | undefined {
  const found = namespaces.find(undefined, namespace);
  if (!found) return status.notFound(resource, namespace);
  if (found.object.metadata.deletionTimestamp === undefined) return undefined;
  const message = `namespace ${namespace} is being terminated`;
  return status.forbidden(
    collection.resource,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }],
  );
}

/** A new namespace with what the server adds to it. */
export function newNamespace(body: KubeObject): KubeObject {
  const { metadata } = body;
  const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  return { ...body, metadata: { ...metadata, labels }, spec: { finalizers: ['kubernetes'] } };
}

/**
 * Begins to delete a namespace. It goes once the namespace controller has emptied it and said so at `/finalize`.
 */
export function removeNamespace(storage: Storage, namespaces: Collection, entry: Entry, author: Author): ApiResponse {
  const { object } = entry;
  if (isOver(object)) return removeNow(storage, namespaces, entry, author);
  if (object.metadata.deletionTimestamp !== undefined) return { status: 200, body: object };
  const metadata = { ...object.metadata, deletionTimestamp: storage.timestamp() };
  const next = { ...object, metadata, status: { phase: 'Terminating' } };
  return { status: 200, body: storage.update(namespaces, entry, next, entry.owners, author) };
}

/** PUT of `/finalize`: the only way to change spec.finalizers. The namespace goes when none is left. */
export function finalizeNamespace(
  storage: Storage,
  namespaces: Collection,
  entry: Entry,
  body: unknown,
  author: Author,
): ApiResponse {
  const sent = isRecord(body) ? body : {};
  const { finalizers } = (sent['spec'] ?? {}) as { finalizers?: string[] };
  const next = {
    ...entry.object,
    metadata: changedMetadata(entry.object.metadata, (sent['metadata'] ?? {}) as ObjectMeta),
    spec: finalizers?.length ? { finalizers } : {},
  };
  if (next.metadata.deletionTimestamp !== undefined && isOver(next)) {
    storage.remove(namespaces, entry, author);
    return { status: 200, body: next };
  }
  return { status: 200, body: storage.update(namespaces, entry, next, entry.owners, author) };
}

function isOver({ metadata, spec }: KubeObject): boolean {
  const { finalizers } = (spec ?? {}) as { finalizers?: string[] };
  return (finalizers?.length ?? 0) === 0 && (metadata.finalizers?.length ?? 0) === 0;
}
