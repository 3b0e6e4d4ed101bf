import { Client, types } from 'cassandra-driver';

/** A node that takes CQL on port 9042. */
export interface CqlNode {
  readonly datacenter: string;
  readonly address: string;
}

const requestTimeoutMs = 30_000;

/**
 * Writes a row in the first node's datacenter, to be acknowledged by every datacenter, and reads it in each of the
 * others from that datacenter's own copy. Resolves with what was done: datacenter, consistency, statement, result.
 * @throws Error when a read gives something else than what was written; what the driver throws; the signal's reason.
 */
export async function writeAndRead(
  [writer, ...readers]: readonly [CqlNode, ...CqlNode[]],
  row: { id: string; message: string },
  signal: AbortSignal,
): Promise<string[][]> {
  const { eachQuorum, localQuorum, localOne } = types.consistencies;
  const { id, message } = row;
  const replication = [writer, ...readers].map(({ datacenter }) => `'${datacenter}': 1`).join(', ');
  await withClient(writer, async (client) => {
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS demo WITH replication = {'class': 'NetworkTopologyStrategy', ${replication}}`,
    );
    await client.execute('CREATE TABLE IF NOT EXISTS demo.greetings (id text PRIMARY KEY, message text)');
    signal.throwIfAborted();
    const insert = 'INSERT INTO demo.greetings (id, message) VALUES (?, ?)';
    await client.execute(insert, [id, message], { prepare: true, consistency: eachQuorum });
  });
  const insert = `INSERT INTO demo.greetings (id, message) VALUES ('${id}', '${message}')`;
  const done = [[writer.datacenter, 'EACH_QUORUM', insert, 'acknowledged']];
  for (const [index, reader] of readers.entries()) {
    signal.throwIfAborted();
    const [consistency, name] = index % 2 === 0 ? [localQuorum, 'LOCAL_QUORUM'] : [localOne, 'LOCAL_ONE'];
    const found = await withClient(reader, async (client) => {
      const select = 'SELECT message FROM demo.greetings WHERE id = ?';
      const { rows } = await client.execute(select, [id], { prepare: true, consistency });
      return rows[0]?.['message'] as string | undefined;
    });
    if (found !== message)
      throw new Error(
        `The row written in ${writer.datacenter} reads ${found ?? 'as missing'} in ${reader.datacenter}.`,
      );
    done.push([reader.datacenter, name, `SELECT message FROM demo.greetings WHERE id = '${id}'`, found]);
  }
  return done;
}

/** The driver sends requests to nodes of `localDataCenter` only. */
async function withClient<T>({ datacenter, address }: CqlNode, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    contactPoints: [address],
    localDataCenter: datacenter,
    socketOptions: { readTimeout: requestTimeoutMs },
  });
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.shutdown();
  }
}
