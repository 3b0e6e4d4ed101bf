import type { ApiObject, ApiServer } from '../harness/api-server.ts';
import { ApiError } from '../harness/api-server.ts';
import type { CassandraCluster } from './cluster.ts';
import type { DisruptionBudget } from './services.ts';
import type { StatefulSet } from './statefulset.ts';
import { decodeCluster } from './typed.ts';

/** What the operator needs of an API server: a real one, or a double in tests. */
export type Api = Pick<ApiServer, 'get' | 'find' | 'list' | 'post' | 'put' | 'delete' | 'watch'>;

/** A pod as far as the operator reads it. */
export interface Pod extends ApiObject {
  spec: { hostname?: string; subdomain?: string; [field: string]: unknown };
  status?: {
    phase?: string;
    podIP?: string;
    conditions?: { type: string; status: string; reason?: string }[];
    containerStatuses?: {
      name: string;
      ready: boolean;
      restartCount?: number;
      state?: { waiting?: { reason?: string } };
    }[];
  };
}

const clustersPath = (namespace: string): string => `/apis/db.orange.com/v2/namespaces/${namespace}/cassandraclusters`;
const writer = 'fieldManager=casskop';

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

/** Whether the container `cassandra` runs and is ready. The operator takes nothing else for ready. */
export function isReady(pod: Pod): boolean {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === 'cassandra');
  return pod.status?.phase === 'Running' && container?.ready === true;
}

/**
 * The objects of one namespace as the operator reads and writes them: always whole, always the newest. What is read may
 * be shared with others and is never changed; CassandraClusters are the operator's own.
 */
export class Objects {
  readonly #api: Api;
  readonly namespace: string;
  readonly #signal: AbortSignal;

  constructor(api: Api, namespace: string, signal: AbortSignal) {
    this.#api = api;
    this.namespace = namespace;
    this.#signal = signal;
  }

  async findCluster(name: string): Promise<CassandraCluster | undefined> {
    const found = await this.#api.find(`${clustersPath(this.namespace)}/${name}`, this.#signal);
    return found && decodeCluster(found);
  }

