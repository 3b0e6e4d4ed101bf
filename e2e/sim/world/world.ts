import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { SeededRandom } from '../../../src/edges/testing.ts';
import { multiCassandraClusters } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { resources } from '../../../src/kube/objects.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { MemoryApiServer } from '../api/server.ts';
import { guardOf } from '../invariants/reading.ts';
import type { Facts } from '../invariants/facts.ts';
import { CassandraNetwork, SchemaRefusedError } from '../region/cassandra/network.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';
import type { Replication } from '../region/cassandra/schema.ts';
import { SimulatedRegion } from '../region/region.ts';
import type { Shape } from '../schedule/history.ts';
import { SimulationClock } from './clock.ts';
import { cqlLogin } from './cql.ts';
import { ControllerProcess } from './controller-process.ts';
import { Inspection, type Violation } from './inspection.ts';
import { Network } from './network.ts';
import { Oversight } from './oversight.ts';
import { Timeline } from './timeline.ts';
import type { Cluster } from './transport.ts';
import { clusterName, namespace, specOf, User, zone } from './user.ts';

const definitionFile = new URL('../../../crds/ringmaster.dev_multicassandraclusters.yaml', import.meta.url);
const definition = parse(readFileSync(definitionFile, 'utf8')) as KubeObject;

const bookmarkEveryMs = 60_000;
const inspectEveryMs = 5_000;

/** One simulated world: clusters, regions, nodes, controllers, a user, the network between them, and whoever checks. */
export class World {
  readonly shape: Shape;
  readonly clock = new SimulationClock();
  readonly timeline: Timeline;
  readonly network: Network;
  readonly oversight: Oversight;
  readonly inspection: Inspection;
  readonly ring: CassandraNetwork;
  readonly regions = new Map<string, SimulatedRegion>();
  readonly clusters = new Map<string, Cluster>();
  readonly user: User;
  readonly removedHosts = new Set<string>();
  /** Pods whose disk was taken on purpose. */
  readonly wipedPods = new Set<string>();
  /** Pods that were joining when rows were written: which of them they get is a matter of the second. */
  readonly #onTheirWay = new Set<string>();
  readonly #random: SeededRandom;
  readonly #controllers: ControllerProcess[] = [];
  #controllersEver = 0;
  #addresses = 0;
  #uids = 0;
  #troubledUntilMs = 0;
  /** Regions whose nodes cannot be asked, since when and until when, monotonic milliseconds. The status has to say so. */
  readonly #mutes = new Map<string, { sinceMs: number; untilMs: number }>();
  /** What the user has begun and not brought to its end: the spec changes once more then. */
  errands = 0;
  /** From then on nothing may be written, monotonic milliseconds. */
  quietSinceMs: number | undefined;

  constructor(seed: number, shape: Shape, options: { keepTimeline?: boolean } = {}) {
    this.shape = shape;
    this.#random = new SeededRandom(seed);
    this.timeline = new Timeline(options.keepTimeline ?? false, () => this.clock.monotonic());
    this.network = new Network(this.#random.fork(), shape.latencyMs);
    this.inspection = new Inspection(this.#facts(), () => this.clock.monotonic());
    this.oversight = new Oversight({
      now: () => this.clock.monotonic(),
      timeline: this.timeline,
      onWrite: (write) => this.inspection.onWrite(write),
      onOrder: (order) => this.inspection.onOrder(order),
      onAlter: (alteration) => this.inspection.onAlter(alteration),
      onCrash: (name) => {
        const process = this.#controllers.find((each) => each.name === name);
        process?.kill();
        if (process) this.#forget(process);
      },
    });
    this.ring = new CassandraNetwork({
      clock: this.clock,
      random: this.#random.fork(),
      reachable: (from, to) => this.network.isOpen(from, to),
    });
    this.network.onChange(() => this.ring.connectivityChanged());
    this.ring.onChange(() => this.inspection.onRing());
    for (const name of new Set([shape.hub, ...shape.regions.map((region) => region.name)])) this.#build(name);
    this.user = new User(this.server(shape.hub), specOf(shape), this.timeline);
    if (shape.cql === 'from the start') this.user.writeCqlLogin(cqlLogin.password);
    if (shape.cql === 'with a wrong password') this.user.writeCqlLogin('wrong');
    this.#every(bookmarkEveryMs, () => {
      for (const { server } of this.clusters.values()) server.bookmark();
    });
    this.#every(inspectEveryMs, () => this.inspection.onTick());
  }

