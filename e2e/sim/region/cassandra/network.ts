import type { Timer } from '../../../../src/edges/clock.ts';
import type { Random } from '../../../../src/edges/random.ts';
import { schedule, type ActorClock } from '../actor-clock.ts';
import {
  addData,
  gapsIn,
  lostKeyspaces,
  ownersOf,
  repairAll,
  streamBootstrap,
  streamDecommission,
  type DataGap,
  type Write,
} from './data.ts';
import { gossipRound, isAtRest } from './gossip.ts';
import type { NodeDisk } from './node-disk.ts';
import { CassandraNode, type NodeOptions, type NodeSurroundings } from './node.ts';
import { factorIn, withKeyspace, type Replication } from './schema.ts';
import { cassandraTiming, type CassandraTiming } from './timing.ts';

export interface NetworkOptions {
  clock: ActorClock;
  random: Random;
  /** Whether a connection from one region to another comes about; asked anew each time, see `connectivityChanged`. */
  reachable: (fromRegion: string, toRegion: string) => boolean;
  timing?: Partial<CassandraTiming>;
}

/** A node with an empty disk that reached no ring started one of its own. */
export interface Founding {
  readonly atMs: number;
  readonly node: CassandraNode;
  readonly hostId: string;
}

/** Data of which nobody has a copy any more. */
export interface Loss {
  readonly atMs: number;
  readonly keyspace: string;
  readonly why: string;
}

/**
 * The Cassandra nodes of all regions. They gossip in rounds that all nodes share, one a second of virtual time, and
 * only while a round could change what some node shows; at rest nothing runs.
 */
export class CassandraNetwork {
  readonly timing: CassandraTiming;
  readonly foundings: Founding[] = [];
  readonly losses: Loss[] = [];
  readonly #clock: ActorClock;
  readonly #reachable: (fromRegion: string, toRegion: string) => boolean;
  readonly #nodes = new Map<string, CassandraNode>();
  /** Host ID -> where it keeps its data; without an entry the disk is lost. */
  readonly #disks = new Map<string, NodeDisk>();
  readonly #writes: Write[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #surroundings: NodeSurroundings;
  #round: Timer | undefined;
  #revision = 0;
  #generations = 0;
  #hostIds = 0;
  #schemaWrites = 0;

