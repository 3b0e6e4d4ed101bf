import type { Timer } from '../../../../src/edges/clock.ts';
import type { EndpointState } from '../../../light-node/endpoint-state.ts';
import { schedule, type ActorClock } from '../actor-clock.ts';
import { tell, type GossipWorld } from './gossip.ts';
import type { NodeDisk } from './node-disk.ts';
import { RingView } from './ring-view.ts';

export interface NodeOptions {
  /** The pod, for people. */
  readonly name: string;
  readonly region: string;
  readonly address: string;
  readonly clusterName: string;
  readonly datacenter: string;
  readonly rack: string;
  /** Names or addresses, as in cassandra.yaml. */
  readonly seeds: readonly string[];
  /** -Dcassandra.replace_address_first_boot names a node that there never was; default false. */
  readonly refusesEmptyDisk?: boolean;
  /** Looks a seed up; asked once, when the node starts, as in Cassandra. */
  readonly resolve: (seed: string) => string | undefined;
  readonly disk: NodeDisk;
  /** The process ended by itself: Cassandra's exit status 3, with what it said last. */
  readonly onExit: (reason: string) => void;
}

export type OperationMode =
  'STARTING' | 'JOINING' | 'NORMAL' | 'LEAVING' | 'DECOMMISSIONED' | 'DECOMMISSION_FAILED' | 'DRAINED';

/** What a node needs of the network it is in. */
export interface NodeSurroundings extends GossipWorld {
  readonly clock: ActorClock;
  nextGeneration(): number;
  newHostId(): string;
  /** Something is about to change by which others may learn news. */
  wake(): void;
  /** What a node shows has changed. */
  changed(): void;
  /** The node has its host ID, and writes to its disk from now on. */
  began(node: CassandraNode): void;
  /** The first node at one of these addresses that answers a shadow round. */
  answerOfRing(node: CassandraNode, addresses: readonly string[]): CassandraNode | undefined;
  /** Whether the node at that address says that it is looking for the ring as well. */
  isAsking(node: CassandraNode, address: string): boolean;
  /** The node starts a ring of its own. */
  founds(node: CassandraNode): void;
  /** Why the ring cannot give the node its share of the data; undefined when it has given it. */
  streamBootstrap(node: CassandraNode): string | undefined;
  /** Why what the node holds cannot go to the others. */
  streamDecommission(node: CassandraNode): string | undefined;
  ended(node: CassandraNode): void;
}

/**
 * One run of Cassandra 5.0.8 from the start of its process to its end, as far as the ring is concerned: host ID,
 * seeds, shadow round, join, decommission.
 */
export class CassandraNode {
  readonly options: NodeOptions;
  readonly startedAt: number;
  /** Cleanups and the like that have come to their end, one for each keyspace: `cleanup system_auth`. */
  readonly maintained: string[] = [];
  readonly #world: NodeSurroundings;
  #mode: OperationMode = 'STARTING';
  #view: RingView | undefined;
  /** Of other nodes, that is. */
  #seedAddresses: readonly string[] = [];
  #isSeed = false;
  /** Whom it still asks for the ring. */
  #asking: readonly string[] | undefined;
  #gossips = false;
  #hasEnded = false;
  #timer: Timer;
  /** Who waits for the end of a decommission. */
  #done: ((error?: string) => void) | undefined;

  constructor(options: NodeOptions, world: NodeSurroundings) {
    this.options = options;
    this.#world = world;
    this.startedAt = world.clock.monotonic();
    this.#timer = schedule(world.clock, world.timing.serviceMs, () => this.#begin());
  }

  get mode(): OperationMode {
    return this.#mode;
  }

  get hostId(): string {
    return this.options.disk.hostId ?? '';
  }

