import { createServer, type Server } from 'node:http';
import type { Server as Listener } from 'node:net';
import { answerJolokia, type MBean } from '../../light-node/jolokia.ts';
import { type AskNode, JolokiaError, storageService } from '../../casskop/jolokia.ts';

export interface RingNode {
  readonly address: string;
  readonly hostId: string;
}

/** The keyspaces of a new Cassandra 5.0.8 ring that are replicated, and the schema they make. */
const keyspaces = ['system_traces', 'system_distributed', 'system_auth'];
const schemaVersion = 'd03783d7-b468-3c1a-82f1-8e30b2edde8b';

/**
 * The nodes of all rings, as far as the controller asks them: each is a member of its ring, NORMAL, from the moment it
 * has an address, and each knows all others. They answer Jolokia under their own addresses, from this one process.
 */
export class Rings {
  /** By address: the ring's cluster_name and the node. */
  readonly #nodes = new Map<string, { readonly clusterName: string; readonly node: RingNode }>();
  readonly #rings = new Map<string, RingNode[]>();
  readonly #server: Server;
  readonly #listeners: Listener[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const address = (request.socket.localAddress ?? '').replace('::ffff:', '');
      void this.#answer(address, (request.url ?? '').replace(/^\/jolokia\//, '')).then((text) => {
        response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/plain;charset=utf-8' });
        response.end(text);
      });
    });
    this.#server.keepAliveTimeout = 90_000;
  }

  /** Answers whoever connects to `listener`. */
  serve(listener: Listener): void {
    this.#listeners.push(listener);
    listener.on('connection', (socket) => this.#server.emit('connection', socket));
  }

  /** Answers nobody any more. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#server.closeAllConnections();
  }

  join(clusterName: string, node: RingNode): void {
    this.#nodes.set(node.address, { clusterName, node });
    this.#rings.set(clusterName, [...(this.#rings.get(clusterName) ?? []), node]);
  }

  /** As CassKop asks, without the network between. */
  readonly ask: AskNode = async (address, body) => {
    const answer = await this.#answer(address, '', JSON.stringify(body));
    const { value, error } = JSON.parse(answer ?? '{"error":"no such node"}') as { value?: unknown; error?: string };
    if (error !== undefined) throw new JolokiaError(`${address}: ${error}`);
    return value;
  };

  async #answer(address: string, path: string, body?: string): Promise<string | undefined> {
    const found = this.#nodes.get(address);
    return found && answerJolokia({ [storageService]: this.#bean(found.clusterName, found.node) }, path, body);
  }

  #bean(clusterName: string, node: RingNode): MBean {
    const ring = this.#rings.get(clusterName) ?? [];
    const none = (): string[] => [];
    return {
      attributes: {
        ClusterName: () => clusterName,
        EndpointToHostId: () => Object.fromEntries(ring.map(({ address, hostId }) => [address, hostId])),
        LiveNodes: () => ring.map(({ address }) => address),
        JoiningNodes: none,
        LeavingNodes: none,
        MovingNodes: none,
        LocalHostId: () => node.hostId,
        NonLocalStrategyKeyspaces: () => keyspaces,
        OperationMode: () => 'NORMAL',
        SchemaVersion: () => schemaVersion,
      },
      operations: {},
    };
  }
}