  constructor({ clock, random, reachable, timing }: NetworkOptions) {
    this.timing = { ...cassandraTiming, ...timing };
    this.#clock = clock;
    this.#reachable = reachable;
    this.#surroundings = {
      clock,
      random,
      timing: this.timing,
      nodes: this.#nodes,
      canTalk: (one, other) => one === other || (reachable(one, other) && reachable(other, one)),
      // A later start counts as later also than a removal, which adds one to the generation.
      nextGeneration: () => (this.#generations += 1000),
      newHostId: () => `00000000-0000-4000-8000-${(this.#hostIds += 1).toString(16).padStart(12, '0')}`,
      wake: () => this.#wake(),
      changed: () => this.#changed(),
      began: ({ hostId, options }) => this.#disks.set(hostId, options.disk),
      founds: (node) => this.foundings.push({ atMs: clock.monotonic(), node, hostId: node.hostId }),
      answerOfRing: (node, addresses) =>
        addresses.map((address) => this.#partner(node, address)).find((peer) => peer?.isGossiping),
      isAsking: (node, address) => this.#partner(node, address)?.isAsking ?? false,
      streamBootstrap: (node) => streamBootstrap(node, this.#disks),
      streamDecommission,
      ended: (node) => {
        if (this.#nodes.get(node.options.address) === node) this.#nodes.delete(node.options.address);
      },
    };
  }

  /** Starts a process of Cassandra. One that already runs at this address is no longer reached there. */
  start(options: NodeOptions): CassandraNode {
    const node = new CassandraNode(options, this.#surroundings);
    this.#nodes.set(options.address, node);
    return node;
  }

  /** Every process that runs, in the order in which their addresses were first used. */
  get nodes(): Iterable<CassandraNode> {
    return this.#nodes.values();
  }

  nodeAt(address: string): CassandraNode | undefined {
    return this.#nodes.get(address);
  }

  /** The node at an address, if a connection from that region to it comes about. */
  reaches(fromRegion: string, address: string): CassandraNode | undefined {
    const node = this.#nodes.get(address);
    if (!node) return undefined;
    const { region } = node.options;
    return region === fromRegion || this.#reachable(fromRegion, region) ? node : undefined;
  }

  /** Grows whenever any node would show something else than before, or may meet others. */
  get revision(): number {
    return this.#revision;
  }

  /** Calls `listener` after every such change; answers how to stop that. It must not change anything itself. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called when `reachable` answers otherwise than before, or names have other addresses by themselves. */
  connectivityChanged(): void {
    this.#wake();
    this.#changed();
  }

  /** True while no round of gossip is planned. */
  get isAtRest(): boolean {
    return this.#round === undefined;
  }

  /** A disk is gone for good, with all that was on it. */
  diskLost(disk: NodeDisk): void {
    if (disk.hostId !== undefined && this.#disks.get(disk.hostId) === disk) this.#disks.delete(disk.hostId);
  }

  /**
   * CREATE or ALTER KEYSPACE by a client of `node`; without a replication, DROP.
   * @throws SchemaRefusedError where Cassandra 5.0 refuses it
   */
  writeKeyspace(node: CassandraNode, name: string, replication: Replication | undefined): void {
    const { view } = node;
    if (node.mode !== 'NORMAL') throw new SchemaRefusedError(`the node is ${node.mode}`);
    const before = view.schema.definitions.get(name)?.replication;
    if (replication?.strategy === 'NetworkTopologyStrategy') {
      const present = new Set(view.ring.filter(({ status }) => status !== 'BOOT').map((state) => state.datacenter));
      const unknown = Object.keys(replication.datacenters).find((datacenter) => !present.has(datacenter));
      if (unknown !== undefined) throw new SchemaRefusedError(`Unrecognized strategy option {${unknown}}`);
      const dropped = [...present].find((each) => name === 'system_auth' && !replication.datacenters[each]);
      if (dropped !== undefined) {
        throw new SchemaRefusedError(`Following datacenters have active nodes and must be present: ${dropped}`);
      }
    }
    if (before && replication && view.ring.some(({ status }) => status === 'BOOT' || status === 'LEAVING')) {
      throw new SchemaRefusedError('Cannot alter a keyspace while nodes are joining, leaving or moving');
    }
    this.#wake();
    view.schema = withKeyspace(view.schema, name, replication, (this.#schemaWrites += 1));
    this.#changed();
  }

  /** A client writes through `node`: every owner that the node knows gets its share, one that is down once it is back. */
  write(node: CassandraNode, keyspace: string): void {
    const replication = node.view.schema.definitions.get(keyspace)?.replication;
    if (!replication) throw new SchemaRefusedError(`Keyspace ${keyspace} does not exist`);
    const id = this.#writes.length;
    // A node that joins is written to as well, beside what it streams (Cassandra's pending ranges), and one that has just
    // joined, although not everybody has heard of that.
    const joining = [...this.#nodes.values()].filter(
      ({ mode, options }) => (mode === 'JOINING' || mode === 'NORMAL') && factorIn(replication, options.datacenter) > 0,
    );
    const hosts = new Set([...ownersOf(node.view, replication), ...joining].map(({ hostId }) => hostId));
    this.#writes.push({ id, keyspace, hosts });
    for (const hostId of hosts) {
      const disk = this.#disks.get(hostId);
      if (disk) addData(disk, keyspace, [id]);
    }
  }

  /** `nodetool repair` of all that `node` knows. */
  repair(node: CassandraNode): void {
    repairAll(node, this.#disks);
  }

  /** Members that answer for ranges whose data they do not have, as `node` sees the ring. */
  dataGaps(node: CassandraNode): DataGap[] {
    return gapsIn(node.view, this.#writes, this.#disks);
  }

  /** Keyspaces of which some data may be on no member's disk any more, as `node` sees the ring. */
  lostKeyspaces(node: CassandraNode): string[] {
    return lostKeyspaces(node.view, this.#writes, this.#disks);
  }

  /** By host ID, the disks of all hosts that ever ran here and are not lost. */
  get disks(): ReadonlyMap<string, NodeDisk> {
    return this.#disks;
  }

  /** `removeNode`, after the node has made sure that it may. What only the host had is lost with it. */
  remove(node: CassandraNode, hostId: string): void {
    const { view } = node;
    const host = view.states.get(hostId);
    if (!host) return;
    const lostBefore = lostKeyspaces(view, this.#writes, this.#disks);
    for (const keyspace of lostKeyspaces(view, this.#writes, this.#disks, hostId)) {
      if (lostBefore.includes(keyspace)) continue;
      this.losses.push({ atMs: this.#clock.monotonic(), keyspace, why: `host ${hostId} was removed` });
    }
    this.#wake();
    view.remove(host);
    this.#changed();
  }

  /** Says that data has come to a node. */
  noteStreamed(): void {
    this.#changed();
  }

  /** The node at an address, if it is of the same cluster and messages pass between the two. */
  #partner(node: CassandraNode, address: string): CassandraNode | undefined {
    const peer = this.#nodes.get(address);
    const { region, clusterName } = node.options;
    if (!peer || peer === node || peer.options.clusterName !== clusterName) return undefined;
    return this.#surroundings.canTalk(region, peer.options.region) ? peer : undefined;
  }

  #changed(): void {
    this.#revision++;
    for (const listener of this.#listeners) listener();
  }

  #wake(): void {
    if (this.#round) return;
    const now = this.#clock.monotonic();
    for (const node of this.#nodes.values()) {
      if (!node.isGossiping) continue;
      // At rest every host that counts as alive has been heard all the time.
      for (const hostId of node.view.live) node.view.heartbeats.set(hostId, now);
    }
    this.#plan();
  }

  #plan(): void {
    this.#round = schedule(this.#clock, this.timing.gossipIntervalMs, () => {
      const changed = gossipRound(this.#surroundings, this.#clock.monotonic());
      for (const node of this.#nodes.values()) node.askAgain();
      if (changed) this.#changed();
      this.#round = undefined;
      if (changed || !isAtRest(this.#surroundings)) this.#plan();
    });
  }
}

/** Cassandra refuses a change of its schema. */
export class SchemaRefusedError extends Error {
  override readonly name = 'SchemaRefusedError';
  readonly code = 'SchemaRefused';
}
