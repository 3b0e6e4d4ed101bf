import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Disk, type DiskContent } from './disk.ts';
import { GossipClient, parseMessage, resolveSeeds, type GossipMessage } from './gossip-client.ts';
import { Membership } from './membership.ts';

export interface LightNodeOptions {
  address: string;
  clusterName: string;
  datacenter: string;
  rack: string;
  /** Names or addresses, as in cassandra.yaml. */
  seeds: readonly string[];
  /** Data directory. */
  data: string;
  /** As in cassandra.yaml: without it a node that is no seed is NORMAL at once, too. */
  autoBootstrap: boolean;
  /** Ignored by a node that has joined. Any other does not start: a light node takes nobody's place. */
  replaceAddressFirstBoot: string | undefined;
  /** How long a starting node asks for the ring before it gives up or, as a seed, goes on alone. Milliseconds. */
  ringDelayMs: number;
  /** How long it stays JOINING or LEAVING. Milliseconds. */
  streamMs: number;
  gossipIntervalMs: number;
  /** Milliseconds without a heartbeat after which a host counts as down. */
  failureMs: number;
}

export type OperationMode = 'STARTING' | 'JOINING' | 'NORMAL' | 'LEAVING' | 'DECOMMISSIONED' | 'DRAINED';

/** Why a node does not start; Cassandra exits with status 3 then, and so does the light node. */
export class StartRefusedError extends Error {
  override readonly name = 'StartRefusedError';
  readonly code = 'StartRefused';
}

const exchangeTimeoutMs = 1000;
const shadowTimeoutMs = 5000;
const gossipFanout = 3;

/**
 * One member of a ring that holds no data: host ID, seeds, shadow round, join, gossip, failure detection and
 * decommission follow Cassandra 5.0.8, so that a ring of light nodes forms, splits and heals where one of Cassandra
 * would.
 */
export class LightNode {
  readonly options: LightNodeOptions;
  readonly hostId: string;
  readonly membership: Membership;
  readonly #disk: Disk;
  readonly #client: GossipClient;
  readonly #generation: number;
  #bootstrapped: DiskContent['bootstrapped'];
  /** Addresses whose answer to the gossip loop is still to come. */
  readonly #exchanging = new Set<string>();
  #mode: OperationMode = 'STARTING';
  #gossiping: Promise<void> | undefined;
  /** Looked up once, at the start, as in Cassandra: a seed that moves later is not found again by its name. */
  #seedAddresses: readonly string[] = [];
  readonly #stop = new AbortController();
  readonly #streamed = new AbortController();

