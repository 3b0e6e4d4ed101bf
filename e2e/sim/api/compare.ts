import { leafSet, setOf, type FieldSet } from './field-set.ts';
import { childSchema, isDeclared, itemKey, type Schema } from './schema.ts';
import { isRecord, sameValue, type Json } from './values.ts';

/** In which fields one object differs from another, as structured-merge-diff sees it (typed/compare.go). */
export interface Comparison {
  /** Added or modified. */
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

/** Both sides of a comparison, while it is made. */
interface Found {
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

const nothing: Found = { changed: undefined, removed: undefined };
const changedHere: Found = { changed: leafSet, removed: undefined };
const removedHere: Found = { changed: undefined, removed: leafSet };

/** Compares two values of one schema; undefined is an absent one. */
export function compare(schema: Schema, before: unknown, after: unknown): Comparison {
  if (before === after) return nothing;
  if (isMergedList(schema, before, after)) return compareItems(schema, before, after);
  if ((isRecord(before) || isRecord(after)) && isMapLike(before) && isMapLike(after) && !schema.atomic) {
    // Two empty maps, or an empty and none, are told apart like leaves.
    if (!isEmptyMap(before) || !isEmptyMap(after)) return compareFields(schema, before, after);
  }
  if (after === undefined) return removedHere;
  return before !== undefined && sameValue(before, after) ? nothing : changedHere;
}

function isMapLike(value: unknown): value is Json | undefined | null {
  return value === undefined || value === null || isRecord(value);
}

function isEmptyMap(value: Json | undefined | null): boolean {
  for (const _ in value) return false;
  return true;
}

function isMergedList(schema: Schema, before: unknown, after: unknown): boolean {
  if (schema.list === 'atomic') return false;
  const [one, other] = [before ?? [], after ?? []];
  return Array.isArray(one) && Array.isArray(other) && one.length + other.length > 0;
}

function compareFields(schema: Schema, before: Json | undefined | null, after: Json | undefined | null): Found {
  let changed: Map<string, FieldSet> | undefined;
  let removed: Map<string, FieldSet> | undefined;
  for (const key in after) {
    const was = before?.[key];
    const is = after[key];
    if (was === is) continue;
    const found = compare(childSchema(schema, key), was, is);
    if (found.changed) (changed ??= new Map()).set(key, found.changed);
    if (found.removed) (removed ??= new Map()).set(key, found.removed);
  }
  for (const key in before) {
    if (after && key in after) continue;
    const found = compare(childSchema(schema, key), before[key], undefined);
    if (found.removed) (removed ??= new Map()).set(key, found.removed);
  }
  return here(before, after, changed, removed);
}

function compareItems(schema: Schema, before: unknown, after: unknown): Found {
  const [was, is] = [byKey(schema, before), byKey(schema, after)];
  let changed: Map<string, FieldSet> | undefined;
  let removed: Map<string, FieldSet> | undefined;
  const items = schema.items ?? schema;
  for (const [key, item] of is) {
    const found = compare(items, was.get(key), item);
    if (found.changed) (changed ??= new Map()).set(key, found.changed);
    if (found.removed) (removed ??= new Map()).set(key, found.removed);
  }
  for (const [key, item] of was) {
    if (is.has(key)) continue;
    const found = compare(items, item, undefined);
    if (found.removed) (removed ??= new Map()).set(key, found.removed);
  }
  return here(before, after, changed, removed);
}

function byKey(schema: Schema, list: unknown): Map<string, unknown> {
  return new Map(((list ?? []) as unknown[]).map((item) => [itemKey(schema, item), item]));
}

/** A map or list that comes or goes is itself a change, besides what is in it. */
function here(
  before: unknown,
  after: unknown,
  changed: Map<string, FieldSet> | undefined,
  removed: Map<string, FieldSet> | undefined,
): Found {
  return {
    changed: setOf(before === undefined, changed),
    removed: setOf(after === undefined, removed),
  };
}

/** The fields an applied object says something about (typed/tofieldset.go). */
export function fieldsOf(schema: Schema, value: unknown): FieldSet | undefined {
  if (Array.isArray(value) && schema.list !== 'atomic') {
    const children = new Map<string, FieldSet>();
    const items = schema.items ?? schema;
    for (const item of value) {
      const below = schema.list === 'set' ? undefined : fieldsOf(items, item);
      children.set(itemKey(schema, item), { member: true, children: below?.children });
    }
    return setOf(false, children);
  }
  if (!isRecord(value) || schema.atomic) return value === undefined ? undefined : leafSet;
  const children = new Map<string, FieldSet>();
  for (const key in value) {
    const child = value[key];
    const below = fieldsOf(childSchema(schema, key), child);
    const isLeaf = child === null || (isRecord(child) && isEmptyMap(child)) || !isDeclared(schema, key);
    const set = isLeaf ? { member: true, children: below?.children } : below;
    if (set) children.set(key, set);
  }
  return setOf(false, children);
}
