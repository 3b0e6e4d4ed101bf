import { isObject, type JsonObject } from './json.ts';

/**
 * `patch` over `base` as in RFC 7386: objects are merged field by field, everything else (lists, numbers, false, 0)
 * replaces what was there. Differs in null, which RFC 7386 makes a removal: nulls do not survive kubectl apply, so
 * validation refuses them and they change nothing here. Neither argument is changed.
 */
export function mergePatch(base: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    const below = merged.get(key);
    if (isObject(value)) merged.set(key, mergePatch(isObject(below) ? below : {}, value));
    else if (value !== null) merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/**
 * The reference tokens of a JSON pointer (RFC 6901), e.g. `/spec/envVars/0` gives spec, envVars, 0; undefined if it is
 * malformed: not empty and not beginning with "/", or with a "~" that is neither ~0 nor ~1.
 */
export function parsePointer(pointer: string): string[] | undefined {
  if (pointer === '') return [];
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * `value` without what the pointers (as tokens) point at. All pointers mean the value as given, so their order does
 * not matter and list positions do not shift. A pointer at nothing changes nothing.
 */
export function without(value: unknown, pointers: readonly (readonly string[])[]): unknown {
  if (pointers.length === 0) return value;
  const below = (key: string): string[][] =>
    pointers.filter((tokens) => tokens.length > 1 && tokens[0] === key).map((tokens) => tokens.slice(1));
  const stays = (key: string): boolean => !pointers.some((tokens) => tokens.length === 1 && tokens[0] === key);
  if (Array.isArray(value)) {
    return (value as unknown[]).flatMap((item, index) => (stays(`${index}`) ? [without(item, below(`${index}`))] : []));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => stays(key))
      .map(([key, item]) => [key, without(item, below(key))]),
  );
}
