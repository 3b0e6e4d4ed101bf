import type { KubeObject, ObjectMeta } from '../../../src/kube/objects.ts';
import type { Collection, Entry } from './collection.ts';
import { withOwners } from './storage.ts';
import { storageKey } from './collection.ts';
import type { Comparison } from './compare.ts';
import {
  changedMetadata,
  changedParts,
  compareObjects,
  compareWithNothing,
  newMetadata,
  normalised,
  type StoredMeta,
} from './objects.ts';
import { afterUpdate, type Identity, type Owner } from './ownership.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';
import type { Cause } from './status.ts';
import type { Author, Storage } from './storage.ts';
import { refusedPrecondition, type Manner } from './preconditions.ts';
import { refusedChange, wrongMetadata } from './validation.ts';
import { isRecord } from './values.ts';

/** One write on its way: to what, by whom. */
export interface Write {
  storage: Storage;
  collection: Collection;
  namespace: string | undefined;
  name: string;
  subresource: 'status' | undefined;
  manager: string;
  author: Author;
  uid: () => string;
}

/** Who owns what after a write, given how the object changed. */
export type NextOwners = (owners: readonly Owner[], comparison: Comparison) => readonly Owner[];

export function identityOf(write: Write, operation: Identity['operation']): Identity {
  const { manager, collection, subresource } = write;
  return { manager, operation, apiVersion: collection.apiVersion, subresource };
}

