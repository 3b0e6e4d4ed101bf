import { lookup } from 'node:dns/promises';
import { Agent, request } from 'node:http';
import { endpointStates, type EndpointState } from './endpoint-state.ts';

/** The port of Jolokia in CassKop's pods; light nodes gossip on it too. */
export const port = 8778;

/** One half of an exchange: everything the sender knows. */
export interface GossipMessage {
  clusterName: string;
  /** Host ID of the sender; empty in a shadow round, in which a starting node only asks. */
  from: string;
  states: readonly EndpointState[];
}

/** @returns undefined if `text` is no message */
export function parseMessage(text: string): GossipMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { clusterName, from, states }: Partial<Record<keyof GossipMessage, unknown>> = value;
  if (typeof clusterName !== 'string' || typeof from !== 'string') return undefined;
  return { clusterName, from, states: endpointStates(states) };
}

/** The addresses behind seed names, by the operating system's resolver; names it does not know are left out. */
export async function resolveSeeds(seeds: readonly string[]): Promise<string[]> {
  const answers = await Promise.allSettled(seeds.map((seed) => lookup(seed, { family: 4 })));
  return [...new Set(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.address] : [])))];
}

/** Speaks to other nodes from one address. */
export class GossipClient {
  readonly #agent: Agent;
  readonly #localAddress: string;

  constructor(localAddress: string) {
    this.#localAddress = localAddress;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 2 });
  }

  /**
   * Sends `message` to the node at `address`.
   * @returns its answer; undefined if it gave none within `timeoutMs` milliseconds, or is not taking part in gossip
   */
  exchange(address: string, message: GossipMessage, timeoutMs: number): Promise<GossipMessage | undefined> {
    return new Promise((resolve) => {
      const body = JSON.stringify(message);
      const outgoing = request({
        host: address,
        port,
        path: '/gossip',
        method: 'POST',
        agent: this.#agent,
        localAddress: this.#localAddress,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.timeout(timeoutMs),
      });
      outgoing.on('error', () => resolve(undefined));
      outgoing.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', () => resolve(undefined));
        response.on('close', () => resolve(response.statusCode === 200 ? parseMessage(text) : undefined));
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
