import type { Random } from '../../../src/edges/random.ts';
import type { ObjectChange } from '../api/request.ts';
import type { MemoryApiServer } from '../api/server.ts';
import { formatTime } from '../api/storage.ts';
import type { ActorClock } from './actor-clock.ts';
import { CasskopProcess } from './casskop-process.ts';
import { answerJolokia } from './cassandra/jolokia.ts';
import type { CassandraNetwork } from './cassandra/network.ts';
import type { CassandraNode } from './cassandra/node.ts';
import { ClusterAccess, kinds } from './cluster-access.ts';
import { DisruptionController } from './disruption-controller.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { NamespaceController } from './namespace-controller.ts';
import type { Alone } from './guard-decision.ts';
import { Kubelet } from './kubelet.ts';
import { isAddress, type Resolution } from './names.ts';
import { PendingWork } from './pending-work.ts';
import { installPremises } from './premises.ts';
import { StatefulSetController } from './stateful-set-controller.ts';
import { regionTiming, type Bounds, type RegionTiming } from './timing.ts';
import { VolumeController } from './volume-controller.ts';

export interface RegionOptions {
  /** As the network between regions and the Cassandra nodes know it. */
  name: string;
  /** Where CassKop works; the faults below are of pods in it. */
  namespace: string;
  clock: ActorClock;
  random: Random;
  server: MemoryApiServer;
  ring: CassandraNetwork;
  /** Looks up names that are not of this cluster, such as the federation's zone. */
  resolve: (name: string) => Resolution;
  /** Hands out pod addresses, each once. */
  addresses: () => string;
  timing?: Partial<RegionTiming>;
  /** What CassKop logs. */
  log?: (message: string, error?: unknown) => void;
  /** The guard let a pod start although no seed was live. */
  onStartedAlone?: (pod: string, as: Alone) => void;
}

/**
 * A Kubernetes cluster with CassKop in it: the controllers of Kubernetes that matter here, nodes and pods, the regional
 * operator. Its API server and the Cassandra nodes' network are given.
 */
export class SimulatedRegion {
  readonly name: string;
  readonly #options: RegionOptions;
  readonly #timing: RegionTiming;
  #actors: { see(change: ObjectChange): void; stop(): void }[] = [];
  #kubelet: Kubelet | undefined;
  #casskop: CasskopProcess | undefined;
  #hasRoom = true;
  #detach: () => void = () => undefined;

  constructor(options: RegionOptions) {
    this.name = options.name;
    this.#options = options;
    this.#timing = { ...regionTiming, ...options.timing };
  }

