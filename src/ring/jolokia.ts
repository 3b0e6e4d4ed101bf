import * as z from 'zod';
import { perObject } from '../edges/per-object.ts';
import { perText } from '../edges/per-text.ts';
import type { KubeClient } from '../kube/client.ts';
import type { NodeView } from './view.ts';

/** Cassandra's Jolokia agent listens here in every CassKop pod (container port `jolokia`). */
const jolokiaPort = 8778;
const storageService = 'org.apache.cassandra.db:type=StorageService';

/**
 * Attributes that exist in Cassandra 3.11, 4.x and 5.0 alike. HostIdMap is not among them: 5.0 dropped it, while
 * EndpointToHostId has been there all along.
 */
const attributes = [
  'ClusterName',
  'EndpointToHostId',
  'JoiningNodes',
  'LeavingNodes',
  'LiveNodes',
  'LocalHostId',
  'MovingNodes',
  'NonLocalStrategyKeyspaces',
  'OperationMode',
  'SchemaVersion',
] as const;

const answer = z.looseObject({ status: z.number(), value: z.unknown(), error: z.string().optional() });

const storageServiceValue = z.looseObject({
  ClusterName: z.string(),
  EndpointToHostId: z.record(z.string(), z.string()),
  JoiningNodes: z.array(z.string()),
  LeavingNodes: z.array(z.string()),
  LiveNodes: z.array(z.string()),
  LocalHostId: z.string(),
  MovingNodes: z.array(z.string()),
  NonLocalStrategyKeyspaces: z.array(z.string()),
  OperationMode: z.string(),
  SchemaVersion: z.string(),
});

/** Nodes are asked again and again, and mostly say the same. As many answers are remembered as nodes may be asked. */
const readAnswer = perText(500, (body) => answer.safeParse(JSON.parse(body)));
const readState = perObject((value: object) => storageServiceValue.safeParse(value));

/** A pod did not say what its node sees. The message is for people and says what the pod answered instead. */
export class NodeUnreadableError extends Error {
  override readonly name = 'NodeUnreadableError';
  readonly code = 'NodeUnreadable';
}

/**
 * Asks the Cassandra node in `pod` for its view of the ring, through the API server's pods/proxy.
 * @param observedAtMs what the caller's monotonic clock said before the request; it is stored in the view.
 * @throws NodeUnreadableError when the answer is not a complete view; KubeError when the API server fails.
 */
export async function readNodeView(
  client: Pick<KubeClient, 'podProxyGet'>,
  namespace: string,
  pod: string,
  observedAtMs: number,
  signal: AbortSignal,
): Promise<NodeView> {
  const path = `/jolokia/read/${storageService}/${attributes.join(',')}`;
  const said = await jolokiaGet(client, namespace, pod, path, signal);
  const parsed = typeof said === 'object' && said !== null ? readState(said) : storageServiceValue.safeParse(said);
  if (!parsed.success) {
    throw new NodeUnreadableError(`${pod} answers without its ring state: ${z.prettifyError(parsed.error)}`);
  }
  const value = parsed.data;
  return {
    pod,
    observedAtMs,
    hostsSinceMs: observedAtMs,
    hostId: value.LocalHostId,
    clusterName: value.ClusterName,
    operationMode: value.OperationMode,
    schemaVersion: value.SchemaVersion,
    hosts: value.EndpointToHostId,
    live: value.LiveNodes,
    joining: value.JoiningNodes,
    leaving: value.LeavingNodes,
    moving: value.MovingNodes,
    keyspaces: value.NonLocalStrategyKeyspaces,
  };
}

/**
 * How `keyspace` is replicated, in Cassandra's own words, e.g. `NetworkTopologyStrategy {eu=3, us=3}`
 * (StorageService.getKeyspaceReplicationInfo: 3.11.13, 4.0, 4.1, 5.0).
 */
export async function readReplication(
  client: Pick<KubeClient, 'podProxyGet'>,
  namespace: string,
  pod: string,
  keyspace: string,
  signal: AbortSignal,
): Promise<string> {
  const path = `/jolokia/exec/${storageService}/getKeyspaceReplicationInfo/${encodeURIComponent(keyspace)}`;
  const value = await jolokiaGet(client, namespace, pod, path, signal);
  if (typeof value !== 'string') {
    throw new NodeUnreadableError(`${pod} does not say how keyspace ${keyspace} is replicated`);
  }
  return value;
}

