import assert from 'node:assert/strict';
import type { CassandraCluster, ClusterSpec, ClusterStatus, LastAction } from '../../casskop/cluster.ts';
import type { Pod } from '../../casskop/objects.ts';
import type { Pace } from '../../casskop/pace.ts';
import type { DisruptionBudget } from '../../casskop/services.ts';
import type { StatefulSet } from '../../casskop/statefulset.ts';
import type { ApiObject } from '../../harness/api-server.ts';

/** The collections of a namespace that CassKop and its pods live in, as the API server names them. */
export const collections = {
  members: 'apis/db.orange.com/v2/cassandraclusters',
  statefulSets: 'apis/apps/v1/statefulsets',
  pods: 'api/v1/pods',
  claims: 'api/v1/persistentvolumeclaims',
  budgets: 'apis/policy/v1/poddisruptionbudgets',
} as const;
export type Kind = keyof typeof collections;

/** What became of an object at one moment. */
export interface Change {
  readonly kind: Kind;
  readonly object: ApiObject;
  readonly isGone: boolean;
}

/** A namespace of a cluster with a CassKop of its own, empty at first. */
export interface CasskopPlace {
  readonly namespace: string;
  /** CassKop's. */
  readonly pace: Pace;
  /** All that has happened here, in order. */
  readonly history: readonly Change[];
  /** @throws when the API server refuses. */
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown>;
  /** Waits; with a deadline that is generous for this place. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Lets so much time pass, milliseconds. */
  pass(milliseconds: number): Promise<void>;
  /**
   * Starts a node that is not of this namespace in the ring of a pod; resolves once the pod's node knows that it joins,
   * with what lets it end that.
   */
  joinRing(pod: Pod): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export const clusterName = 'fed';
/** Cannot be pulled anywhere. */
export const badImage = 'cassandra:bad-does-not-exist';
export const lastApplied = 'cassandraclusters.db.orange.com/last-applied-configuration';

/** One datacenter `eu`. */
export function topology(racks = 1): ClusterSpec['topology'] {
  const rack = Array.from({ length: racks }, (_, index) => ({ name: `rack${index + 1}` }));
  return { dc: [{ name: 'eu', rack }] } as ClusterSpec['topology'];
}

/** A CassandraCluster `fed` in a place, as its user creates, edits and watches it. */
export class Fed {
  readonly place: CasskopPlace;
  #pokes = 0;

  constructor(place: CasskopPlace) {
    this.place = place;
  }

  async create(spec: object = {}, metadata: object = {}): Promise<void> {
    await this.place.send('POST', this.#path('members'), {
      apiVersion: 'db.orange.com/v2',
      kind: 'CassandraCluster',
      metadata: { name: clusterName, namespace: this.place.namespace, ...metadata },
      spec: {
        cassandraImage: 'cassandra:5.0.8',
        serverVersion: '5.0.8',
        nodesPerRacks: 1,
        dataCapacity: '1Gi',
        backRestSidecar: { enabled: false },
        topology: topology(),
        ...spec,
      },
    });
  }

  /** Creates it, and waits until CassKop is done with it and is at rest. */
  async created(spec: object = {}, metadata: object = {}): Promise<void> {
    await this.create(spec, metadata);
    await this.done();
    await this.rest();
  }

  async editSpec(spec: object): Promise<void> {
    await this.place.send('PATCH', `${this.#path('members')}/${clusterName}`, { spec });
  }

  async patchSeeds(seedlist: readonly string[]): Promise<void> {
    await this.place.send('PATCH', `${this.#path('members')}/${clusterName}/status`, { status: { seedlist } });
  }

  async deletePod(name: string): Promise<void> {
    await this.place.send('DELETE', `${this.#path('pods')}/${name}`);
  }

  /** Keeps a pod's object there when it is deleted, until it is let go. */
  async holdPod(ordinal: number): Promise<void> {
    await this.#patchPod(this.podName(ordinal), { metadata: { finalizers: ['conformance.ringmaster.dev/held'] } });
  }

  async letGo(ordinal: number): Promise<void> {
    await this.#patchPod(this.podName(ordinal), { metadata: { finalizers: null } });
  }

  /** Waits until a held pod was deleted, and says of it that it has ended, as its kubelet would do before it lets it go. */
  async endHeldPod(ordinal: number): Promise<void> {
    const name = this.podName(ordinal);
    await this.until(`${name} to be deleted`, () => this.pod(ordinal).metadata.deletionTimestamp !== undefined);
    const conditions = this.pod(ordinal).status?.conditions?.map((each) =>
      each.type === 'Ready' || each.type === 'ContainersReady' ? { ...each, status: 'False' } : each,
    );
    await this.#patchPod(`${name}/status`, { status: { conditions } });
  }

