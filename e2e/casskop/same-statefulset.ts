import { isDeepStrictEqual } from 'node:util';
import type { StatefulSet } from './statefulset.ts';

/** Where the operator keeps what it last generated, so that it can tell its own fields from those of others. */
const annotation = 'banzaicloud.com/last-applied';

/** Notes on a generated StatefulSet what it is made of; call it before anything stored is carried over. */
export function rememberGenerated(generated: StatefulSet): void {
  const { metadata, spec } = generated;
  const { name, labels } = metadata;
  generated.metadata.annotations = { ...metadata.annotations, [annotation]: JSON.stringify({ name, labels, spec }) };
}

/**
 * Whether writing `generated` would change nothing of what the operator decides. Fields that only the server or
 * somebody else has set do not count; a field that the operator once set and no longer does, counts while it is there.
 */
export function isSameStatefulSet(stored: StatefulSet, generated: StatefulSet): boolean {
  const storedTemplate = stored.spec.template.spec;
  const template = generated.spec.template.spec;
  const claims = stored.spec.volumeClaimTemplates ?? [];
  if (storedTemplate.containers.length !== template.containers.length) return false;
  if (claims.length !== (generated.spec.volumeClaimTemplates ?? []).length) return false;
  const previous = remembered(stored);
  return (
    contains(stored.metadata.labels, generated.metadata.labels, undefined) &&
    contains(stored.spec, generated.spec, previous?.spec)
  );
}

/** Undefined when nothing readable is there: CassKop itself keeps the same in a packed form. */
function remembered({ metadata }: StatefulSet): Pick<StatefulSet, 'spec'> | undefined {
  try {
    return JSON.parse(metadata.annotations?.[annotation] ?? '') as Pick<StatefulSet, 'spec'>;
  } catch {
    return undefined;
  }
}

/** Three-way: everything in `wanted` is in `actual`, and nothing of `previous` that is not wanted any more. */
function contains(actual: unknown, wanted: unknown, previous: unknown): boolean {
  if (isNamedList(wanted) && isNamedList(actual)) {
    return contains(byName(actual), byName(wanted), isNamedList(previous) ? byName(previous) : undefined);
  }
  if (Array.isArray(wanted) && Array.isArray(actual)) {
    const before: unknown[] = Array.isArray(previous) ? previous : [];
    return wanted.length === actual.length && wanted.every((item, i) => contains(actual[i], item, before[i]));
  }
  if (actual === undefined && isObject(wanted) && Object.keys(wanted).length === 0) return true;
  if (!isObject(wanted) || !isObject(actual)) return isDeepStrictEqual(wanted, actual);
  const dropped = isObject(previous) ? Object.keys(previous).filter((key) => wanted[key] === undefined) : [];
  return (
    dropped.every((key) => actual[key] === undefined) &&
    Object.entries(wanted).every(
      ([key, value]) =>
        value === undefined || contains(actual[key], value, isObject(previous) ? previous[key] : undefined),
    )
  );
}

/** Containers, variables, ports, volumes and mounts are merged by name; all other lists are compared as a whole. */
function isNamedList(value: unknown): value is { name: string }[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isObject(item) && 'name' in item);
}

function byName(list: { name: string }[]): Record<string, unknown> {
  return Object.fromEntries(list.map((item) => [item.name, item]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
