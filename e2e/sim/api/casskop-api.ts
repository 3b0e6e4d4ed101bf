import type { WatchEvent as KubeWatchEvent } from '../../../src/kube/client.ts';
import { ApiError, type ApiObject, type WatchEvent } from '../../harness/api-server.ts';
import type { Api } from '../../casskop/objects.ts';
import { jsonOf } from './json.ts';
import { isResponse, type ApiRequest, type ApiResponse } from './request.ts';
import type { MemoryApiServer } from './server.ts';

export interface CasskopApiOptions {
  server: Pick<MemoryApiServer, 'handle' | 'watch'>;
  /** Who asks; the field manager where a path names none. */
  user: string;
  /**
   * Awaited before each request is answered, and before a watch begins; undefined: no time passes. It rejects when the
   * signal of the request aborts.
   */
  delay?: (signal: AbortSignal) => Promise<void> | undefined;
}

/**
 * A MemoryApiServer as the CassKop stand-in asks an API server: with the harness's client's methods, for one user. What
 * it answers is the caller's own copy. A watch ends when its signal aborts, or with the kind; never by its
 * timeoutSeconds.
 */
export class CasskopApi implements Api {
  readonly #server: CasskopApiOptions['server'];
  readonly #user: string;
  readonly #delay: (signal: AbortSignal) => Promise<void> | undefined;

  constructor({ server, user, delay = () => undefined }: CasskopApiOptions) {
    this.#server = server;
    this.#user = user;
    this.#delay = delay;
  }

  get<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#send<T>({ method: 'GET', path, user: this.#user }, signal);
  }

  async find<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    const answer = await this.#ask({ method: 'GET', path, user: this.#user }, signal);
    return answer.status === 404 ? undefined : (copyOf('GET', path, answer) as T);
  }

  async list<T = ApiObject>(path: string, signal?: AbortSignal): Promise<T[]> {
    return (await this.get<{ items: T[] }>(path, signal)).items;
  }

  post<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#send<T>({ method: 'POST', path, body: sent(body), user: this.#user }, signal);
  }

  put<T = ApiObject>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#send<T>({ method: 'PUT', path, body: sent(body), user: this.#user }, signal);
  }

  delete<T = ApiObject>(path: string, options: unknown = {}, signal?: AbortSignal): Promise<T> {
    return this.#send<T>({ method: 'DELETE', path, body: sent(options), user: this.#user }, signal);
  }

  /** @throws ApiError for an answer that is no watch, and for an ERROR event; the signal's reason when it aborts. */
  async *watch<T = ApiObject>(
    path: string,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    await this.#delay(signal);
    signal.throwIfAborted();
    const mark = path.includes('?') ? '&' : '?';
    const url = `${path}${mark}watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
    const queue: KubeWatchEvent[] = [];
    let isOver = false;
    let wake = (): void => undefined;
    const watch = this.#server.watch(
      { method: 'GET', path: url, user: this.#user },
      {
        event(event) {
          queue.push(event);
          wake();
        },
        end() {
          isOver = true;
          wake();
        },
      },
    );
    if (isResponse(watch)) throw refusal('GET', url, watch);
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const event = queue.shift();
        if (event) yield ownEvent<T>(url, event);
        else if (isOver) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      watch.cancel();
    }
  }

  async #send<T>(request: ApiRequest, signal: AbortSignal | undefined): Promise<T> {
    return copyOf(request.method, request.path, await this.#ask(request, signal)) as T;
  }

  async #ask(request: ApiRequest, signal: AbortSignal = never): Promise<ApiResponse> {
    await this.#delay(signal);
    signal.throwIfAborted();
    return this.#server.handle(request);
  }
}

const never = new AbortController().signal;

/** CassKop changes its objects after it has sent them. */
function sent(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body));
}

/** The text of a stored object is kept, so that parsing it is all that a copy costs. */
function copyOf(method: string, path: string, answer: ApiResponse): unknown {
  if (answer.status >= 400) throw refusal(method, path, answer);
  return JSON.parse(jsonOf(answer.body));
}

function ownEvent<T>(path: string, { type, object }: KubeWatchEvent): WatchEvent<T> {
  if (type === 'ERROR') throw refusal('GET', path, { status: object.code ?? 500, body: object });
  return { type, object: JSON.parse(jsonOf(object)) as T };
}

function refusal(method: string, path: string, { status, body }: ApiResponse): ApiError {
  const { reason = '', message = String(body) } =
    typeof body === 'string' ? { message: body } : (body as { reason?: string; message?: string });
  return new ApiError(method, path, status, reason, message);
}
