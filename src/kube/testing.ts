import type { Clock } from '../edges/clock.ts';
import type { KubeClient, KubeList, ListOptions, WatchEvent, WatchOptions } from './client.ts';
import { KubeError } from './errors.ts';
import type { KubeObject, ResourceType } from './objects.ts';
import { keyOf } from './store.ts';

interface LogEntry {
  version: number;
  event: WatchEvent;
}

interface OpenWatch {
  /** Wakes the watch up to look at the log, or at its end. */
  wake: () => void;
  end: { error?: unknown } | undefined;
  silent: boolean;
}

const bookmarkMs = 60_000;

/**
 * One kind of objects of one cluster, in memory, with the list and watch of an API server: resourceVersions that grow,
 * pages, a log that can be compacted, bookmarks, and faults on demand.
 */
export class FakeCluster implements Pick<KubeClient, 'list' | 'watch'> {
  readonly #clock: Clock;
  readonly #objects = new Map<string, KubeObject>();
  readonly #watches = new Set<OpenWatch>();
  readonly #snapshots = new Map<string, KubeObject[]>();
  readonly #failures: Record<'list' | 'watch', unknown[]> = { list: [], watch: [] };
  #log: LogEntry[] = [];
  #version = 100;
  #compacted = 0;
  #uids = 0;
  #mute = false;
  /** Calls so far, oldest first. */
  readonly calls: ({ verb: 'list'; options: ListOptions } | { verb: 'watch'; options: WatchOptions })[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What a perfect store would hold, by key. */
  get truth(): Map<string, KubeObject> {
    return new Map(this.#objects);
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  get resourceVersion(): string {
    return String(this.#version);
  }

  /** Creates or changes `default/name`; returns its new resourceVersion. */
  put(name: string, data: Record<string, unknown> = {}): string {
    const key = `default/${name}`;
    const before = this.#objects.get(key);
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: {
        name,
        namespace: 'default',
        uid: before?.metadata.uid ?? `uid-${++this.#uids}`,
        resourceVersion: String(++this.#version),
        managedFields: [{ manager: 'test' }],
      },
      data,
    };
    this.#objects.set(key, object);
    this.#publish({ type: before ? 'MODIFIED' : 'ADDED', object });
    return String(this.#version);
  }

  delete(name: string): void {
    const object = this.#objects.get(`default/${name}`);
    if (!object) return;
    this.#objects.delete(keyOf(object));
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#publish({ type: 'DELETED', object: { ...object, metadata } });
  }

  /** Forgets the log and open continue tokens: a watch or a page that needs them is answered with 410. */
  compact(): void {
    this.#compacted = this.#version;
    this.#log = [];
    this.#snapshots.clear();
  }

  /** The next call of `verb` fails with `error`, or succeeds if that is undefined; queued, one a call. */
  failNext(verb: 'list' | 'watch', error: unknown): void {
    this.#failures[verb].push(error);
  }

  /** Ends the open watches: in good order, or with `error`. */
  endWatches(error?: unknown): void {
    for (const watch of this.#watches) {
      watch.end = error === undefined ? {} : { error };
      watch.wake();
    }
  }

  /** While mute, open and new watches deliver nothing, as over a dead connection; nothing tells the client. */
  set mute(mute: boolean) {
    this.#mute = mute;
    for (const watch of this.#watches) if (mute) watch.silent = true;
  }

  async list(_resource: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeList<KubeObject>> {
    this.calls.push({ verb: 'list', options });
    await Promise.resolve();
    signal.throwIfAborted();
    this.#throwFailure('list');
    const [version, start] = (options.continue ?? `${this.#version}:0`).split(':') as [string, string];
    if (!options.continue) this.#snapshots.set(version, [...this.#objects.values()]);
    const all = this.#snapshots.get(version);
    if (!all) throw new KubeError('Expired', 'the continue token is too old', { status: 410 });
    const from = Number(start);
    const items = all.slice(from, from + (options.limit ?? all.length));
    const more = from + items.length < all.length;
    return {
      items,
      metadata: { resourceVersion: version, ...(more && { continue: `${version}:${from + items.length}` }) },
    };
  }

  async *watch(
    _resource: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
    onChunk: () => void = () => undefined,
  ): AsyncGenerator<WatchEvent> {
    this.calls.push({ verb: 'watch', options });
    await Promise.resolve();
    signal.throwIfAborted();
    this.#throwFailure('watch');
    const watch: OpenWatch = { wake: () => undefined, end: undefined, silent: this.#mute };
    const onAbort = (): void => watch.wake();
    const timers = { bookmark: false, over: false };
    const over = this.#clock.timer(options.timeoutSeconds * 1000, () => {
      timers.over = true;
      watch.wake();
    });
    const bookmark = (): ReturnType<Clock['timer']> =>
      this.#clock.timer(bookmarkMs, () => {
        timers.bookmark = true;
        watch.wake();
      });
    let nextBookmark = bookmark();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#watches.add(watch);
    let heard = Number(options.resourceVersion);
    try {
      if (!watch.silent) onChunk();
      for (;;) {
        signal.throwIfAborted();
        if (watch.end) {
          if ('error' in watch.end) throw watch.end.error;
          return;
        }
        if (!watch.silent) {
          if (heard < this.#compacted) {
            onChunk();
            yield { type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'too old resource version' } };
            return;
          }
          const next = this.#log.find((entry) => entry.version > heard);
          if (next) {
            heard = next.version;
            onChunk();
            yield next.event;
            continue;
          }
          if (timers.over) return;
          if (timers.bookmark) {
            timers.bookmark = false;
            nextBookmark = bookmark();
            onChunk();
            const metadata = { name: '', resourceVersion: String(Math.max(heard, this.#version)) };
            heard = this.#version;
            yield { type: 'BOOKMARK', object: { kind: 'Thing', metadata } };
            continue;
          }
        }
        await new Promise<void>((resolve) => {
          watch.wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    } finally {
      over.cancel();
      nextBookmark.cancel();
      signal.removeEventListener('abort', onAbort);
      this.#watches.delete(watch);
    }
  }

  #publish(event: WatchEvent): void {
    this.#log.push({ version: this.#version, event });
    for (const watch of this.#watches) watch.wake();
  }

  #throwFailure(verb: 'list' | 'watch'): void {
    const error = this.#failures[verb].shift();
    if (error !== undefined) throw error as Error;
  }
}
