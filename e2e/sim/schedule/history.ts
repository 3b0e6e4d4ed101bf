import type { Passage } from '../world/network.ts';
import type { Mishap } from '../world/transport.ts';

/** What the world is made of before anything happens. */
export interface Shape {
  /** One entry for each region, in the order of spec.regions. */
  readonly regions: readonly { readonly name: string; readonly nodesPerRacks: number; readonly racks: number }[];
  /** The cluster that holds the MultiCassandraCluster: one of the regions, or `hub` for one of its own. */
  readonly hub: string;
  /** Bounds of the time one message takes, milliseconds. */
  readonly latencyMs: { readonly least: number; readonly most: number };
  readonly guardWaitSeconds: number;
  /** The template names a pull Secret from the beginning. */
  readonly namesSecret?: true;
  /** The spec lets keyspaces be altered; the Secret for that is there, holds a wrong password, or is missing. */
  readonly cql?: 'from the start' | 'with a wrong password' | 'without a Secret';
  /** What the API servers' versions begin with; without it each has a number of its own between 1000 and 10000. */
  readonly firstVersion?: number;
}

/** One thing that a user, the weather or bad luck does. Times are milliseconds. */
export type Action =
  // The controller and its machine.
  | { readonly do: 'kill controller'; readonly backAfterMs: number }
  | { readonly do: 'stop controller'; readonly backAfterMs: number }
  /**
   * At once, or when its write of this number from now on waits for its connection, or when one has sent a request
   * whose path holds `atRequest`, and the answer is still to come.
   */
  | {
      readonly do: 'pause controller';
      readonly forMs: number;
      readonly atWrite?: number;
      readonly atRequest?: string;
    }
  | { readonly do: 'second controller'; readonly forMs: number }
  /**
   * Another controller that hears nothing from the hub any more, and then the user changes guardWaitSeconds; the one
   * that leads delivers that, stops, and leaves the Lease to it.
   */
  | { readonly do: 'outdated controller'; readonly to: number; readonly forMs: number }
  | { readonly do: 'skew clock'; readonly byMs: number }
  /** At the `nth` request from now on, or the nth that changes something, the controller dies. */
  | {
      readonly do: 'crash at';
      readonly nth: number;
      readonly of: 'requests' | 'writes';
      readonly point: NonNullable<Mishap['crash']>;
      readonly backAfterMs: number;
      /** The cluster it wrote to cannot be reached from then on for so long: one outage of the network is both. */
      readonly cutOffMs?: number;
    }
  // The network.
  | {
      readonly do: 'cut';
      readonly from: string;
      readonly to: string;
      readonly passage: Exclude<Passage, 'open'>;
      readonly bothWays: boolean;
      readonly forMs: number;
    }
  // The API servers.
  | {
      readonly do: 'bad answers';
      readonly cluster: string;
      readonly status: 401 | 403 | 409 | 410 | 429 | 500 | 503;
      readonly count: number;
      /** Only when this kind is asked for, as when a role lacks a rule. */
      readonly of?: string;
    }
  /** The API server of the region cannot reach the pods; the controller reads all but what the nodes say. */
  | { readonly do: 'mute nodes'; readonly region: string; readonly forMs: number }
  | {
      readonly do: 'lose answers';
      readonly cluster: string;
      readonly count: number;
      readonly as: NonNullable<Mishap['afterCommit']>;
    }
  | { readonly do: 'slow requests'; readonly cluster: string; readonly count: number; readonly byMs: number }
  /** Whoever asks for what came after an earlier version has to list again; `resets`: so do the watches that are open. */
  | { readonly do: 'compact'; readonly cluster: string; readonly resets?: boolean }
  | { readonly do: 'reset watches'; readonly cluster: string; readonly inLine: boolean }
  | { readonly do: 'hold watches'; readonly cluster: string; readonly plural: string; readonly forMs: number }
  | { readonly do: 'deafen watches'; readonly cluster: string }
  /** Whatever lists from a cache, as with resourceVersion=0, is answered with how things were. */
  | { readonly do: 'lag'; readonly cluster: string; readonly forMs: number }
  // The regions.
  | { readonly do: 'crash CassKop'; readonly region: string; readonly backAfterMs: number }
  | { readonly do: 'restart pod'; readonly region: string; readonly pod: number; readonly wipe: boolean }
  | { readonly do: 'restart region'; readonly region: string }
  /** `lost`: and one of them comes back without its disk. */
  | { readonly do: 'restart all pods'; readonly lost?: { readonly region: string; readonly pod: number } }
  | { readonly do: 'lose region'; readonly region: string; readonly forMs: number }
  // The user.
  | { readonly do: 'set guardWaitSeconds'; readonly to: number }
  | { readonly do: 'reorder regions' }
  | { readonly do: 'observe region'; readonly region: string; readonly forMs: number }
  | { readonly do: 'drop region'; readonly region: string; readonly forMs: number }
  | {
      readonly do: 'edit template';
      readonly field: 'image' | 'newer image' | 'resources' | 'labels';
      readonly forMs: number;
    }
  | { readonly do: 'order a restart'; readonly token: string }
  /** Something that every node does once. */
  | { readonly do: 'order an operation'; readonly name: 'cleanup' | 'upgradesstables'; readonly token: string }
  /** One node more or less in each of its racks. `restarts`: the edit that takes nodes away orders a restart as well. */
  | {
      readonly do: 'resize region';
      readonly region: string;
      readonly by: 1 | -1;
      readonly forMs: number;
      readonly restarts?: boolean;
    }
  | { readonly do: 'edit member by hand'; readonly region: string; readonly forMs: number }
  | { readonly do: 'delete member'; readonly region: string }
  | { readonly do: 'delete guard'; readonly region: string }
  /** `unseen`: while this region cannot be reached, for so long. */
  | { readonly do: 'wipe status'; readonly unseen?: string; readonly forMs?: number }
  /** What there is may be adopted at once, or `adoptAfterMs` later. With `whatever` nobody waits until changes are through: the hub is lost. */
  | { readonly do: 'delete and recreate'; readonly adoptAfterMs?: number; readonly whatever?: true }
  /**
   * The object goes, then everything that tells of Ringmaster from one region after the other; then it is applied again and may adopt.
   * `unguarded`: members do not name their guard any more, which restarts their pods.
   */
  | { readonly do: 'take our marks away'; readonly everyMs: number; readonly unguarded: boolean }
  /** The object carries our finalizer when it is deleted; the user takes it off later and applies the object again. */
  | { readonly do: 'delete with our finalizer'; readonly forMs: number }
  /** Out of the ring and, once it has left, in again. It is taken back after so long if it has not begun to leave by then. */
  | { readonly do: 'remove region'; readonly region: string; readonly forMs: number }
  /**
   * It is lost, given up, and comes back with its disks after so long; once it is cleared away it joins anew.
   * `isAlive`: only the controller cannot reach it, and the user is mistaken.
   */
  | { readonly do: 'abandon region'; readonly region: string; readonly forMs: number; readonly isAlive?: true }
  /** With its members, and applied again so long after it is gone. */
  | { readonly do: 'delete everything'; readonly forMs: number }
  /** The pull Secret of the hub, which members name or not. */
  | { readonly do: 'write Secret'; readonly holds: string }
  | { readonly do: 'delete Secret'; readonly forMs: number }
  /** The template names it, or does not if it did. */
  | { readonly do: 'name Secret'; readonly forMs: number }
  /** Somebody else has one of that name in a region. */
  | { readonly do: 'foreign Secret'; readonly region: string; readonly forMs: number }
  | { readonly do: 'create keyspace'; readonly strategy: 'SimpleStrategy' | 'NetworkTopologyStrategy' };

/** An action and its moment, milliseconds since the world began. */
export interface Step {
  readonly atMs: number;
  readonly action: Action;
}

/** Everything that decides how a run goes. The same history gives the same run. */
export interface History {
  /** Of all that is drawn while it runs: latencies, jitter, host IDs. */
  readonly seed: number;
  readonly shape: Shape;
  readonly steps: readonly Step[];
  /** Faults that wait for their moment are given up then, milliseconds since the world began; after the last step at the earliest. */
  readonly lastsMs?: number;
}
