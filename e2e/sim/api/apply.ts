import type { KubeObject } from '../../../src/kube/objects.ts';
import { metadataSchema } from './built-in-schemas.ts';
import type { Entry } from './collection.ts';
import { difference, setOf, union, type FieldSet } from './field-set.ts';
import { merged, withoutFields } from './merge.ts';
import { compareObjects, nullPath, ownableFieldsOf, writtenMetadata } from './objects.ts';
import { afterApply, conflicts, ownerOf } from './ownership.ts';
import type { Query } from './paths.ts';
import type { ApiResponse } from './request.ts';
import { childSchema, type Schema } from './schema.ts';
import * as status from './status.ts';
import { isRecord, plain } from './values.ts';
import { create, identityOf, update, type Write } from './writes.ts';

/**
 * Server-side apply, as structured-merge-diff does it: what the manager says is merged into the object; what it said at
 * its last apply and does not say now is removed, unless another manager owns it; and what it now says is its own.
 */
export function apply(write: Write, entry: Entry | undefined, body: KubeObject, force: boolean): ApiResponse {
  const { collection, name, storage, subresource } = write;
  const { schema, status: hasStatus } = collection.traits;
  const identity = identityOf(write, 'Apply');
  const applied = plain(body) as KubeObject;
  const ignored = ignoredParts(collection.isCustom, hasStatus, subresource);
  const set = ownableFieldsOf(schema, applied, ignored);
  if (!entry) {
    if (subresource) return status.notFound(collection.resource, name);
    if (applied.metadata.uid) {
      const words = `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`;
      return status.conflict(collection.resource, name, words);
    }
    return create(write, applied, (owners, comparison) =>
      afterApply(owners, identity, set, comparison, storage.timestamp()),
    );
  }
  const live = entry.object;
  const last = ownerOf(entry.owners, identity)?.set;
  const all = entry.owners.reduce<FieldSet | undefined>(
    (kept, owner) => (owner.set === last ? kept : union(kept, owner.set)),
    set,
  );
  const whole = mergedObject(schema, live, applied, ignored);
  const left = difference(last, set) ? withoutObjectFields(schema, whole, last, all) : whole;
  const next = { ...left, metadata: { ...left.metadata, ...preconditions(applied, live) } };
  const comparison = compareObjects(schema, live, left);
  const isStale = next.metadata.resourceVersion !== live.metadata.resourceVersion;
  if (!force && !isStale) {
    const found = conflicts(entry.owners, identity, comparison);
    if (found.length > 0) return status.applyConflict(found);
  }
  const empty = left === whole ? undefined : nullPath(left, last);
  if (empty !== undefined && collection.isCustom && !isStale) {
    const message = `Invalid value: "null": ${empty} in body must be of type object: "null"`;
    return status.invalid(collection.resource, name, { reason: 'FieldValueTypeInvalid', field: empty, message });
  }
  return update(write, entry, next, 'apply', (owners) =>
    afterApply(owners, identity, set, comparison, storage.timestamp()),
  );
}

/** What an apply must say, and must not. */
export function refusedApply(body: unknown, { fieldManager }: Query): ApiResponse | undefined {
  if (!fieldManager) return status.managerRequired;
  if (!isRecord(body)) return status.badRequest('error decoding YAML: the patch is not an object');
  const { apiVersion, kind, metadata } = body;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    return status.badRequest('invalid object type: /, Kind=');
  const hasManagedFields = isRecord(metadata) && metadata['managedFields'] !== undefined;
  return hasManagedFields ? status.badRequest('metadata.managedFields must be nil') : undefined;
}

/** The parts that a path does not store, so nobody comes to own them by it. */
function ignoredParts(isCustom: boolean, hasStatus: boolean, subresource: 'status' | undefined): string[] {
  if (subresource === 'status') return isCustom ? ['spec'] : ['spec', 'data'];
  return hasStatus ? ['status'] : [];
}

function preconditions({ metadata }: KubeObject, live: KubeObject): { uid?: string; resourceVersion?: string } {
  const uid = metadata.uid || live.metadata.uid;
  const resourceVersion = metadata.resourceVersion || live.metadata.resourceVersion;
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
}

function mergedObject(schema: Schema, live: KubeObject, applied: KubeObject, ignored: readonly string[]): KubeObject {
  const result: KubeObject = { ...live };
  for (const part in applied) {
    if (part === 'apiVersion' || part === 'kind' || part === 'metadata' || ignored.includes(part)) continue;
    result[part] = merged(childSchema(schema, part), live[part], applied[part]);
  }
  let { metadata } = live;
  for (const key of writtenMetadata) {
    const value = merged(childSchema(metadataSchema, key), metadata[key], applied.metadata[key]);
    if (value !== metadata[key]) metadata = { ...metadata, [key]: value };
  }
  if (metadata !== live.metadata) result.metadata = metadata;
  return result;
}

/** An object keeps its metadata, whatever is taken out of it. */
function withoutObjectFields(
  schema: Schema,
  object: KubeObject,
  gone: FieldSet | undefined,
  kept: FieldSet | undefined,
): KubeObject {
  const parts = new Map(gone?.children);
  parts.delete('metadata');
  const left = withoutFields(schema, object, setOf(false, parts), kept) as KubeObject;
  const [goneMetadata, keptMetadata] = [gone, kept].map((set) => set?.children?.get('metadata'));
  const metadata = withoutFields(metadataSchema, object.metadata, goneMetadata, keptMetadata);
  return metadata === object.metadata ? left : { ...left, metadata: metadata as KubeObject['metadata'] };
}
