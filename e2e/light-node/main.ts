/**
 * A small process that stands for a Cassandra 5.0.8 node where a test needs many rings:
 *
 *   node e2e/light-node/main.ts --address IP --cluster NAME --datacenter DC --rack R --seeds a,b --data DIR
 *
 * --no-auto-bootstrap is cassandra.yaml's auto_bootstrap: false; --replace-address-first-boot IP is the JVM's
 * -Dcassandra.replace_address_first_boot. Listens on IP:8778 until it is killed. SIGTERM: tells the others and exits
 * with 0. SIGUSR2: is JOINING or LEAVING no longer than until now. Exits with 3 and a sentence on stderr where Cassandra
 * refuses to start.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { port } from './gossip-client.ts';
import { LightNode, StartRefusedError } from './light-node.ts';
import { createNodeServer } from './server.ts';
import { mbeans } from './storage-service.ts';

const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    cluster: { type: 'string' },
    datacenter: { type: 'string' },
    rack: { type: 'string' },
    seeds: { type: 'string' },
    data: { type: 'string' },
    'no-auto-bootstrap': { type: 'boolean', default: false },
    'replace-address-first-boot': { type: 'string' },
    'ring-delay-ms': { type: 'string', default: '1000' },
    'stream-ms': { type: 'string', default: '500' },
    'gossip-interval-ms': { type: 'string', default: '200' },
    'failure-ms': { type: 'string', default: '2000' },
  },
});

function required(name: 'address' | 'cluster' | 'datacenter' | 'rack' | 'seeds' | 'data'): string {
  const value = values[name];
  if (value === undefined) throw new StartRefusedError(`--${name} is missing`);
  return value;
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  const node = new LightNode({
    address: required('address'),
    clusterName: required('cluster'),
    datacenter: required('datacenter'),
    rack: required('rack'),
    seeds: required('seeds')
      .split(',')
      .map((seed) => seed.trim())
      .filter((seed) => seed !== ''),
    data: required('data'),
    autoBootstrap: !values['no-auto-bootstrap'],
    replaceAddressFirstBoot: values['replace-address-first-boot'],
    ringDelayMs: Number(values['ring-delay-ms']),
    streamMs: Number(values['stream-ms']),
    gossipIntervalMs: Number(values['gossip-interval-ms']),
    failureMs: Number(values['failure-ms']),
  });
  process.once('SIGTERM', () => {
    stopping.abort();
    void node.shutdown().finally(() => process.exit(0));
  });
  process.on('SIGUSR2', () => node.endStreaming());
  const server = createNodeServer(node, mbeans(node));
  server.listen(port, node.options.address);
  await once(server, 'listening');
  await node.start(stopping.signal);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof StartRefusedError ? error.message : String(error)}\n`);
  process.exit(3);
}
