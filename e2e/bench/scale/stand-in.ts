import { randomUUID } from 'node:crypto';
import { systemClock, sleep } from '../../../src/edges/clock.ts';
import { systemRandom } from '../../../src/edges/random.ts';
import { WorkQueue } from '../../casskop/loop.ts';
import { Objects } from '../../casskop/objects.ts';
import { type Outcome, reconcile } from '../../casskop/operator.ts';
import { paces } from '../../casskop/pace.ts';
import { RunningOperations } from '../../casskop/pod-operations.ts';
import type { StatefulSet } from '../../casskop/statefulset.ts';
import { ApiError, type ApiObject, type ApiServer } from '../../harness/api-server.ts';
import type { Rings } from './rings.ts';

interface Member extends ApiObject {
  status?: { phase?: string; lastClusterActionStatus?: string; seedlist?: string[] };
}

interface RolledSet extends StatefulSet {
  status?: NonNullable<StatefulSet['status']> & { observedGeneration?: number };
}

const processedAnnotation = 'cassandraclusters.db.orange.com/last-applied-configuration';
const rewatchMs = 200;
const revision = 'first';

/**
 * What makes members look formed in one API server, whatever the namespace: the stand-in of CassKop, and in the place
 * of the StatefulSet controller and the kubelet something that makes every pod Ready as soon as it is wanted. Nothing
 * of it goes by time: when nothing changes, nothing is asked or written.
 */
export class RegionStandIn {
  readonly #api: ApiServer;
  readonly #rings: Rings;
  readonly #addresses: string[];
  readonly #signal: AbortSignal;
  readonly #queue = new WorkQueue(systemClock);
  readonly #members = new Map<string, Member>();
  /** What each member wanted when it was last at rest. */
  readonly #done = new Map<string, string>();
  readonly #running = new RunningOperations();

  /** `addresses` are those that pods may have. */
  constructor(api: ApiServer, addresses: readonly string[], rings: Rings, signal: AbortSignal) {
    this.#api = api;
    this.#addresses = [...addresses];
    this.#rings = rings;
    this.#signal = signal;
  }

  /** Runs until the signal aborts, then resolves. */
  async run(): Promise<void> {
    await Promise.all([
      this.#queue.work((key) => this.#reconcile(key), this.#signal),
      this.#follow('/apis/db.orange.com/v2/cassandraclusters', (member) => {
        const key = keyOf(member);
        this.#members.set(key, member);
        // CassKop's own writes bring it back too, and each of them may cause the next one.
        const wanted = isAtRest(member) ? wantedOf(member) : undefined;
        if (wanted === undefined || wanted !== this.#done.get(key)) this.#queue.add(key);
        if (wanted !== undefined) this.#done.set(key, wanted);
        return Promise.resolve();
      }),
      this.#follow('/apis/apps/v1/statefulsets', (set) => this.#roll(set as RolledSet)),
    ]);
  }

  async #reconcile(key: string): Promise<Outcome> {
    const [namespace = '', name = ''] = key.split('/');
    const outcome = await reconcile(
      {
        objects: new Objects(this.#api, namespace, this.#signal),
        ask: this.#rings.ask,
        clock: systemClock,
        random: systemRandom,
        pace: paces.fast,
        operatorName: 'stand-in',
        running: this.#running,
        log: () => undefined,
        signal: this.#signal,
      },
      name,
    );
    const member = this.#members.get(key);
    return outcome !== 'retry' && member && isAtRest(member) ? 'onChange' : outcome;
  }

  /** Makes the pods that a StatefulSet wants and does not have, and says so in its status. */
  async #roll(set: RolledSet): Promise<void> {
    const { namespace = '', name, generation = 0 } = set.metadata;
    const { replicas } = set.spec;
    const { status } = set;
    if (status?.observedGeneration === generation && status.readyReplicas === replicas) return;
    for (let ordinal = 0; ordinal < replicas; ordinal++) await this.#startPod(set, ordinal);
    const reached = { replicas, readyReplicas: replicas, currentRevision: revision, updateRevision: revision };
    await this.#api.patch(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}/status`, 'merge', {
      status: { ...reached, observedGeneration: generation },
    });
  }

  async #startPod(set: StatefulSet, ordinal: number): Promise<void> {
    const { namespace = '' } = set.metadata;
    const name = `${set.metadata.name}-${ordinal}`;
    const at = `/api/v1/namespaces/${namespace}`;
    const { template, volumeClaimTemplates = [] } = set.spec;
    for (const claim of volumeClaimTemplates) {
      const metadata = { ...claim.metadata, name: `${claim.metadata.name}-${name}` };
      const claimed = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim, metadata };
      await created(this.#api.post(`${at}/persistentvolumeclaims`, claimed));
    }
    const volumes = volumeClaimTemplates.map(({ metadata }) => ({
      name: metadata.name,
      persistentVolumeClaim: { claimName: `${metadata.name}-${name}` },
    }));
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.metadata.name, uid: set.metadata.uid };
    const isNew = await created(
      this.#api.post(`${at}/pods`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...template.metadata, name, namespace, ownerReferences: [{ ...owner, controller: true }] },
        spec: {
          ...template.spec,
          hostname: name,
          subdomain: set.spec['serviceName'],
          volumes: [...(template.spec.volumes ?? []), ...volumes],
        },
      }),
    );
    if (!isNew) return;
    const address = this.#addresses.shift();
    if (address === undefined) throw new Error(`no address is left for ${name}`);
    this.#rings.join(clusterNameOf(set), { address, hostId: randomUUID() });
    const startedAt = new Date().toISOString();
    const containers = template.spec.containers.map((container) => ({
      name: container.name,
      image: container.image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt } },
    }));
    await this.#api.patch(`${at}/pods/${name}/status`, 'merge', {
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        startTime: startedAt,
        containerStatuses: containers,
        conditions: ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
          type,
          status: 'True',
          lastTransitionTime: startedAt,
        })),
      },
    });
  }

  /** Calls `onObject` with each object that is there or changes, one after another. */
  async #follow(path: string, onObject: (object: ApiObject) => Promise<void>): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        const list = await this.#api.get<{ items: ApiObject[]; metadata: { resourceVersion: string } }>(
          path,
          this.#signal,
        );
        for (const object of list.items) await onObject(object);
        for await (const { type, object } of this.#api.watch(path, list.metadata.resourceVersion, this.#signal)) {
          if (type === 'ADDED' || type === 'MODIFIED') await onObject(object);
        }
      } catch (error) {
        if (!this.#signal.aborted) console.error(`the stand-in cannot follow ${path}`, error);
      }
      await sleep(systemClock, rewatchMs, this.#signal).catch(() => undefined);
    }
  }
}

function keyOf({ metadata }: ApiObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** All of its last change is done. */
function isAtRest({ metadata, status }: Member): boolean {
  const processed = /"generation":(\d+)/.exec(metadata.annotations?.[processedAnnotation] ?? '')?.[1];
  return (
    status?.phase === 'Running' &&
    status.lastClusterActionStatus === 'Done' &&
    Number(processed) === metadata.generation
  );
}

/** What CassKop has to look at when it changes. */
function wantedOf({ metadata, status }: Member): string {
  return JSON.stringify([metadata.generation, status?.seedlist]);
}

/** A member's name is its ring's cluster_name, and its operator labels everything with it. */
function clusterNameOf({ metadata: { labels } }: StatefulSet): string {
  return labels?.['cassandracluster'] ?? '';
}

/** False for an object that is there already. */
async function created(posted: Promise<unknown>): Promise<boolean> {
  try {
    await posted;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}