  /** Only a node whose StorageService is there has one. */
  get view(): RingView {
    if (!this.#view) throw new Error(`${this.options.name} has no view of the ring yet`);
    return this.#view;
  }

  get seedAddresses(): readonly string[] {
    return this.#seedAddresses;
  }

  get isGossiping(): boolean {
    return this.#gossips;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What a client of the Jolokia port meets: nobody, an agent without Cassandra, or the node. */
  get jolokia(): 'closed' | 'empty' | 'serving' {
    if (this.#hasEnded || this.#world.clock.monotonic() - this.startedAt < this.#world.timing.portMs) return 'closed';
    return this.#view ? 'serving' : 'empty';
  }

  /** True while it looks for its ring. */
  get isAsking(): boolean {
    return this.#asking !== undefined;
  }

  /** Looks again whether a node of the ring answers, if this one is still looking. */
  askAgain(): void {
    if (!this.#asking) return;
    const seeds = this.#seedAddresses;
    const answer = this.#world.answerOfRing(this, this.#asking);
    // Nodes that start at once need not wait for each other (Gossiper.maybeFinishShadowRound). One that bootstraps
    // goes on as well, but only to end unless a seed runs by then ("Unable to contact any seeds").
    const allAsk = !this.#bootstraps && seeds.length > 0 && seeds.every((seed) => this.#world.isAsking(this, seed));
    if (answer || allAsk) this.#join(answer);
  }

  /** SIGTERM: it drains itself and tells the others, so that they need not find out. */
  stop(): void {
    if (this.#hasEnded) return;
    this.#world.wake();
    if (this.#gossips && (this.#mode === 'NORMAL' || this.#mode === 'LEAVING')) this.#tellEverybody('shutdown');
    this.#end();
  }

  /** SIGKILL, or its machine is gone. */
  crash(): void {
    if (this.#hasEnded) return;
    this.#world.wake();
    this.#end();
  }

  /** Leaves the ring; the process goes on with the view it had. `done` hears of the end, or why it came to none. */
  decommission(done: (error?: string) => void): void {
    const { clock, timing } = this.#world;
    this.#done = done;
    this.#enter('LEAVING');
    this.view.announce('LEAVING');
    this.#timer = schedule(clock, timing.decommissionMs, () => {
      const failure = this.#world.streamDecommission(this);
      this.#done = undefined;
      if (failure !== undefined) {
        this.#enter('DECOMMISSION_FAILED');
        done(failure);
        return;
      }
      this.options.disk.bootstrapped = 'DECOMMISSIONED';
      this.#world.wake();
      this.#tellEverybody('LEFT');
      this.#gossips = false;
      this.#enter('DECOMMISSIONED');
      done();
    });
  }

  #begin(): void {
    const { options } = this;
    const { disk, clusterName, address, datacenter, rack } = options;
    if (disk.clusterName !== undefined && disk.clusterName !== clusterName) {
      this.#exit(`Saved cluster name ${disk.clusterName} != configured name ${clusterName}`);
      return;
    }
    if (disk.bootstrapped === 'DECOMMISSIONED') {
      this.#exit('This node was decommissioned and will not rejoin the ring');
      return;
    }
    const found = options.seeds.map((seed) => options.resolve(seed)).filter((each) => each !== undefined);
    this.#seedAddresses = [...new Set(found)].filter((each) => each !== address);
    if (found.length === 0) {
      this.#exit('The seed provider lists no seeds.');
      return;
    }
    this.#isSeed = found.includes(address);
    disk.hostId ??= this.#world.newHostId();
    disk.clusterName = clusterName;
    const replaces = options.refusesEmptyDisk === true && disk.bootstrapped !== 'COMPLETED';
    if (replaces && !this.#bootstraps) {
      this.#exit('Replacing a node without bootstrapping risks invalidating consistency guarantees');
      return;
    }
    const generation = this.#world.nextGeneration();
    const start = { generation, version: 0, status: 'BOOT' } as const;
    const self: EndpointState = { hostId: disk.hostId, address, datacenter, rack, ...start };
    this.#view = new RingView(self, disk.peers, disk.schema);
    this.#world.began(this);
    this.#enter('STARTING');
    const peers = this.view.ring.map((peer) => peer.address).filter((each) => each !== address);
    this.#asking = [...new Set([...this.#seedAddresses, ...peers])];
    if (this.#asking.length === 0) {
      this.#join(undefined);
      return;
    }
    this.#timer = schedule(this.#world.clock, this.#world.timing.ringDelayMs, () => {
      if (this.#isSeed) this.#join(undefined);
      else this.#exit('Unable to gossip with any peers');
    });
    this.askAgain();
  }

  /** Whether it has to get its data from the others before it may answer for it. */
  get #bootstraps(): boolean {
    return this.options.disk.bootstrapped === 'NEEDS_BOOTSTRAP' && !this.#isSeed;
  }

  /** @param ring a node of the ring, which told all it knows; undefined when a seed found none */
  #join(ring: CassandraNode | undefined): void {
    this.#asking = undefined;
    this.#timer.cancel();
    const { disk } = this.options;
    const bootstraps = this.#bootstraps;
    const refusal = ring && this.#whyNot(ring, bootstraps);
    if (refusal !== undefined) {
      this.#exit(refusal);
      return;
    }
    if (bootstraps && this.options.refusesEmptyDisk === true) {
      this.#exit("Cannot replace_address because it doesn't exist in gossip");
      return;
    }
    this.#world.wake();
    if (ring) tell(this.#world, ring, this, this.#world.clock.monotonic());
    else if (disk.bootstrapped === 'NEEDS_BOOTSTRAP') this.#world.founds(this);
    this.#gossips = true;
    if (!bootstraps) {
      this.#becomeNormal();
      return;
    }
    disk.bootstrapFailed = true;
    this.#enter('JOINING');
    this.#timer = schedule(this.#world.clock, this.#world.timing.joinMs, () => {
      const failure = this.#world.streamBootstrap(this);
      if (failure !== undefined) {
        this.#exit(failure);
        return;
      }
      disk.bootstrapFailed = false;
      this.#world.wake();
      this.#becomeNormal();
    });
  }

