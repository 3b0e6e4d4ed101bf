import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeOrder, NodeUnreadableError, orderNode } from './jolokia.ts';

const { signal } = new AbortController();
const [own, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];

/** Gives an order to a node that says this of itself; answers the operations that were called on it. */
async function told(order: NodeOrder, says: Record<string, unknown> = {}): Promise<string[]> {
  const called: string[] = [];
  const value = {
    EndpointToHostId: { '198.18.0.1': own, '198.18.0.2': other },
    LeavingNodes: [],
    LocalHostId: own,
    OperationMode: 'NORMAL',
    ReleaseVersion: '5.0.8',
    ...says,
  };
  const client = {
    podProxyGet: (_namespace: string, _pod: string, _port: number, path: string) => {
      const [, operation] = /\/exec\/[^/]+\/(.*)$/.exec(path) ?? [];
      if (operation !== undefined) called.push(operation);
      return Promise.resolve({ status: 200, body: JSON.stringify({ status: 200, value }) });
    },
  };
  let sent = false;
  const onSent = (): void => {
    sent = true;
  };
  try {
    await orderNode(client, { namespace: 'cassandra', pod: 'orders-eu-rack1-0', hostId: own }, order, onSent, signal);
  } catch (error) {
    assert.ok(error instanceof NodeUnreadableError);
    assert.equal(sent, false);
  }
  return called;
}

const decommission: NodeOrder = { what: 'decommission' };
const removeNode: NodeOrder = { what: 'removeNode', hostId: other };

test('a node is told what to do in the words of its version', async () => {
  assert.deepEqual(await told(decommission), ['decommission/true']);
  assert.deepEqual(await told(decommission, { ReleaseVersion: '3.11.13' }), ['decommission']);
  assert.deepEqual(await told(removeNode), [`removeNode/${other}`]);
});

test('a node that is another host, has begun already, or sees one that leaves is told nothing', async () => {
  for (const order of [decommission, removeNode]) {
    assert.deepEqual(await told(order, { LocalHostId: other }), []);
    assert.deepEqual(await told(order, { OperationMode: 'LEAVING' }), []);
    assert.deepEqual(await told(order, { LeavingNodes: ['198.18.0.2'] }), []);
  }
});

test('a node that does not know a host any more is not told to remove it again', async () => {
  assert.deepEqual(await told(removeNode, { EndpointToHostId: { '198.18.0.1': own } }), []);
});
