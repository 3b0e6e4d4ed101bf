import { withDeadline, type Clock } from '../edges/clock.ts';
import type { HttpResponse, Transport } from '../edges/transport.ts';
import { describe, failure, parse, refusal, statusBody, watchEvent, type Answer, type Call } from './answers.ts';
import { readLines, readText } from './body.ts';
import type {
  JsonPatchOperation,
  KubeClient,
  KubeList,
  ListOptions,
  ObjectRef,
  TokenWish,
  WatchEvent,
  WatchOptions,
} from './client.ts';
import { KubeError } from './errors.ts';
import { type KubeObject, resources, type ResourceType } from './objects.ts';
import { apiVersionOf, collectionPath, objectPath, withQuery } from './paths.ts';

/** Longest answer read into memory; a page of 500 objects stays far below it. */
const answerLimitBytes = 64 * 1024 * 1024;
/** Longest watch event; etcd stores at most 1.5 MiB per object. */
const eventLimitBytes = 16 * 1024 * 1024;

/** Told of every request that ended: `tookMs` until the headers of its answer. `code` is the HTTP status, or `<error>` when there was none, as in client-go. */
export interface RequestMetrics {
  requestFinished(method: string, code: string, tookMs: number): void;
}

export interface KubeClientOptions {
  transport: Transport;
  clock: Clock;
  /** The owner of what `apply` writes; part of the stored objects, so never change it between releases. */
  fieldManager: string;
  userAgent: string;
  /** From sending to the last byte of the answer, in milliseconds; for a watch, to its headers. */
  requestDeadlineMs: number;
  metrics?: RequestMetrics;
}

