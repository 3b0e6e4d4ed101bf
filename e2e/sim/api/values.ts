/** A JSON object. Stored values are shared and never changed; every function here keeps to that. */
export type Json = { readonly [field: string]: unknown };

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are the same, in time proportional to what they do not share. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let i = 0; i < one.length; i++) if (!sameValue(one[i], other[i])) return false;
    return true;
  }
  if (Array.isArray(other)) return false;
  let count = 0;
  for (const key in one) {
    count++;
    if (!sameValue((one as Json)[key], (other as Json)[key])) return false;
  }
  for (const _ in other) count--;
  return count === 0;
}

/** Parts of stored objects. They come back in most writes, and nothing in them is undefined. */
const known = new WeakSet<object>();

/** Whether `value` is a part of a stored object. */
export function isStoredPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && known.has(value);
}

/** What JSON would carry of `value`: members that are undefined are left out. Shares everything it can. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || known.has(value)) return value;
  return Array.isArray(value) ? plainList(value) : plainRecord(value as Json);
}

/** Remembers the parts of an object that is stored, so that `plain` need not look into them again. */
export function markPlain(object: Json): void {
  for (const key in object) {
    const part = object[key];
    if (typeof part === 'object' && part !== null) known.add(part);
  }
}

function plainList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const item = plain(list[i]) ?? null;
    if (item !== list[i]) (copy ??= [...list])[i] = item;
  }
  return copy ?? list;
}

function plainRecord(record: Json): Json {
  let copy: Record<string, unknown> | undefined;
  for (const key in record) {
    const before = record[key];
    const after = plain(before);
    if (after === before && after !== undefined) continue;
    copy ??= { ...record };
    if (after === undefined) delete copy[key];
    else copy[key] = after;
  }
  return copy ?? record;
}

/** `record` without `key`; the same record when it has none. */
export function without(record: Json, key: string): Json {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