/** The body of a write. @returns what is wrong with it when it is no object of this kind and name. */
export function bodyOf({ collection, namespace, name }: Write, body: unknown): KubeObject | ApiResponse {
  if (!isRecord(body)) return status.badRequest('the body of the request is not an object');
  const metadata = (isRecord(body['metadata']) ? body['metadata'] : {}) as unknown as ObjectMeta;
  const { kind } = collection.resource;
  if (body['kind'] !== undefined && body['kind'] !== kind) {
    return status.badRequest(
      `${JSON.stringify(body['kind'])} in version "${collection.apiVersion}" cannot be handled as a ${kind}`,
    );
  }
  if (body['apiVersion'] !== undefined && body['apiVersion'] !== collection.apiVersion) {
    return status.badRequest(`${kind} in version ${JSON.stringify(body['apiVersion'])} cannot be handled as a ${kind}`);
  }
  if (name !== '' && metadata.name !== undefined && metadata.name !== name) {
    return status.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (metadata.namespace !== undefined && metadata.namespace !== (namespace ?? '')) {
    return status.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return { ...body, metadata: metadata.name === undefined && name !== '' ? { ...metadata, name } : metadata };
}

/** Stores a new object, or says that there is one. */
export function create(write: Write, body: KubeObject, nextOwners?: NextOwners): ApiResponse {
  const { collection, storage, namespace } = write;
  const { traits } = collection;
  const { name } = body.metadata;
  if (!name) {
    const cause = {
      reason: 'FieldValueRequired',
      field: 'metadata.name',
      message: 'Required value: name or generateName is required',
    };
    return status.invalid(collection.resource, '', cause);
  }
  const there = collection.find(namespace, name)?.object.metadata;
  if (there) return status.alreadyExists(collection.resource, name, there.deletionTimestamp !== undefined);
  if (!nextOwners && body.metadata.resourceVersion) return status.versionOnCreate;
  const object = normalised(collection, body);
  const metadata = newMetadata(body.metadata, {
    name,
    ...(namespace !== undefined && { namespace }),
    uid: write.uid(),
    ...(hasGeneration(collection) && { generation: 1 }),
    creationTimestamp: storage.timestamp(),
  });
  const sent: KubeObject = { ...object, metadata };
  const made = traits.admit?.(sent) ?? sent;
  const comparison = compareWithNothing(traits.schema, without(sent, traits.status ? ['status'] : []));
  const next =
    nextOwners ?? ((owners) => afterUpdate(owners, identityOf(write, 'Update'), comparison, storage.timestamp()));
  const owners = next([], comparison);
  if (traits.status) {
    const initial = traits.initialStatus ?? traits.schema.fields?.get('status')?.defaultValue;
    if (initial !== undefined) made['status'] = initial;
    else delete made['status'];
  }
  const stored = storage.create(collection, storageKey(namespace, name), made, owners, write.author);
  return { status: 201, body: stored };
}

/**
 * Stores a new state of an object, unless a precondition in its metadata forbids it or it changes nothing. `found` is
 * what is wrong with it already.
 */
export function update(
  write: Write,
  entry: Entry,
  body: KubeObject,
  manner: Manner,
  nextOwners?: NextOwners,
  found: readonly Cause[] = [],
): ApiResponse {
  const { collection, storage, author } = write;
  const before = entry.object;
  const refused = refusedPrecondition(collection, before, body.metadata, manner);
  if (refused) return refused;

  // Of a custom resource's status everything else that was sent is ignored.
  const isIgnored = collection.isCustom && write.subresource !== undefined;
  const causes = [...(isIgnored ? [] : wrongMetadata(before.metadata, body.metadata)), ...found];
  if (causes.length > 0) return status.invalid(collection.resource, write.name, ...causes);

  const after = nextState(write, before, normalised(collection, body));
  const comparison = compareObjects(collection.traits.schema, before, after);
  // An object that nobody owns has no owners before it is applied.
  const own: NextOwners = (owners, differences) =>
    owners.length === 0 ? owners : afterUpdate(owners, identityOf(write, 'Update'), differences, storage.timestamp());
  const owners = (nextOwners ?? own)(entry.owners, comparison);
  const parts = changedParts(before, after);
  if (parts.length === 0 && owners === entry.owners) return { status: 200, body: before };
  const problem = refusedChange(collection.resource, before, after, parts);
  if (problem) return problem;

  if (hasGeneration(collection) && parts.some((part) => isCounted(collection, part))) {
    after.metadata = { ...after.metadata, generation: (before.metadata.generation ?? 0) + 1 };
  }
  if (isLastFinalizer(before.metadata, after)) {
    storage.remove(collection, entry, author);
    return { status: 200, body: withOwners(after, owners) };
  }
  return { status: 200, body: storage.update(collection, entry, after, owners, author) };
}

export function hasGeneration({ traits, isCustom }: Collection): boolean {
  return traits.generation || isCustom;
}

/** Of a custom resource everything but metadata and a status of its own counts as the spec. */
function isCounted({ traits, isCustom }: Collection, part: string): boolean {
  return isCustom ? part !== 'metadata' && !(part === 'status' && traits.status) : part === 'spec';
}

function isLastFinalizer(before: StoredMeta, { metadata: after, spec, kind }: KubeObject): boolean {
  // A namespace has finalizers in its spec too, which only its controller takes away.
  if (kind === 'Namespace' && isRecord(spec) && spec['finalizers'] !== undefined) return false;
  return (
    before.deletionTimestamp !== undefined &&
    (before.finalizers?.length ?? 0) > 0 &&
    (after.finalizers?.length ?? 0) === 0 &&
    (before.deletionGracePeriodSeconds ?? 0) === 0
  );
}

/** What is stored of `sent` by this path: of the status path the status alone, of the other everything else. */
function nextState(
  { collection: { traits, isCustom }, subresource }: Write,
  before: KubeObject,
  sent: KubeObject,
): KubeObject {
  if (subresource === 'status') {
    const { status: _, ...rest } = before;
    const next: KubeObject = sent['status'] === undefined ? { ...rest } : { ...rest, status: sent['status'] };
    if (!isCustom) next.metadata = changedMetadata(before.metadata, sent.metadata);
    return next;
  }
  const { status: sentStatus, ...rest } = sent;
  const kept = traits.status ? before['status'] : sentStatus;
  const metadata = changedMetadata(before.metadata, sent.metadata);
  return kept === undefined ? { ...rest, metadata } : { ...rest, metadata, status: kept };
}

function without(object: KubeObject, parts: readonly string[]): KubeObject {
  const entries = Object.entries(object).filter(([part]) => !parts.includes(part));
  return Object.fromEntries(entries) as unknown as KubeObject;
}
