import type { KubeObject } from '../../../src/kube/objects.ts';
import type { CassandraNetwork } from '../region/cassandra/network.ts';
import type { Shape } from '../schedule/history.ts';
import type { MemoryApiServer } from '../api/server.ts';

/** The truth about a world, for those who check it. The controller knows none of this. */
export interface Facts {
  readonly shape: Shape;
  nowMs(): number;
  /** The MultiCassandraCluster as the hub holds it. */
  mcc(): KubeObject | undefined;
  server(cluster: string): MemoryApiServer;
  member(region: string): KubeObject | undefined;
  guard(region: string): KubeObject | undefined;
  ring(): CassandraNetwork;
  /** The latest version of a kind that a process has heard from a cluster; undefined: it has no complete list yet. */
  heard(process: string, cluster: string, plural: string): number | undefined;
  /** The version that the process's last write of this kind there got; undefined: it has written none. */
  wrote(process: string, cluster: string, plural: string): number | undefined;
  /** Which pod's disk holds this host; undefined: no disk does any more. */
  podWithDisk(hostId: string): string | undefined;
  /** Hosts that a person took out of the ring. */
  removedHosts(): ReadonlySet<string>;
  /** NORMAL nodes that own ranges of a keyspace without its rows, those left out whose disk was taken on purpose. */
  nodesWithoutTheirRows(): readonly string[];
  /** Keyspaces of which some rows are perhaps on no disk of the ring any more. */
  lostKeyspaces(): readonly string[];
  /** How many pods lost their disk on purpose so far. */
  disksTaken(): number;
  requestsOfLastMinute(): readonly { by: string; requests: number; writes: number }[];
  /** Nothing has happened for so long that nothing may be written any more. */
  isQuiet(): boolean;
  /** Whether something is broken on purpose just now, or was within the last `milliseconds`. */
  isTroubled(milliseconds: number): boolean;
  /** Since when no node of a region can be asked what it sees, although all else goes on; undefined: they can. */
  mutedSince(region: string): number | undefined;
}
