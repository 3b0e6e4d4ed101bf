import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import { resources } from '../../../src/kube/objects.ts';
import { multiCassandraClusters } from '../../../src/api/schema.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { parsePath } from '../api/paths.ts';
import type { ApiRequest, ApiResponse, MemoryApiServer } from '../api/server.ts';

const kinds: readonly ResourceType[] = [
  multiCassandraClusters,
  casskop.member,
  resources.configMaps,
  resources.statefulSets,
  resources.pods,
  resources.persistentVolumeClaims,
];

/** What the cache of an API server holds that has fallen behind. Whoever does not insist on the newest state gets this. */
export class Snapshot {
  readonly #version: string;
  readonly #objects = new Map<string, KubeObject[]>();

  constructor(server: MemoryApiServer) {
    this.#version = String(server.resourceVersion);
    for (const kind of kinds) this.#objects.set(kind.plural, [...server.all(kind)]);
  }

  /** The old answer to a list or get that allows one, or undefined. */
  answer({ path }: ApiRequest): ApiResponse | undefined {
    const { target, query } = parsePath(path);
    const objects = target && this.#objects.get(target.plural);
    if (!objects || target.subresource !== undefined || query['resourceVersion'] !== '0') return undefined;
    const items = objects.filter(
      ({ metadata }) => target.namespace === undefined || metadata.namespace === target.namespace,
    );
    if (target.name === undefined) {
      return {
        status: 200,
        body: { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: this.#version }, items },
      };
    }
    const found = items.find(({ metadata }) => metadata.name === target.name);
    return found && { status: 200, body: found };
  }
}
