import type { EndpointState } from '../../../light-node/endpoint-state.ts';
import { JavaError } from '../../../light-node/jolokia.ts';
import { schedule, type ActorClock } from '../actor-clock.ts';
import { ownersOf, streamRebuild } from './data.ts';
import type { CassandraNetwork } from './network.ts';
import type { CassandraNode } from './node.ts';
import { factorIn, keyspacesOf, replicatedKeyspaces, replicationText, type Replication } from './schema.ts';

const storageService = 'org.apache.cassandra.db:type=StorageService';

/** What StorageService of Cassandra 5.0.8 shows; HostIdMap is not among it. */
const attributes: Readonly<Record<string, (node: CassandraNode) => unknown>> = {
  EndpointToHostId: (node) => Object.fromEntries(ringOf(node).map((state) => [state.address, state.hostId])),
  LiveNodes: (node) => {
    const live = addresses(node, (state) => node.view.isAlive(state));
    return node.mode === 'DECOMMISSIONED' ? [...live, node.options.address] : live;
  },
  UnreachableNodes: (node) => addresses(node, (state) => !node.view.isAlive(state)),
  JoiningNodes: (node) => addresses(node, ({ status }) => status === 'BOOT'),
  LeavingNodes: (node) => addresses(node, ({ status }) => status === 'LEAVING'),
  MovingNodes: () => [],
  OperationMode: (node) => node.mode,
  ClusterName: (node) => node.options.clusterName,
  LocalHostId: (node) => node.hostId,
  SchemaVersion: (node) => node.view.schema.version,
  Keyspaces: (node) => keyspacesOf(node.view.schema).map(([name]) => name),
  NonLocalStrategyKeyspaces: (node) => replicatedKeyspaces(node.view.schema).map(([name]) => name),
  ReleaseVersion: () => '5.0.8',
};

const otherBeans: Readonly<Record<string, Readonly<Record<string, (node: CassandraNode) => unknown>>>> = {
  'org.apache.cassandra.net:type=StreamManager': { CurrentStreams: () => [] },
  'org.apache.cassandra.db:type=CompactionManager': { Compactions: () => [] },
};

/** An operation is over at once, or takes time and says when it is over. */
export type Outcome = { value: unknown } | { wait(done: (error: JavaError | undefined) => void): void };

interface Call {
  network: CassandraNetwork;
  clock: ActorClock;
  node: CassandraNode;
}

interface Operation {
  /** Number of arguments; Jolokia refuses any other. */
  arity: number;
  call(call: Call, parameters: readonly unknown[]): Outcome;
}

const operations: Readonly<Record<string, Operation>> = {
  decommission: { arity: 1, call: ({ node }, [force]) => decommission(node, String(force) === 'true') },
  removeNode: {
    arity: 1,
    call: ({ network, node }, [hostId]) => {
      removeNode(network, node, String(hostId));
      return { value: null };
    },
  },
  rebuild: { arity: 1, call: (call, [datacenter]) => rebuild(call, String(datacenter)) },
  getKeyspaceReplicationInfo: {
    arity: 1,
    call: ({ node }, [name]) => ({ value: replicationText(replicationOf(node, String(name))) }),
  },
  describeRingJMX: { arity: 1, call: ({ node }, [name]) => ({ value: describeRing(node, String(name)) }) },
  forceKeyspaceCleanup: { arity: 3, call: (call, [, keyspace]) => maintain(call, `cleanup ${String(keyspace)}`) },
  upgradeSSTables: { arity: 4, call: (call, [keyspace]) => maintain(call, `upgradesstables ${String(keyspace)}`) },
};

/** Reads one attribute. @throws JavaError as Jolokia words it */
export function readAttribute(node: CassandraNode, bean: string, attribute: string): unknown {
  const beans = bean === storageService ? attributes : otherBeans[bean];
  if (!beans || node.jolokia !== 'serving') {
    throw new JavaError('javax.management.InstanceNotFoundException', bean, 404);
  }
  const read = Object.hasOwn(beans, attribute) ? beans[attribute] : undefined;
  if (!read) throw new JavaError('javax.management.AttributeNotFoundException', `No such attribute: ${attribute}`, 404);
  return read(node);
}

/**
 * Calls an operation of StorageService; its name may come with a signature.
 * @throws JavaError as Jolokia words it
 */
