import assert from 'node:assert/strict';
import { SeededRandom, VirtualClock } from '../../../src/edges/testing.ts';
import type { Random } from '../../../src/edges/random.ts';
import { guardData } from '../../../src/federation/guard/guard.ts';
import { resources, type KubeObject } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { MemoryApiServer } from '../api/server.ts';
import { CassandraNetwork } from './cassandra/network.ts';
import type { CassandraNode } from './cassandra/node.ts';
import { readAttribute } from './cassandra/storage-service.ts';
import { kinds } from './cluster-access.ts';
import type { Resolution } from './names.ts';
import { SimulatedRegion } from './region.ts';
import type { Claim, Pod, StatefulSet } from './workload-objects.ts';

const namespace = 'cassandra';
const zone = 'db.example.net';
const storageService = 'org.apache.cassandra.db:type=StorageService';

type Guard = Parameters<typeof guardData>[0];

/** One region, and a user who writes into it. */
export class RegionBench {
  readonly name: string;
  readonly server: MemoryApiServer;
  readonly region: SimulatedRegion;
  readonly startedAlone: string[] = [];
  /** What CassKop logged as an error. */
  readonly errors: unknown[] = [];

  constructor(world: WorldBench, name: string, index: number) {
    this.name = name;
    let uids = 0;
    let addresses = 0;
    this.server = new MemoryApiServer({ name, clock: world.clock, uid: () => `${name}-${(uids += 1)}` });
    this.region = new SimulatedRegion({
      name,
      namespace,
      clock: world.clock,
      random: world.random,
      server: this.server,
      ring: world.ring,
      resolve: (hostName) => world.resolve(hostName),
      addresses: () => `198.18.${index}.${(addresses += 1)}`,
      log: (_, error) => this.errors.push(error),
      onStartedAlone: (pod, as) => this.startedAlone.push(`${pod} ${as}`),
    });
    this.region.start();
  }

  /** The seeds of these pods, in the federation's zone. */
  seeds(...pods: string[]): string[] {
    return pods.map((pod) => `orders-${this.name}-rack1-${pod}.${this.name}.${zone}`);
  }

  /** Creates the member as Ringmaster renders it while it injects seeds; without seeds, as a user would. */
  create(spec: object, seeds?: readonly string[]): void {
    const list = seeds?.join(',');
    const injected = {
      backRestSidecar: { enabled: false, envVars: [{ name: 'CASSANDRA_SEEDS', value: list }] },
      config: { 'cluster-info': { name: 'orders', seeds: list } },
    };
    this.send('POST', this.path('CassandraCluster'), {
      apiVersion: 'db.orange.com/v2',
      kind: 'CassandraCluster',
      metadata: { name: 'orders', namespace },
      spec: {
        cassandraImage: 'cassandra:5.0.8',
        serverVersion: '5.0.8',
        nodesPerRacks: 1,
        dataCapacity: '1Gi',
        topology: { dc: [{ name: this.name, rack: [{ name: 'rack1' }] }] },
        ...(seeds ? injected : { backRestSidecar: { enabled: false } }),
        ...spec,
      },
    });
    if (seeds) this.patchSeeds(seeds);
  }

  patchSeeds(seedlist: readonly string[]): void {
    this.patch(`${this.path('CassandraCluster')}/orders/status`, { status: { seedlist } });
  }

