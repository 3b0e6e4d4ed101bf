import { multiCassandraClusters } from '../../../src/api/schema.ts';
import { resources, type ResourceType } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import type { ObjectChange } from '../api/request.ts';
import { simResources } from '../api/resources.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';
import type { PendingWork } from './pending-work.ts';

const contents: readonly ResourceType[] = [
  multiCassandraClusters,
  casskop.member,
  ...[...Object.values(resources), ...Object.values(simResources)].filter(({ namespaced }) => namespaced),
];

/** The namespace controller: empties a namespace that is being deleted, and then lets it go. */
export class NamespaceController {
  readonly #access: ClusterAccess;
  readonly #work: PendingWork;
  /** Those on their way out. */
  readonly #going = new Set<string>();

  constructor(access: ClusterAccess, work: (sync: (namespace: string) => void) => PendingWork) {
    this.#access = access;
    this.#work = work((namespace) => this.#sync(namespace));
  }

  see({ type, resource, object: { metadata } }: ObjectChange): void {
    if (resource === kinds.namespaces) {
      if (metadata.deletionTimestamp !== undefined && type !== 'DELETED') {
        this.#going.add(metadata.name);
        this.#work.add(metadata.name);
      } else this.#going.delete(metadata.name);
    } else if (type === 'DELETED' && metadata.namespace !== undefined && this.#going.has(metadata.namespace)) {
      this.#work.add(metadata.namespace);
    }
  }

  stop(): void {
    this.#work.cancel();
  }

  #sync(name: string): void {
    const namespace = this.#access.find(kinds.namespaces, undefined, name);
    if (!namespace || namespace.metadata.deletionTimestamp === undefined) return;
    let isEmpty = true;
    for (const kind of contents) {
      for (const object of this.#access.all(kind, name)) {
        if (object.metadata.deletionTimestamp === undefined) this.#access.remove(kind, object);
        const left = this.#access.find(kind, name, object.metadata.name);
        if (left) isEmpty = false;
      }
    }
    if (isEmpty) this.#access.finalize(namespace);
  }
}
