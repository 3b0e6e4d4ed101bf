import type { Random } from '../../../src/edges/random.ts';
import type { ObjectChange } from '../api/request.ts';
import type { ActorClock } from './actor-clock.ts';
import type { CassandraNetwork } from './cassandra/network.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';
import type { Alone } from './guard-decision.ts';
import type { Resolution } from './names.ts';
import { PodRun } from './pod-run.ts';
import type { RegionTiming } from './timing.ts';
import type { VolumeController } from './volume-controller.ts';
import type { Pod } from './workload-objects.ts';

/** What a pod shares with all others of its region. */
export interface KubeletContext {
  readonly region: string;
  readonly access: ClusterAccess;
  readonly clock: ActorClock;
  readonly random: Random;
  readonly timing: RegionTiming;
  readonly network: CassandraNetwork;
  readonly volumes: VolumeController;
  /** An address that no pod had before. */
  readonly takeAddress: () => string;
  /** Looks a name up as a pod of the namespace would. */
  readonly resolve: (name: string, namespace: string) => Resolution;
  /** Whether new pods find a machine. */
  readonly hasRoom: () => boolean;
  /** A pod's init container let it start although no seed is live. */
  readonly startedAlone: (pod: string, as: Alone) => void;
  /** Now, as the API writes times. */
  readonly timestamp: () => string;
}

/** All nodes of a cluster and what runs on them. */
export class Kubelet {
  readonly #context: KubeletContext;
  /** By namespace and name. */
  readonly #pods = new Map<string, PodRun>();
  readonly #detach: () => void;

  constructor(context: KubeletContext) {
    this.#context = context;
    this.#detach = context.network.onChange(() => {
      for (const run of this.#pods.values()) run.surroundingsChanged();
    });
  }

  see({ type, resource, object }: ObjectChange): void {
    const { namespace = '', name, uid } = object.metadata;
    if (resource === kinds.pods) {
      const key = `${namespace}/${name}`;
      const run = this.#pods.get(key);
      if (run && (type === 'DELETED' || run.pod.metadata.uid !== uid)) {
        this.#pods.delete(key);
        run.gone();
      }
      if (type === 'DELETED') return;
      if (run && run.pod.metadata.uid === uid) run.see(object as Pod);
      else this.#pods.set(key, new PodRun(this.#context, object as Pod));
    } else if (resource === kinds.configMaps && type !== 'DELETED') {
      for (const run of this.#in(namespace)) run.configMapChanged(name);
    } else if (resource === kinds.claims && type === 'MODIFIED') {
      for (const run of this.#in(namespace)) run.mount();
    }
  }

  /** There is room for pods that found none. */
  roomChanged(): void {
    for (const run of this.#pods.values()) run.mount();
  }

  pod(namespace: string, name: string): PodRun | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  get pods(): Iterable<PodRun> {
    return this.#pods.values();
  }

  /** The machines are gone, with everything that ran on them. */
  stop(): void {
    this.#detach();
    for (const run of this.#pods.values()) run.gone();
    this.#pods.clear();
  }

  *#in(namespace: string): Iterable<PodRun> {
    for (const run of this.#pods.values()) if (run.pod.metadata.namespace === namespace) yield run;
  }
}
