/** Plain JSON objects, as the free-form parts of the resource hold them. */
export type JsonObject = Record<string, unknown>;

/** A plain object: not null, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `keys`, or undefined where a step leads nowhere. A number (or a numeric string) steps into a list. */
export function at(value: unknown, keys: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of keys) {
    if (Array.isArray(current))
      current = Number.isInteger(Number(key)) ? (current as unknown[])[Number(key)] : undefined;
    else if (isObject(current) && Object.hasOwn(current, key)) current = current[key];
    else return undefined;
  }
  return current;
}

/** Whether two JSON values are the same, whatever the order of their fields. A field that is undefined is one all the same. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => isSameJson(item, other[index]));
  }
  const fields = Object.keys(one);
  if (fields.length !== Object.keys(other).length) return false;
  return fields.every(
    (field) => Object.hasOwn(other, field) && isSameJson((one as JsonObject)[field], (other as JsonObject)[field]),
  );
}