  /** The sentence for the first thing that was wrong. */
  get violation(): Violation | undefined {
    return this.inspection.violation;
  }

  get controllers(): readonly ControllerProcess[] {
    return this.#controllers;
  }

  server(cluster: string): MemoryApiServer {
    const found = this.clusters.get(cluster);
    if (!found) throw new Error(`there is no cluster ${cluster}`);
    return found.server;
  }

  region(name: string): SimulatedRegion {
    const found = this.regions.get(name);
    if (!found) throw new Error(`there is no region ${name}`);
    return found;
  }

  /** Starts a new run of the controller, beside those that are alive. */
  startController(): ControllerProcess {
    const process: ControllerProcess = new ControllerProcess({
      name: `controller-${++this.#controllersEver}`,
      hub: this.shape.hub,
      clusters: [...this.clusters.values()],
      clock: this.clock,
      random: this.#random.fork(),
      network: this.network,
      overseer: this.oversight,
      ring: this.ring,
      timeline: this.timeline,
      onError: (message) => this.inspection.report('no internal error', `${process.name} logged an error: ${message}`),
      onIntent: (region, why) => this.oversight.intend(process.name, region, why),
    });
    this.timeline.note(process.name, () => 'starts');
    this.#controllers.push(process);
    process.start();
    return process;
  }

  endController(process: ControllerProcess, how: 'kill' | 'stop'): void {
    this.timeline.note(process.name, () => (how === 'kill' ? 'is killed' : 'is asked to stop'));
    process[how]();
    this.#forget(process);
  }

