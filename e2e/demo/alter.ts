/**
 * Runs the ALTER KEYSPACE statements that stand in its standard input, as a person does who copies them into cqlsh.
 *
 *   kubectl get mcc orders -o jsonpath='{.status.conditions[*].message}' | node e2e/demo/alter.ts <datacenter> <address of a node there>
 */
import { text } from 'node:stream/consumers';
import { Client } from 'cassandra-driver';

const [localDataCenter = '', address = ''] = process.argv.slice(2);
const statements = new Set((await text(process.stdin)).match(/ALTER KEYSPACE [^;]+;/g) ?? []);
if (statements.size === 0) console.log('nothing asks for an ALTER KEYSPACE now');
else {
  const client = new Client({ contactPoints: [address], localDataCenter, socketOptions: { readTimeout: 30_000 } });
  try {
    await client.connect();
    for (const statement of statements) {
      await client.execute(statement);
      console.log(statement);
    }
  } finally {
    await client.shutdown();
  }
}
