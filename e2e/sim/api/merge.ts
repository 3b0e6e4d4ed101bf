import { type FieldSet } from './field-set.ts';
import { childSchema, isDeclared, itemKey, type Schema } from './schema.ts';
import { isRecord, type Json } from './values.ts';

/** `live` with everything that `applied` says (typed/merge.go). Shares what does not change. */
export function merged(schema: Schema, live: unknown, applied: unknown): unknown {
  if (applied === undefined || applied === live) return live;
  if (Array.isArray(applied)) {
    return schema.list !== 'atomic' && Array.isArray(live) ? mergedItems(schema, live, applied) : applied;
  }
  if (!isRecord(applied) || !isRecord(live) || schema.atomic) return applied;
  let copy: Record<string, unknown> | undefined;
  for (const key in applied) {
    const after = merged(childSchema(schema, key), live[key], applied[key]);
    if (after !== live[key]) (copy ??= { ...live })[key] = after;
  }
  return copy ?? live;
}

/** Applied items keep their order, and those that only the live list has keep their places among them. */
function mergedItems(schema: Schema, live: readonly unknown[], applied: readonly unknown[]): readonly unknown[] {
  const items = schema.items ?? schema;
  const liveByKey = new Map(live.map((item) => [itemKey(schema, item), item]));
  const appliedKeys = new Set(applied.map((item) => itemKey(schema, item)));
  const liveKeys = [...liveByKey.keys()];
  const result: unknown[] = [];
  let at = 0;
  const takeOwn = (): void => {
    while (at < liveKeys.length && !appliedKeys.has(liveKeys[at] ?? ''))
      result.push(liveByKey.get(liveKeys[at++] ?? ''));
  };
  for (const item of applied) {
    takeOwn();
    const key = itemKey(schema, item);
    if (liveKeys[at] === key) at++;
    result.push(liveByKey.has(key) ? merged(items, liveByKey.get(key), item) : item);
  }
  for (; at < liveKeys.length; at++) {
    const key = liveKeys[at] ?? '';
    if (!appliedKeys.has(key)) result.push(liveByKey.get(key));
  }
  return result.length === live.length && result.every((item, i) => item === live[i]) ? live : result;
}

/**
 * `value` without what is in `gone` and not in `kept`. A declared field counts as kept while anything below it is: it
 * then stays, and becomes null when nothing is left in it.
 */
export function withoutFields(
  schema: Schema,
  value: unknown,
  gone: FieldSet | undefined,
  kept: FieldSet | undefined,
): unknown {
  if (!gone?.children) return value;
  if (Array.isArray(value)) return schema.list === 'atomic' ? value : withoutItems(schema, value, gone, kept);
  if (!isRecord(value) || schema.atomic) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, each] of gone.children) {
    if (!(key in value)) continue;
    const keep = kept?.children?.get(key);
    const declared = isDeclared(schema, key);
    if ((each.member || declared) && !isKept(keep, declared)) {
      copy ??= { ...value };
      delete copy[key];
      continue;
    }
    const after = withoutFields(childSchema(schema, key), value[key], each, keep);
    if (after !== value[key]) (copy ??= { ...value })[key] = after;
  }
  return copy ? orNull(copy) : value;
}

function withoutItems(
  schema: Schema,
  list: readonly unknown[],
  gone: FieldSet,
  kept: FieldSet | undefined,
): readonly unknown[] | null {
  const items = schema.items ?? schema;
  const left: unknown[] = [];
  let changed = false;
  for (const item of list) {
    const key = itemKey(schema, item);
    const each = gone.children?.get(key);
    const keep = kept?.children?.get(key);
    if (each?.member && !isKept(keep, false)) {
      changed = true;
      continue;
    }
    const after = each ? withoutFields(items, item, each, keep) : item;
    changed ||= after !== item;
    left.push(after);
  }
  if (!changed) return list;
  return left.length === 0 ? null : left;
}

function isKept(keep: FieldSet | undefined, declared: boolean): boolean {
  return keep !== undefined && (keep.member || declared);
}

function orNull(record: Json): Json | null {
  for (const _ in record) return record;
  return null;
}
