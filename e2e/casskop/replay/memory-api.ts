import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { sleep, type Clock } from '../../../src/edges/clock.ts';
import { ApiError, type ApiObject, type WatchEvent } from '../../harness/api-server.ts';
import { timestamp } from '../cluster.ts';
import type { Api } from '../objects.ts';
import { withServerDefaults } from './server-defaults.ts';

/** A change of one object, and who made it. */
export interface Change {
  plural: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: ApiObject;
  manager: string;
}

interface Target {
  collection: string;
  plural: string;
  name: string | undefined;
  isStatus: boolean;
  query: URLSearchParams;
}

/** Who writes through the methods of Api without saying who it is. */
const client = 'casskop';
const withStatusSubresource = ['cassandraclusters', 'statefulsets', 'poddisruptionbudgets', 'pods'];

/**
 * An API server in memory: versions and conflicts, generations, the status subresource, no-op writes that change
 * nothing, finalizers, managedFields with their times in seconds, label selectors, watches. Every call takes `callMs`
 * milliseconds of `clock`.
 */
export class MemoryApi implements Api {
  readonly #clock: Clock;
  readonly #callMs: number;
  readonly #objects = new Map<string, ApiObject>();
  readonly #listeners = new Set<(change: Change, collection: string) => void>();
  #version = 0;

  constructor(clock: Clock, callMs: number) {
    this.#clock = clock;
    this.#callMs = callMs;
  }