/** What a node can be told to do with the ring. */
export type NodeOrder =
  /** Streams its rows to those who take them over, and leaves. */
  | { readonly what: 'decommission' }
  /** Takes a host that is down out of the ring; those who take its ranges over stream from the replicas that are left. */
  | { readonly what: 'removeNode'; readonly hostId: string };

/**
 * Tells the node in `pod` what to do, if it is still the host that it was taken for, and NORMAL, and knows of nobody who leaves, and the host that it is to
 * remove. Cassandra answers when all is done, which takes minutes; giving up waiting stops nothing, and the views of the ring tell how it goes on.
 * @param hostId what the node must be
 * @param onSent called when the order itself is about to be sent
 * @throws NodeUnreadableError when the node is another one, or refuses; KubeError when the API server fails; the signal's reason
 */
export async function orderNode(
  client: Pick<KubeClient, 'podProxyGet'>,
  { namespace, pod, hostId }: { namespace: string; pod: string; hostId: string },
  order: NodeOrder,
  onSent: () => void,
  signal: AbortSignal,
): Promise<void> {
  const read = `/jolokia/read/${storageService}/EndpointToHostId,LeavingNodes,LocalHostId,OperationMode,ReleaseVersion`;
  const parsed = identity.safeParse(await jolokiaGet(client, namespace, pod, read, signal));
  if (!parsed.success) throw new NodeUnreadableError(`${pod} does not say which host it is`);
  const { EndpointToHostId, LeavingNodes, LocalHostId, OperationMode, ReleaseVersion } = parsed.data;
  if (LocalHostId !== hostId || OperationMode !== 'NORMAL') {
    throw new NodeUnreadableError(`${pod} is host ${LocalHostId} and ${OperationMode}, not host ${hostId} and NORMAL`);
  }
  if (LeavingNodes.length > 0)
    throw new NodeUnreadableError(`${pod} says that ${LeavingNodes.join(', ')} leaves already`);
  if (order.what === 'removeNode' && !Object.values(EndpointToHostId).includes(order.hostId))
    throw new NodeUnreadableError(`${pod} knows no host ${order.hostId} any more`);
  // system_auth and its like may ask for more replicas than there are nodes left; what is the user's was looked at before.
  const forced = ReleaseVersion.startsWith('3.') ? 'decommission' : 'decommission/true';
  const operation = order.what === 'decommission' ? forced : `removeNode/${order.hostId}`;
  onSent();
  const path = `/jolokia/exec/${storageService}/${operation}`;
  await jolokiaGet(client, namespace, pod, path, signal, { changes: true });
}

const identity = z.looseObject({
  EndpointToHostId: z.record(z.string(), z.string()),
  LeavingNodes: z.array(z.string()),
  LocalHostId: z.string(),
  OperationMode: z.string(),
  ReleaseVersion: z.string(),
});

async function jolokiaGet(
  client: Pick<KubeClient, 'podProxyGet'>,
  namespace: string,
  pod: string,
  path: string,
  signal: AbortSignal,
  options?: { changes: boolean },
): Promise<unknown> {
  const { status, body } = await client.podProxyGet(namespace, pod, jolokiaPort, path, signal, options);
  if (status !== 200) throw new NodeUnreadableError(`${pod} answers HTTP ${status} on its Jolokia port`);
  let parsed: ReturnType<typeof readAnswer>;
  try {
    parsed = readAnswer(body);
  } catch (cause) {
    throw new NodeUnreadableError(`${pod} answers something that is not JSON on its Jolokia port`, { cause });
  }
  if (!parsed.success || parsed.data.status !== 200) {
    const why = parsed.success ? (parsed.data.error ?? `status ${parsed.data.status}`) : 'not a Jolokia answer';
    throw new NodeUnreadableError(`${pod} cannot read its StorageService: ${why}`);
  }
  return parsed.data.value;
}
