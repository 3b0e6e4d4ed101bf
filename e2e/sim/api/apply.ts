import type { KubeObject } from '../../../src/kube/objects.ts';
import { metadataSchema } from './built-in-schemas.ts';
import type { Entry } from './collection.ts';
import { difference, sameSet, setOf, union, type FieldSet } from './field-set.ts';
import { merged, withoutFields } from './merge.ts';
import { compareObjects, compareWithNothing, nullFields, ownableFieldsOf, writtenMetadata } from './objects.ts';
import { afterApply, afterUpdate, conflicts, ownerOf, type Owner } from './ownership.ts';
import type { Query } from './paths.ts';
import type { ApiResponse } from './request.ts';
import { childSchema, undeclaredPath, type Schema } from './schema.ts';
import * as status from './status.ts';
import { isRecord, plain, without } from './values.ts';
import { create, identityOf, update, type NextOwners, type Write } from './writes.ts';

/**
 * Server-side apply, as structured-merge-diff does it: what the manager says is merged into the object; what it said at
 * its last apply and does not say now is removed, unless another manager owns it; and what it now says is its own.
 */
export function apply(write: Write, entry: Entry | undefined, body: KubeObject, force: boolean): ApiResponse {
  const { collection, name, storage, subresource } = write;
  const { schema } = collection.traits;
  const identity = identityOf(write, 'Apply');
  const applied = plain(body) as KubeObject;
  if (!entry && subresource) return status.notFound(collection.resource, name);
  const undeclared = collection.isCustom ? undeclaredPath(schema, applied) : undefined;
  if (undeclared !== undefined) return status.undeclaredField(collection.resource, applied.metadata, undeclared);
  const said = storedPart(write, applied);
  const fields = ownableFieldsOf(schema, said);
  if (!entry) {
    if (applied.metadata.uid) {
      const words = `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`;
      return status.conflict(collection.resource, name, words);
    }
    return create(write, applied, (owners, comparison) =>
      afterApply(owners, identity, fields, comparison, storage.timestamp()),
    );
  }
  const live = entry.object;
  const owners = entry.owners.length > 0 ? entry.owners : ownersBeforeFirstApply(write, entry);
  const last = ownerOf(owners, identity)?.set;
  // Most applies say something about the same fields as the one before.
  const set = sameSet(last, fields) ? last : fields;
  const all = owners.reduce<FieldSet | undefined>(
    (kept, owner) => (owner.set === last ? kept : union(kept, owner.set)),
    set,
  );
  const whole = mergedObject(schema, live, said);
  const left = difference(last, set) ? withoutObjectFields(schema, whole, last, all) : whole;
  const next = { ...left, metadata: { ...left.metadata, ...preconditions(applied, live) } };
  const comparison = compareObjects(schema, live, left);
  if (!force) {
    const found = conflicts(owners, identity, comparison);
    if (found.length > 0) return status.applyConflict(found);
  }
  const empty = left !== whole && collection.isCustom ? nullFields(schema, left, last) : [];
  const causes = empty.map(({ path, type }) => ({
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: "null": ${path} in body must be of type ${type}: "null"`,
    field: path,
  }));
  const nextOwners: NextOwners = () => afterApply(owners, identity, set, comparison, storage.timestamp());
  return update(write, entry, next, 'apply', nextOwners, causes);
}

/** What an object that nobody owns has is taken for the work of others when it is first applied. */
function ownersBeforeFirstApply(write: Write, { object, owners }: Entry): readonly Owner[] {
  const { collection, storage } = write;
  const identity = { ...identityOf(write, 'Update'), manager: 'before-first-apply' };
  const all = compareWithNothing(collection.traits.schema, storedPart(write, object));
  return afterUpdate(owners, identity, all, storage.timestamp());
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

/** What the path of a write stores of an object; nobody comes to own the rest by it. */
function storedPart({ collection, subresource }: Write, applied: KubeObject): KubeObject {
  const { status: ofStatus, spec: _, ...rest } = applied;
  if (subresource === undefined) {
    return collection.traits.status ? (without(applied, 'status') as unknown as KubeObject) : applied;
  }
  const other = collection.isCustom ? { metadata: { name: applied.metadata.name } } : rest;
  return { ...other, ...(ofStatus !== undefined && { status: ofStatus }) };
}

function preconditions({ metadata }: KubeObject, live: KubeObject): { uid?: string; resourceVersion?: string } {
  const uid = metadata.uid || live.metadata.uid;
  const resourceVersion = metadata.resourceVersion || live.metadata.resourceVersion;
  return { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
}

function mergedObject(schema: Schema, live: KubeObject, applied: KubeObject): KubeObject {
  const result: KubeObject = { ...live };
  for (const part in applied) {
    if (part === 'apiVersion' || part === 'kind' || part === 'metadata') continue;
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
