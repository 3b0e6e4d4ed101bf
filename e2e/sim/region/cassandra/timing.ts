/** How long things take in a node; milliseconds. */
export interface CassandraTiming {
  /** From the start of the process until its Jolokia port accepts connections. */
  portMs: number;
  /** From the start of the process until StorageService is there and the node looks for its ring. */
  serviceMs: number;
  /** How long a starting node asks for the ring before it gives up or, as a seed, goes on alone. */
  ringDelayMs: number;
  /** How long it stays JOINING. */
  joinMs: number;
  decommissionMs: number;
  rebuildMs: number;
  /** A cleanup, or a rewrite of its files, of one keyspace. */
  maintenanceMs: number;
  gossipIntervalMs: number;
  /** Without a heartbeat for so long a host counts as down. */
  failureMs: number;
  /** Without a heartbeat for so long a host that never finished its join is forgotten (Gossiper's fatClientTimeout). */
  forgetJoiningMs: number;
}

/** Those of a small node of Cassandra 5.0.8 with its own defaults, save that a join moves no data to speak of. */
export const cassandraTiming: CassandraTiming = {
  portMs: 1_000,
  serviceMs: 3_000,
  ringDelayMs: 30_000,
  joinMs: 10_000,
  decommissionMs: 8_000,
  rebuildMs: 8_000,
  maintenanceMs: 1_500,
  gossipIntervalMs: 1_000,
  failureMs: 20_000,
  forgetJoiningMs: 30_000,
};
