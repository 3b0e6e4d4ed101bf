/** Leaks what its argument names, a little each time a line comes in, and answers each line when it has. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

const kept: unknown[] = [];
const signal = new AbortController().signal;
const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const leaks: Record<string, () => Promise<void> | void> = {
  nothing: () => undefined,
  sockets: async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    kept.push(socket);
  },
  timers: () => void setTimeout(() => undefined, 3_600_000),
  'unref timers': () => void setTimeout(() => undefined, 3_600_000).unref(),
  // Node warns of many listeners of an EventEmitter, and not of an AbortSignal's.
  listeners: () => {
    for (let count = 0; count < 10; count++) server.on('close', () => kept.push(count));
  },
  'listeners of a signal': () => {
    for (let count = 0; count < 10; count++) signal.addEventListener('abort', () => kept.push(count));
  },
  memory: () => void kept.push(Array.from({ length: 1_000 }, (_, index) => ({ index, text: `${index} is kept` }))),
};

const leak = leaks[process.argv[2] ?? ''];
if (!leak) throw new Error(`nothing is known that leaks ${process.argv[2]}`);
for await (const _ of createInterface({ input: process.stdin })) {
  await leak();
  process.stdout.write('done\n');
}
server.close();