/** A KubeClient that speaks HTTP over `transport`: one call, one request. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  return new HttpKubeClient(options);
}

class HttpKubeClient implements KubeClient {
  readonly #options: KubeClientOptions;

  constructor(options: KubeClientOptions) {
    this.#options = options;
  }

  get(resource: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject> {
    return this.#object({ method: 'GET', path: objectPath(resource, ref) }, signal);
  }

  async list(resource: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeList<KubeObject>> {
    const { namespace, ...parameters } = options;
    const call: Call = { method: 'GET', path: withQuery(collectionPath(resource, namespace), { ...parameters }) };
    const list = parse(call, await this.#succeed(call, signal)) as Partial<KubeList<KubeObject>>;
    if (typeof list.metadata?.resourceVersion !== 'string' || !Array.isArray(list.items ?? [])) {
      throw new KubeError('BadAnswer', `${describe(call)}: the answer is not a list`);
    }
    // A list carries the kind once; its items come without, unlike those of a watch.
    const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
    return { metadata: list.metadata, items: (list.items ?? []).map((item) => ({ ...type, ...item })) };
  }

  async *watch(
    resource: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
    onChunk: () => void = () => undefined,
  ): AsyncGenerator<WatchEvent> {
    const { namespace, ...parameters } = options;
    const call: Call = {
      method: 'GET',
      path: withQuery(collectionPath(resource, namespace), { ...parameters, watch: true, allowWatchBookmarks: true }),
    };
    signal.throwIfAborted();
    const stream = new AbortController();
    const onAbort = (): void => stream.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const response = await this.#openWatch(call, stream);
      onChunk();
      for await (const line of readLines(response.body, eventLimitBytes, onChunk)) yield watchEvent(call, line);
    } catch (error) {
      throw failure(call, error, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      stream.abort();
    }
  }

  apply(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const { managedFields: _, ...metadata } = object.metadata;
    return this.#object(
      {
        method: 'PATCH',
        path: withQuery(objectPath(resource, metadata), { ...this.#writer, force: true }),
        contentType: 'application/apply-patch+yaml',
        body: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata },
      },
      signal,
    );
  }

  patchStatus(
    resource: ResourceType,
    ref: ObjectRef,
    resourceVersion: string,
    status: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    return this.#object(
      {
        method: 'PATCH',
        path: withQuery(objectPath(resource, ref, 'status'), this.#writer),
        contentType: 'application/merge-patch+json',
        body: { metadata: { resourceVersion }, status },
      },
      signal,
    );
  }

  jsonPatch(
    resource: ResourceType,
    ref: ObjectRef,
    operations: JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<KubeObject> {
    return this.#object(
      {
        method: 'PATCH',
        path: withQuery(objectPath(resource, ref), this.#writer),
        contentType: 'application/json-patch+json',
        body: operations,
      },
      signal,
    );
  }

  create(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const path = withQuery(collectionPath(resource, object.metadata.namespace), this.#writer);
    return this.#object({ method: 'POST', path, contentType: 'application/json', body: object }, signal);
  }

  async createToken(ref: ObjectRef, wish: TokenWish, signal: AbortSignal): Promise<string> {
    const { expirationSeconds, boundSecret } = wish;
    const bound = boundSecret && { apiVersion: 'v1', kind: 'Secret', ...boundSecret };
    const call: Call = {
      method: 'POST',
      path: objectPath(resources.serviceAccounts, ref, 'token'),
      contentType: 'application/json',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds, ...(bound && { boundObjectRef: bound }) },
      },
    };
    const { status } = parse(call, await this.#succeed(call, signal)) as { status?: { token?: unknown } };
    if (typeof status?.token === 'string' && status.token !== '') return status.token;
    throw new KubeError('BadAnswer', `${describe(call)}: the answer holds no token`);
  }

  replace(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const path = withQuery(objectPath(resource, object.metadata), this.#writer);
    return this.#object({ method: 'PUT', path, contentType: 'application/json', body: object }, signal);
  }

  async delete(
    resource: ResourceType,
    ref: ObjectRef,
    preconditions: { uid: string; resourceVersion: string },
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    const call: Call = {
      method: 'DELETE',
      path: objectPath(resource, ref),
      contentType: 'application/json',
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: preconditions.uid, resourceVersion: preconditions.resourceVersion },
      },
    };
    const left = parse(call, await this.#succeed(call, signal)) as Partial<KubeObject>;
    return left.metadata?.deletionTimestamp === undefined ? undefined : (left as KubeObject);
  }

  async podProxyGet(
    namespace: string,
    pod: string,
    port: number,
    path: string,
    signal: AbortSignal,
    { changes = false }: { changes?: boolean } = {},
  ): Promise<{ status: number; body: string }> {
    const proxy = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}:${port}/proxy`;
    const call: Call = { method: 'GET', path: proxy + path, changes };
    const answer = await this.#send(call, signal);
    if (answer.status >= 400 && statusBody(answer.text)) throw refusal(call, answer, this.#options.clock);
    return { status: answer.status, body: answer.text };
  }

  async getPath(path: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
    const answer = await this.#send({ method: 'GET', path }, signal);
    return { status: answer.status, body: answer.text };
  }

  get #writer(): Record<string, string> {
    return { fieldManager: this.#options.fieldManager, fieldValidation: 'Strict' };
  }

  async #object(call: Call, signal: AbortSignal): Promise<KubeObject> {
    const object = parse(call, await this.#succeed(call, signal)) as Partial<KubeObject>;
    if (typeof object.metadata?.name !== 'string') {
      throw new KubeError('BadAnswer', `${describe(call)}: the answer is not an object`);
    }
    return object as KubeObject;
  }

  async #succeed(call: Call, signal: AbortSignal): Promise<string> {
    const answer = await this.#send(call, signal);
    if (answer.status < 200 || answer.status > 299) throw refusal(call, answer, this.#options.clock);
    return answer.text;
  }

  async #send(call: Call, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    using deadline = withDeadline(this.#options.clock, this.#options.requestDeadlineMs, signal);
    try {
      const response = await this.#observed(call, false, deadline.signal);
      const text = await readText(response.body, answerLimitBytes);
      return { status: response.status, headers: response.headers, text };
    } catch (error) {
      throw failure(call, error, signal);
    }
  }

  async #openWatch(call: Call, stream: AbortController): Promise<HttpResponse> {
    using deadline = withDeadline(this.#options.clock, this.#options.requestDeadlineMs, stream.signal);
    const onDeadline = (): void => stream.abort(deadline.signal.reason);
    deadline.signal.addEventListener('abort', onDeadline, { once: true });
    try {
      const response = await this.#observed(call, true, stream.signal);
      if (response.status === 200) return response;
      const text = await readText(response.body, answerLimitBytes);
      throw refusal(call, { status: response.status, headers: response.headers, text }, this.#options.clock);
    } finally {
      deadline.signal.removeEventListener('abort', onDeadline);
    }
  }

  async #observed(call: Call, streaming: boolean, signal: AbortSignal): Promise<HttpResponse> {
    const { transport, userAgent, metrics, clock } = this.#options;
    const sentAt = clock.monotonic();
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': userAgent };
    if (call.contentType !== undefined) headers['content-type'] = call.contentType;
    try {
      const response = await transport.send(
        {
          method: call.method,
          path: call.path,
          headers,
          ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
          ...(call.changes && { changes: true }),
          ...(streaming && { streaming }),
        },
        signal,
      );
      metrics?.requestFinished(call.method, String(response.status), clock.monotonic() - sentAt);
      return response;
    } catch (error) {
      metrics?.requestFinished(call.method, '<error>', clock.monotonic() - sentAt);
      throw error;
    }
  }
}