  /** Writes the guard's ConfigMap, which a member names by `configMapName: orders-ringmaster`. */
  guard(content: Partial<Guard>): void {
    const data = guardData({ ignition: [], joined: [], waitSeconds: 600, ...content });
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'orders-ringmaster', namespace }, data };
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    if (this.server.find(resources.configMaps, namespace, 'orders-ringmaster')) {
      this.send('PUT', `${path}/orders-ringmaster`, object);
    } else this.send('POST', path, object);
  }

  editSpec(spec: object): void {
    this.patch(`${this.path('CassandraCluster')}/orders`, { spec });
  }

  patch(path: string, body: object): void {
    const contentType = 'application/merge-patch+json';
    const answer = this.server.handle({ method: 'PATCH', path, contentType, body, user: 'user' });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
  }

  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): void {
    const answer = this.server.handle({ method, path, user: 'user', ...(body && { body }) });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
  }

  path(kind: 'CassandraCluster' | 'StatefulSet' | 'Pod'): string {
    const at = `namespaces/${namespace}`;
    if (kind === 'Pod') return `/api/v1/${at}/pods`;
    return kind === 'StatefulSet'
      ? `/apis/apps/v1/${at}/statefulsets`
      : `/apis/db.orange.com/v2/${at}/cassandraclusters`;
  }

  get member(): KubeObject {
    const found = this.server.find(casskop.member, namespace, 'orders');
    assert.ok(found, 'the CassandraCluster is gone');
    return found;
  }

  get status(): Record<string, unknown> {
    return (this.member['status'] ?? {}) as Record<string, unknown>;
  }

  get isDone(): boolean {
    return this.status['phase'] === 'Running' && this.status['lastClusterActionStatus'] === 'Done';
  }

  set(rack = `${this.name}-rack1`): StatefulSet | undefined {
    return this.server.find(kinds.statefulSets, namespace, `orders-${rack}`) as StatefulSet | undefined;
  }

  /** CASSANDRA_SEEDS of the rack's pods. */
  get seedsOfSet(): string | undefined {
    const containers = this.set()?.spec.template.spec.initContainers;
    return containers?.flatMap(({ env = [] }) => env).find(({ name }) => name === 'CASSANDRA_SEEDS')?.value;
  }

  get pods(): Pod[] {
    return [...this.server.all(kinds.pods, namespace)] as Pod[];
  }

  get claims(): Claim[] {
    return [...this.server.all(kinds.claims, namespace)] as Claim[];
  }

  pod(ordinal: number): Pod | undefined {
    return this.server.find(kinds.pods, namespace, this.podName(ordinal)) as Pod | undefined;
  }

  podName(ordinal: number): string {
    return `orders-${this.name}-rack1-${ordinal}`;
  }

  node(ordinal = 0): CassandraNode {
    const node = this.region.nodeOf(this.podName(ordinal));
    assert.ok(node, `${this.podName(ordinal)} has no node`);
    return node;
  }

  get nodes(): CassandraNode[] {
    return this.pods.flatMap(({ metadata }) => this.region.nodeOf(metadata.name) ?? []);
  }
}

/** Some regions that reach each other, on virtual time; for tests. */
export class WorldBench {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly ring: CassandraNetwork;
  readonly cut = new Set<string>();
  readonly #regions: RegionBench[] = [];

  constructor(seed = 1, random: Random = new SeededRandom(seed), clock = new VirtualClock()) {
    this.clock = clock;
    this.random = random;
    const reachable = (from: string, to: string): boolean => !this.cut.has(`${from}>${to}`);
    this.ring = new CassandraNetwork({ clock: this.clock, random: this.random, reachable });
  }

  region(name: string): RegionBench {
    const bench = new RegionBench(this, name, this.#regions.length + 1);
    this.#regions.push(bench);
    return bench;
  }

  /** `<pod>.<region>.db.example.net`, as soon as the pod has an address. */
  resolve(hostName: string): Resolution {
    const [pod = '', region, ...rest] = hostName.split('.');
    if (rest.join('.') !== zone) return undefined;
    return this.#regions.find(({ name }) => name === region)?.region.addressOf(pod);
  }

  until(what: string, condition: () => boolean, limitMs = 900_000): Promise<void> {
    return this.clock.until(what, condition, limitMs);
  }

  done(...regions: RegionBench[]): Promise<void> {
    return this.until(`${regions.map(({ name }) => name).join(', ')} to be done`, () =>
      regions.every((each) => each.isDone),
    );
  }

  /** Until all nodes of these regions are NORMAL and gossip rests. */
  async ringRests(...regions: RegionBench[]): Promise<void> {
    await this.until('a ring at rest', () => {
      const nodes = regions.flatMap(({ nodes }) => nodes);
      return this.ring.isAtRest && nodes.length > 0 && nodes.every(({ mode }) => mode === 'NORMAL');
    });
  }

  /** The hosts of the ring as a node sees them. */
  hosts(node: CassandraNode): string[] {
    return Object.values(readAttribute(node, storageService, 'EndpointToHostId') as Record<string, string>).toSorted();
  }

  live(node: CassandraNode): string[] {
    return (readAttribute(node, storageService, 'LiveNodes') as string[]).toSorted();
  }

  connect(one: string, other: string, isOpen: boolean): void {
    for (const way of [`${one}>${other}`, `${other}>${one}`]) {
      if (isOpen) this.cut.delete(way);
      else this.cut.add(way);
    }
    this.ring.connectivityChanged();
  }
}
