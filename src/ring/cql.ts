/** Who logs in. Neither is ever told anybody but the node. */
export interface CqlLogin {
  readonly username: string;
  readonly password: string;
}

/** Where one node listens for CQL. */
export interface CqlEndpoint {
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

/** Talks CQL to one node, as one role. Every method throws CqlError, or the reason of the signal that the session was opened with. */
export interface CqlSession {
  /** Datacenters of all nodes that this one knows, itself included (system.local and system.peers). */
  datacenters(): Promise<ReadonlySet<string>>;
  /** The row of system_schema.keyspaces, e.g. `{class: 'org.apache.cassandra.locator.NetworkTopologyStrategy', eu: '3'}`; undefined: there is no such keyspace. */
  replication(keyspace: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Runs a statement that alters the schema. Answers whether all nodes that are up had the new schema within some seconds. */
  alter(statement: string): Promise<boolean>;
  /** Reads every row of a keyspace from all of its replicas, so that those which lack some get them (read repair). For a few rows only. */
  readEverywhere(keyspace: string): Promise<void>;
  /** Ends the connection; never throws. */
  close(): Promise<void>;
}

/**
 * Connects to one node. Bounded by itself as well: a node that does not answer is given up after some seconds.
 * @param signal ends the session, whatever it is at
 * @throws CqlError; the signal's reason
 */
export type OpenCql = (endpoint: CqlEndpoint, login: CqlLogin, signal: AbortSignal) => Promise<CqlSession>;

/**
 * - `Unreachable`: the node does not answer, or no longer.
 * - `BadLogin`: it does not accept username and password.
 * - `Unauthorized`: the role may not do that.
 * - `Refused`: it does not do that, as it is.
 */
export type CqlErrorCode = 'Unreachable' | 'BadLogin' | 'Unauthorized' | 'Refused';

/** A node did not do what it was asked to by CQL; the message is its own. */
export class CqlError extends Error {
  override readonly name = 'CqlError';
  readonly code: CqlErrorCode;

  constructor(code: CqlErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
