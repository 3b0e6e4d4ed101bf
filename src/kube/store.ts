import type { KubeObject } from './objects.ts';
import { compareResourceVersions } from './resource-version.ts';

/** What changed in a store. `previous` is the object that was there under the same key and uid. */
export type Change =
  | { type: 'added'; key: string; object: KubeObject }
  | { type: 'updated'; key: string; object: KubeObject; previous: KubeObject }
  | { type: 'deleted'; key: string; object: KubeObject };

/** `namespace/name`, or the bare name of a cluster-wide object. */
export function keyOf(object: { metadata: { name: string; namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/**
 * A cluster's objects of one kind as last heard, for readers. It may lag behind the cluster: ask `synced` before
 * reading an absence out of it, and `isCurrent` before building on something this process wrote. The objects are
 * shared, and must not be changed.
 */
export interface Store {
  /** False until the first complete list is in; nothing can be concluded from a store that is not synced. */
  readonly synced: boolean;
  get(key: string): KubeObject | undefined;
  list(): KubeObject[];
  /**
   * Tells the store that the cluster answered a write of `key` with `resourceVersion`. Until the store has seen that
   * version or a later one, or a list begun after this call, it counts as behind.
   */
  expect(key: string, resourceVersion: string): void;
  /** Whether the store is synced and has seen all writes it was told of; with `key`, those of this object only. */
  isCurrent(key?: string): boolean;
}

interface Expectation {
  resourceVersion: string;
  /** The number of lists begun when it was made. */
  listsBegun: number;
}

/**
 * The writing side of a Store; one reflector owns it. Each method returns what changed, in order.
 *
 * A watch delivers the changes of a resource type in the order of their resourceVersions, whatever the object. So
 * whatever version was heard last, by an event of any object or by a bookmark, all earlier ones have been heard too.
 */
export class ObjectStore implements Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #expected = new Map<string, Expectation>();
  readonly #onExpect: () => void;
  #synced = false;
  #heard: string | undefined;
  #listsBegun = 0;

  /** `onExpect` is called whenever something is expected that was not heard yet. */
  constructor(onExpect: () => void = () => undefined) {
    this.#onExpect = onExpect;
  }

  get synced(): boolean {
    return this.#synced;
  }

  /** The resourceVersion heard last: where to watch from. Undefined before the first list. */
  get heard(): string | undefined {
    return this.#heard;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  list(): KubeObject[] {
    return [...this.#objects.values()];
  }

  expect(key: string, resourceVersion: string): void {
    if (this.#heard !== undefined && reached(this.#heard, resourceVersion)) return;
    if (this.#objects.get(key)?.metadata.resourceVersion === resourceVersion) return;
    const before = this.#expected.get(key);
    if (before && reached(before.resourceVersion, resourceVersion)) return;
    this.#expected.set(key, { resourceVersion, listsBegun: this.#listsBegun });
    this.#onExpect();
  }

  isCurrent(key?: string): boolean {
    return this.#synced && (key === undefined ? this.#expected.size === 0 : !this.#expected.has(key));
  }

  /** Call before sending the first request of a list. */
  beginList(): void {
    this.#listsBegun++;
  }

  /**
   * Puts a complete, consistent list in the place of everything. An object that was deleted and created again in the
   * meantime, recognised by its uid, is reported as both. A list begun after a write contains it, or the write was
   * undone in ways no version tells (a cluster restored from a backup), so it settles that write either way.
   */
  replace(items: readonly KubeObject[], resourceVersion: string): Change[] {
    const changes: Change[] = [];
    const listed = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, object] of this.#objects) {
      if (listed.has(key)) continue;
      this.#objects.delete(key);
      changes.push({ type: 'deleted', key, object });
    }
    for (const [key, item] of listed) changes.push(...this.#put(key, item));
    this.#synced = true;
    this.#heard = resourceVersion;
    for (const [key, each] of this.#expected) {
      if (each.listsBegun < this.#listsBegun) this.#expected.delete(key);
    }
    this.#settle(resourceVersion);
    return changes;
  }

  /** An ADDED or MODIFIED event. */
  put(object: KubeObject): Change[] {
    const changes = this.#put(keyOf(object), object);
    this.advance(versionOf(object));
    return changes;
  }

  /** A DELETED event; `object` is the last state, with the deletion's own resourceVersion. */
  remove(object: KubeObject): Change[] {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    this.advance(versionOf(object));
    if (!known || known.metadata.uid !== object.metadata.uid) return [];
    this.#objects.delete(key);
    return [{ type: 'deleted', key, object: withoutManagedFields(object) }];
  }

  /** A bookmark: everything up to `resourceVersion` has been heard. */
  advance(resourceVersion: string): void {
    this.#heard = resourceVersion;
    this.#settle(resourceVersion);
  }

  #put(key: string, item: KubeObject): Change[] {
    const previous = this.#objects.get(key);
    if (previous && previous.metadata.resourceVersion === item.metadata.resourceVersion) return [];
    const object = withoutManagedFields(item);
    this.#objects.set(key, object);
    if (!previous) return [{ type: 'added', key, object }];
    if (previous.metadata.uid === object.metadata.uid) return [{ type: 'updated', key, object, previous }];
    return [
      { type: 'deleted', key, object: previous },
      { type: 'added', key, object },
    ];
  }

  #settle(heard: string): void {
    for (const [key, { resourceVersion }] of this.#expected) {
      if (reached(heard, resourceVersion)) this.#expected.delete(key);
    }
  }
}

/** Whether having heard `heard` implies having heard `wanted`. */
function reached(heard: string, wanted: string): boolean {
  const order = compareResourceVersions(heard, wanted);
  return order !== undefined && order >= 0;
}

function versionOf(object: KubeObject): string {
  return object.metadata.resourceVersion ?? '';
}

/** managedFields make up about half of a small object, and nobody here reads them. */
function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
