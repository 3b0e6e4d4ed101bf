import { copyJson } from '../../casskop/json.ts';
import type { Api } from '../../casskop/objects.ts';
import { ApiError, type ApiObject, type WatchEvent } from '../../harness/api-server.ts';
import type { ApiRequest } from '../api/request.ts';
import type { MemoryApiServer } from '../api/server.ts';

export interface ConnectionOptions {
  readonly server: MemoryApiServer;
  readonly user: string;
  /** Called before anything is asked. */
  readonly beforeCall: () => void;
  /** Called when an event of a watch is about to reach who waits for it. */
  readonly beforeEvent: () => void;
  readonly isDead: () => boolean;
  /** Calls `work` after the time that a write takes, unless the process dies before. */
  readonly later: (work: () => void) => void;
}

/** Refusals that were made before, with their stack: a pass of CassKop runs into several, and reads none. */
const refusals = new Map<string, ApiError>();
const refusalLimit = 1000;

/**
 * The API server as the CassKop stand-in has it in a simulation: what is read comes at once and is shared, writes of
 * what exists take some time. A process that is dead hears nothing any more.
 */
export class CasskopConnection implements Api {
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get<T = ApiObject>(path: string): Promise<T> {
    return this.#now<T>({ method: 'GET', path, user: this.#options.user });
  }

  find<T = ApiObject>(path: string): Promise<T | undefined> {
    const { server, user, beforeCall, isDead } = this.#options;
    if (isDead()) return silence<T>();
    beforeCall();
    const { status, body } = server.handle({ method: 'GET', path, user });
    if (status === 404) return Promise.resolve(undefined);
    return status < 400 ? Promise.resolve(body as T) : Promise.reject(refusal('GET', path, status, body));
  }

  async list<T = ApiObject>(path: string): Promise<T[]> {
    return (await this.get<{ items: T[] }>(path)).items;
  }

  post<T = ApiObject>(path: string, body: unknown): Promise<T> {
    return this.#now<T>({ method: 'POST', path, body, user: this.#options.user });
  }

  put<T = ApiObject>(path: string, body: unknown): Promise<T> {
    return this.#later<T>({ method: 'PUT', path, body: ownBody(path, body as ApiObject), user: this.#options.user });
  }

  delete<T = ApiObject>(path: string, options: unknown = {}): Promise<T> {
    return this.#later<T>({ method: 'DELETE', path, body: options, user: this.#options.user });
  }

  async *watch<T = ApiObject>(path: string, resourceVersion: string): AsyncGenerator<WatchEvent<T>> {
    const { server, user, beforeEvent, isDead } = this.#options;
    const url = `${path}${path.includes('?') ? '&' : '?'}watch=true&resourceVersion=${resourceVersion}`;
    const queue: WatchEvent<T>[] = [];
    let isOver = false;
    let wake = (): void => undefined;
    const opened = server.watch(
      { method: 'GET', path: url, user },
      {
        event({ type, object }) {
          if (isDead()) return;
          beforeEvent();
          if (type !== 'ERROR') queue.push({ type, object: object as T });
          wake();
        },
        end() {
          if (isDead()) return;
          beforeEvent();
          isOver = true;
          wake();
        },
      },
    );
    if ('status' in opened) throw refusal('GET', url, opened.status, opened.body);
    for (;;) {
      const event = queue.shift();
      if (event) yield event;
      else if (isOver) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  #now<T>(request: ApiRequest): Promise<T> {
    if (this.#options.isDead()) return silence<T>();
    this.#options.beforeCall();
    return new Promise((resolve, reject) => this.#send(request, resolve, reject));
  }

  #later<T>(request: ApiRequest): Promise<T> {
    if (this.#options.isDead()) return silence<T>();
    this.#options.beforeCall();
    return new Promise((resolve, reject) => this.#options.later(() => this.#send(request, resolve, reject)));
  }

  #send(request: ApiRequest, resolve: (value: never) => void, reject: (error: Error) => void): void {
    const { status, body } = this.#options.server.handle(request);
    if (status < 400) resolve(body as never);
    else reject(refusal(request.method, request.path, status, body));
  }
}

function silence<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** CassKop goes on changing a CassandraCluster after it has sent it; the server never changes what it was sent. */
function ownBody(path: string, body: ApiObject): ApiObject {
  if (body.kind !== 'CassandraCluster') return body;
  const { apiVersion = '', kind, metadata, spec, status } = body;
  const head = { apiVersion, kind, metadata: { ...metadata } };
  if (/\/status(\?|$)/.test(path)) return { ...head, status: copyJson(status) };
  return { ...head, spec: copyJson(spec), status: copyJson(status) };
}

function refusal(method: string, path: string, status: number, body: unknown): ApiError {
  const { reason = '', message = '' } = (typeof body === 'object' ? body : {}) as { reason?: string; message?: string };
  const key = `${method} ${path} ${status} ${reason} ${message}`;
  let error = refusals.get(key);
  if (!error) {
    if (refusals.size >= refusalLimit) refusals.clear();
    refusals.set(key, (error = new ApiError(method, path, status, reason, message)));
  }
  return error;
}
