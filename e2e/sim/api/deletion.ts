import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Collection, Entry } from './collection.ts';
import type { StoredMeta } from './objects.ts';
import { storageConflict } from './preconditions.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';
import { formatTime, type Author, type Storage } from './storage.ts';
import { isRecord } from './values.ts';
import { hasGeneration } from './writes.ts';

interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** Finalizers that stand for what becomes of an object's dependents; the garbage collector takes them away. */
const propagationFinalizers: Readonly<Record<string, string | undefined>> = {
  Orphan: 'orphan',
  Foreground: 'foregroundDeletion',
};

/**
 * Deletes an object, or begins to: with finalizers it stays until the last is taken away, a pod on a node stays until
 * its kubelet deletes it with no grace period. As on a real server, dependents are the garbage collector's: `Orphan`
 * and `Foreground` only put its finalizers there. With a resourceVersion as a precondition a server takes such a finalizer
 * away no more: it then fails to find the version that it has just written.
 */
export function remove(
  storage: Storage,
  collection: Collection,
  entry: Entry,
  body: unknown,
  author: Author,
): ApiResponse {
  const { resource } = collection;
  const options: DeleteOptions = isRecord(body) ? body : {};
  const { uid, resourceVersion } = entry.object.metadata;
  const { preconditions } = options;
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    const words =
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). ` +
      'The object might have been deleted and then recreated';
    return status.deletionConflict(resource, entry.name, words);
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    const words =
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion ` +
      `in record (${resourceVersion}). The object might have been modified`;
    return status.deletionConflict(resource, entry.name, words);
  }
  return resource.plural === 'pods'
    ? removePod(storage, collection, entry, options, author)
    : removeObject(storage, collection, entry, options, author);
}

function removeObject(
  storage: Storage,
  collection: Collection,
  entry: Entry,
  options: DeleteOptions,
  author: Author,
): ApiResponse {
  const { metadata } = entry.object;
  const finalizers = finalizersFor(metadata, options);
  if (
    finalizers !== (metadata.finalizers ?? none) &&
    options.preconditions?.resourceVersion &&
    finalizers.length === 0
  ) {
    const words = `Precondition failed: ResourceVersion in precondition: , ResourceVersion in object meta: ${metadata.resourceVersion}`;
    return storageConflict(collection, metadata, words);
  }
  if (finalizers.length > 0) {
    return { status: 200, body: begin(storage, collection, entry, finalizers, 0, author) };
  }
  return removeNow(storage, collection, entry, author);
}

/** Takes an object away, whatever stands in its metadata. */
export function removeNow(storage: Storage, collection: Collection, entry: Entry, author: Author): ApiResponse {
  const last = entry.object;
  storage.remove(collection, entry, author);
  if (collection.traits.answersDeletionWithObject) return { status: 200, body: last };
  return status.deleted(collection.resource, entry.name, last.metadata.uid);
}

/** The strategy of pods: a grace period, unless there is no kubelet to wait for. */
function removePod(
  storage: Storage,
  collection: Collection,
  entry: Entry,
  options: DeleteOptions,
  author: Author,
): ApiResponse {
  const { metadata } = entry.object as { metadata: StoredMeta };
  const finalizers = finalizersFor(metadata, options);
  const asked = options.gracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined) {
    const current = metadata.deletionGracePeriodSeconds ?? 0;
    if (asked === undefined || asked >= current) {
      const isOver = current === 0 && finalizers.length === 0;
      return isOver ? removeNow(storage, collection, entry, author) : { status: 200, body: entry.object };
    }
    const begun = Date.parse(metadata.deletionTimestamp) - current * 1000;
    const shorter: StoredMeta = {
      ...metadata,
      deletionTimestamp: formatTime(begun + asked * 1000),
      deletionGracePeriodSeconds: asked,
    };
    const stored = storage.update(collection, entry, { ...entry.object, metadata: shorter }, entry.owners, author);
    if (asked > 0 || finalizers.length > 0) return { status: 200, body: stored };
    return removeNow(storage, collection, entry, author);
  }
  const grace = graceOf(entry.object, asked);
  const stored = begin(storage, collection, entry, finalizers, grace, author);
  if (grace > 0 || finalizers.length > 0) return { status: 200, body: stored };
  return removeNow(storage, collection, entry, author);
}

/** Seconds. A pod on no node, or one that has ended, needs none. */
function graceOf(pod: KubeObject, asked: number | undefined): number {
  const spec = pod['spec'] as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
  const { phase } = (pod['status'] ?? {}) as { phase?: string };
  if (!spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const period = asked ?? spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}

/** Marks an object as being deleted. The second time only new finalizers change anything. */
function begin(
  storage: Storage,
  collection: Collection,
  entry: Entry,
  finalizers: readonly string[],
  graceSeconds: number,
  author: Author,
): KubeObject {
  const before: StoredMeta = entry.object.metadata;
  const { deletionTimestamp, finalizers: had = [], finalizers: _, ...rest } = before;
  if (deletionTimestamp !== undefined && had.join() === finalizers.join()) return entry.object;
  const metadata: StoredMeta = {
    ...rest,
    ...(deletionTimestamp === undefined && hasGeneration(collection) && { generation: (before.generation ?? 0) + 1 }),
    deletionTimestamp: deletionTimestamp ?? formatTime(Date.parse(storage.timestamp()) + graceSeconds * 1000),
    deletionGracePeriodSeconds: graceSeconds,
    ...(finalizers.length > 0 && { finalizers: [...finalizers] }),
  };
  return storage.update(collection, entry, { ...entry.object, metadata }, entry.owners, author);
}

const none: string[] = [];

/** The object's own finalizers, and the one that the propagation policy asks for. */
function finalizersFor({ finalizers = none }: StoredMeta, { propagationPolicy }: DeleteOptions): readonly string[] {
  if (propagationPolicy === undefined) return finalizers;
  const wanted = propagationFinalizers[propagationPolicy];
  const all = Object.values(propagationFinalizers);
  const others = finalizers.filter((finalizer) => !all.includes(finalizer));
  const next = wanted === undefined ? others : [...others, wanted];
  return next.length === finalizers.length && next.every((each) => finalizers.includes(each)) ? finalizers : next;
}
