import type { HttpRequest } from '../../../src/edges/transport.ts';
import { CqlError, type CqlSession, type OpenCql } from '../../../src/ring/cql.ts';
import type { CassandraNetwork } from '../region/cassandra/network.ts';
import { SchemaRefusedError } from '../region/cassandra/network.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';
import { keyspacesOf, replicationText, type Replication } from '../region/cassandra/schema.ts';
import type { Network } from './network.ts';
import type { ProcessClock } from './process-clock.ts';
import type { Exchange, Overseer } from './transport.ts';

/** The role that every ring knows. */
export const cqlLogin = { username: 'ringmaster', password: 'right' };

/** As the driver does: how long a node may take to answer, and to accept a connection, milliseconds. */
const answerMs = 12_000;
const connectMs = 3_000;
/** How long it waits for all nodes to have a new schema, and how often it looks, milliseconds. */
const agreementMs = 10_000;
const lookEveryMs = 1_000;

export interface SimulatedCqlOptions {
  readonly process: { readonly name: string; readonly clock: ProcessClock; nextNumber(): number };
  readonly ring: CassandraNetwork;
  readonly network: Network;
  readonly overseer: Overseer;
}

/** One message to a node, and what it answers; undefined: it does not, yet. */
type Ask<T> = (node: CassandraNode, answer: (value: T | CqlError) => void) => void;

/** How one process of the world connects to nodes by CQL. */
export function simulatedCql(options: SimulatedCqlOptions): OpenCql {
  return async ({ address }, { username, password }, signal) => {
    const say = <T>(work: Ask<T>, change?: string, deadlineMs = answerMs): Promise<T> =>
      exchange(options, address, work, change, deadlineMs, signal);
    await say<void>(
      (_node, answer) => {
        const isRight = username === cqlLogin.username && password === cqlLogin.password;
        answer(isRight ? undefined : new CqlError('BadLogin', 'Provided username and/or password are incorrect'));
      },
      undefined,
      connectMs,
    );
    return sessionOf(options, say);
  };
}

function sessionOf(
  { ring, process }: SimulatedCqlOptions,
  say: <T>(work: Ask<T>, change?: string) => Promise<T>,
): CqlSession {
  return {
    datacenters: () =>
      say((node, answer) =>
        answer(new Set(node.view.ring.filter(({ status }) => status !== 'BOOT').map((state) => state.datacenter))),
      ),
    replication: (keyspace) => say((node, answer) => answer(rowOf(node, keyspace))),
    alter: (statement) =>
      say<boolean>((node, answer) => {
        const { keyspace, replication } = parse(statement);
        try {
          ring.writeKeyspace(node, keyspace, replication);
        } catch (error) {
          if (!(error instanceof SchemaRefusedError)) throw error;
          answer(new CqlError('Refused', error.message));
          return;
        }
        const look = (leftMs: number): void => {
          const isAgreed = [...ring.nodes]
            .filter(({ mode, isGossiping, hostId }) => mode === 'NORMAL' && isGossiping && node.view.live.has(hostId))
            .every(({ view }) => view.schema.version === node.view.schema.version);
          if (isAgreed || leftMs <= 0) answer(isAgreed);
          else later(lookEveryMs, () => look(leftMs - lookEveryMs));
        };
        const later = (ms: number, work: () => void): void => void process.clock.world.schedule(ms, work);
        look(agreementMs);
      }, statement),
    readEverywhere: () => say<void>((_node, answer) => answer(undefined)),
    close: () => Promise.resolve(),
  };
}

function exchange<T>(
  { process, ring, network, overseer }: SimulatedCqlOptions,
  address: string,
  work: Ask<T>,
  change: string | undefined,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<T> {
  const { name, clock } = process;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    if (clock.isDead) return;
    let isOver = false;
    const settle = (answer: () => void): void => {
      if (isOver || clock.isDead) return;
      isOver = true;
      signal.removeEventListener('abort', onAbort);
      silence.cancel();
      answer();
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const fail = (message: string): void => settle(() => reject(new CqlError('Unreachable', message)));
    signal.addEventListener('abort', onAbort, { once: true });
    const silence = clock.timer(deadlineMs, () => fail(`no answer within ${deadlineMs} ms`));

    const node = ring.nodeAt(address);
    const region = node?.options.region ?? '';
    const sent = exchangeOf(process, region, change);
    const mishap = overseer.mishap(sent);
    if (mishap?.crash === 'before send') {
      overseer.crash(name, sent);
      return;
    }
    const out = network.passage(name, region);
    if (out === 'dropped') return;
    if (out === 'refused' || !node) {
      clock.timer(1, () => fail(`connect ECONNREFUSED ${address}`));
      return;
    }
    clock.world.schedule(network.delay(), () => {
      if (node.jolokia !== 'serving' || node.mode !== 'NORMAL' || ring.nodeAt(address) !== node) return;
      if (change !== undefined) {
        const { keyspace, replication } = parse(change);
        const before = node.view.schema.definitions.get(keyspace)?.replication;
        overseer.alter(sent, { pod: node.options.name, keyspace, before, after: replication });
      }
      const answer = (value: T | CqlError): void => {
        if (mishap?.afterCommit === 'silence' || network.passage(region, name) !== 'open') return;
        clock.timer(network.delay(), () => {
          settle(() => (value instanceof CqlError ? reject(value) : resolve(value)));
          if (mishap?.crash === 'after reply') overseer.crash(name, sent);
        });
      };
      work(node, answer);
      if (mishap?.crash === 'after commit') overseer.crash(name, sent);
    });
  });
}

/** What faults and checks know a message by. Those of API servers do not concern it: its path is none of theirs. */
function exchangeOf(process: SimulatedCqlOptions['process'], cluster: string, change: string | undefined): Exchange {
  const request: HttpRequest = { method: 'GET', path: '/proxy/cql' };
  const isWrite = change !== undefined;
  const sentAtMs = process.clock.world.monotonic();
  return {
    process: process.name,
    cluster,
    number: process.nextNumber(),
    request,
    isWrite,
    isOrder: isWrite,
    isLease: false,
    beliefs: undefined,
    sentAtMs,
  };
}

/** As system_schema.keyspaces has it. */
function rowOf({ view }: CassandraNode, keyspace: string): Record<string, string> | undefined {
  const [, replication] = keyspacesOf(view.schema).find(([name]) => name === keyspace) ?? [];
  if (!replication) return undefined;
  const [strategy = '', factors = ''] = replicationText(replication).split(/ \{|\}/);
  const pairs = factors === '' ? [] : factors.split(', ').map((each) => each.split('='));
  return {
    class: `org.apache.cassandra.locator.${strategy}`,
    ...(Object.fromEntries(pairs) as Record<string, string>),
  };
}

/** @throws Error for anything but an ALTER KEYSPACE to NetworkTopologyStrategy */
export function parse(statement: string): { keyspace: string; replication: Replication } {
  const pattern = /^ALTER KEYSPACE "?(\w+)"? WITH replication = \{'class': 'NetworkTopologyStrategy', ([^}]*)\};$/;
  const [, keyspace, factors = ''] = pattern.exec(statement) ?? [];
  if (keyspace === undefined) throw new Error(`nobody knows what this means: ${statement}`);
  const entries = [...factors.matchAll(/'(\w+)': (\d+)/g)].map(([, name = '', factor]) => [name, Number(factor)]);
  const datacenters = Object.fromEntries(entries) as Record<string, number>;
  return { keyspace, replication: { strategy: 'NetworkTopologyStrategy', datacenters } };
}
