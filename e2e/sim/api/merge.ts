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

/**
 * Applied items keep their order; those that only the live list has keep their places before the next item that both
 * have.
 */
function mergedItems(schema: Schema, live: readonly unknown[], applied: readonly unknown[]): readonly unknown[] {
  const items = schema.items ?? schema;
  const keysOf = (list: readonly unknown[]): string[] => list.map((item) => itemKey(schema, item));
  const [liveKeys, appliedKeys] = [keysOf(live), keysOf(applied)];
  const liveByKey = new Map(liveKeys.map((key, i) => [key, live[i]]));
  const inApplied = new Set(appliedKeys);
  const shared = appliedKeys.filter((key) => liveByKey.has(key));
  const done = new Set<string>();
  const result: unknown[] = [];
  const take = (i: number): void => {
    const key = appliedKeys[i] ?? '';
    done.add(key);
    if (shared[0] === key) shared.shift();
    result.push(liveByKey.has(key) ? merged(items, liveByKey.get(key), applied[i]) : applied[i]);
  };
  for (let l = 0, a = 0; l < live.length || a < applied.length;) {
    const key = l < live.length ? liveKeys[l] : undefined;
    if (key !== undefined && !inApplied.has(key)) result.push(live[l++]);
    else if (key !== undefined && key === appliedKeys[a]) {
      take(a++);
      l++;
    } else if (key !== undefined && (done.has(key) || (a < applied.length && shared.length > 0 && shared[0] !== key)))
      l++;
    else take(a++);
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
