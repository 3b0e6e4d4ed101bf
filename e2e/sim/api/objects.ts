import type { KubeObject, ObjectMeta } from '../../../src/kube/objects.ts';
import { metadataSchema } from './built-in-schemas.ts';
import type { Collection } from './collection.ts';
import { compare, fieldsOf, type Comparison } from './compare.ts';
import { leafSet, setOf, type FieldSet } from './field-set.ts';
import { anything, childSchema, normalisedPart, type Schema } from './schema.ts';
import { isRecord, isStoredPart, plain, sameValue, type Json } from './values.ts';

/** What of an object's metadata a writer decides. The rest is the server's, and owned by nobody. */
export const writtenMetadata = ['labels', 'annotations', 'ownerReferences', 'finalizers'] as const;

/** metadata as the server stores it also carries this. */
export interface StoredMeta extends ObjectMeta {
  deletionGracePeriodSeconds?: number;
}

/**
 * An object from a request as the kind stores it: without what the kind does not know, with its defaults. Its metadata
 * is still that of the request.
 */
export function normalised(collection: Collection, body: Json): KubeObject {
  const { schema } = collection.traits;
  const result: KubeObject = {
    apiVersion: collection.apiVersion,
    kind: collection.resource.kind,
    metadata: plain(body['metadata']) as ObjectMeta,
  };
  for (const part in body) {
    if (part in result) continue;
    const value = isStoredPart(body[part]) ? body[part] : normalisedPart(schema, part, plain(body[part]));
    if (value !== undefined) result[part] = value;
  }
  for (const [part, { defaultValue }] of schema.fields ?? []) {
    if (defaultValue !== undefined) result[part] ??= defaultValue;
  }
  return result;
}

/** A new object's metadata, of which the writer decided `sent`. */
export function newMetadata(sent: ObjectMeta, own: Pick<ObjectMeta, 'name' | 'uid' | 'creationTimestamp'>): StoredMeta {
  return { ...own, ...written(sent) };
}

/** The metadata of `before` with what the writer decided; the same metadata when that is the same. */
export function changedMetadata(before: StoredMeta, sent: ObjectMeta): StoredMeta {
  if (sent === before || writtenMetadata.every((key) => sameValue(orAbsent(sent[key]), before[key]))) return before;
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...own } = before;
  return { ...own, ...written(sent) };
}

function written(sent: ObjectMeta): Partial<ObjectMeta> {
  const result: Record<string, unknown> = {};
  for (const key of writtenMetadata) {
    const value = orAbsent(sent[key]);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

/** An empty map or list in the metadata is as good as none. */
function orAbsent<T extends object>(value: T | undefined | null): T | undefined {
  if (value === undefined || value === null) return undefined;
  for (const _ in value) return value;
  return undefined;
}

/** The names of the parts (`metadata`, `spec`, `status`, `data`, ...) in which two objects differ. */
export function changedParts(before: KubeObject, after: KubeObject): string[] {
  const parts: string[] = [];
  for (const part in after) if (!sameValue(before[part], after[part])) parts.push(part);
  for (const part in before) if (!(part in after)) parts.push(part);
  return parts;
}

/** Which fields that can be owned differ. Of the object itself and its metadata nobody owns that they are there. */
export function compareObjects(schema: Schema, before: KubeObject, after: KubeObject): Comparison {
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  for (const part of changedParts(before, after)) {
    if (part === 'apiVersion' || part === 'kind') continue;
    const found =
      part === 'metadata'
        ? compareMetadata(before.metadata, after.metadata)
        : compare(childSchema(schema, part), before[part], after[part]);
    if (found.changed) changed.set(part, found.changed);
    if (found.removed) removed.set(part, found.removed);
  }
  return { changed: setOf(false, changed), removed: setOf(false, removed) };
}

/** What can be owned of a new object. */
export function compareWithNothing(schema: Schema, after: KubeObject): Comparison {
  const changed = new Map<string, FieldSet>();
  for (const part in after) {
    if (part === 'apiVersion' || part === 'kind') continue;
    const found =
      part === 'metadata' ? compareMetadata(undefined, after.metadata).changed : wholePart(schema, part, after[part]);
    if (found) changed.set(part, found);
  }
  return { changed: setOf(false, changed), removed: undefined };
}

/** All fields of a new part, found out when somebody asks: of most objects nobody ever does. */
function wholePart(schema: Schema, part: string, value: unknown): FieldSet {
  let found: FieldSet | undefined;
  const resolve = (): FieldSet => (found ??= compare(childSchema(schema, part), undefined, value).changed ?? leafSet);
  return {
    member: true,
    get children() {
      return resolve().children;
    },
  };
}

function compareMetadata(before: ObjectMeta | undefined, after: ObjectMeta): Comparison {
  const changed = new Map<string, FieldSet>();
  const removed = new Map<string, FieldSet>();
  for (const key of writtenMetadata) {
    const found = compare(childSchema(metadataSchema, key), before?.[key], after[key]);
    if (found.changed) changed.set(key, found.changed);
    if (found.removed) removed.set(key, found.removed);
  }
  return { changed: setOf(false, changed), removed: setOf(false, removed) };
}

/** What an applied object says something about, and can own. */
export function ownableFieldsOf(schema: Schema, applied: KubeObject): FieldSet | undefined {
  const sets = new Map<string, FieldSet>();
  for (const part in applied) {
    if (part === 'apiVersion' || part === 'kind' || part === 'metadata') continue;
    const set = fieldsOf(schema, { [part]: applied[part] })?.children?.get(part);
    if (set) sets.set(part, set);
  }
  const own: Record<string, unknown> = {};
  for (const key of writtenMetadata) if (applied.metadata[key] !== undefined) own[key] = applied.metadata[key];
  const metadata = fieldsOf(metadataSchema, own);
  if (metadata) sets.set('metadata', metadata);
  return setOf(false, sets);
}

/** The declared fields in `set` that are null, as `spec.pod`, and what each should be. */
export function nullFields(
  schema: Schema,
  value: unknown,
  set: FieldSet | undefined,
  prefix: readonly string[] = [],
): { path: string; type: 'object' | 'array' }[] {
  if (schema === anything) return [];
  if (value === null) return [{ path: prefix.join('.'), type: schema.items ? 'array' : 'object' }];
  if (!isRecord(value)) return [];
  return [...(set?.children ?? [])].flatMap(([key, below]) =>
    // metadata is of a form of its own, in which null is as good as nothing.
    prefix.length === 0 && key === 'metadata'
      ? []
      : nullFields(childSchema(schema, key), value[key], below, [...prefix, key]),
  );
}
