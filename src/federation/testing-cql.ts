import type { CqlEndpoint, CqlLogin, CqlSession } from '../ring/cql.ts';

/** The keyspaces of a ring in memory, as its nodes show and alter them by CQL. */
export class CqlInMemory {
  /** What nodes were asked to do, in order: statements, and `read <keyspace>`. */
  readonly done: string[] = [];
  /** Whom it was tried with, and as whom. */
  readonly opened: (CqlEndpoint & CqlLogin)[] = [];
  closed = 0;
  /** Called before a node is connected to, and before each statement; throws what the node answers. */
  fails: (what: string) => void = () => undefined;
  /** Whether all nodes get a new schema in time. */
  agrees = true;
  readonly #datacenters: () => Iterable<string>;
  readonly #keyspaces: () => Record<string, string>;

  /** Keyspaces are in Cassandra's own words, as StorageService gives them; they are altered in place. */
  constructor(datacenters: () => Iterable<string>, keyspaces: () => Record<string, string>) {
    this.#datacenters = datacenters;
    this.#keyspaces = keyspaces;
  }

  readonly open = async (endpoint: CqlEndpoint, login: CqlLogin, signal: AbortSignal): Promise<CqlSession> => {
    this.opened.push({ ...endpoint, ...login });
    await Promise.resolve();
    signal.throwIfAborted();
    this.fails(endpoint.address);
    return this.#session();
  };

  #session(): CqlSession {
    const run = <T>(what: string, value: () => T): Promise<T> => {
      try {
        this.fails(what);
        this.done.push(what);
        return Promise.resolve(value());
      } catch (error) {
        return Promise.reject(error);
      }
    };
    return {
      datacenters: () => Promise.resolve(new Set(this.#datacenters())),
      replication: (keyspace) => Promise.resolve(rowOf(this.#keyspaces()[keyspace])),
      alter: (statement) =>
        run(statement, () => {
          const [, keyspace = '', pairs = ''] =
            /^ALTER KEYSPACE (\w+) .*'NetworkTopologyStrategy', (.*)\};$/.exec(statement) ?? [];
          const factors = pairs.replaceAll(/'(\w+)': (\d+)/g, '$1=$2');
          this.#keyspaces()[keyspace] = `NetworkTopologyStrategy {${factors}}`;
          return this.agrees;
        }),
      readEverywhere: (keyspace) => run(`read ${keyspace}`, () => undefined),
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
  }
}

function rowOf(words: string | undefined): Record<string, string> | undefined {
  if (words === undefined) return undefined;
  const [strategy = '', factors = ''] = words.split(/ \{|\}/);
  const pairs = factors.split(', ').map((each): [string, string] => {
    const [name = '', replicas = ''] = each.split('=');
    return [name, replicas];
  });
  return { class: `org.apache.cassandra.locator.${strategy}`, ...Object.fromEntries(pairs) };
}