  /** Called with every change, in order. */
  onChange(listener: (change: Change, collection: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Puts an object there as `manager`, whole, status and all, without taking time. */
  set(collection: string, object: ApiObject, manager: string): void {
    const path = `${collection}/${object.metadata.name}`;
    this.#store(path, collection, object, manager, this.#objects.get(path));
  }

  /** The stored object, for `set` or to look at. */
  peek(collection: string, name: string): ApiObject | undefined {
    return structuredClone(this.#objects.get(`${collection}/${name}`));
  }

  /** The names of the objects in a collection. */
  names(collection: string): string[] {
    const paths = [...this.#objects.keys()].filter((path) => path.startsWith(`${collection}/`));
    return paths.map((path) => path.slice(collection.length + 1));
  }

  /** Takes an object away at once, whatever its finalizers. */
  drop(collection: string, name: string, manager: string): void {
    const path = `${collection}/${name}`;
    const object = this.#objects.get(path);
    if (!object) return;
    this.#objects.delete(path);
    this.#announce(collection, 'DELETED', object, manager);
  }

  async get<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T> {
    await this.#call(signal);
    const target = parse(path);
    if (target.name === undefined) {
      return { items: this.#list(target), metadata: { resourceVersion: String(this.#version) } } as T;
    }
    return this.#require('GET', path, target) as T;
  }

  async find<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.get<T>(path, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T[]> {
    return (await this.get<{ items: T[] }>(path, signal)).items;
  }

  async post<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    await this.#call(signal);
    const target = parse(path);
    const object = structuredClone(body) as ApiObject;
    const objectPath = `${target.collection}/${object.metadata.name}`;
    if (this.#objects.has(objectPath)) throw new ApiError('POST', path, 409, 'AlreadyExists', 'already exists');
    const stored = withServerDefaults(target.plural, object);
    stored.metadata = { ...stored.metadata, uid: randomUUID(), creationTimestamp: timestamp(this.#clock.now()) };
    return this.#store(objectPath, target.collection, stored, managerOf(target), undefined) as T;
  }

  async put<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    await this.#call(signal);
    const target = parse(path);
    const before = this.#require('PUT', path, target);
    const { metadata, ...rest } = structuredClone(body) as ApiObject;
    if (metadata.resourceVersion !== before.metadata.resourceVersion) {
      throw new ApiError('PUT', path, 409, 'Conflict', 'the object has been modified');
    }
    const { labels, annotations, finalizers } = metadata;
    const next: ApiObject = target.isStatus
      ? { ...before, status: rest['status'] }
      : { ...withServerDefaults(target.plural, { ...rest, metadata: { ...before.metadata } }) };
    if (!target.isStatus) {
      next.metadata = without(next.metadata, 'labels', 'annotations', 'finalizers');
      Object.assign(next.metadata, labels && { labels }, annotations && { annotations }, finalizers && { finalizers });
      if (withStatusSubresource.includes(target.plural)) next['status'] = before['status'];
    }
    const objectPath = `${target.collection}/${target.name}`;
    if (next.metadata.deletionTimestamp && !next.metadata.finalizers?.length) {
      this.drop(target.collection, next.metadata.name, managerOf(target));
      return next as T;
    }
    return this.#store(objectPath, target.collection, next, managerOf(target), before, target.isStatus) as T;
  }

  async delete<T = ApiObject>(path: string, _options: unknown = {}, signal?: AbortSignal): Promise<T> {
    await this.#call(signal);
    const target = parse(path);
    const object = this.#require('DELETE', path, target);
    const isGraceful = target.plural === 'pods' || (object.metadata.finalizers?.length ?? 0) > 0;
    if (!isGraceful) this.drop(target.collection, object.metadata.name, managerOf(target));
    else if (!object.metadata.deletionTimestamp) {
      object.metadata.deletionTimestamp = timestamp(this.#clock.now());
      this.set(target.collection, object, managerOf(target));
    }
    return object as T;
  }

  async *watch<T = ApiObject>(
    path: string,
    _resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const { collection } = parse(path);
    const queue: WatchEvent<T>[] = [];
    let wake = (): void => undefined;
    const listener = (change: Change, changed: string): void => {
      if (changed !== collection) return;
      queue.push({ type: change.type, object: change.object as T });
      wake();
    };
    signal.addEventListener('abort', () => wake(), { once: true });
    this.#listeners.add(listener);
    while (!signal.aborted) {
      const event = queue.shift();
      if (event) yield event;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    this.#listeners.delete(listener);
  }

  async #call(signal: AbortSignal | undefined): Promise<void> {
    await sleep(this.#clock, this.#callMs, signal ?? new AbortController().signal);
  }

  #list({ collection, query }: Target): ApiObject[] {
    const selector = (query.get('labelSelector') ?? '').split(',').filter((pair) => pair !== '');
    const matches = ({ metadata }: ApiObject): boolean =>
      selector.every((pair) => {
        const [name = '', value] = pair.split('=');
        return metadata.labels?.[name] === value;
      });
    const inCollection = [...this.#objects].filter(([path]) => path.startsWith(`${collection}/`));
    return structuredClone(inCollection.map(([, object]) => object).filter(matches));
  }

  #require(method: string, path: string, { collection, name }: Target): ApiObject {
    const object = this.#objects.get(`${collection}/${name}`);
    if (!object) throw new ApiError(method, path, 404, 'NotFound', 'not found');
    return structuredClone(object);
  }

  #store(
    path: string,
    collection: string,
    object: ApiObject,
    manager: string,
    before: ApiObject | undefined,
    isStatus = false,
  ): ApiObject {
    const { metadata } = object;
    metadata.generation = before?.metadata.generation ?? metadata.generation ?? 1;
    if (before && !isDeepStrictEqual(plain(before['spec']), plain(object['spec']))) metadata.generation++;
    metadata.managedFields = before?.metadata.managedFields ?? metadata.managedFields ?? [];
    if (before) metadata.resourceVersion = before.metadata.resourceVersion ?? '';
    if (before && isDeepStrictEqual(plain(before), plain(object))) return structuredClone(before);

    const subresource = isStatus ? { subresource: 'status' } : {};
    const entry = { manager, operation: 'Update', ...subresource, time: timestamp(this.#clock.now()) };
    const isOther = (each: object): boolean => !('subresource' in each) === isStatus;
    metadata.managedFields = [
      ...metadata.managedFields.filter((each) => each.manager !== manager || isOther(each)),
      entry,
    ];
    metadata.resourceVersion = String(++this.#version);
    const stored = plain(object) as ApiObject;
    this.#objects.set(path, stored);
    this.#announce(collection, before ? 'MODIFIED' : 'ADDED', stored, manager);
    return structuredClone(stored);
  }

  #announce(collection: string, type: Change['type'], object: ApiObject, manager: string): void {
    const plural = collection.slice(collection.lastIndexOf('/') + 1);
    for (const listener of this.#listeners)
      listener({ plural, type, object: structuredClone(object), manager }, collection);
  }
}

function parse(path: string): Target {
  const url = new URL(path, 'http://memory');
  const match = /^(.*\/namespaces\/[^/]+\/([^/]+))(?:\/([^/]+))?(\/status)?$/.exec(url.pathname);
  if (!match) throw new RangeError(`not a path of this server: ${path}`);
  const [, collection = '', plural = '', name, status] = match;
  return { collection, plural, name, isStatus: status !== undefined, query: url.searchParams };
}

function managerOf({ query }: Target): string {
  return query.get('fieldManager') ?? client;
}

function without<T extends object>(value: T, ...keys: (keyof T)[]): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as keyof T))) as T;
}

/** As JSON would carry it: nothing undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
