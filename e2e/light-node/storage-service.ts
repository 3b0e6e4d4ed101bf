import type { EndpointState } from './endpoint-state.ts';
import { JavaError, type MBean } from './jolokia.ts';
import type { LightNode } from './light-node.ts';

/** Replication of the keyspaces a new Cassandra 5.0.8 ring has. */
const replication: Readonly<Record<string, string>> = {
  system_traces: 'SimpleStrategy {replication_factor=2}',
  system_distributed: 'SimpleStrategy {replication_factor=3}',
  system_auth: 'SimpleStrategy {replication_factor=1}',
  system_schema: 'LocalStrategy {}',
  system: 'LocalStrategy {}',
};

/** The same on every Cassandra 5.0.8 node without tables of its own. */
const schemaVersion = 'd03783d7-b468-3c1a-82f1-8e30b2edde8b';

/** The beans of Cassandra 5.0.8 that regional operators and the controller ask, with `node` behind them. */
export function mbeans(node: LightNode): Readonly<Record<string, MBean>> {
  return {
    'org.apache.cassandra.db:type=StorageService': storageService(node),
    'org.apache.cassandra.net:type=StreamManager': { attributes: { CurrentStreams: () => [] }, operations: {} },
    'org.apache.cassandra.db:type=CompactionManager': { attributes: { Compactions: () => [] }, operations: {} },
  };
}

function storageService(node: LightNode): MBean {
  const { membership, options } = node;
  const ring = (): EndpointState[] => (node.mode === 'STARTING' ? [] : membership.ring());
  const addressesOf = (choose: (state: EndpointState) => boolean): string[] =>
    ring()
      .filter(choose)
      .map((state) => state.address);
  return {
    attributes: {
      EndpointToHostId: () => Object.fromEntries(ring().map((state) => [state.address, state.hostId])),
      LiveNodes: () => {
        const live = addressesOf((state) => membership.isAlive(state));
        return node.mode === 'DECOMMISSIONED' ? [...live, options.address] : live;
      },
      UnreachableNodes: () => addressesOf((state) => !membership.isAlive(state)),
      JoiningNodes: () => addressesOf((state) => state.status === 'BOOT'),
      LeavingNodes: () => addressesOf((state) => state.status === 'LEAVING'),
      MovingNodes: () => [],
      OperationMode: () => node.mode,
      ClusterName: () => options.clusterName,
      LocalHostId: () => node.hostId,
      SchemaVersion: () => schemaVersion,
      Keyspaces: () => Object.keys(replication),
      NonLocalStrategyKeyspaces: () =>
        Object.keys(replication).filter((name) => !replication[name]?.startsWith('Local')),
      ReleaseVersion: () => '5.0.8',
    },
    operations: {
      decommission: { arity: 1, call: () => decommission(node) },
      removeNode: { arity: 1, call: ([hostId]) => removeNode(node, String(hostId)) },
      getKeyspaceReplicationInfo: { arity: 1, call: ([name]) => replicationInfo(String(name)) },
    },
  };
}

async function decommission(node: LightNode): Promise<void> {
  if (node.mode === 'DECOMMISSIONED') return;
  const others = node.membership.ring().filter((state) => state.hostId !== node.hostId && state.status === 'NORMAL');
  if (others.length === 0) throw unsupported('no other normal nodes in the ring; decommission would be pointless');
  if (node.mode !== 'NORMAL') {
    throw unsupported(`Node in ${node.mode} state; wait for status to become normal or restart`);
  }
  await node.decommission();
}

function removeNode(node: LightNode, hostId: string): void {
  const host = node.membership.ring().find((state) => state.hostId === hostId);
  if (!host) throw unsupported('Host ID not found.');
  if (hostId === node.hostId) throw unsupported('Cannot remove self');
  if (node.membership.isAlive(host)) {
    throw unsupported(
      `Node /${host.address}:7000 is alive and owns this ID. Use decommission command to remove it from the ring`,
    );
  }
  node.membership.remove(host);
}

function replicationInfo(keyspace: string): string {
  const found = replication[keyspace];
  if (found === undefined) throw new JavaError('java.lang.IllegalArgumentException', '', 400);
  return found;
}

function unsupported(message: string): JavaError {
  return new JavaError('java.lang.UnsupportedOperationException', message);
}
