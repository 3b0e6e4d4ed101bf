import type { Clock } from '../../../src/edges/clock.ts';
import { type KubeObject, type ResourceType, resources } from '../../../src/kube/objects.ts';
import { apply, refusedApply } from './apply.ts';
import type { Collection, Entry } from './collection.ts';
import { definitionWritten, finishDefinition, refusedKind, removeDefinition } from './definitions.ts';
import { remove } from './deletion.ts';
import { Kinds } from './kinds.ts';
import { finalizeNamespace, newNamespace, refusedNamespace, removeNamespace } from './namespaces.ts';
import { impossible, jsonPatched, mergePatched } from './patches.ts';
import { parsePath, type Query, type Target } from './paths.ts';
import { bind } from './pods.ts';
import { get, list, matchesOf } from './reads.ts';
import { restore } from './restore.ts';
import { isResponse, type ApiRequest, type ApiResponse, type ObjectChange } from './request.ts';
import * as status from './status.ts';
import { Storage } from './storage.ts';
import { isRecord } from './values.ts';
import { bookmarkOf, Watch, type WatchSink } from './watch.ts';
import { bodyOf, create, update, type Write } from './writes.ts';

export type { ApiRequest, ApiResponse, ObjectChange } from './request.ts';
export type { WatchSink } from './watch.ts';

export interface MemoryApiServerOptions {
  /** Servers of different names count their versions from different numbers. */
  name: string;
  clock: Clock;
  /** Makes the uid of a new object. */
  uid: () => string;
  /** How many events are remembered per kind; a watch from before them gets 410. */
  watchWindow?: number;
  /** The version before the first change. */
  firstVersion?: number;
}

/** The namespaces that are there from the start. */
const firstNamespaces = ['default', 'kube-system'];

/**
 * A kube-apiserver in memory: what the federation's controller, CassKop, the controllers of a cluster and a user rely
 * on, and no more. It answers at once and makes no time pass; it knows no users' rights, no schemas but their list
 * types, defaults and unknown fields. e2e/sim/conformance/api.ts says in tests what it does, and asks the same of a
 * real kube-apiserver.
 *
 * Objects are immutable and shared: with who wrote them, who reads them, and every watch.
 *
 * metadata.managedFields names who wrote by which operation and when, but not the fields; those are kept beside the
 * object. A writer cannot change them by sending managedFields of his own.
 */
export class MemoryApiServer {
  readonly name: string;
  readonly #storage: Storage;
  readonly #kinds: Kinds;
  readonly #namespaces: Collection;
  readonly #uid: () => string;

  constructor({ name, clock, uid, watchWindow = 1000, firstVersion }: MemoryApiServerOptions) {
    this.name = name;
    this.#uid = uid;
    this.#storage = new Storage(clock, name, firstVersion);
    this.#kinds = new Kinds(watchWindow, this.#storage.version);
    this.#namespaces = this.#require(resources.namespaces);
    for (const namespace of firstNamespaces) {
      this.handle({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { metadata: { name: namespace } },
        user: 'kube-apiserver',
      });
    }
  }

  /** The version of the last change. */
  get resourceVersion(): number {
    return this.#storage.version;
  }

