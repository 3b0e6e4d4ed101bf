import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSocketServer, type Server as SocketServer, type Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { port } from '../light-node/gossip-client.ts';

export interface RecordedAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}

type AnswerName =
  | 'storageServiceMissing'
  | 'starting'
  | 'joining'
  | 'normal'
  | 'leaving'
  | 'decommissioned'
  | 'draining'
  | 'unauthorized';

/** What Jolokia 1.7.2 in a node of Cassandra 5.0.8, cluster `orders`, answered to the guard's question. */
export const answers = JSON.parse(
  await readFile(join(import.meta.dirname, 'jolokia-answers.json'), 'utf8'),
) as Readonly<Record<AnswerName, RecordedAnswer>>;

/** The host ID in the answers `normal`, `joining`, `leaving` and `decommissioned`. */
export const recordedHostId = '6aad9bb2-9611-448b-8203-c834396985ba';

/** `normal` with another value in one attribute. */
export function normalWith(attribute: 'ClusterName' | 'OperationMode' | 'LocalHostId', value: string): RecordedAnswer {
  const replaced = answers.normal.body.replace(
    new RegExp(`"${attribute}":"[^"]*"`),
    () => `"${attribute}":${JSON.stringify(value)}`,
  );
  return { ...answers.normal, body: replaced };
}

/** `normal` while other nodes join: those with these addresses. */
export function normalWhileJoining(...addresses: string[]): RecordedAnswer {
  const body = answers.normal.body.replace('"value":{', () => `"value":{"JoiningNodes":${JSON.stringify(addresses)},`);
  return { ...answers.normal, body };
}

/** A server in a seed's place. What it answers can be changed while it runs. */
export class JolokiaServer implements AsyncDisposable {
  readonly address: string;
  /** Paths asked so far. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor(address: string, answer: RecordedAnswer, credentials: string | undefined) {
    this.address = address;
    this.answer = answer;
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
      const given = expected === request.headers.authorization ? this.answer : answers.unauthorized;
      response.writeHead(given.status, given.headers);
      response.end(given.body);
    });
  }

  answer: RecordedAnswer;

  /** @param credentials `user:password`, without which it answers 401 */
  static async start(address: string, answer: RecordedAnswer, credentials?: string): Promise<JolokiaServer> {
    const server = new JolokiaServer(address, answer, credentials);
    server.#server.listen(port, address);
    await once(server.#server, 'listening');
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** A port that accepts connections and then does with them what it likes. */
export async function startSocketServer(
  address: string,
  behave: (socket: Socket) => void,
): Promise<AsyncDisposable & { connections(): number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: SocketServer = createSocketServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    behave(socket);
  });
  server.listen(port, address);
  await once(server, 'listening');
  return {
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
