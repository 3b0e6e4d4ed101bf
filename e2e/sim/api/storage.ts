import type { Clock } from '../../../src/edges/clock.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Collection, Entry } from './collection.ts';
import type { StoredMeta } from './objects.ts';
import type { Owner } from './ownership.ts';
import type { ApiRequest, ObjectChange } from './request.ts';
import { markPlain } from './values.ts';

/** Who a change is of. */
export interface Author {
  user: string;
  request: ApiRequest | undefined;
}

/** The version counter, and the way of every change: into its collection, its history, and to who listens. */
export class Storage {
  readonly #clock: Clock;
  readonly #listeners = new Set<(change: ObjectChange) => void>();
  readonly #queue: (() => void)[] = [];
  #dispatching = false;
  #version: number;
  #second = -1;
  #timestamp = '';

  constructor(clock: Clock, name: string, version = firstVersion(name)) {
    this.#clock = clock;
    this.#version = version;
  }

  get version(): number {
    return this.#version;
  }

  /** Now, as RFC 3339 in seconds. */
  timestamp(): string {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#timestamp = formatTime(second * 1000);
    }
    return this.#timestamp;
  }

  onChange(listener: (change: ObjectChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Stores a new object at the next version. Answers it as stored. */
  create(
    collection: Collection,
    key: string,
    object: KubeObject,
    owners: readonly Owner[],
    author: Author,
  ): KubeObject {
    const stored = this.#seal(object, owners);
    const { name, namespace } = stored.metadata;
    collection.add({ key, name, namespace, object: stored, owners });
    this.#changed(collection, 'ADDED', key, stored, undefined, author);
    return stored;
  }

  /** Stores a new state of an object at the next version. */
  update(
    collection: Collection,
    entry: Entry,
    object: KubeObject,
    owners: readonly Owner[],
    author: Author,
  ): KubeObject {
    const previous = entry.object;
    const stored = this.#seal(object, owners);
    entry.object = stored;
    entry.owners = owners;
    this.#changed(collection, 'MODIFIED', entry.key, stored, previous, author);
    return stored;
  }

  /** Removes an object. Watches hear of it as it was last stored, at the version of its removal. */
  remove(collection: Collection, entry: Entry, author: Author): void {
    const previous = entry.object;
    collection.drop(entry);
    const metadata = { ...previous.metadata, resourceVersion: String(++this.#version) };
    const last = { ...previous, metadata };
    this.#changed(collection, 'DELETED', entry.key, last, previous, author);
  }

  #seal(object: KubeObject, owners: readonly Owner[]): KubeObject {
    const stored = withOwners(object, owners, String(++this.#version));
    markPlain(stored);
    return stored;
  }

  /**
   * Who listens may write in answer. All others hear of the first change before they hear of that one, so a change
   * made while one is being told waits its turn.
   */
  #changed(
    collection: Collection,
    type: ObjectChange['type'],
    key: string,
    object: KubeObject,
    previous: KubeObject | undefined,
    { user, request }: Author,
  ): void {
    const event = { version: this.#version, type, key, object, previous };
    collection.remember(event);
    const { resource } = collection;
    this.#queue.push(() => {
      for (const watcher of collection.watchers) watcher.see(event);
      if (this.#listeners.size === 0) return;
      const change: ObjectChange = { type, resource, object, previous, user, request };
      for (const listener of this.#listeners) listener(change);
    });
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let tell = this.#queue.shift(); tell; tell = this.#queue.shift()) tell();
    } finally {
      this.#dispatching = false;
    }
  }
}

/** The order in which a server writes metadata. Some who read it compare its text. */
const metadataOrder = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
] as const;

/** A copy of `object`, its metadata in order, that says who owns it. */
export function withOwners(object: KubeObject, owners: readonly Owner[], resourceVersion?: string): KubeObject {
  const before: StoredMeta = object.metadata;
  const metadata: Record<string, unknown> = {};
  for (const key of metadataOrder) {
    const value = key === 'resourceVersion' ? (resourceVersion ?? before.resourceVersion) : before[key];
    if (value !== undefined) metadata[key] = value;
  }
  if (owners.length > 0) metadata['managedFields'] = owners.map(({ entry }) => entry);
  return { ...object, metadata: metadata as unknown as StoredMeta };
}

/** RFC 3339 in seconds, as Kubernetes writes times. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Some thousands, different from server to server, so that one cluster's versions mean nothing in another. */
function firstVersion(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9000;
  return 1000 + hash;
}