  #becomeNormal(): void {
    this.options.disk.bootstrapped = 'COMPLETED';
    this.view.announce('NORMAL');
    this.#enter('NORMAL');
  }

  /** What Gossiper.isSafeForStartup and StorageService.checkForEndpointCollision find wrong in the ring's answer. */
  #whyNot(ring: CassandraNode, bootstraps: boolean): string | undefined {
    const { address } = this.options;
    const states = [...ring.view.states.values()];
    const holder = ring.view.ring.find((state) => state.address === address);
    const isTaken = bootstraps ? holder && holder.status !== 'BOOT' : holder && holder.hostId !== this.hostId;
    if (isTaken) {
      return `A node with address /${address}:7000 already exists, cancelling join. Use cassandra.replace_address if you want to replace this node.`;
    }
    const isMoving = states.some(
      (state) => state.address !== address && (state.status === 'BOOT' || state.status === 'LEAVING'),
    );
    if (bootstraps && isMoving) {
      return 'Other bootstrapping/leaving/moving nodes detected, cannot bootstrap while cassandra.consistent.rangemovement is true';
    }
    return undefined;
  }

  #tellEverybody(status: 'shutdown' | 'LEFT'): void {
    const now = this.#world.clock.monotonic();
    this.view.announce(status);
    for (const { address } of this.view.ring) {
      const peer = this.#world.nodes.get(address);
      if (!peer || peer === this || !peer.isGossiping) continue;
      const { region, clusterName } = peer.options;
      if (clusterName !== this.options.clusterName || !this.#world.canTalk(this.options.region, region)) continue;
      tell(this.#world, this, peer, now);
    }
  }

  #enter(mode: OperationMode): void {
    this.#mode = mode;
    this.#world.wake();
    this.#world.changed();
  }

  #exit(reason: string): void {
    this.#world.wake();
    this.#end();
    this.options.onExit(reason);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#gossips = false;
    this.#asking = undefined;
    this.#timer.cancel();
    const { disk } = this.options;
    if (this.#view && this.#mode !== 'DECOMMISSIONED') {
      disk.peers = this.#view.peers();
      disk.schema = this.#view.schema;
    }
    this.#world.ended(this);
    this.#world.changed();
    this.#done?.('the node ended');
  }
}
