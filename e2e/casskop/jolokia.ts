import { request } from 'undici';
import type { CassandraCluster } from './cluster.ts';
import type { Objects, Pod } from './objects.ts';

export const storageService = 'org.apache.cassandra.db:type=StorageService';

/** The node did not answer, or answered with an error of its own. */
export class JolokiaError extends Error {
  override readonly name = 'JolokiaError';
  readonly code = 'JolokiaError';
}

/** Sends one Jolokia request to a node and answers its `value`. @throws JolokiaError */
export type AskNode = (
  host: string,
  body: Record<string, unknown>,
  credentials: { username: string; password: string } | undefined,
  signal: AbortSignal,
) => Promise<unknown>;

/**
 * Asks a node over HTTP on port 8778. No time limit but the caller's signal: a decommission answers when it is over,
 * and CassKop waits for as long as that takes.
 */
export const askNode: AskNode = async (host, body, credentials, signal) => {
  const basic = credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
  let answer: { status?: number; value?: unknown; error?: string };
  try {
    const response = await request(`http://${host}:8778/jolokia/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(basic && { authorization: `Basic ${basic}` }) },
      body: JSON.stringify(body),
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    answer = (await response.body.json()) as typeof answer;
  } catch (error) {
    throw new JolokiaError(`${host}: no answer to ${JSON.stringify(body)}`, { cause: error });
  }
  if (answer.error) throw new JolokiaError(`${host}: ${answer.error}`);
  return answer.value;
};

/** One Cassandra node, asked through its pod's address. */
export class Node {
  readonly #host: string;
  readonly #ask: (body: Record<string, unknown>) => Promise<unknown>;

  private constructor(host: string, ask: (body: Record<string, unknown>) => Promise<unknown>) {
    this.#host = host;
    this.#ask = ask;
  }

  /** @throws ApiError when the cluster names a Secret for Jolokia that is not there. */
  static async of(
    pod: Pod,
    cluster: CassandraCluster,
    objects: Objects,
    ask: AskNode,
    signal: AbortSignal,
  ): Promise<Node> {
    const host = pod.status?.podIP ?? '';
    const secretName = cluster.spec.imageJolokiaSecret.name;
    if (!secretName) return new Node(host, (body) => ask(host, body, undefined, signal));
    const { username = '', password = '' } = await objects.secret(secretName);
    return new Node(host, (body) => ask(host, body, { username, password }, signal));
  }

  /** NORMAL, LEAVING, DECOMMISSIONED ... */
  async operationMode(): Promise<string> {
    return String(await this.#read('OperationMode'));
  }

  async hasJoiningNodes(): Promise<boolean> {
    return lengthOf(await this.#read('JoiningNodes')) > 0;
  }

  async hasLeavingNodes(): Promise<boolean> {
    return lengthOf(await this.#read('LeavingNodes')) > 0;
  }

  /** Address to host ID. Cassandra 5.0 has no such attribute: there it always throws. */
  async hostIds(): Promise<Record<string, string>> {
    const value = await this.#read('HostIdMap');
    if (typeof value !== 'object' || value === null) throw new JolokiaError(`${this.#host}: HostIdMap is no map`);
    return value as Record<string, string>;
  }

  /** Keyspaces, without system and system_schema, of which some range is kept in a datacenter whose name starts so. */
  async keyspacesIn(datacenter: string): Promise<string[]> {
    const found: string[] = [];
    for (const keyspace of await this.keyspaces()) {
      if (['system', 'system_schema'].includes(keyspace)) continue;
      const ranges = (await this.execute('describeRingJMX', [keyspace])) as string[] | undefined;
      if (ranges?.some((range) => range.includes(`datacenter:${datacenter}`))) found.push(keyspace);
    }
    return found;
  }

  async keyspaces(): Promise<string[]> {
    const value = await this.#read('Keyspaces');
    if (!Array.isArray(value)) throw new JolokiaError(`${this.#host}: Keyspaces is no list`);
    return value as string[];
  }

  /** Runs an operation of StorageService; resolves when it is over. */
  execute(operation: string, parameters: unknown[]): Promise<unknown> {
    return this.#ask({ type: 'EXEC', mbean: storageService, operation, arguments: parameters });
  }

  #read(attribute: string): Promise<unknown> {
    return this.#ask({ type: 'READ', mbean: storageService, attribute });
  }
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
