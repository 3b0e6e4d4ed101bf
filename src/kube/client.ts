import type { KubeObject, ResourceType } from './objects.ts';

/** Names one object; `namespace` is required exactly for namespaced kinds. */
export interface ObjectRef {
  namespace?: string;
  name: string;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  /** Absent: a consistent read. */
  resourceVersion?: string;
  resourceVersionMatch?: 'NotOlderThan' | 'Exact';
}

export interface KubeList<T extends KubeObject> {
  items: T[];
  metadata: { resourceVersion: string; continue?: string };
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion: string;
  /** Asked of the server, in seconds. */
  timeoutSeconds: number;
}

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: { code?: number; reason?: string; message?: string } };

export interface JsonPatchOperation {
  op: 'test' | 'add' | 'replace' | 'remove';
  path: string;
  value?: unknown;
}

/** A token of a ServiceAccount that a cluster is asked for. */
export interface TokenWish {
  /** What is granted may end earlier: a cluster has a limit of its own. */
  expirationSeconds: number;
  /** The token holds no longer than this Secret, in the namespace of the ServiceAccount. */
  boundSecret?: { name: string; uid: string };
}

/**
 * One cluster's API, typed by verb. Each method sends one request, with a deadline, and resolves with the server's
 * answer; there are no hidden retries, because who repeats a write must know its precondition.
 *
 * What an API server makes of a precondition depends on the verb. Pinned against a real one by
 * e2e/api/preconditions.test.ts:
 *
 * | write | object as expected | changed since | another uid | absent |
 * |---|---|---|---|---|
 * | apply, resourceVersion "1" | | Conflict, even if equal | Conflict | created |
 * | apply, uid and resourceVersion | updated | Conflict, even if equal | Invalid | Conflict |
 * | apply, resourceVersion alone | updated | Conflict | Conflict | created anew: never do this |
 * | apply, neither | seized by force | seized | seized | created: never do this |
 * | patchStatus, resourceVersion | updated | Conflict | not looked at | NotFound |
 * | jsonPatch with tests | patched | Conflict, as for a missing path | Conflict | NotFound |
 * | delete, uid and resourceVersion | deleted, or begun | Conflict | Conflict | NotFound |
 * | create | | AlreadyExists | AlreadyExists | created |
 * | replace, uid and resourceVersion | replaced | Conflict | Conflict | NotFound, or Conflict |
 *
 * After a Conflict or Invalid read live: the write may be one's own from before. A deletionTimestamp under the same uid
 * means that a delete has worked. An apply that leaves an object it wrote empty (`{}`) makes it null: leave it out.
 * @throws KubeError (see errors.ts) for every failure, or the signal's reason.
 */
export interface KubeClient {
  get(resource: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<KubeObject>;
  list(resource: ResourceType, options: ListOptions, signal: AbortSignal): Promise<KubeList<KubeObject>>;
  /**
   * Watch events as they arrive, bookmarks included; ends when the server closes the stream cleanly. The deadline is
   * for being accepted. `onChunk` is called then, and for every piece of data received, whole event or not.
   */
  watch(
    resource: ResourceType,
    options: WatchOptions,
    signal: AbortSignal,
    onChunk?: () => void,
  ): AsyncIterable<WatchEvent>;
  /**
   * Server-side apply with force, field manager `ringmaster`. The precondition stands in the object's metadata:
   * `resourceVersion: "1"` = create only (409 if it exists), uid and the observed resourceVersion = update only.
   */
  apply(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Merge patch of the status subresource; 409 unless the object is still at `resourceVersion`. The server ignores a uid here. */
  patchStatus(
    resource: ResourceType,
    ref: ObjectRef,
    resourceVersion: string,
    status: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<KubeObject>;
  /** JSON patch; begin with `test` operations on uid and resourceVersion. A failed test is answered with 422, which counts as a Conflict. */
  jsonPatch(
    resource: ResourceType,
    ref: ObjectRef,
    operations: JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<KubeObject>;
  /** POST of a new object; AlreadyExists if there is one of its name. */
  create(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Asks for a token of the ServiceAccount `ref`: a POST to its subresource `token`. */
  createToken(ref: ObjectRef, wish: TokenWish, signal: AbortSignal): Promise<string>;
  /** PUT of the whole object, whose metadata must hold the uid and resourceVersion of the one it replaces. */
  replace(resource: ResourceType, object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /**
   * Deletes exactly the object with this uid at this resourceVersion; 409 otherwise, 404 if it is gone. Resolves with the object
   * as long as it is still there, on its way out; without one when it is gone.
   */
  delete(
    resource: ResourceType,
    ref: ObjectRef,
    preconditions: { uid: string; resourceVersion: string },
    signal: AbortSignal,
  ): Promise<KubeObject | undefined>;
  /**
   * GET through `pods/proxy`; `path` begins with a slash. Resolves with the pod's answer, whatever its status code.
   * `changes`: the pod does something by it, so it is sent only while writes may be.
   */
  podProxyGet(
    namespace: string,
    pod: string,
    port: number,
    path: string,
    signal: AbortSignal,
    options?: { changes?: boolean },
  ): Promise<{ status: number; body: string }>;
  /** GET of a path outside the resource tree, such as `/readyz` or `/version`. */
  getPath(path: string, signal: AbortSignal): Promise<{ status: number; body: string }>;
}
