import { isNewer, type EndpointState, type EndpointStatus } from './endpoint-state.ts';

/** The ring as one node sees it: the last word about every host, and which of them it has heard of lately. */
export class Membership {
  readonly #failureMs: number;
  readonly #states = new Map<string, EndpointState>();
  /** Host ID -> when its heartbeat last moved, in milliseconds of `performance.now()`. */
  readonly #heard = new Map<string, number>();
  #self: EndpointState;
  #frozenAt: number | undefined;

  /** @param failureMs a host whose heartbeat stands still for so many milliseconds counts as down */
  constructor(self: EndpointState, saved: readonly EndpointState[], failureMs: number) {
    this.#self = self;
    this.#failureMs = failureMs;
    for (const state of saved) this.#states.set(state.hostId, state);
    this.#states.set(self.hostId, self);
  }

  get self(): EndpointState {
    return this.#self;
  }

  states(): EndpointState[] {
    return [...this.#states.values()];
  }

  beat(): void {
    this.announce(this.#self.status);
  }

  announce(status: EndpointStatus): void {
    this.#self = { ...this.#self, status, version: this.#self.version + 1 };
    this.#states.set(this.#self.hostId, this.#self);
  }

  /** No news from here on: a decommissioned node's view stays as it was. */
  freeze(): void {
    this.#frozenAt = performance.now();
  }

  /**
   * Takes what another node says.
   * @param from host ID of that node. About the others it may repeat old news, so they only count as alive once
   * their heartbeat moves.
   */
  merge(states: readonly EndpointState[], from: string): void {
    if (this.#frozenAt !== undefined) return;
    for (const state of states) {
      if (state.hostId === this.#self.hostId) continue;
      const known = this.#states.get(state.hostId);
      if (known && !isNewer(state, known)) continue;
      this.#states.set(state.hostId, state);
      if (state.status === 'LEFT' || state.status === 'shutdown') this.#heard.delete(state.hostId);
      else if (state.hostId === from || (known && known.generation > 0))
        this.#heard.set(state.hostId, performance.now());
    }
  }

  /** Takes a host that is down out of the ring, as `removeNode` does. Only a restart of that host can undo it. */
  remove(host: EndpointState): void {
    this.#states.set(host.hostId, { ...host, status: 'LEFT', generation: host.generation + 1, version: 0 });
    this.#heard.delete(host.hostId);
  }

  /** The members, one per address: of two hosts that had the same address the one that started last. */
  ring(): EndpointState[] {
    const byAddress = new Map<string, EndpointState>();
    for (const state of this.#states.values()) {
      if (state.status === 'LEFT') continue;
      const other = byAddress.get(state.address);
      if (!other || state.generation > other.generation) byAddress.set(state.address, state);
    }
    return [...byAddress.values()];
  }

  isAlive(state: EndpointState): boolean {
    if (state.hostId === this.#self.hostId) return true;
    const heard = this.#heard.get(state.hostId);
    return heard !== undefined && (this.#frozenAt ?? performance.now()) - heard < this.#failureMs;
  }
}
