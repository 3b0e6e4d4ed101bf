import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Agent, request, type Dispatcher } from 'undici';
import { parse } from 'yaml';

/** JSON as an API server speaks it. The harness plays kubelet, CassKop and user, so it reads objects loosely. */
export interface ApiObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
    managedFields?: { manager: string; operation: string }[];
  };
  [field: string]: unknown;
}

/** One event of a watch; a BOOKMARK carries nothing but a resourceVersion. */
export interface WatchEvent<T = ApiObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** The server answered with a failure: `status` is the HTTP code, `reason` and message are the Status object's. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'ApiError';
  readonly status: number;
  readonly reason: string;
  constructor(method: string, path: string, status: number, reason: string, message: string) {
    super(`${method} ${path}: ${status} ${reason}: ${message}`);
    this.status = status;
    this.reason = reason;
  }
}

interface Status {
  code?: number;
  reason?: string;
  message?: string;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/**
 * A plain client for one API server, for the harness's own actors and for tests: one method per HTTP verb, paths as
 * the server knows them (`/api/v1/namespaces/x/pods`). It shares no code with the controller, so that a fault in the
 * controller's client cannot hide itself.
 */
export class ApiServer {
  readonly url: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(url: string, token: string, ca: string) {
    this.url = url;
    this.#token = token;
    this.#agent = new Agent({ connect: { ca }, allowH2: false, connections: 32, bodyTimeout: 0 });
  }

  /** From a kubeconfig file with inlined CA and token, as the harness writes them; `context` absent = current-context. */
  static fromKubeconfig(file: string, context?: string): ApiServer {
    interface Named {
      name: string;
    }
    const config = parse(readFileSync(file, 'utf8')) as {
      'current-context': string;
      contexts: (Named & { context: { cluster: string; user: string } })[];
      clusters: (Named & { cluster: { server: string; 'certificate-authority-data': string } })[];
      users: (Named & { user: { token: string } })[];
    };
    const wanted = context ?? config['current-context'];
    const chosen = config.contexts.find((each) => each.name === wanted)?.context;
    const cluster = config.clusters.find((each) => each.name === chosen?.cluster)?.cluster;
    const user = config.users.find((each) => each.name === chosen?.user)?.user;
    if (!cluster || !user) throw new Error(`${file}: no context ${wanted}`);
    const ca = Buffer.from(cluster['certificate-authority-data'], 'base64').toString();
    return new ApiServer(cluster.server, user.token, ca);
  }

  get<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#send<T>('GET', path, undefined, undefined, signal);
  }

  /** GET that resolves with undefined when the server says 404. */
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

  post<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#send<T>('POST', path, body, 'application/json', signal);
  }

  put<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#send<T>('PUT', path, body, 'application/json', signal);
  }

  patch<T = ApiObject>(path: string, type: keyof typeof patchTypes, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#send<T>('PATCH', path, body, patchTypes[type], signal);
  }

  /** Server-side apply by a person: `fieldManager` e.g. `kubectl`. */
  apply<T = ApiObject>(path: string, fieldManager: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.patch<T>(`${path}?fieldManager=${fieldManager}&force=true`, 'apply', body, signal);
  }

  delete<T = ApiObject>(path: string, options: unknown = {}, signal?: AbortSignal): Promise<T> {
    return this.#send<T>('DELETE', path, options, 'application/json', signal);
  }

  /**
   * Yields what happens to the objects of a list path after `resourceVersion`, until the server ends the stream.
   * @throws ApiError status 410 when that version is too old: list again.
   */
  async *watch<T = ApiObject>(
    path: string,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion });
    const url = `${path}${path.includes('?') ? '&' : '?'}${query.toString()}`;
    const response = await request(this.url + url, {
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, accept: 'application/json' },
      signal,
    });
    if (response.statusCode >= 400) throw new ApiError('GET', url, response.statusCode, '', await response.body.text());
    for await (const line of createInterface({ input: response.body })) {
      const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
      if (event.type === 'ERROR') {
        const { code, reason, message } = event.object;
        throw new ApiError('GET', url, code ?? 500, reason ?? '', message ?? line);
      }
      yield event;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send<T>(
    method: Dispatcher.HttpMethod,
    path: string,
    body: unknown,
    contentType: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const response = await request(this.url + path, {
      method,
      dispatcher: this.#agent,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/json',
        ...(contentType && { 'content-type': contentType }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(30_000), ...(signal ? [signal] : [])]),
    });
    const text = await response.body.text();
    if (response.statusCode >= 400) {
      let status: Status = { message: text };
      try {
        status = JSON.parse(text) as Status;
      } catch {
        // A proxy's or a pod's own words, not a Status object.
      }
      throw new ApiError(method, path, response.statusCode, status.reason ?? '', status.message ?? text);
    }
    return (response.headers['content-type']?.includes('json') ? JSON.parse(text) : text) as T;
  }
}
