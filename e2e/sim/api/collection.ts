import type { WatchEvent } from '../../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import { apiVersionOf } from '../../../src/kube/paths.ts';
import type { Owner } from './ownership.ts';
import type { KindTraits } from './resources.ts';

/** A stored object, and who owns which of its fields. */
export interface Entry {
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  object: KubeObject;
  owners: readonly Owner[];
}

/** One change of one object of a collection. */
export interface HistoryEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** A watch as its collection sees it. */
export interface Watcher {
  see(event: HistoryEvent): void;
  send(event: WatchEvent): void;
  end(): void;
}

/** All objects of one kind, their recent changes, and who watches them. */
export class Collection {
  readonly resource: ResourceType;
  readonly apiVersion: string;
  traits: KindTraits;
  /** Comes from a CustomResourceDefinition. */
  readonly isCustom: boolean;
  readonly watchers = new Set<Watcher>();
  readonly #entries = new Map<string, Entry>();
  readonly #window: number;
  #sorted: Entry[] | undefined;
  #history: HistoryEvent[] = [];
  /** Changes up to this version may be forgotten. */
  #forgotten: number;

  constructor(resource: ResourceType, traits: KindTraits, isCustom: boolean, window: number, version: number) {
    this.resource = resource;
    this.apiVersion = apiVersionOf(resource);
    this.traits = traits;
    this.isCustom = isCustom;
    this.#window = window;
    this.#forgotten = version;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(namespace: string | undefined, name: string): Entry | undefined {
    return this.#entries.get(storageKey(namespace, name));
  }

  /** In the order of etcd's keys, in which lists come. */
  sorted(): readonly Entry[] {
    return (this.#sorted ??= [...this.#entries.values()].sort((one, other) => (one.key < other.key ? -1 : 1)));
  }

  add(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    this.#sorted = undefined;
  }

  drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#sorted = undefined;
  }

  remember(event: HistoryEvent): void {
    this.#history.push(event);
    // Twice the window, so that cutting it down costs next to nothing per event.
    if (this.#history.length >= 2 * this.#window) {
      const dropped = this.#history.splice(0, this.#history.length - this.#window);
      this.#forgotten = dropped.at(-1)?.version ?? this.#forgotten;
    }
  }

  /** The version up to which changes are not known any more. */
  get forgotten(): number {
    const oldest = this.#history.at(-this.#window - 1);
    return oldest === undefined ? this.#forgotten : Math.max(this.#forgotten, oldest.version);
  }

  forget(version: number): void {
    this.#history = [];
    this.#forgotten = version;
  }

  /** The changes after `version`, which must not be forgotten. */
  since(version: number): readonly HistoryEvent[] {
    let start = this.#history.length;
    while (start > 0 && (this.#history[start - 1]?.version ?? 0) > version) start--;
    return this.#history.slice(start);
  }

  /** The objects as they were at `version`, which must not be forgotten, sorted by key. */
  at(version: number): readonly { key: string; object: KubeObject }[] {
    const later = this.since(version);
    if (later.length === 0) return this.sorted();
    const objects = new Map(this.sorted().map(({ key, object }) => [key, object]));
    for (const { key, previous } of later.toReversed()) {
      if (previous) objects.set(key, previous);
      else objects.delete(key);
    }
    const entries = [...objects].map(([key, object]) => ({ key, object }));
    return entries.sort((one, other) => (one.key < other.key ? -1 : 1));
  }
}

export function storageKey(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
