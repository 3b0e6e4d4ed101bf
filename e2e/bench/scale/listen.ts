import { createServer } from 'node:net';

/**
 * A process of its own, in a region's network namespace: listens on a port there, hands the open socket to its parent
 * and ends. A socket stays in the namespace in which it was made, so one process can answer in several.
 */
const listener = createServer();
listener.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 511 }, () => {
  // Whoever keeps the socket open gets a share of the connections.
  process.send?.('listening', listener, {}, () => process.exit());
});
