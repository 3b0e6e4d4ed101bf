import { difference, intersection, pathsOf, sameSet, union, type FieldSet } from './field-set.ts';
import type { Comparison } from './compare.ts';

/** What one manager owns of an object by one way of writing. */
export interface Owner {
  readonly identity: Identity;
  readonly set: FieldSet;
  /** As it stands in metadata.managedFields, without the fields themselves. */
  readonly entry: ManagedFieldsEntry;
}

/** Writes of one identity share an entry. */
export interface Identity {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string | undefined;
}

interface ManagedFieldsEntry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  /** RFC 3339, in seconds. */
  time: string;
  fieldsType: 'FieldsV1';
  /** In place of the fields, which are kept beside the object: how often they have changed. */
  fieldsV1: { changes: number };
  subresource?: string;
}

/** The owners after a write that is no apply: what it changed is its own now. */
export function afterUpdate(
  owners: readonly Owner[],
  identity: Identity,
  { changed, removed }: Comparison,
  time: string,
): readonly Owner[] {
  if (!changed && !removed) return owners;
  const own = ownerOf(owners, identity);
  const set = union(difference(own?.set, removed), changed);
  return replaced(owners, own, identity, set, union(changed, removed), changed ? time : (own?.entry.time ?? time));
}

/** The owners after an apply of exactly `set`, which changed the object as the comparison says. */
export function afterApply(
  owners: readonly Owner[],
  identity: Identity,
  set: FieldSet | undefined,
  { changed, removed }: Comparison,
  time: string,
): readonly Owner[] {
  const own = ownerOf(owners, identity);
  const isNoop = !changed && !removed;
  return replaced(owners, own, identity, set, union(changed, removed), isNoop ? (own?.entry.time ?? time) : time);
}

export function ownerOf(owners: readonly Owner[], identity: Identity): Owner | undefined {
  return owners.find((owner) => isSame(owner.identity, identity));
}

/** The fields of other managers that an apply would change. */
export function conflicts(
  owners: readonly Owner[],
  identity: Identity,
  { changed }: Comparison,
): { manager: string; path: string }[] {
  return owners
    .filter((owner) => !isSame(owner.identity, identity))
    .flatMap((owner) => pathsOf(intersection(owner.set, changed)).map((path) => ({ manager: described(owner), path })));
}

/** As messages name an owner. */
function described({ identity: { manager, operation, apiVersion, subresource } }: Owner): string {
  const at = subresource === undefined ? '' : ` with subresource "${subresource}"`;
  return `"${manager}"${at}${operation === 'Apply' ? '' : ` using ${apiVersion}`}`;
}

function replaced(
  owners: readonly Owner[],
  own: Owner | undefined,
  identity: Identity,
  set: FieldSet | undefined,
  gone: FieldSet | undefined,
  time: string,
): readonly Owner[] {
  const result: Owner[] = [];
  let changed = false;
  for (const owner of owners) {
    if (owner === own) continue;
    const left = difference(owner.set, gone);
    changed ||= left !== owner.set;
    if (!left) continue;
    const { entry } = owner;
    result.push(left === owner.set ? owner : { ...owner, set: left, entry: { ...entry, fieldsV1: next(entry) } });
  }
  const isSameOwn = own ? sameSet(own.set, set) : set === undefined;
  if (!changed && isSameOwn && (!own || own.entry.time === time)) return owners;
  const fieldsV1 = isSameOwn && own ? own.entry.fieldsV1 : next(own?.entry);
  if (set) result.push({ identity, set, entry: entryOf(identity, time, fieldsV1) });
  return result.sort(byAge);
}

function next(entry: ManagedFieldsEntry | undefined): ManagedFieldsEntry['fieldsV1'] {
  return { changes: (entry?.fieldsV1.changes ?? 0) + 1 };
}

function entryOf(
  { manager, operation, apiVersion, subresource }: Identity,
  time: string,
  fieldsV1: ManagedFieldsEntry['fieldsV1'],
): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource !== undefined && { subresource }),
  };
}

/** Of an applier, the version it applies in does not matter. */
function isSame(one: Identity, other: Identity): boolean {
  return (
    one.manager === other.manager &&
    one.operation === other.operation &&
    one.subresource === other.subresource &&
    (one.apiVersion === other.apiVersion || one.operation === 'Apply')
  );
}

/** Appliers first, then by time, then by name, as the server sorts them. */
function byAge({ entry: one }: Owner, { entry: other }: Owner): number {
  return (
    order(one.operation, other.operation) ||
    order(one.time, other.time) ||
    order(one.manager, other.manager) ||
    order(one.apiVersion, other.apiVersion) ||
    order(one.subresource ?? '', other.subresource ?? '')
  );
}

function order(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
