import assert from 'node:assert/strict';
import { SeededRandom, VirtualClock } from '../../../../src/edges/testing.ts';
import { CassandraNetwork } from './network.ts';
import { emptyDisk } from './node-disk.ts';
import type { CassandraNode, NodeOptions } from './node.ts';
import { readAttribute } from './storage-service.ts';

const storageService = 'org.apache.cassandra.db:type=StorageService';

/** Nodes at will, each in the region that its datacenter is named after unless it is told otherwise; for tests. */
export class RingBench {
  readonly clock = new VirtualClock();
  /** `from>to` of connections that do not come about. */
  readonly cut = new Set<string>();
  readonly names = new Map<string, string>();
  readonly exits: string[] = [];
  readonly network: CassandraNetwork;
  #addresses = 0;

  constructor(seed = 1) {
    this.network = new CassandraNetwork({
      clock: this.clock,
      random: new SeededRandom(seed),
      reachable: (from, to) => !this.cut.has(`${from}>${to}`),
    });
  }

  address(): string {
    this.#addresses += 1;
    return `198.18.${Math.floor(this.#addresses / 250)}.${(this.#addresses % 250) + 1}`;
  }

  /** Starts a node; `seeds` names nodes, `name` itself included. Its name leads to its address from now on. */
  start(
    name: string,
    seeds: readonly string[],
    options: Partial<Omit<NodeOptions, 'name' | 'rack' | 'seeds' | 'resolve' | 'onExit'>> = {},
  ): CassandraNode {
    const { datacenter = 'eu', region = datacenter, clusterName = 'orders', address = this.address() } = options;
    this.names.set(name, address);
    const place = { name, region, address, clusterName, datacenter, rack: 'rack1' };
    return this.network.start({
      ...options,
      ...place,
      seeds,
      resolve: (seed) => this.names.get(seed),
      disk: options.disk ?? emptyDisk(),
      onExit: (reason) => this.exits.push(`${name}: ${reason}`),
    });
  }

  async normal(...nodes: CassandraNode[]): Promise<void> {
    await this.clock.until(
      `${nodes.map(({ options }) => options.name).join(', ')} to be NORMAL (${this.exits.join('; ')})`,
      () => nodes.every(({ mode }) => mode === 'NORMAL'),
      120_000,
    );
  }

  async startNormal(...args: Parameters<RingBench['start']>): Promise<CassandraNode> {
    const node = this.start(...args);
    await this.normal(node);
    return node;
  }

  /** The nodes `names`, one after the other, the first of which is everybody's seed. */
  async ring(...names: string[]): Promise<CassandraNode[]> {
    const nodes: CassandraNode[] = [];
    for (const name of names) {
      const [datacenter = 'eu'] = name.split('-');
      nodes.push(await this.startNormal(name, [names[0] ?? name], { datacenter }));
      await this.rest();
    }
    return nodes;
  }

  /** Cuts or joins two regions, in both directions. */
  connect(one: string, other: string, isOpen: boolean): void {
    for (const way of [`${one}>${other}`, `${other}>${one}`]) {
      if (isOpen) this.cut.delete(way);
      else this.cut.add(way);
    }
    this.network.connectivityChanged();
  }

  /** Until no round of gossip would change anything. */
  rest(): Promise<void> {
    return this.clock.until('rest', () => this.network.isAtRest, 300_000);
  }

  read(node: CassandraNode, attribute: string): unknown {
    return readAttribute(node, storageService, attribute);
  }

  list(node: CassandraNode, attribute: string): string[] {
    return (this.read(node, attribute) as string[]).toSorted();
  }

  hosts(node: CassandraNode): string[] {
    return Object.values(this.read(node, 'EndpointToHostId') as Record<string, string>).toSorted();
  }

  /** Asserts that each of the nodes lists exactly these nodes, all of them alive. */
  assertOneRing(...nodes: CassandraNode[]): void {
    const hosts = nodes.map(({ hostId }) => hostId).toSorted();
    const addresses = nodes.map(({ options }) => options.address).toSorted();
    for (const node of nodes) {
      assert.deepEqual(this.hosts(node), hosts, node.options.name);
      assert.deepEqual(this.list(node, 'LiveNodes'), addresses, node.options.name);
    }
  }
}
