import { isIPv6 } from 'node:net';
import type * as Driver from 'cassandra-driver';
import { CqlError, type CqlErrorCode, type CqlSession, type OpenCql } from './cql.ts';

const connectTimeoutMs = 3_000;
const answerTimeoutMs = 12_000;
/** How long all nodes may take to get a new schema, seconds. */
const agreementSeconds = 10;
const rowsPerPage = 200;

/** Opens sessions with the Apache Cassandra driver, which is loaded when the first one is asked for. */
export const openCql: OpenCql = async ({ address, port }, login, signal) => {
  const driver = await import('cassandra-driver');
  const { Client, auth, policies } = driver;
  const endpoint = isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
  const { AllowListPolicy, RoundRobinPolicy } = policies.loadBalancing;
  const client = new Client({
    contactPoints: [endpoint],
    authProvider: new auth.PlainTextAuthProvider(login.username, login.password),
    policies: {
      // The driver would connect to all nodes, which may not be reachable from here, and need not be.
      loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), [`${address}:${port}`]),
      retry: new policies.retry.FallthroughRetryPolicy(),
    },
    pooling: { coreConnectionsPerHost: { 0: 1, 1: 1, 2: 0 }, warmup: false },
    protocolOptions: { maxSchemaAgreementWaitSeconds: agreementSeconds },
    socketOptions: { connectTimeout: connectTimeoutMs, readTimeout: answerTimeoutMs },
    isMetadataSyncEnabled: false,
    monitorReporting: { enabled: false },
  });
  const session = new DriverSession(driver, client, signal);
  await session.connect();
  return session;
};

class DriverSession implements CqlSession {
  readonly #driver: typeof Driver;
  readonly #client: Driver.Client;
  readonly #signal: AbortSignal;
  /** Rejects when the signal aborts. */
  readonly #aborted: Promise<never>;
  readonly #onAbort: () => void;

  constructor(driver: typeof Driver, client: Driver.Client, signal: AbortSignal) {
    this.#driver = driver;
    this.#client = client;
    this.#signal = signal;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#aborted = promise;
    // Nobody may be waiting for it.
    promise.catch(() => undefined);
    this.#onAbort = () => {
      reject(signal.reason as Error);
      void this.close();
    };
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async connect(): Promise<void> {
    try {
      await this.#do(() => this.#client.connect());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async datacenters(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const table of ['local', 'peers']) {
      for (const row of await this.#read(`SELECT data_center FROM system.${table}`)) {
        if (typeof row['data_center'] === 'string') found.add(row['data_center']);
      }
    }
    return found;
  }

  async replication(keyspace: string): Promise<Readonly<Record<string, string>> | undefined> {
    const [row] = await this.#read('SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?', [
      keyspace,
    ]);
    return row?.['replication'] as Readonly<Record<string, string>> | undefined;
  }

  async alter(statement: string): Promise<boolean> {
    const { info } = await this.#do(() => this.#client.execute(statement));
    // The driver's types lack it (lib/types/result-set.js).
    return (info as { isSchemaInAgreement?: boolean }).isSchemaInAgreement ?? false;
  }

  async readEverywhere(keyspace: string): Promise<void> {
    const tables = await this.#read('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [keyspace]);
    const consistency = this.#driver.types.consistencies.all;
    for (const { table_name: table } of tables) {
      let pageState: string | undefined;
      do {
        const options = { consistency, fetchSize: rowsPerPage, ...(pageState !== undefined && { pageState }) };
        const page = await this.#do(() =>
          this.#client.execute(`SELECT * FROM ${keyspace}.${String(table)}`, [], options),
        );
        pageState = page.pageState;
      } while (pageState);
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    await this.#client.shutdown().catch(() => undefined);
  }

  async #read(query: string, parameters: string[] = []): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#do(() => this.#client.execute(query, parameters));
    return rows;
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    try {
      return await Promise.race([work(), this.#aborted]);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw this.#inWords(error);
    }
  }

  #inWords(error: unknown): CqlError {
    const { errors, types } = this.#driver;
    if (error instanceof errors.NoHostAvailableError) {
      const [inner] = Object.values(error.innerErrors as Readonly<Record<string, unknown>>);
      if (inner !== undefined) return this.#inWords(inner);
    }
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof errors.AuthenticationError) return new CqlError('BadLogin', message, { cause: error });
    if (error instanceof errors.ResponseError) {
      const { badCredentials, unauthorized } = types.responseErrorCodes;
      const codes = new Map<number, CqlErrorCode>([
        [badCredentials, 'BadLogin'],
        [unauthorized, 'Unauthorized'],
      ]);
      const code = codes.get(error.code) ?? 'Refused';
      return new CqlError(code, message, { cause: error });
    }
    return new CqlError('Unreachable', message, { cause: error });
  }
}
