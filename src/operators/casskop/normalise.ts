import { canonicalQuantity } from './quantity.ts';

export type JsonObject = { [field: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go pointers in CassKop's types: an explicit false or 0 here survives its PUT and means something else than absence. */
const pointerFields = new Set([
  'readOnlyRootFilesystem',
  'shareProcessNamespace',
  'enabled',
  'jmxRemoteEnable',
  'jmxRemoteSSL',
  'jmxRemoteAuthenticate',
  ...['liveness', 'readiness'].flatMap((probe) => [
    `${probe}InitialDelaySeconds`,
    `${probe}HealthCheckTimeout`,
    `${probe}HealthCheckPeriod`,
    `${probe}FailureThreshold`,
    `${probe}SuccessThreshold`,
  ]),
]);

/** `spec` with every quantity below limits and requests in canonical form. Idempotent; everything else is untouched. */
export function normalise(spec: unknown): unknown {
  if (Array.isArray(spec)) return spec.map(normalise);
  if (!isObject(spec)) return spec;
  return Object.fromEntries(
    Object.entries(spec).map(([field, value]) => {
      const quantities = (field === 'limits' || field === 'requests') && isObject(value);
      return [field, quantities ? canonicalQuantities(value) : normalise(value)];
    }),
  );
}

function canonicalQuantities(amounts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [
      name,
      typeof amount === 'string' || typeof amount === 'number' ? canonicalQuantity(String(amount)) : amount,
    ]),
  );
}

/**
 * JSON pointers of what `wanted` sets and `live` holds otherwise. What `live` has beyond `wanted` does not count: CassKop writes
 * its defaults there. Nor does a zero value that `live` lacks: its Go types drop those (omitempty), pointers apart.
 */
export function difference(wanted: unknown, live: unknown, path = ''): string[] {
  if (isObject(wanted)) {
    if (live !== undefined && !isObject(live)) return [path];
    return Object.entries(wanted).flatMap(([field, value]) => {
      const there = live?.[field];
      if (there === undefined && isZero(value) && !pointerFields.has(field)) return [];
      return difference(value, there, `${path}/${escapePointer(field)}`);
    });
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return [path];
    return wanted.flatMap((item, index) => difference(item, live[index], `${path}/${index}`));
  }
  return wanted === live ? [] : [path];
}

/** JSON pointers of all leaves of `value`; lists are leaves, as the server treats CassKop's lists as one field each. */
export function leafPaths(value: unknown, path = ''): string[] {
  if (!isObject(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([field, child]) => leafPaths(child, `${path}/${escapePointer(field)}`));
}

/** One step of a JSON pointer (RFC 6901). */
function escapePointer(field: string): string {
  return field.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isZero(value: unknown): boolean {
  return (
    value === false ||
    value === 0 ||
    value === '' ||
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isObject(value) && Object.values(value).every(isZero))
  );
}