  #forget(process: ControllerProcess): void {
    const index = this.#controllers.indexOf(process);
    if (index >= 0) this.#controllers.splice(index, 1);
  }

  /** Whether something is broken on purpose, or was within the last `milliseconds`. */
  isTroubled(milliseconds: number): boolean {
    return this.clock.monotonic() < this.#troubledUntilMs + milliseconds;
  }

  /** Says that something is broken on purpose until then. */
  trouble(forMs: number): void {
    this.#troubledUntilMs = Math.max(this.#troubledUntilMs, this.clock.monotonic() + forMs);
  }

  /** Since when no node of a region can be asked, monotonic milliseconds; undefined: they can. */
  mutedSince(region: string): number | undefined {
    const mute = this.#mutes.get(region);
    return mute && this.clock.monotonic() < mute.untilMs ? mute.sinceMs : undefined;
  }

  /** Lets no node of a region be asked for so long. */
  mute(region: string, forMs: number): void {
    const now = this.clock.monotonic();
    const untilMs = Math.max(this.#mutes.get(region)?.untilMs ?? 0, now + forMs);
    this.#mutes.set(region, { sinceMs: this.mutedSince(region) ?? now, untilMs });
  }

  /** Whether any region's nodes cannot be asked. */
  get isMuted(): boolean {
    return [...this.#mutes.keys()].some((region) => this.mutedSince(region) !== undefined);
  }

  /** The names of a region's pods. */
  podsOf(region: string): string[] {
    return [...this.server(region).all(resources.pods, namespace)].map(({ metadata }) => metadata.name);
  }

  /** A client of `node` makes the keyspace `rows` and writes to it. */
  createKeyspace(node: CassandraNode, replication: Replication): void {
    this.timeline.note('user', () => `CREATE KEYSPACE rows ${JSON.stringify(replication)}`);
    // Who alters it later has to repair it, and nobody here does that unasked.
    if (node.view.schema.definitions.has('rows')) return;
    try {
      this.ring.writeKeyspace(node, 'rows', replication);
      this.ring.write(node, 'rows');
      for (const { mode, options } of this.ring.nodes) if (mode !== 'NORMAL') this.#onTheirWay.add(options.name);
    } catch (error) {
      if (!(error instanceof SchemaRefusedError)) throw error;
      this.timeline.note('user', () => `Cassandra refuses that: ${error.message}`);
    }
  }

  /** Whatever is broken on purpose is mended; what was to come does not come any more. */
  calmDown(): void {
    this.timeline.note('fault', () => 'all faults stop');
    this.network.heal();
    this.oversight.calmDown();
    this.#mutes.clear();
    for (const process of this.#controllers) process.clock.resume();
    for (const process of this.#controllers.slice(1)) this.endController(process, 'kill');
    if (this.#controllers.length === 0) this.startController();
    for (const region of this.regions.values()) region.startCasskop();
  }

  #build(name: string): void {
    const random = this.#random.fork();
    const server = new MemoryApiServer({
      name,
      clock: this.clock,
      ...(this.shape.firstVersion !== undefined && { firstVersion: this.shape.firstVersion }),
      uid: () => `00000000-0000-4000-9000-${(++this.#uids).toString(16).padStart(12, '0')}`,
    });
    const post = (path: string, body: unknown): void => {
      const { status, body: answer } = server.handle({ method: 'POST', path, body, user: 'admin' });
      if (status >= 300) throw new Error(`${name}: POST ${path}: ${status} ${JSON.stringify(answer)}`);
    };
    const isRegion = this.shape.regions.some((region) => region.name === name);
    if (isRegion) {
      const region = new SimulatedRegion({
        name,
        namespace,
        clock: this.clock,
        random,
        server,
        ring: this.ring,
        resolve: (host) => this.#resolve(host),
        addresses: () =>
          `10.${this.regions.size}.${Math.floor(++this.#addresses / 250)}.${(this.#addresses % 250) + 1}`,
      });
      this.regions.set(name, region);
      region.start();
    } else {
      post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    }
    if (name === this.shape.hub) post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    server.onChange((change) => {
      // It is renewed all the time; `only the leader writes` looks at that itself.
      if (change.resource.plural !== resources.leases.plural) this.inspection.onChange(name, change);
    });
    this.clusters.set(name, {
      name,
      server,
      proxy: (_namespace, pod, path) => this.regions.get(name)?.answerJolokia(pod, path),
    });
  }

  /** `<pod>.<region>.<zone>`, the same everywhere. */
  #resolve(host: string): string | undefined {
    const [pod = '', region = ''] = host.split('.');
    return host.endsWith(`.${zone}`) ? this.regions.get(region)?.addressOf(pod) : undefined;
  }

  #every(milliseconds: number, work: () => void): void {
    const again = (): void => {
      work();
      this.clock.schedule(milliseconds, again);
    };
    this.clock.schedule(milliseconds, again);
  }

  #facts(): Facts {
    const find = (cluster: string, resource: Parameters<MemoryApiServer['find']>[0], name: string) =>
      this.server(cluster).find(resource, namespace, name);
    return {
      shape: this.shape,
      nowMs: () => this.clock.monotonic(),
      mcc: () => find(this.shape.hub, multiCassandraClusters, clusterName),
      server: (cluster) => this.server(cluster),
      member: (region) => find(region, casskop.member, clusterName),
      guard: (region) => find(region, resources.configMaps, `${clusterName}-ringmaster`),
      ring: () => this.ring,
      heard: (process, cluster, plural) => this.oversight.asSent.heard(process, cluster, plural),
      wrote: (process, cluster, plural) => this.oversight.asSent.wrote(process, cluster, plural),
      podWithDisk: (hostId) => this.#podWithDisk(hostId),
      removedHosts: () => this.removedHosts,
      nodesWithoutTheirRows: () => this.#nodesWithoutTheirRows(),
      lostKeyspaces: () => this.#lostKeyspaces(),
      disksTaken: () => this.wipedPods.size,
      requestsOfLastMinute: () => this.oversight.requestsOfLastMinute(),
      isQuiet: () => this.quietSinceMs !== undefined && this.clock.monotonic() > this.quietSinceMs,
      isTroubled: (milliseconds) => this.isTroubled(milliseconds),
      mutedSince: (region) => this.mutedSince(region),
    };
  }

  #podWithDisk(hostId: string): string | undefined {
    if (!this.ring.disks.has(hostId)) return undefined;
    for (const { name } of this.shape.regions) {
      const guard = this.server(name).find(resources.configMaps, namespace, `${clusterName}-ringmaster`);
      const joined = guardOf(guard).joined.find((each) => each.hostId === hostId);
      if (joined) return joined.pod;
    }
    return [...this.ring.nodes].find((node) => node.hostId === hostId)?.options.name;
  }

  #lostKeyspaces(): string[] {
    const node = [...this.ring.nodes].find((each) => each.mode === 'NORMAL' && each.isGossiping);
    return node ? this.ring.lostKeyspaces(node) : [];
  }

  #nodesWithoutTheirRows(): string[] {
    const node = [...this.ring.nodes].find((each) => each.mode === 'NORMAL');
    if (!node) return [];
    return this.ring.dataGaps(node).flatMap(({ hostId, keyspace }) => {
      const name = [...this.ring.nodes].find((each) => each.hostId === hostId)?.options.name ?? hostId;
      return this.wipedPods.has(name) || this.#onTheirWay.has(name) ? [] : [`${name} (${keyspace})`];
    });
  }
}