export function execute(call: Call, signature: string, parameters: readonly unknown[]): Outcome {
  if (call.node.jolokia !== 'serving') {
    throw new JavaError('javax.management.InstanceNotFoundException', storageService, 404);
  }
  const [name = ''] = signature.split('(');
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (!operation) throw illegalArgument(`No operation ${name} found on MBean ${storageService}`);
  if (parameters.length !== operation.arity) {
    throw illegalArgument(
      `Invalid number of operation arguments. Operation ${name} on ${storageService} requires ${operation.arity} parameters, not ${parameters.length} as given`,
    );
  }
  return operation.call(call, parameters);
}

/** A node that is still looking for its ring shows none. */
function ringOf(node: CassandraNode): readonly EndpointState[] {
  return node.mode === 'STARTING' ? [] : node.view.ring;
}

function addresses(node: CassandraNode, choose: (state: EndpointState) => boolean): string[] {
  return ringOf(node)
    .filter(choose)
    .map((state) => state.address);
}

function decommission(node: CassandraNode, force: boolean): Outcome {
  if (node.mode === 'DECOMMISSIONED') return { value: null };
  const others = ringOf(node).filter(({ hostId, status }) => hostId !== node.hostId && status === 'NORMAL');
  if (others.length === 0) throw unsupported('no other normal nodes in the ring; decommission would be pointless');
  if (node.mode !== 'NORMAL' && node.mode !== 'DECOMMISSION_FAILED') {
    throw unsupported(`Node in ${node.mode} state; wait for status to become normal or restart`);
  }
  if (ringOf(node).some(({ hostId, status }) => hostId !== node.hostId && status === 'LEAVING')) {
    throw unsupported('data is currently moving to this node; unable to leave the ring');
  }
  const { datacenter } = node.options;
  for (const [keyspace, replication] of force ? [] : replicatedKeyspaces(node.view.schema)) {
    const factor = factorIn(replication, datacenter);
    const simple = replication.strategy === 'SimpleStrategy';
    const there = ownersOf(node.view, replication).filter((state) => simple || state.datacenter === datacenter).length;
    if (factor === 0 || there > factor) continue;
    throw unsupported(
      `Not enough live nodes to maintain replication factor in keyspace ${keyspace} (RF = ${factor}, N = ${there}). Perform a forceful decommission to ignore.`,
    );
  }
  return {
    wait(done) {
      node.decommission((error) => done(error === undefined ? undefined : runtimeError(error)));
    },
  };
}

function removeNode(network: CassandraNetwork, node: CassandraNode, hostId: string): void {
  const host = ringOf(node).find((state) => state.hostId === hostId);
  if (!host) throw unsupported('Host ID not found.');
  if (hostId === node.hostId) throw unsupported('Cannot remove self');
  if (node.view.isAlive(host)) {
    throw unsupported(
      `Node /${host.address}:7000 is alive and owns this ID. Use decommission command to remove it from the ring`,
    );
  }
  network.remove(node, hostId);
}

function rebuild({ network, clock, node }: Call, datacenter: string): Outcome {
  return {
    wait(done) {
      schedule(clock, network.timing.rebuildMs, () => {
        const failure = node.hasEnded ? 'the node ended' : streamRebuild(node, datacenter, network.disks);
        if (failure === undefined) network.noteStreamed();
        done(failure === undefined ? undefined : runtimeError(failure));
      });
    },
  };
}

/** Work on a node's own files, which nobody else notices. */
function maintain({ network, clock, node }: Call, what: string): Outcome {
  return {
    wait(done) {
      schedule(clock, network.timing.maintenanceMs, () => {
        if (!node.hasEnded) node.maintained.push(what);
        done(node.hasEnded ? runtimeError('the node ended') : undefined);
      });
    },
  };
}

/** One line per owner; what reads it looks for datacenters. */
function describeRing(node: CassandraNode, keyspace: string): string[] {
  return ownersOf(node.view, replicationOf(node, keyspace)).map(
    ({ address, datacenter, rack }) =>
      `TokenRange(endpoints:[${address}], endpoint_details:[EndpointDetails(host:${address}, datacenter:${datacenter}, rack:${rack})])`,
  );
}

function replicationOf(node: CassandraNode, keyspace: string): Replication {
  const replication = node.view.schema.definitions.get(keyspace)?.replication;
  if (!replication) throw new JavaError('java.lang.IllegalArgumentException', '', 400);
  return replication;
}

function unsupported(message: string): JavaError {
  return new JavaError('java.lang.UnsupportedOperationException', message);
}

function runtimeError(message: string): JavaError {
  return new JavaError('java.lang.RuntimeException', message);
}

function illegalArgument(message: string): JavaError {
  return new JavaError('java.lang.IllegalArgumentException', message, 400);
}
