import { JavaError } from '../../../light-node/jolokia.ts';
import type { ActorClock } from '../actor-clock.ts';
import type { CassandraNetwork } from './network.ts';
import type { CassandraNode } from './node.ts';
import { execute, readAttribute } from './storage-service.ts';

interface Answers {
  revision: number;
  byPath: Map<string, string>;
}

const answers = new WeakMap<CassandraNode, Answers>();

/**
 * Answers a GET as Jolokia in front of the node does; undefined when nothing listens on its port. An operation that
 * takes time is begun, and what is answered is that it went well.
 * @param path from the root, e.g. `/jolokia/read/<bean>/<attribute>,...`
 */
export function answerJolokia(
  network: CassandraNetwork,
  clock: ActorClock,
  node: CassandraNode,
  path: string,
): { status: number; body: string } | undefined {
  if (node.jolokia === 'closed') return undefined;
  if (!path.startsWith('/jolokia/')) return { status: 404, body: '<h1>404 Not Found</h1>' };
  const isMereQuestion = path.startsWith('/jolokia/read/') || path.includes('/getKeyspaceReplicationInfo/');
  if (node.jolokia === 'empty' || !isMereQuestion) return { status: 200, body: answer(network, clock, node, path) };
  // The same question has the same answer for as long as nothing happens in the ring.
  let kept = answers.get(node);
  if (kept?.revision !== network.revision)
    answers.set(node, (kept = { revision: network.revision, byPath: new Map() }));
  const known = kept.byPath.get(path);
  if (known !== undefined) return { status: 200, body: known };
  const body = answer(network, clock, node, path);
  kept.byPath.set(path, body);
  return { status: 200, body };
}

function answer(network: CassandraNetwork, clock: ActorClock, node: CassandraNode, path: string): string {
  const timestamp = Math.floor(clock.now() / 1000);
  try {
    return JSON.stringify({ value: ask(network, clock, node, path) ?? null, timestamp, status: 200 });
  } catch (error) {
    if (!(error instanceof JavaError)) throw error;
    const { type, message, status } = error;
    return JSON.stringify({ error_type: type, error: message === '' ? type : `${type} : ${message}`, status });
  }
}

/** `read/<bean>/<attribute>[,...]` and `exec/<bean>/<operation>[/<argument>...]`; `!` escapes a slash. */
function ask(network: CassandraNetwork, clock: ActorClock, node: CassandraNode, path: string): unknown {
  const parts = decodeURIComponent(path.slice('/jolokia/'.length)).split(/(?<!!)\//);
  const [type = '', bean = '', third = '', ...rest] = parts.map((part) => part.replaceAll(/!(.)/g, '$1'));
  if (type === 'exec') {
    const outcome = execute({ network, clock, node }, third, rest);
    if ('value' in outcome) return outcome.value;
    outcome.wait(() => undefined);
    return null;
  }
  if (type !== 'read') {
    throw new JavaError('java.lang.IllegalArgumentException', `No type with name '${type}' exists`, 400);
  }
  if (!third.includes(',')) return readAttribute(node, bean, third);
  return Object.fromEntries(third.split(',').map((each) => [each, readAttribute(node, bean, each)]));
}
