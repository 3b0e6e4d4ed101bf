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
