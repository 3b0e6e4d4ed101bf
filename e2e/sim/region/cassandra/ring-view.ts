import { isNewer, type EndpointState, type EndpointStatus } from '../../../light-node/endpoint-state.ts';
import type { Schema } from './schema.ts';

/**
 * The ring as one node sees it: the last word about every host, when each last gave a sign of life, and which of them
 * count as alive. States are shared between views and never change. Instead of a heartbeat's number the view keeps
 * the time at which it was given, which spreads and is compared in the same way.
 */
export class RingView {
  readonly #states = new Map<string, EndpointState>();
  /** Host ID -> monotonic milliseconds of the latest heartbeat that this node knows of. */
  readonly heartbeats = new Map<string, number>();
  /** Host IDs that the failure detector holds alive, without the node's own. */
  readonly live = new Set<string>();
  schema: Schema;
  #self: EndpointState;
  #ring: readonly EndpointState[] | undefined;

  constructor(self: EndpointState, saved: readonly EndpointState[], schema: Schema) {
    this.#self = self;
    this.schema = schema;
    for (const state of saved) this.#states.set(state.hostId, state);
    this.#states.set(self.hostId, self);
  }

  get self(): EndpointState {
    return this.#self;
  }

  get states(): ReadonlyMap<string, EndpointState> {
    return this.#states;
  }

  announce(status: EndpointStatus): void {
    this.#self = { ...this.#self, status, version: this.#self.version + 1 };
    this.set(this.#self);
  }

  set(state: EndpointState): void {
    this.#states.set(state.hostId, state);
    this.#ring = undefined;
  }

  /** Takes the state over unless it is old news. A host that has started anew, or has gone, counts as down at first. */
  accept(state: EndpointState): boolean {
    const { hostId } = state;
    const known = this.#states.get(hostId);
    if (known && !isNewer(state, known)) return false;
    this.set(state);
    if (isGone(state) || state.generation !== known?.generation) {
      this.live.delete(hostId);
      this.heartbeats.delete(hostId);
    }
    return true;
  }

  /** Forgets a host that never became a member. */
  forget(hostId: string): void {
    this.#states.delete(hostId);
    this.live.delete(hostId);
    this.heartbeats.delete(hostId);
    this.#ring = undefined;
  }

  /** Takes a host that is down out of the ring, as `removeNode` does. Only a restart of that host can undo it. */
  remove(host: EndpointState): void {
    this.set({ ...host, status: 'LEFT', generation: host.generation + 1, version: 0 });
    this.live.delete(host.hostId);
    this.heartbeats.delete(host.hostId);
  }

  /** The members, one per address: of two hosts that had the same address the one that started last. */
  get ring(): readonly EndpointState[] {
    if (this.#ring) return this.#ring;
    const byAddress = new Map<string, EndpointState>();
    for (const state of this.#states.values()) {
      if (state.status === 'LEFT') continue;
      const other = byAddress.get(state.address);
      if (!other || state.generation > other.generation) byAddress.set(state.address, state);
    }
    return (this.#ring = [...byAddress.values()]);
  }

  isAlive({ hostId }: EndpointState): boolean {
    return hostId === this.#self.hostId || this.live.has(hostId);
  }

  /** What system.peers holds: the other members, as a node finds them after a restart. */
  peers(): EndpointState[] {
    return this.ring
      .filter(({ hostId, status }) => hostId !== this.#self.hostId && status !== 'BOOT')
      .map((state) => ({ ...state, status: 'NORMAL', generation: 0, version: 0 }));
  }
}

/** It has stopped or left, and said so. */
export function isGone({ status }: EndpointState): boolean {
  return status === 'LEFT' || status === 'shutdown';
}