  /** Answers at once; the network around it makes time pass. Everything but watches and pods/proxy. */
  handle(request: ApiRequest): ApiResponse {
    const { target, pathname, query } = parsePath(request.path);
    if (!target) return serverPath(pathname);
    const collection = this.#kinds.at(target);
    if (!collection) return this.#missing(target);
    if (request.method === 'GET') {
      if (!isReadable(collection, target)) return noSuchSubresource(collection, target.name);
      if (target.name === undefined) return list(collection, target, query, this.#storage.version);
      return get(collection, target, query, this.#storage.version);
    }
    const answer = this.#write(request, target, collection, query);
    if (answer.status < 300) this.#follow(collection, answer);
    return answer;
  }

  /**
   * Opens a watch; `sink` is called synchronously with each event, in order, first those since resourceVersion. A
   * version that is forgotten is answered by an ERROR event with code 410 and the end, as a real server does. The
   * caller ends the watch after its timeoutSeconds.
   */
  watch(request: ApiRequest, sink: WatchSink): { cancel(): void } | ApiResponse {
    const { target, query } = parsePath(request.path);
    const collection = target && this.#kinds.at(target);
    if (!target || !collection) return this.#missing(target);
    const matches = matchesOf(collection, query);
    if (typeof matches === 'object') return matches;
    const { resourceVersion = '' } = query;
    if (!/^\d*$/.test(resourceVersion)) return status.invalidWatchVersion(resourceVersion);
    const since = Number(resourceVersion) === 0 ? undefined : Number(resourceVersion);
    if (since !== undefined && since < collection.forgotten) {
      const { body } = status.expired(`too old resource version: ${since} (${collection.forgotten})`);
      sink.event({ type: 'ERROR', object: body as object });
      sink.end();
      return { cancel: () => undefined };
    }
    const bookmarks = query['allowWatchBookmarks'] === 'true';
    const watch = new Watch(
      collection,
      { namespace: target.namespace, matches, since, bookmarks },
      sink,
      this.#storage.version,
    );
    watch.start(this.#storage.version);
    return watch;
  }

  /** Sends a bookmark to all watches that asked for them. */
  bookmark(): void {
    for (const collection of this.#kinds.all()) {
      if (collection.watchers.size === 0) continue;
      const event = bookmarkOf(collection, this.#storage.version);
      for (const watcher of collection.watchers) watcher.send(event);
    }
  }

  /** Calls `listener` with every change, synchronously, in order. @returns what ends that. */
  onChange(listener: (change: ObjectChange) => void): () => void {
    return this.#storage.onChange(listener);
  }

  /** Reading for actors and checkers, without a request. */
  find(resource: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#kinds.find(resource)?.find(namespace, name)?.object;
  }

  /** The objects of a kind, by namespace and name; none when the kind is not there. */
  *all(resource: ResourceType, namespace?: string): Iterable<KubeObject> {
    for (const entry of this.#kinds.find(resource)?.sorted() ?? []) {
      if (namespace === undefined || entry.namespace === namespace) yield entry.object;
    }
  }

  /**
   * Stores an object just as it is, status, generation and all, as when a backup is restored. No rule of any kind is
   * asked, and no default filled in.
   */
  restore(resource: ResourceType, object: KubeObject, user: string): KubeObject {
    return restore(this.#storage, this.#require(resource), object, user, this.#uid);
  }

  /** Forgets the events up to now: watches from earlier versions get 410, and so do the next pages of lists. */
  compact(): void {
    for (const collection of this.#kinds.all()) collection.forget(this.#storage.version);
  }

  #write(request: ApiRequest, target: Target, collection: Collection, query: Query): ApiResponse {
    const { method, body, user } = request;
    const { namespace, name, subresource } = target;
    const storage = this.#storage;
    const author = { user, request };
    const write: Write = {
      storage,
      collection,
      namespace,
      name: name ?? '',
      subresource: subresource === 'status' ? 'status' : undefined,
      manager: query['fieldManager'] ?? user,
      author,
      uid: this.#uid,
    };
    if (name === undefined) {
      if (method === 'DELETE') return this.#removeAll(write, target, query, body);
      return method === 'POST' ? this.#create(write, body) : status.methodNotAllowed;
    }
    const entry = collection.find(namespace, name);
    if (subresource === 'status' ? !collection.traits.status : subresource !== undefined) {
      if (collection === this.#namespaces && subresource === 'finalize' && method === 'PUT') {
        return entry
          ? finalizeNamespace(storage, collection, entry, body, author)
          : status.notFound(collection.resource, name);
      }
      if (collection.resource.plural === 'pods' && subresource === 'binding' && method === 'POST') {
        return entry ? bind(storage, collection, entry, body, author) : status.notFound(collection.resource, name);
      }
      return noSuchSubresource(collection, name);
    }
    if (method === 'PATCH') return this.#patch(write, entry, request, query);
    if (!entry) return status.notFound(collection.resource, name);
    if (method === 'DELETE' && !subresource) return this.#remove(entry, collection, body, write);
    if (method !== 'PUT') return status.methodNotAllowed;
    const sent = bodyOf(write, body);
    return isResponse(sent) ? sent : update(write, entry, sent, 'put');
  }

  /** Why nothing can be created there. */
  #refusedPlace({ collection, namespace }: Write, name: string): ApiResponse | undefined {
    return (
      (namespace === undefined ? undefined : refusedNamespace(this.#namespaces, collection, namespace, name)) ??
      refusedKind(this.#kinds, collection, name)
    );
  }

  #create(write: Write, body: unknown): ApiResponse {
    const sent = bodyOf(write, body);
    if (isResponse(sent)) return sent;
    const { collection } = write;
    if (collection === this.#namespaces) return create(write, newNamespace(sent));
    return this.#refusedPlace(write, sent.metadata.name) ?? create(write, sent);
  }

  #patch(write: Write, entry: Entry | undefined, { body, contentType = '' }: ApiRequest, query: Query): ApiResponse {
    const { collection, name } = write;
    if (contentType.startsWith('application/apply-patch')) {
      const refused = refusedApply(body, query);
      if (refused) return refused;
      const sent = bodyOf(write, body);
      if (isResponse(sent)) return sent;
      const missing = entry || write.subresource ? undefined : this.#refusedPlace(write, name);
      if (missing) return missing;
      const whole = !entry && collection === this.#namespaces ? newNamespace(sent) : sent;
      return apply(write, entry, whole, query['force'] === 'true');
    }
    if (!entry) return status.notFound(collection.resource, name);
    if (contentType.includes('json-patch') ? !Array.isArray(body) : !isRecord(body)) {
      return status.badRequest('error decoding patch: json: cannot unmarshal');
    }
    let patched: unknown;
    if (contentType.startsWith('application/merge-patch+json')) patched = mergePatched(entry.object, body);
    else if (contentType.startsWith('application/json-patch+json')) {
      patched = jsonPatched(entry.object, body as Parameters<typeof jsonPatched>[1]);
    } else return status.unsupportedPatch;
    if (patched === impossible) return status.unprocessable;
    const sent = bodyOf(write, patched);
    return isResponse(sent) ? sent : update(write, entry, sent, 'patch');
  }

  #remove(entry: Entry, collection: Collection, body: unknown, { author }: Write): ApiResponse {
    if (collection === this.#namespaces) return removeNamespace(this.#storage, collection, entry, author);
    if (collection.resource.plural === resources.customResourceDefinitions.plural) {
      return removeDefinition(this.#storage, this.#kinds, entry.name, body, author);
    }
    return remove(this.#storage, collection, entry, body, author);
  }

  /** Answers the list of what it deleted, as it was. */
  #removeAll(write: Write, target: Target, query: Query, body: unknown): ApiResponse {
    const { collection } = write;
    const listed = list(collection, target, query, this.#storage.version);
    if (listed.status !== 200) return listed;
    for (const { metadata } of (listed.body as { items: readonly KubeObject[] }).items) {
      const entry = collection.find(metadata.namespace, metadata.name);
      if (entry) this.#remove(entry, collection, body, write);
    }
    return listed;
  }

  /** What a write makes the server itself do. */
  #follow(collection: Collection, { body }: ApiResponse): void {
    const { resource } = collection;
    if (collection.isCustom && collection.size === 0) {
      finishDefinition(this.#storage, this.#kinds, `${resource.plural}.${resource.group}`);
    }
    if (resource.plural !== resources.customResourceDefinitions.plural || !isRecord(body)) return;
    const { name } = (body['metadata'] ?? {}) as { name?: string };
    if (name !== undefined) definitionWritten(this.#storage, this.#kinds, name);
  }

  #missing(target: Target | undefined): ApiResponse {
    return target && this.#kinds.serves(target) ? status.noSuchResource : status.noSuchPath;
  }

  #require(resource: ResourceType): Collection {
    const collection = this.#kinds.find(resource);
    if (!collection) throw new Error(`the server has no ${resource.plural}`);
    return collection;
  }
}

/** Of a custom kind the object is said to be missing. */
function noSuchSubresource({ isCustom, resource }: Collection, name = ''): ApiResponse {
  return isCustom ? status.notFound(resource, name) : status.noSuchResource;
}

function isReadable({ traits }: Collection, { subresource }: Target): boolean {
  return subresource === undefined || (subresource === 'status' && traits.status);
}

/** Paths outside the resource tree. */
function serverPath(pathname: string): ApiResponse {
  if (['/readyz', '/livez', '/healthz'].includes(pathname)) return { status: 200, body: 'ok' };
  if (pathname === '/version') return { status: 200, body: { major: '1', minor: '36', gitVersion: 'v1.36.3' } };
  return status.noSuchPath;
}
