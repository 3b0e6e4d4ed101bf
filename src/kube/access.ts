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
import type { KubeObject, ResourceType } from './objects.ts';

/** The verbs of RBAC that the client's methods come to. A server-side apply needs `patch` and, to create, `create`. */
export type AccessVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** In {@link ResourceRule.names}: the names of the namespaces that the client is let into. */
export const eachNamespace = '{namespace}';

/** A right to objects. */
export interface ResourceRule {
  /** `cluster`: what is cluster-wide, or every namespace; `namespace`: the namespaces the client is let into; `own`: the one that holds its ServiceAccount. */
  readonly scope: 'cluster' | 'namespace' | 'own';
  readonly group: string;
  /** Plural, with the subresource if it is one: `pods/proxy`. */
  readonly resource: string;
  readonly verbs: readonly AccessVerb[];
  /** Only the objects of these names; default: all. */
  readonly names?: readonly string[];
  /** What for, in a few words. */
  readonly why: string;
}

/** A right to GET a path outside the resource tree. */
export interface PathRule {
  readonly scope: 'cluster';
  readonly path: string;
  readonly why: string;
}

export type AccessRule = ResourceRule | PathRule;

/** A call that no rule allows: a mistake in the program, since the roles in config/rbac are made of the same rules. */
export class UndeclaredAccess extends Error {
  override readonly name = 'UndeclaredAccess';
  readonly code = 'UndeclaredAccess';

  constructor(what: string) {
    super(`no access rule allows to ${what}; the roles would not either: see src/runtime/access.ts`);
  }
}

/**
 * The same client, held to `rules`: a call that none of them allows is never sent. So that the roles printed from the
 * rules are enough for the program, whoever it runs as.
 * @throws UndeclaredAccess from the methods of what it returns.
 */
export function restricted(client: KubeClient, rules: readonly AccessRule[]): KubeClient {
  return new RestrictedClient(client, rules);
}

class RestrictedClient implements KubeClient {
  readonly #client: KubeClient;
  readonly #rules: readonly AccessRule[];

  constructor(client: KubeClient, rules: readonly AccessRule[]) {
    this.#client = client;
    this.#rules = rules;
  }

  async get(resource: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject> {
    this.#claim('get', resource, ref);
    return this.#client.get(resource, ref, signal);
  }

  async list(resource: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeList<KubeObject>> {
    this.#claim('list', resource, options);
    return this.#client.list(resource, options, signal);
  }

  async *watch(
    resource: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
    onChunk?: () => void,
  ): AsyncGenerator<WatchEvent> {
    this.#claim('watch', resource, options);
    yield* this.#client.watch(resource, options, signal, onChunk);
  }

  async apply(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    this.#claim('patch', resource, object.metadata);
    this.#claim('create', resource, object.metadata);
    return this.#client.apply(resource, object, signal);
  }

  async patchStatus(
    resource: ResourceType,
    ref: ObjectRef,
    resourceVersion: string,
    status: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    this.#claim('patch', resource, ref, 'status');
    return this.#client.patchStatus(resource, ref, resourceVersion, status, signal);
  }

  async jsonPatch(
    resource: ResourceType,
    ref: ObjectRef,
    operations: JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<KubeObject> {
    this.#claim('patch', resource, ref);
    return this.#client.jsonPatch(resource, ref, operations, signal);
  }

  async create(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    // RBAC does not see the name of what is to be created.
    const { namespace } = object.metadata;
    this.#claim('create', resource, { ...(namespace !== undefined && { namespace }) });
    return this.#client.create(resource, object, signal);
  }

  async createToken(ref: ObjectRef, wish: TokenWish, signal: AbortSignal): Promise<string> {
    this.#claim('create', { group: '', plural: 'serviceaccounts' }, ref, 'token');
    return this.#client.createToken(ref, wish, signal);
  }

  async replace(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    this.#claim('update', resource, object.metadata);
    return this.#client.replace(resource, object, signal);
  }

  async delete(
    resource: ResourceType,
    ref: ObjectRef,
    preconditions: { uid: string; resourceVersion: string },
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    this.#claim('delete', resource, ref);
    return this.#client.delete(resource, ref, preconditions, signal);
  }

  async podProxyGet(
    namespace: string,
    pod: string,
    port: number,
    path: string,
    signal: AbortSignal,
    options?: { changes?: boolean },
  ): Promise<{ status: number; body: string }> {
    this.#claim('get', { group: '', plural: 'pods' }, { namespace, name: pod }, 'proxy');
    return this.#client.podProxyGet(namespace, pod, port, path, signal, options);
  }

  async getPath(path: string, signal: AbortSignal): Promise<{ status: number; body: string }> {
    if (!this.#rules.some((rule) => 'path' in rule && rule.path === path)) throw new UndeclaredAccess(`get ${path}`);
    return this.#client.getPath(path, signal);
  }

  #claim(
    verb: AccessVerb,
    { group, plural }: Pick<ResourceType, 'group' | 'plural'>,
    { namespace, name }: { namespace?: string; name?: string },
    subresource?: string,
  ): void {
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
    const isAllowed = this.#rules.some(
      (rule) =>
        !('path' in rule) &&
        rule.resource === resource &&
        rule.group === group &&
        rule.verbs.includes(verb) &&
        (rule.scope === 'cluster' || namespace !== undefined) &&
        (!rule.names || rule.names.includes(eachNamespace) || (name !== undefined && rule.names.includes(name))),
    );
    if (isAllowed) return;
    throw new UndeclaredAccess(`${verb} ${resource} ${namespace ?? '(cluster-wide)'} ${name ?? '(any name)'}`);
  }
}