  /** PUTs everything but the status; answers the new metadata. @throws ApiError 409 when somebody wrote since it was read. */
  async putCluster(cluster: CassandraCluster): Promise<ApiObject['metadata']> {
    const path = `${clustersPath(this.namespace)}/${cluster.metadata.name}?${writer}`;
    return { ...(await this.#api.put(path, cluster, this.#signal)).metadata };
  }

  /** PUTs the status alone; answers the new metadata. @throws ApiError 409 when somebody wrote since it was read. */
  async putClusterStatus(cluster: CassandraCluster): Promise<ApiObject['metadata']> {
    const path = `${clustersPath(this.namespace)}/${cluster.metadata.name}/status?${writer}`;
    return { ...(await this.#api.put(path, cluster, this.#signal)).metadata };
  }

  findStatefulSet(name: string): Promise<StatefulSet | undefined> {
    return this.#api.find<StatefulSet>(this.#path('apis/apps/v1', 'statefulsets', name), this.#signal);
  }

  async createStatefulSet(statefulSet: StatefulSet): Promise<void> {
    await this.#create('apis/apps/v1', 'statefulsets', statefulSet);
  }

  async putStatefulSet(statefulSet: StatefulSet): Promise<void> {
    const path = this.#path('apis/apps/v1', 'statefulsets', statefulSet.metadata.name);
    await this.#api.put(`${path}?${writer}`, statefulSet, this.#signal);
  }

  async deleteStatefulSet(name: string, propagationPolicy: 'Background' | 'Orphan' = 'Background'): Promise<void> {
    await this.#delete(this.#path('apis/apps/v1', 'statefulsets', name), { propagationPolicy });
  }

  /** The pods with these labels, by ascending ordinal. */
  async pods(labels: Record<string, string>): Promise<Pod[]> {
    const pods = await this.#api.list<Pod>(this.#path('api/v1', 'pods') + selector(labels), this.#signal);
    const ordinal = (pod: Pod): number => Number(/\d+$/.exec(pod.metadata.name)?.[0] ?? 0);
    return pods.toSorted((a, b) => ordinal(a) - ordinal(b));
  }

  findPod(name: string): Promise<Pod | undefined> {
    return this.#api.find<Pod>(this.#path('api/v1', 'pods', name), this.#signal);
  }

  /** Sets labels on the newest state of the pod. @throws ApiError 404 or 409. */
  async labelPod(name: string, labels: Record<string, string>): Promise<void> {
    const path = this.#path('api/v1', 'pods', name);
    const pod = await this.#api.get<Pod>(path, this.#signal);
    const metadata = { ...pod.metadata, labels: { ...pod.metadata.labels, ...labels } };
    await this.#api.put(`${path}?${writer}`, { ...pod, metadata }, this.#signal);
  }

  async deletePod(name: string, options: { gracePeriodSeconds?: number } = {}): Promise<void> {
    await this.#delete(this.#path('api/v1', 'pods', name), options);
  }

  claims(labels: Record<string, string>): Promise<ApiObject[]> {
    return this.#api.list(this.#path('api/v1', 'persistentvolumeclaims') + selector(labels), this.#signal);
  }

  findClaim(name: string): Promise<ApiObject | undefined> {
    return this.#api.find(this.#path('api/v1', 'persistentvolumeclaims', name), this.#signal);
  }

  async putClaim(claim: ApiObject): Promise<void> {
    const path = this.#path('api/v1', 'persistentvolumeclaims', claim.metadata.name);
    await this.#api.put(`${path}?${writer}`, claim, this.#signal);
  }

  async deleteClaim(name: string): Promise<void> {
    await this.#delete(this.#path('api/v1', 'persistentvolumeclaims', name));
  }

  findBudget(name: string): Promise<DisruptionBudget | undefined> {
    return this.#api.find<DisruptionBudget>(this.#path('apis/policy/v1', 'poddisruptionbudgets', name), this.#signal);
  }

  async createBudget(budget: DisruptionBudget): Promise<void> {
    await this.#create('apis/policy/v1', 'poddisruptionbudgets', budget);
  }

  async deleteBudget(name: string): Promise<void> {
    await this.#delete(this.#path('apis/policy/v1', 'poddisruptionbudgets', name));
  }

  async createService(service: ApiObject): Promise<void> {
    await this.#create('api/v1', 'services', service);
  }

  async deleteService(name: string): Promise<void> {
    await this.#delete(this.#path('api/v1', 'services', name));
  }

  /** The values of a Secret, decoded. @throws ApiError 404 when there is none. */
  async secret(name: string): Promise<Record<string, string>> {
    const secret = await this.#api.get<ApiObject & { data?: Record<string, string> }>(
      this.#path('api/v1', 'secrets', name),
      this.#signal,
    );
    const entries = Object.entries(secret.data ?? {});
    return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
  }

  #path(prefix: string, plural: string, name?: string): string {
    const collection = `/${prefix}/namespaces/${this.namespace}/${plural}`;
    return name === undefined ? collection : `${collection}/${name}`;
  }

  /** An object of that name that is there already is left as it is. */
  async #create(prefix: string, plural: string, object: ApiObject): Promise<void> {
    try {
      await this.#api.post(`${this.#path(prefix, plural)}?${writer}`, object, this.#signal);
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
    }
  }

  async #delete(path: string, options: unknown = {}): Promise<void> {
    try {
      await this.#api.delete(path, options, this.#signal);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }
}

/** Calls `onChange` with the name of every CassandraCluster that is there or changes, until the stream or the server ends. */
export async function watchClusters(
  api: Api,
  namespace: string,
  onChange: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = clustersPath(namespace);
  const list = await api.get<{ items: ApiObject[]; metadata: { resourceVersion: string } }>(path, signal);
  for (const { metadata } of list.items) onChange(metadata.name);
  const watch = `${path}?timeoutSeconds=240`;
  for await (const { type, object } of api.watch(watch, list.metadata.resourceVersion, signal)) {
    if (type !== 'BOOKMARK') onChange(object.metadata.name);
  }
}

function selector(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return `?labelSelector=${encodeURIComponent(pairs.join(','))}`;
}
