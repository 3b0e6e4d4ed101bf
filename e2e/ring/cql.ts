import { auth, Client, types } from 'cassandra-driver';
import type { Federation } from './federation.ts';

/**
 * Lends a client that talks to the first node of a region, with LOCAL_QUORUM unless a statement says otherwise.
 * @throws errors of the driver
 */
export async function cql<T>(federation: Federation, region: string, use: (client: Client) => Promise<T>): Promise<T> {
  const address = await federation.podAddress(region, `${federation.name}-${region}-rack1-0`);
  const client = new Client({
    contactPoints: [address],
    localDataCenter: region,
    ...(federation.cqlLogin && {
      authProvider: new auth.PlainTextAuthProvider(federation.cqlLogin.username, federation.cqlLogin.password),
    }),
    queryOptions: { consistency: types.consistencies.localQuorum },
    socketOptions: { readTimeout: 30_000 },
  });
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.shutdown();
  }
}

/**
 * Makes the table that {@link Customer} shops in, and one for rows that are counted.
 * @param replicas of a visit, by region; an order has one in each, so that a node that leaves without its rows is missed
 */
export async function createTables(federation: Federation, replicas: Readonly<Record<string, number>>): Promise<void> {
  const keyspace = (name: string, factors: Readonly<Record<string, number>>): string =>
    `CREATE KEYSPACE ${name} WITH replication = {'class': 'NetworkTopologyStrategy', ` +
    `${Object.entries(factors)
      .map(([region, factor]) => `'${region}': ${factor}`)
      .join(', ')}}`;
  const single = Object.fromEntries(Object.keys(replicas).map((region) => [region, 1]));
  await cql(federation, Object.keys(replicas)[0] ?? '', async (client) => {
    await client.execute(keyspace('shop', replicas));
    await client.execute('CREATE TABLE shop.visits (id text PRIMARY KEY, what text)');
    await client.execute(keyspace('ledger', single));
    await client.execute('CREATE TABLE ledger.orders (id int PRIMARY KEY, what text)');
  });
}

/** Writes orders with ids from `first` on; each is in every region when this resolves. */
export async function writeOrders(federation: Federation, region: string, first: number, count: number): Promise<void> {
  const options = { prepare: true, consistency: types.consistencies.eachQuorum };
  await cql(federation, region, async (client) => {
    for (let id = first; id < first + count; id += 20) {
      const batch = Array.from({ length: Math.min(20, first + count - id) }, (_, index) =>
        client.execute(
          'INSERT INTO ledger.orders (id, what) VALUES (?, ?)',
          [id + index, `order ${id + index}`],
          options,
        ),
      );
      await Promise.all(batch);
    }
  });
}

/** How many orders a region's own nodes answer with. */
export function countOrders(
  federation: Federation,
  region: string,
  consistency = types.consistencies.localQuorum,
): Promise<number> {
  return cql(federation, region, async (client) => {
    const { rows } = await client.execute('SELECT COUNT(*) AS orders FROM ledger.orders', [], { consistency });
    return Number(rows[0]?.['orders']);
  });
}