  /** Sets up what CassKop needs, and starts everything. Call it before anything else is in the cluster. */
  start(): void {
    const { name, clock, random, server, ring } = this.#options;
    const work =
      (delay: Bounds) =>
      (sync: (key: string) => void): PendingWork =>
        new PendingWork(clock, random, delay, sync);
    const soon = work(this.#timing.controllerMs);
    const as = (user: string): ClusterAccess => new ClusterAccess(server, user);
    const volumes = new VolumeController(as('volume-controller'), soon, (disk) => ring.diskLost(disk));
    this.#kubelet = new Kubelet({
      region: name,
      access: as('kubelet'),
      clock,
      random,
      timing: this.#timing,
      network: ring,
      volumes,
      takeAddress: this.#options.addresses,
      resolve: (hostName, namespace) => this.#resolve(hostName, namespace),
      hasRoom: () => this.#hasRoom,
      startedAlone: (pod, alone) => this.#options.onStartedAlone?.(pod, alone),
      timestamp: () => formatTime(clock.now()),
    });
    this.#actors = [
      new GarbageCollector(as('garbage-collector'), work(this.#timing.garbageMs)),
      volumes,
      new StatefulSetController(as('statefulset-controller'), `node-${name}`, soon),
      new DisruptionController(as('disruption-controller'), soon),
      new NamespaceController(as('namespace-controller'), work(this.#timing.garbageMs)),
      this.#kubelet,
    ];
    this.#detach = server.onChange((change) => {
      for (const actor of this.#actors) actor.see(change);
    });
    installPremises(as('admin'), this.#options.namespace);
    this.startCasskop();
  }

  /** Everything in the cluster but its API server is gone: no pod runs, no controller acts. It does not come back. */
  stop(): void {
    this.stopCasskop();
    this.#detach();
    for (const actor of this.#actors) actor.stop();
    this.#actors = [];
  }

  startCasskop(): void {
    const { name, namespace, clock, random, server, ring, log = () => undefined } = this.#options;
    this.#casskop ??= new CasskopProcess({
      region: name,
      namespace,
      clock,
      random,
      server,
      log,
      network: ring,
      timing: this.#timing,
    });
  }

  /** CassKop's process dies, wherever it is: what it was doing never goes on. */
  stopCasskop(): void {
    this.#casskop?.kill();
    this.#casskop = undefined;
  }

  get hasCasskop(): boolean {
    return this.#casskop !== undefined;
  }

  /** The pod's present address; undefined while it has none. */
  addressOf(pod: string): string | undefined {
    return this.#pod(pod)?.address;
  }

  /** The last process of Cassandra in a pod, which may have ended; undefined before the first. */
  nodeOf(pod: string): CassandraNode | undefined {
    return this.#pod(pod)?.node;
  }

  /** GET through pods/proxy to port 8778; undefined: nobody listens there. */
  answerJolokia(pod: string, path: string): { status: number; body: string } | undefined {
    const { ring, clock } = this.#options;
    const node = this.nodeOf(pod);
    return node && answerJolokia(ring, clock, node, path);
  }

  /** The machine starts a pod anew: at another address, with its disk or an empty one. */
  restartPod(name: string, { wipeDisk }: { wipeDisk: boolean }): void {
    this.#pod(name)?.restart(wipeDisk);
  }

  /** Every pod of the cluster starts anew at once, as after a power failure. */
  restartAllPods(): void {
    for (const pod of this.#kubelet?.pods ?? []) pod.restart(false);
  }

  /** Cassandra's process in a pod dies; its container is started again after its back-off. */
  crashNode(pod: string): void {
    this.#pod(pod)?.crashNode();
  }

  /** Whether pods that are created, or restarted, find a machine from now on; those that wait for one do too. */
  setRoom(hasRoom: boolean): void {
    this.#hasRoom = hasRoom;
    if (hasRoom) this.#kubelet?.roomChanged();
  }

  /** Deletes a pod as a user would. */
  deletePod(name: string, options: { gracePeriodSeconds?: number } = {}): void {
    const { server, namespace } = this.#options;
    const pod = server.find(kinds.pods, namespace, name);
    if (pod) new ClusterAccess(server, 'user').remove(kinds.pods, pod, options);
  }

  /** Deletes all pods of the namespace, without grace. */
  killAllPods(): void {
    const { server, namespace } = this.#options;
    const names = [...server.all(kinds.pods, namespace)].map(({ metadata }) => metadata.name);
    for (const name of names) this.deletePod(name, { gracePeriodSeconds: 0 });
  }

  #pod(name: string): ReturnType<Kubelet['pod']> {
    return this.#kubelet?.pod(this.#options.namespace, name);
  }

  /** As a pod's resolver: `<pod>.<service>[.<namespace>[.svc...]]` is of this cluster, the rest is looked up outside. */
  #resolve(hostName: string, namespace: string): Resolution {
    if (isAddress(hostName)) return hostName;
    const [pod = '', service = '', space = namespace, ...rest] = hostName.split('.');
    const run = rest.length === 0 || rest[0] === 'svc' ? this.#kubelet?.pod(space, pod) : undefined;
    if (run?.pod.spec.subdomain === service && run.address !== undefined) return run.address;
    return this.#options.resolve(hostName);
  }
}