  async #patchPod(path: string, body: object): Promise<void> {
    await this.place.send('PATCH', `${this.#path('pods')}/${path}`, body);
  }

  async delete(kind: Kind, name: string): Promise<void> {
    await this.place.send('DELETE', `${this.#path(kind)}/${name}`);
  }

  until(what: string, condition: () => boolean): Promise<void> {
    return this.place.until(what, condition);
  }

  /** Until CassKop says Running and Done of the present generation. */
  done(): Promise<void> {
    return this.until('Running and Done', () => this.isDone);
  }

  /** Until an action of a rack has come to its end. */
  async ended(name: NonNullable<LastAction['name']>, rack = 'eu-rack1'): Promise<void> {
    await this.until(`${name} of ${rack} to be Done`, () => {
      const action = this.action(rack);
      return action.name === name && action.status === 'Done' && this.isDone;
    });
  }

  get isDone(): boolean {
    const { phase, lastClusterActionStatus } = this.status;
    return phase === 'Running' && lastClusterActionStatus === 'Done' && this.processedGeneration >= this.generation;
  }

  /** Longer than CassKop looks away from a rack after an action has begun, and then one look of it. */
  async rest(): Promise<void> {
    const { blindMs, resyncMs } = this.place.pace;
    await this.place.pass(blindMs + 2 * resyncMs);
    await this.looked();
  }

  /** Until CassKop has ended a look at the member that began after this call: it has noted a writer that is new to it. */
  async looked(): Promise<void> {
    const writer = `poke-${(this.#pokes += 1)}`;
    const metadata = { annotations: { [`conformance.ringmaster.dev/${writer}`]: '' } };
    await this.place.send('PATCH', `${this.#path('members')}/${clusterName}?fieldManager=${writer}`, { metadata });
    const noted = (): string | undefined => this.member.metadata.annotations?.[lastApplied];
    await this.until('a look of CassKop', () => noted()?.includes(`"${writer}"`) ?? false);
  }

  get member(): CassandraCluster {
    const found = this.now('members').get(clusterName);
    assert.ok(found, 'there is no CassandraCluster');
    return found as CassandraCluster;
  }

  get spec(): ClusterSpec {
    return this.member.spec;
  }

  get status(): ClusterStatus {
    return this.member.status ?? {};
  }

  get generation(): number {
    return this.member.metadata.generation ?? 0;
  }

  /** Of the object in CassKop's annotation. */
  get processedGeneration(): number {
    const text = this.member.metadata.annotations?.[lastApplied];
    return text === undefined ? 0 : ((JSON.parse(text) as ApiObject).metadata.generation ?? 0);
  }

  action(rack = 'eu-rack1'): LastAction {
    return this.status.cassandraRackStatus?.[rack]?.cassandraLastAction ?? {};
  }

  findSet(rack = 'eu-rack1'): StatefulSet | undefined {
    return this.now('statefulSets').get(`${clusterName}-${rack}`) as StatefulSet | undefined;
  }

  set(rack = 'eu-rack1'): StatefulSet {
    const found = this.findSet(rack);
    assert.ok(found, `there is no StatefulSet of ${rack}`);
    return found;
  }

  /** CASSANDRA_SEEDS of the rack's pods. */
  seedsOfSet(rack = 'eu-rack1'): string | undefined {
    const variables = this.set(rack).spec.template.spec.initContainers.flatMap(({ env = [] }) => env);
    return variables.find(({ name }) => name === 'CASSANDRA_SEEDS')?.value;
  }

  imageOf(rack = 'eu-rack1'): string | undefined {
    return this.set(rack).spec.template.spec.containers.find(({ name }) => name === 'cassandra')?.image;
  }

  podName(ordinal = 0, rack = 'eu-rack1'): string {
    return `${clusterName}-${rack}-${ordinal}`;
  }

  findPod(ordinal = 0, rack = 'eu-rack1'): Pod | undefined {
    return this.now('pods').get(this.podName(ordinal, rack)) as Pod | undefined;
  }

  pod(ordinal = 0, rack = 'eu-rack1'): Pod {
    const found = this.findPod(ordinal, rack);
    assert.ok(found, `there is no pod ${this.podName(ordinal, rack)}`);
    return found;
  }

  isReady(ordinal = 0, rack = 'eu-rack1'): boolean {
    const conditions = this.findPod(ordinal, rack)?.status?.conditions;
    return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  }

  /** The names of the pods that are there, sorted. */
  get pods(): string[] {
    return [...this.now('pods').values()]
      .filter(({ metadata }) => metadata.labels?.['cassandracluster'] === clusterName)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  get claims(): string[] {
    return [...this.now('claims').values()]
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name)
      .sort();
  }

  get budget(): DisruptionBudget {
    const found = this.now('budgets').get(clusterName);
    assert.ok(found, 'there is no disruption budget');
    return found as DisruptionBudget;
  }

  /** By name, the objects that are there. */
  now(kind: Kind): ReadonlyMap<string, ApiObject> {
    const objects = new Map<string, ApiObject>();
    for (const { object, isGone } of this.of(kind)) {
      if (isGone) objects.delete(object.metadata.name);
      else objects.set(object.metadata.name, object);
    }
    return objects;
  }

  /** What happened to objects of a kind, in order. */
  of(kind: Kind): Change[] {
    return this.place.history.filter((change) => change.kind === kind);
  }

  /** What `read` made of each state of a kind's objects, in order, without repeats. */
  course<T>(kind: Kind, read: (object: ApiObject) => T): T[] {
    const course: T[] = [];
    for (const { object, isGone } of this.of(kind)) {
      const value = isGone ? undefined : read(object);
      if (value !== undefined && JSON.stringify(value) !== JSON.stringify(course.at(-1))) course.push(value);
    }
    return course;
  }

  #path(kind: Kind): string {
    const parts = collections[kind].split('/');
    const plural = parts.pop();
    return `/${parts.join('/')}/namespaces/${this.place.namespace}/${plural}`;
  }
}
