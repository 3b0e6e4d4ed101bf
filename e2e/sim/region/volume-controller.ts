import type { ObjectChange } from '../api/request.ts';
import { emptyDisk, type NodeDisk } from './cassandra/node-disk.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';
import type { PendingWork } from './pending-work.ts';
import type { Pod } from './workload-objects.ts';

const protection = 'kubernetes.io/pvc-protection';

/**
 * Provisioner and claim protection: every claim gets a volume of its own and its size, keeps it until it is deleted,
 * and is not gone before the last pod that names it.
 */
export class VolumeController {
  readonly #access: ClusterAccess;
  readonly #work: PendingWork;
  readonly #onLost: (disk: NodeDisk) => void;
  /** Claim uid -> its volume. */
  readonly #disks = new Map<string, NodeDisk>();

  /** @param onLost called with the disk of a claim that is gone */
  constructor(
    access: ClusterAccess,
    work: (sync: (key: string) => void) => PendingWork,
    onLost: (disk: NodeDisk) => void,
  ) {
    this.#access = access;
    this.#work = work((key) => this.#sync(key));
    this.#onLost = onLost;
  }

  see(change: ObjectChange): void {
    const { resource, object, type } = change;
    const { namespace = '', name, uid = '' } = object.metadata;
    if (resource === kinds.claims) {
      if (type !== 'DELETED') this.#work.add(`${namespace}/${name}`);
      else this.#lose(uid);
    } else if (resource === kinds.pods && type === 'DELETED') {
      for (const claim of claimsOf(object as Pod)) this.#work.add(`${namespace}/${claim}`);
    }
  }

  /** The disk of a claim that is bound; undefined while there is none. */
  diskOf(namespace: string, claimName: string): NodeDisk | undefined {
    const claim = this.#access.find(kinds.claims, namespace, claimName);
    if (!claim || claim.status?.phase !== 'Bound') return undefined;
    let disk = this.#disks.get(claim.metadata.uid);
    if (!disk) this.#disks.set(claim.metadata.uid, (disk = emptyDisk()));
    return disk;
  }

  /** The volume breaks and is replaced by an empty one, under the same claim. */
  wipe(namespace: string, claimName: string): void {
    const uid = this.#access.find(kinds.claims, namespace, claimName)?.metadata.uid;
    if (uid !== undefined) this.#lose(uid);
  }

  stop(): void {
    this.#work.cancel();
  }

  #lose(uid: string): void {
    const disk = this.#disks.get(uid);
    if (!disk) return;
    this.#disks.delete(uid);
    this.#onLost(disk);
  }

  #sync(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const claim = this.#access.find(kinds.claims, namespace, name);
    if (!claim) return;
    const { metadata, spec, status } = claim;
    if (metadata.deletionTimestamp !== undefined) {
      if (metadata.finalizers?.includes(protection) && !this.#isUsed(namespace, name)) {
        const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== protection);
        this.#access.putMetadata(kinds.claims, claim, { ...metadata, finalizers });
      }
      return;
    }
    const storage = spec.resources?.requests?.storage ?? '1Gi';
    if (status?.phase === 'Bound' && status.capacity?.storage === storage) return;
    this.#access.putStatus(kinds.claims, claim, {
      phase: 'Bound',
      capacity: { storage },
      accessModes: spec.accessModes,
    });
  }

  #isUsed(namespace: string, claimName: string): boolean {
    for (const pod of this.#access.all(kinds.pods, namespace)) {
      if (claimsOf(pod).includes(claimName)) return true;
    }
    return false;
  }
}

/** The claims that a pod names. */
export function claimsOf({ spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}
