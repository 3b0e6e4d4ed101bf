import type { WatchEvent } from '../../../src/kube/client.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Collection, HistoryEvent, Watcher } from './collection.ts';
import type { Matches } from './selectors.ts';

/** Receives a watch's events, in order, while the change is being made. */
export interface WatchSink {
  event(event: WatchEvent): void;
  /** No more events come. Not called after a cancel. */
  end(): void;
}

export interface WatchWishes {
  namespace: string | undefined;
  matches: Matches | undefined;
  /** Undefined: what is there comes first, as ADDED. */
  since: number | undefined;
  bookmarks: boolean;
}

const events = new WeakMap<HistoryEvent, WatchEvent>();

/** One watch: the changes of a collection as far as they concern what was asked for. */
export class Watch implements Watcher {
  readonly #collection: Collection;
  readonly #wishes: WatchWishes;
  readonly #sink: WatchSink;
  /** Changes up to this version were told. */
  #told: number;
  #over = false;

  constructor(collection: Collection, wishes: WatchWishes, sink: WatchSink, version: number) {
    this.#collection = collection;
    this.#wishes = wishes;
    this.#sink = sink;
    this.#told = wishes.since ?? version;
  }

  /** Tells what happened since the version asked for, and listens from then on. */
  start(version: number): void {
    const { since } = this.#wishes;
    if (since === undefined) {
      for (const { object } of this.#collection.sorted()) {
        if (this.#concerns(object)) this.#sink.event({ type: 'ADDED', object });
      }
    } else {
      for (const event of this.#collection.since(since)) this.see(event);
    }
    this.#told = Math.max(this.#told, version);
    if (!this.#over) this.#collection.watchers.add(this);
  }

  see(event: HistoryEvent): void {
    if (this.#over || event.version <= this.#told) return;
    this.#told = event.version;
    const { type, object, previous } = event;
    const isIn = type !== 'DELETED' && this.#concerns(object);
    const wasIn = previous !== undefined && this.#concerns(previous);
    if (!isIn && !wasIn) return;
    if (isIn && wasIn) this.#sink.event(shared(event, 'MODIFIED', object));
    else if (isIn) this.#sink.event(shared(event, 'ADDED', object));
    else this.#sink.event(shared(event, 'DELETED', type === 'DELETED' ? object : leaving(event)));
  }

  send(event: WatchEvent): void {
    if (event.type === 'BOOKMARK' && !this.#wishes.bookmarks) return;
    this.#sink.event(event);
  }

  /** Ends it from the side of the server. */
  end(): void {
    if (this.#over) return;
    this.cancel();
    this.#sink.end();
  }

  cancel(): void {
    this.#over = true;
    this.#collection.watchers.delete(this);
  }

  #concerns(object: KubeObject): boolean {
    const { namespace, matches } = this.#wishes;
    return (namespace === undefined || object.metadata.namespace === namespace) && (!matches || matches(object));
  }
}

/** One event object for all watches that see the change alike. */
function shared(event: HistoryEvent, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): WatchEvent {
  const known = events.get(event);
  if (known?.type === type) return known;
  const made: WatchEvent = { type, object };
  if (!known) events.set(event, made);
  return made;
}

/** What a watch with a selector hears of an object that has left it: its last state inside, at the version of the leaving. */
function leaving({ previous, object }: HistoryEvent): KubeObject {
  const last = previous ?? object;
  const { resourceVersion = '' } = object.metadata;
  return { ...last, metadata: { ...last.metadata, resourceVersion } };
}

/** What a bookmark of this collection carries. */
export function bookmarkOf({ resource, apiVersion }: Collection, version: number): WatchEvent {
  const object = {
    kind: resource.kind,
    apiVersion,
    metadata: { resourceVersion: String(version), creationTimestamp: null },
  };
  return { type: 'BOOKMARK', object: object as unknown as KubeObject };
}
