import { perObject } from '../edges/per-object.ts';

/** What one Cassandra node says of the ring it is in. */
export interface NodeView {
  pod: string;
  /** The node's own host ID. */
  hostId: string;
  clusterName: string;
  /** NORMAL, STARTING, JOINING, LEAVING, DECOMMISSIONED, ... */
  operationMode: string;
  schemaVersion: string;
  /** Address -> host ID of every host this node knows, joining ones included. */
  hosts: Readonly<Record<string, string>>;
  /** Addresses this node's failure detector holds alive. */
  live: readonly string[];
  /** Addresses in bootstrap; never lists seeds, which skip it. */
  joining: readonly string[];
  leaving: readonly string[];
  moving: readonly string[];
  /** Keyspaces with data to replicate, system_auth and its like included. */
  keyspaces: readonly string[];
  /** Monotonic milliseconds at which the question was sent. */
  observedAtMs: number;
  /** Monotonic milliseconds since when every answer of this node named the same hosts. */
  hostsSinceMs: number;
}

/** What all views together say. */
export type RingState =
  /** Nobody who counts was heard. */
  | { kind: 'unknown' }
  /** Every view that counts names the same hosts. `busy` says what is down or on the move, if anything is. */
  | { kind: 'one'; hosts: ReadonlySet<string>; views: number; busy: string | undefined }
  /** One ring, but the views have not met yet. */
  | { kind: 'differing'; hosts: ReadonlySet<string>; views: number; why: string }
  /** NORMAL nodes know no common host, and have not for a while: two rings. */
  | { kind: 'split'; parties: readonly { pods: string[]; hosts: string[] }[] };

/** A node that has just started knows only itself until its first rounds of gossip, one a second. Milliseconds. */
const gossipPatienceMs = 15_000;

/**
 * Compares what the nodes see. Only NORMAL nodes count: a decommissioned node's view is frozen, and a joining one's
 * is not complete yet. Readiness of a pod proves nothing here, since CassKop's probe passes while a node joins.
 */
export function assessRing(views: readonly NodeView[]): RingState {
  const normal = views.filter((view) => view.operationMode === 'NORMAL');
  if (normal.length === 0) return { kind: 'unknown' };

  const hosts = new Set<string>();
  for (const view of normal) for (const host of hostsIn(view.hosts)) hosts.add(host);
  const isOne = hosts.size > 0 && normal.every((view) => hostsIn(view.hosts).size === hosts.size);
  if (isOne) return { kind: 'one', hosts, views: normal.length, busy: whatIsBusy(views) };
  const parties = connectedParties(normal);
  if (parties.length > 1) {
    const steady = normal.every((view) => view.observedAtMs - view.hostsSinceMs >= gossipPatienceMs);
    if (steady) return { kind: 'split', parties };
    const apart = parties.map((party) => party.pods.sort().join(', ')).join(' and ');
    return { kind: 'differing', hosts, views: normal.length, why: `${apart} have not heard of each other` };
  }
  for (const view of normal) {
    const seen = hostsIn(view.hosts);
    const missing = [...hosts].filter((host) => !seen.has(host));
    if (missing.length > 0) {
      const why = `${view.pod} does not know host ${missing.join(', ')} yet`;
      return { kind: 'differing', hosts, views: normal.length, why };
    }
  }
  return { kind: 'one', hosts, views: normal.length, busy: whatIsBusy(views) };
}

/** Host IDs that a node knows. */
const hostsIn = perObject((hosts: NodeView['hosts']): ReadonlySet<string> => new Set(Object.values(hosts)));

function whatIsBusy(views: readonly NodeView[]): string | undefined {
  for (const view of views) {
    const busy = busyIn(view);
    if (busy !== undefined) return busy;
  }
  return undefined;
}

const busyIn = perObject((view: NodeView): string | undefined => {
  if (view.operationMode !== 'NORMAL') return `${view.pod} is ${view.operationMode}`;
  const live = new Set(view.live);
  const down = Object.keys(view.hosts).find((address) => !live.has(address));
  if (down !== undefined) return `${view.pod} holds ${down} (host ${view.hosts[down]}) to be down`;
  for (const [what, addresses] of [
    ['joins', view.joining],
    ['leaves', view.leaving],
    ['moves', view.moving],
  ] as const) {
    if (addresses.length > 0) return `${view.pod} says that ${addresses.join(', ')} ${what}`;
  }
  return undefined;
});

/** Groups views that share a host, directly or through others: one group is one ring. */
function connectedParties(views: readonly NodeView[]): { pods: string[]; hosts: string[] }[] {
  let parties: { pods: string[]; hosts: string[] }[] = [];
  for (const view of views) {
    const hosts = hostsIn(view.hosts);
    const touching = parties.filter((party) => party.hosts.some((host) => hosts.has(host)));
    const merged = {
      pods: [...touching.flatMap((party) => party.pods), view.pod],
      hosts: [...new Set([...touching.flatMap((party) => party.hosts), ...hosts])],
    };
    parties = [...parties.filter((party) => !touching.includes(party)), merged];
  }
  return parties;
}

/** True when `view` holds the host alive and it neither joins, leaves nor moves. */
export function isMember(view: NodeView, hostId: string): boolean {
  return membersIn(view).has(hostId);
}

const membersIn = perObject(({ hosts, live, joining, leaving, moving }: NodeView): ReadonlySet<string> => {
  const members = new Set<string>();
  const seen = new Set<string>();
  for (const address of Object.keys(hosts)) {
    const host = hosts[address]!;
    const isMoving = [joining, leaving, moving].some((list) => list.includes(address));
    // Of several addresses of one host the first counts.
    if (!seen.has(host) && live.includes(address) && !isMoving) members.add(host);
    seen.add(host);
  }
  return members;
});
