import { collectionPath, objectPath } from '../../../src/kube/paths.ts';
import { resources, type KubeObject, type ResourceType } from '../../../src/kube/objects.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import type { MemoryApiServer } from '../api/server.ts';
import { simResources } from '../api/resources.ts';
import type { Claim, ConfigMap, DisruptionBudget, Pod, StatefulSet } from './workload-objects.ts';

/** A kind whose objects are of type T; `stored` is never there. */
type Kind<T extends KubeObject> = ResourceType & { readonly stored?: T };

/** The kinds that the actors of a cluster work with. */
export const kinds = {
  pods: resources.pods as Kind<Pod>,
  statefulSets: resources.statefulSets as Kind<StatefulSet>,
  claims: resources.persistentVolumeClaims as Kind<Claim>,
  configMaps: resources.configMaps as Kind<ConfigMap>,
  namespaces: resources.namespaces,
  serviceAccounts: resources.serviceAccounts,
  definitions: resources.customResourceDefinitions,
  budgets: simResources.podDisruptionBudgets as Kind<DisruptionBudget>,
} as const satisfies Record<string, ResourceType>;

/** One actor's way to the API server of its cluster: at once, and by its own name. */
export class ClusterAccess {
  readonly server: MemoryApiServer;
  readonly #user: string;

  constructor(server: MemoryApiServer, user: string) {
    this.server = server;
    this.#user = user;
  }

  /** Whether a change was this actor's own. */
  isOwn({ user }: { user: string }): boolean {
    return user === this.#user;
  }

  find<T extends KubeObject>(resource: Kind<T>, namespace: string | undefined, name: string): T | undefined {
    return this.server.find(resource, namespace, name) as T | undefined;
  }

  all<T extends KubeObject>(resource: Kind<T>, namespace?: string): Iterable<T> {
    return this.server.all(resource, namespace) as Iterable<T>;
  }

  create(resource: ResourceType, object: KubeObject): ApiResponse {
    return this.#send('POST', collectionPath(resource, object.metadata.namespace), object);
  }

  /** Writes `status` over that of the object as it was read. */
  putStatus(resource: ResourceType, object: KubeObject, status: object): ApiResponse {
    return this.#send('PUT', `${pathOf(resource, object)}/status`, { ...object, status });
  }

  /** Writes metadata over that of the object as it was read. */
  putMetadata(resource: ResourceType, object: KubeObject, metadata: KubeObject['metadata']): ApiResponse {
    return this.#send('PUT', pathOf(resource, object), { ...object, metadata });
  }

  /** Deletes that very object, or nothing. */
  remove(resource: ResourceType, object: KubeObject, options: object = {}): ApiResponse {
    const preconditions = { uid: object.metadata.uid };
    return this.#send('DELETE', pathOf(resource, object), { preconditions, ...options });
  }

  /** Lets a namespace go that is being deleted. */
  finalize(namespace: KubeObject): ApiResponse {
    return this.#send('PUT', `${pathOf(kinds.namespaces, namespace)}/finalize`, { ...namespace, spec: {} });
  }

  #send(method: ApiRequest['method'], path: string, body: unknown): ApiResponse {
    return this.server.handle({ method, path, body, user: this.#user });
  }
}

function pathOf(resource: ResourceType, { metadata: { namespace, name } }: KubeObject): string {
  return objectPath(resource, namespace === undefined ? { name } : { namespace, name });
}