  /** @throws StartRefusedError if the disk belongs to another cluster, or to a node that was decommissioned */
  constructor(options: LightNodeOptions) {
    this.options = options;
    this.#disk = new Disk(options.data);
    const saved = this.#disk.read();
    if (saved && saved.clusterName !== options.clusterName) {
      throw new StartRefusedError(`Saved cluster name ${saved.clusterName} != configured name ${options.clusterName}`);
    }
    if (saved?.bootstrapped === 'DECOMMISSIONED') {
      throw new StartRefusedError('This node was decommissioned and will not rejoin the ring');
    }
    this.hostId = saved?.hostId ?? randomUUID();
    this.#bootstrapped = saved?.bootstrapped ?? 'NEEDS_BOOTSTRAP';
    this.#generation = Math.max(Date.now(), (saved?.generation ?? 0) + 1);
    const { address, datacenter, rack } = options;
    const self = { hostId: this.hostId, address, datacenter, rack, generation: this.#generation, version: 0 };
    this.membership = new Membership({ ...self, status: 'BOOT' }, saved?.peers ?? [], options.failureMs);
    this.#client = new GossipClient(address);
    this.#save();
  }

  get mode(): OperationMode {
    return this.#mode;
  }

  /**
   * Returns once the node is NORMAL.
   * @throws StartRefusedError where Cassandra would exit, or the signal's reason
   */
  async start(signal: AbortSignal): Promise<void> {
    const { address, seeds, clusterName, autoBootstrap, replaceAddressFirstBoot } = this.options;
    const seedAddresses = await resolveSeeds(seeds);
    this.#seedAddresses = seedAddresses;
    if (seedAddresses.length === 0) throw new StartRefusedError('The seed provider lists no seeds.');
    const isSeed = seedAddresses.includes(address);
    const bootstraps = this.#bootstrapped === 'NEEDS_BOOTSTRAP' && autoBootstrap && !isSeed;
    const replaces = this.#bootstrapped === 'NEEDS_BOOTSTRAP' && replaceAddressFirstBoot !== undefined;
    if (replaces && !bootstraps) {
      throw new StartRefusedError(
        'Replacing a node without bootstrapping risks invalidating consistency guarantees as the expected data may not be present until repair is run.',
      );
    }
    const savedPeers = this.membership.ring().map((peer) => peer.address);
    const others = [...new Set([...seedAddresses, ...savedPeers])].filter((other) => other !== address);
    const ring = others.length > 0 ? await this.#shadowRound(others, signal) : undefined;
    if (ring) this.#checkAgainst(ring);
    else if (others.length > 0 && !isSeed) throw new StartRefusedError('Unable to gossip with any peers');
    if (replaces)
      throw new StartRefusedError(
        `Cannot replace_address ${replaceAddressFirstBoot} because it doesn't exist in gossip`,
      );
    if (bootstraps) {
      if (ring?.states.some(({ status }) => status === 'BOOT' || status === 'LEAVING')) {
        throw new StartRefusedError(
          'Other bootstrapping/leaving/moving nodes detected, cannot bootstrap while cassandra.consistent.rangemovement is true',
        );
      }
      this.#enter('JOINING');
      this.#gossiping = this.#gossip();
      await this.#stream(signal);
    }
    this.#bootstrapped = 'COMPLETED';
    this.membership.announce('NORMAL');
    this.#save();
    this.#enter('NORMAL', ` as ${this.hostId} in ${clusterName}`);
    this.#gossiping ??= this.#gossip();
  }

  /** The answer to another node's message; undefined if this node takes no part, or is of another cluster. */
  receive(text: string): GossipMessage | undefined {
    const message = parseMessage(text);
    if (!this.#gossiping || this.#stop.signal.aborted || message?.clusterName !== this.options.clusterName)
      return undefined;
    if (message.from !== '') this.#merge(message);
    return this.#message();
  }

  /** Leaves the ring; the process goes on, with the view it had. */
  async decommission(): Promise<void> {
    this.#enter('LEAVING');
    this.membership.announce('LEAVING');
    await this.#stream(this.#stop.signal);
    this.membership.announce('LEFT');
    this.#bootstrapped = 'DECOMMISSIONED';
    this.#save();
    await this.#tellEverybody();
    this.membership.freeze();
    this.#stop.abort();
    await this.#gossiping;
    this.#enter('DECOMMISSIONED');
  }

  /** Lets it be JOINING or LEAVING no longer, however much of `streamMs` is left. */
  endStreaming(): void {
    this.#streamed.abort();
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([signal, this.#streamed.signal]);
    await sleep(this.options.streamMs, undefined, { signal: ends }).catch(() => signal.throwIfAborted());
  }

  /** Stops as on SIGTERM: tells the others, so that they need not find out. */
  async shutdown(): Promise<void> {
    if (this.#mode === 'NORMAL') {
      this.membership.announce('shutdown');
      await this.#tellEverybody();
    }
    this.#stop.abort();
    await this.#gossiping;
    this.#client.close();
  }

  #checkAgainst(ring: GossipMessage): void {
    this.membership.merge(ring.states, ring.from);
    const { address } = this.options;
    const holder = ring.states.find((state) => state.address === address && state.status !== 'LEFT');
    if (holder && holder.hostId !== this.hostId) {
      throw new StartRefusedError(
        `A node with address /${address}:7000 already exists, cancelling join. Use cassandra.replace_address if you want to replace this node.`,
      );
    }
  }

  /**
   * Asks until one node answers or the ring delay is over; an answer that is under way then is waited for, so that a
   * busy machine does not look like an absent ring. Nothing of this node is told.
   */
  async #shadowRound(addresses: readonly string[], signal: AbortSignal): Promise<GossipMessage | undefined> {
    const deadline = performance.now() + this.options.ringDelayMs;
    const { clusterName } = this.options;
    const ask = async (address: string): Promise<GossipMessage> => {
      const answer = await this.#client.exchange(address, { clusterName, from: '', states: [] }, shadowTimeoutMs);
      if (answer?.clusterName !== clusterName) throw new StartRefusedError(`no answer from ${address}`);
      return answer;
    };
    do {
      const answer = await Promise.any(addresses.map(ask)).catch(() => undefined);
      if (answer) return answer;
      await sleep(this.options.gossipIntervalMs, undefined, { signal });
    } while (performance.now() < deadline);
    return undefined;
  }

  async #gossip(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.membership.beat();
      // Not waited for: a node behind a cut connection must not slow down this one's heartbeat.
      for (const address of this.#targets()) void this.#exchangeUnlessUnderWay(address);
      await sleep(this.options.gossipIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** As Cassandra: some that live, one that does not, and a seed. */
  #targets(): string[] {
    const others = this.membership.ring().filter((state) => state.hostId !== this.hostId);
    const alive = others.filter((state) => this.membership.isAlive(state)).map((state) => state.address);
    const dead = others.filter((state) => !this.membership.isAlive(state)).map((state) => state.address);
    const chosen = [...shuffled(alive).slice(0, gossipFanout), ...shuffled(dead).slice(0, 1)];
    const [seed] = shuffled(this.#seedAddresses);
    return [...new Set([...chosen, ...(seed === undefined ? [] : [seed])])].filter(
      (address) => address !== this.options.address,
    );
  }

  async #tellEverybody(): Promise<void> {
    const others = this.membership.ring().filter((state) => state.hostId !== this.hostId);
    await Promise.all(others.map(({ address }) => this.#exchangeWith(address)));
  }

  async #exchangeUnlessUnderWay(address: string): Promise<void> {
    if (this.#exchanging.has(address)) return;
    this.#exchanging.add(address);
    await this.#exchangeWith(address);
    this.#exchanging.delete(address);
  }

  async #exchangeWith(address: string): Promise<void> {
    const answer = await this.#client.exchange(address, this.#message(), exchangeTimeoutMs);
    if (answer?.clusterName === this.options.clusterName) this.#merge(answer);
  }

  #message(): GossipMessage {
    return { clusterName: this.options.clusterName, from: this.hostId, states: this.membership.states() };
  }

  #merge(message: GossipMessage): void {
    this.membership.merge(message.states, message.from);
    this.#save();
  }

  #save(): void {
    this.#disk.write({
      clusterName: this.options.clusterName,
      hostId: this.hostId,
      bootstrapped: this.#bootstrapped,
      generation: this.#generation,
      peers: this.membership.ring().filter((state) => state.hostId !== this.hostId),
    });
  }

  #enter(mode: OperationMode, detail = ''): void {
    this.#mode = mode;
    process.stdout.write(`${mode}${detail}\n`);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
