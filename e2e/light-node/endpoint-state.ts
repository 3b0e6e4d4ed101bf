/**
 * `BOOT`: joining. `shutdown`: stopped in an orderly way, still a member. `LEFT`: decommissioned or removed.
 * The names are Cassandra's.
 */
export type EndpointStatus = 'BOOT' | 'NORMAL' | 'LEAVING' | 'LEFT' | 'shutdown';

/** What a node tells the others about itself, and what they tell each other about it. */
export interface EndpointState {
  hostId: string;
  address: string;
  datacenter: string;
  rack: string;
  status: EndpointStatus;
  /** Grows with every start of the node. 0: read from disk, nothing heard of it yet. */
  generation: number;
  /** Grows while the node runs: its heartbeat. */
  version: number;
}

/** Whether `a` is the later word about its host. */
export function isNewer(a: EndpointState, b: EndpointState): boolean {
  return a.generation === b.generation ? a.version > b.version : a.generation > b.generation;
}

/** The states in a message of another node; whatever is not one is dropped. */
export function endpointStates(value: unknown): EndpointState[] {
  return Array.isArray(value) ? value.filter(isEndpointState) : [];
}

function isEndpointState(value: unknown): value is EndpointState {
  if (typeof value !== 'object' || value === null) return false;
  const state: Partial<Record<keyof EndpointState, unknown>> = value;
  return (
    [state.hostId, state.address, state.datacenter, state.rack, state.status].every(
      (text) => typeof text === 'string',
    ) && [state.generation, state.version].every(Number.isSafeInteger)
  );
}
