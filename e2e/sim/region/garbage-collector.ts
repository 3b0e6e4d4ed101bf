import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import type { ObjectChange } from '../api/request.ts';
import type { ClusterAccess } from './cluster-access.ts';
import type { PendingWork } from './pending-work.ts';

interface Place {
  resource: ResourceType;
  namespace: string | undefined;
  name: string;
}

/**
 * The garbage collector: what all owners of an object are gone, the object goes too, by uid and not by name, after a
 * while; also what was made for an owner that was gone already. With the finalizers `orphan` and `foregroundDeletion`
 * it sets dependents free, or ends them first.
 */
export class GarbageCollector {
  readonly #access: ClusterAccess;
  readonly #work: PendingWork;
  readonly #present = new Set<string>();
  /** uid of an owner -> uid of a dependent -> where it is. */
  readonly #dependents = new Map<string, Map<string, Place>>();
  /** uid of an owner that waits for its dependents -> where it is. */
  readonly #waiting = new Map<string, Place>();

  constructor(access: ClusterAccess, work: (sync: (uid: string) => void) => PendingWork) {
    this.#access = access;
    this.#work = work((uid) => this.#collect(uid));
  }

  see({ type, resource, object, previous }: ObjectChange): void {
    const { uid = '', name, namespace, ownerReferences } = object.metadata;
    const place = { resource, namespace, name };
    if (type === 'DELETED') {
      this.#present.delete(uid);
      this.#waiting.delete(uid);
      for (const owner of ownerReferences ?? []) {
        this.#dependents.get(owner.uid)?.delete(uid);
        if (this.#waiting.has(owner.uid)) this.#work.add(owner.uid);
      }
      if (this.#dependents.get(uid)?.size) this.#work.add(uid);
      return;
    }
    this.#present.add(uid);
    if (ownerReferences !== previous?.metadata.ownerReferences) {
      for (const owner of previous?.metadata.ownerReferences ?? []) {
        if (!ownerReferences?.some((each) => each.uid === owner.uid)) this.#dependents.get(owner.uid)?.delete(uid);
      }
      for (const owner of ownerReferences ?? []) {
        let dependents = this.#dependents.get(owner.uid);
        if (!dependents) this.#dependents.set(owner.uid, (dependents = new Map<string, Place>()));
        dependents.set(uid, place);
        if (!this.#present.has(owner.uid)) this.#work.add(owner.uid);
      }
    }
    if (object.metadata.deletionTimestamp !== undefined && finalizersOf(object).some(isOurs)) {
      this.#waiting.set(uid, place);
      this.#work.add(uid);
    }
  }

  stop(): void {
    this.#work.cancel();
  }

  /** Looks at what an owner owned. */
  #collect(ownerUid: string): void {
    const waiting = this.#waiting.get(ownerUid);
    const owner = waiting && this.#find(waiting, ownerUid);
    const orphans = owner !== undefined && finalizersOf(owner).includes('orphan');
    for (const [uid, place] of this.#dependents.get(ownerUid) ?? []) {
      const object = this.#find(place, uid);
      if (!object) continue;
      const others = (object.metadata.ownerReferences ?? []).filter((each) => each.uid !== ownerUid);
      if (orphans || others.some((each) => this.#present.has(each.uid))) {
        this.#access.putMetadata(place.resource, object, { ...object.metadata, ownerReferences: others });
      } else if (object.metadata.deletionTimestamp === undefined) {
        this.#access.remove(place.resource, object, { propagationPolicy: 'Background' });
      }
    }
    if (!owner || !waiting || this.#dependents.get(ownerUid)?.size) return;
    this.#waiting.delete(ownerUid);
    const finalizers = finalizersOf(owner).filter((finalizer) => !isOurs(finalizer));
    this.#access.putMetadata(waiting.resource, owner, { ...owner.metadata, finalizers });
  }

  #find({ resource, namespace, name }: Place, uid: string): KubeObject | undefined {
    const object = this.#access.find(resource, namespace, name);
    return object?.metadata.uid === uid ? object : undefined;
  }
}

function finalizersOf({ metadata }: KubeObject): string[] {
  return metadata.finalizers ?? [];
}

function isOurs(finalizer: string): boolean {
  return finalizer === 'orphan' || finalizer === 'foregroundDeletion';
}
