import { isNewer } from '../../../light-node/endpoint-state.ts';
import type { Random } from '../../../../src/edges/random.ts';
import type { CassandraNode } from './node.ts';
import { isGone } from './ring-view.ts';
import { mergeSchemas } from './schema.ts';
import type { CassandraTiming } from './timing.ts';

/** What gossip needs to know of the world around the nodes. */
export interface GossipWorld {
  readonly nodes: ReadonlyMap<string, CassandraNode>;
  readonly timing: CassandraTiming;
  readonly random: Random;
  /** Whether each of two regions reaches the other: a gossip exchange takes a connection from either side. */
  canTalk(one: string, other: string): boolean;
}

/**
 * One round: every node exchanges what it knows with some others, then the failure detectors speak. Answers whether
 * anything changed that a node would show.
 */
export function gossipRound(world: GossipWorld, now: number): boolean {
  let changed = false;
  for (const node of world.nodes.values()) {
    if (!node.isGossiping) continue;
    for (const address of targets(node, world.random)) {
      const peer = world.nodes.get(address);
      if (!peer || !exchanges(world, node, peer)) continue;
      changed = tell(world, node, peer, now) || changed;
      changed = tell(world, peer, node, now) || changed;
    }
  }
  for (const node of world.nodes.values()) {
    if (node.isGossiping) changed = convict(node, world.timing, now) || changed;
  }
  return changed;
}

/** Whether a message of one of the two nodes is answered by the other. */
export function exchanges(world: GossipWorld, one: CassandraNode, other: CassandraNode): boolean {
  return (
    one !== other &&
    one.isGossiping &&
    other.isGossiping &&
    one.options.clusterName === other.options.clusterName &&
    world.canTalk(one.options.region, other.options.region)
  );
}

/** As Cassandra's GossipTask: one that lives, perhaps one that does not, and perhaps a seed. */
function targets(node: CassandraNode, random: Random): string[] {
  const { view, seedAddresses } = node;
  const others = view.ring.filter((state) => state !== view.self);
  const alive = others.filter((state) => view.live.has(state.hostId));
  const chosen: string[] = [];
  const choose = (addresses: readonly string[]): void => {
    const address = addresses[Math.floor(random.next() * addresses.length)];
    if (address !== undefined && !chosen.includes(address)) chosen.push(address);
  };
  if (alive.length > 0) choose(alive.map(({ address }) => address));
  const down = others.length - alive.length;
  if (down > 0 && random.next() < down / (alive.length + 1)) {
    choose(others.filter((state) => !view.live.has(state.hostId)).map(({ address }) => address));
  }
  if (seedAddresses.length > 0) {
    const toldSeed = chosen.some((address) => seedAddresses.includes(address));
    const wanted = !toldSeed || alive.length < seedAddresses.length;
    if (wanted && (alive.length === 0 || random.next() <= seedAddresses.length / others.length)) choose(seedAddresses);
  }
  return chosen;
}

/** `to` hears all that `from` knows. Answers whether that changed what `to` would show. */
export function tell(world: GossipWorld, from: CassandraNode, to: CassandraNode, now: number): boolean {
  const source = from.view;
  const target = to.view;
  let changed = false;
  if (source.schema !== target.schema) {
    const merged = mergeSchemas(target.schema, source.schema);
    changed = merged.version !== target.schema.version;
    target.schema = merged;
  }
  for (const state of source.states.values()) {
    const { hostId } = state;
    if (hostId === target.self.hostId) continue;
    const heartbeat = hostId === source.self.hostId ? now : source.heartbeats.get(hostId);
    const known = target.states.get(hostId);
    if (known !== state) {
      const isForgotten = state.status === 'BOOT' && now - (heartbeat ?? 0) >= world.timing.forgetJoiningMs;
      if (isForgotten || !target.accept(state)) continue;
      changed = true;
    }
    if (heartbeat === undefined || isGone(state)) continue;
    const before = target.heartbeats.get(hostId);
    if (before !== undefined && heartbeat <= before) continue;
    target.heartbeats.set(hostId, heartbeat);
    // Others may repeat old news: what they say of a third host shows that it lives once its heartbeat moves.
    const livesNow = hostId === source.self.hostId || before !== undefined;
    if (livesNow && !target.live.has(hostId) && hearsEcho(world, to, state.address, hostId)) {
      target.live.add(hostId);
      changed = true;
    }
  }
  return changed;
}

/** Nobody counts as up again before it has answered an ECHO_REQ itself (Gossiper.markAlive). */
function hearsEcho(world: GossipWorld, node: CassandraNode, address: string, hostId: string): boolean {
  const peer = world.nodes.get(address);
  return peer?.view.self.hostId === hostId && exchanges(world, node, peer);
}

/** Holds hosts to be down that have been silent for too long, and forgets those that never were members. */
function convict({ view }: CassandraNode, timing: CassandraTiming, now: number): boolean {
  let changed = false;
  for (const hostId of view.live) {
    if (now - (view.heartbeats.get(hostId) ?? 0) < timing.failureMs) continue;
    view.live.delete(hostId);
    changed = true;
  }
  for (const { hostId, status } of view.states.values()) {
    if (status !== 'BOOT' || hostId === view.self.hostId) continue;
    if (now - (view.heartbeats.get(hostId) ?? 0) < timing.forgetJoiningMs) continue;
    view.forget(hostId);
    changed = true;
  }
  return changed;
}

/** True when no round, however often repeated, would change what any node shows: then none is needed. */
export function isAtRest(world: GossipWorld): boolean {
  const nodes = [...world.nodes.values()].filter((node) => node.isGossiping);
  const party = new Map<CassandraNode, CassandraNode>(nodes.map((node) => [node, node]));
  const partyOf = (node: CassandraNode): CassandraNode => {
    let head = node;
    for (let next = party.get(head); next && next !== head; next = party.get(head)) head = next;
    return head;
  };
  for (const [index, one] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) {
      if (!exchanges(world, one, other) || !(mayTell(one, other) || mayTell(other, one))) continue;
      if (hasNewsFor(one, other) || hasNewsFor(other, one)) return false;
      party.set(partyOf(other), partyOf(one));
    }
  }
  return nodes.every((node) => hearsWhomItHoldsAlive(node));

  function hearsWhomItHoldsAlive(node: CassandraNode): boolean {
    const { view } = node;
    for (const state of view.states.values()) {
      if (state === view.self || isGone(state) || state.hostId === view.self.hostId) continue;
      const peer = world.nodes.get(state.address);
      const isThere = peer?.isGossiping === true && peer.view.self === state;
      const isHeard = isThere && partyOf(peer) === partyOf(node);
      if (view.live.has(state.hostId) ? !isHeard : isHeard && exchanges(world, node, peer)) return false;
      if (state.status === 'BOOT' && !isHeard) return false;
    }
    return true;
  }
}

/** Whether `node` may choose the other as the one to talk to. */
function mayTell(node: CassandraNode, { options: { address } }: CassandraNode): boolean {
  return node.seedAddresses.includes(address) || node.view.ring.some((state) => state.address === address);
}

function hasNewsFor({ view: source }: CassandraNode, { view: target }: CassandraNode): boolean {
  if (source.schema.version !== target.schema.version) return true;
  for (const state of source.states.values()) {
    if (state.hostId === target.self.hostId) continue;
    const known = target.states.get(state.hostId);
    if (known !== state && (!known || isNewer(state, known))) return true;
  }
  return false;
}
