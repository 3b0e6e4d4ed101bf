import { setMaxListeners } from 'node:events';
import type { ApiObject, WatchEvent } from '../harness/index.ts';
import type { Federation, PodObject, StatefulSetObject } from './federation.ts';

/** A moment at which a pod began or ceased to be ready, or a StatefulSet was changed. */
export interface Moment {
  readonly region: string;
  readonly what: string;
  /** Regions with a pod that is missing, not ready or told to leave the ring, once this has happened. */
  readonly disrupted: readonly string[];
}

/** What happens to the pods and StatefulSets of a federation while it is watched, over all regions in one order. */
export class DisruptionHistory {
  readonly moments: Moment[] = [];
  /** Pod -> how often it was deleted. */
  readonly deletions = new Map<string, number>();
  /** Region -> pod -> whether it is ready. */
  readonly #ready = new Map<string, Map<string, boolean>>();
  /** Pods that were deleted and not made again. */
  readonly #gone = new Set<string>();
  /** StatefulSet -> pods that it asks for. */
  readonly #sizes = new Map<string, number>();
  readonly #generations = new Map<string, number | undefined>();
  readonly #end = new AbortController();
  #failure: Error | undefined;

  /** @throws ApiError */
  static async start(federation: Federation): Promise<DisruptionHistory> {
    const history = new DisruptionHistory();
    setMaxListeners(0, history.#end.signal);
    for (const name of federation.names) {
      const namespace = federation.namespaceIn(name);
      // Others are none of its nodes: the real CassKop has one that is never ready, for its lock.
      const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=cassandracluster%3D${federation.name}`;
      const sets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
      history.#ready.set(name, new Map());
      await history.#follow(federation, name, pods, (type, pod) => history.#pod(name, type, pod as PodObject));
      await history.#follow(federation, name, sets, (_, set) => history.#set(name, set as StatefulSetObject));
    }
    return history;
  }

  /** Ends the watches; throws what any of them has failed with. */
  stop(): void {
    this.#end.abort();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Regions with a pod that is missing or not ready now. */
  get disrupted(): readonly string[] {
    return this.moments.at(-1)?.disrupted ?? [];
  }

  /** The regions in the order in which they were first disrupted. */
  get order(): string[] {
    return [...new Set(this.moments.flatMap(({ disrupted }) => disrupted))];
  }

  /** Moments at which more than one region was disrupted. */
  get overlaps(): Moment[] {
    return this.moments.filter(({ region, what, disrupted }) => {
      const others = what.startsWith('changed') ? disrupted.filter((each) => each !== region) : disrupted.slice(1);
      return others.length > 0;
    });
  }

  async #follow(
    federation: Federation,
    region: string,
    path: string,
    seen: (type: WatchEvent['type'], object: ApiObject) => void,
  ): Promise<void> {
    const api = federation.api(region);
    const list = await api.get<{ metadata: { resourceVersion: string }; items: ApiObject[] }>(path);
    for (const item of list.items) seen('ADDED', item);
    this.moments.length = 0;
    const { signal } = this.#end;
    const watch = async (): Promise<void> => {
      for await (const { type, object } of api.watch(path, list.metadata.resourceVersion, signal)) {
        if (type !== 'BOOKMARK') seen(type, object);
      }
      if (!signal.aborted) throw new Error(`the watch of ${path} in ${region} has ended`);
    };
    watch().catch((error: unknown) => {
      if (!signal.aborted) this.#failure = new Error('a watch has failed', { cause: error });
    });
  }

  #pod(region: string, type: WatchEvent['type'], { metadata, status }: PodObject): void {
    const pods = this.#ready.get(region)!;
    const isReady =
      type !== 'DELETED' &&
      metadata.deletionTimestamp === undefined &&
      !isLeaving(metadata.labels) &&
      (status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false);
    if (type === 'DELETED') this.deletions.set(metadata.name, (this.deletions.get(metadata.name) ?? 0) + 1);
    if (type === 'DELETED') this.#gone.add(metadata.name);
    else this.#gone.delete(metadata.name);
    if (type !== 'DELETED' && pods.get(metadata.name) === isReady) return;
    pods.set(metadata.name, isReady);
    this.#note(region, `${metadata.name} is ${isReady ? 'ready' : type === 'DELETED' ? 'gone' : 'not ready'}`);
  }

  #set(region: string, { metadata, spec }: StatefulSetObject): void {
    this.#sizes.set(metadata.name, spec.replicas);
    if (this.#generations.get(metadata.name) === metadata.generation) return;
    this.#generations.set(metadata.name, metadata.generation);
    this.#note(region, `changed StatefulSet ${metadata.name}`);
  }

  #note(region: string, what: string): void {
    const disrupted = [...this.#ready]
      .filter(([, pods]) => [...pods].some(([pod, isReady]) => !isReady && !this.#hasLeft(pod)))
      .map(([name]) => name);
    this.moments.push({ region, what, disrupted });
  }

  /** Whether a pod is gone that its StatefulSet does not ask for any more. */
  #hasLeft(pod: string): boolean {
    const [, set = '', ordinal] = /^(.+)-(\d+)$/.exec(pod) ?? [];
    return this.#gone.has(pod) && Number(ordinal) >= (this.#sizes.get(set) ?? 0);
  }
}

/** CassKop labels a pod whose node it has told to leave the ring; the pod itself stays ready until it is deleted. */
function isLeaving(labels: Record<string, string> = {}): boolean {
  return labels['operation-name'] === 'decommission';
}
