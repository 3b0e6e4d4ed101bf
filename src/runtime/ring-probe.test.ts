import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import type { KubeObject } from '../kube/objects.ts';
import { probePaceMs, RingProbe } from './ring-probe.ts';

interface Node {
  hosts: Record<string, string>;
  keyspaces: string[];
  silent?: boolean;
}

/** Pods whose nodes answer like Cassandra's Jolokia, and a count of how often they were asked. */
class Nodes {
  readonly clock = new VirtualClock();
  readonly nodes = new Map<string, Node>();
  asked = 0;
  askedForReplication = 0;
  changes = 0;
  readonly probe = new RingProbe({
    client: { podProxyGet: (_namespace, pod, _port, path) => this.#answer(pod, path) },
    clock: this.clock,
    namespace: 'cassandra',
    readyPods: () => this.pods(),
    onChange: () => void this.changes++,
  });

  pods(): KubeObject[] {
    return [...this.nodes.keys()].map((name) => ({ metadata: { name, uid: `uid-${name}` } }));
  }

  add(name: string, hosts: Record<string, string>, keyspaces = ['system_auth']): Node {
    const node = { hosts, keyspaces };
    this.nodes.set(name, node);
    return node;
  }

  view(name: string): ReturnType<RingProbe['view']> {
    return this.probe.view({ metadata: { name, uid: `uid-${name}` } });
  }

  async run(check: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = this.probe.run(stop.signal);
    await check();
    stop.abort();
    await running;
  }

  #answer(pod: string, path: string): Promise<{ status: number; body: string }> {
    this.asked += 1;
    const node = this.nodes.get(pod);
    if (!node || node.silent) return Promise.resolve({ status: 503, body: 'no endpoints' });
    const isReplication = path.includes('getKeyspaceReplicationInfo');
    if (isReplication) this.askedForReplication += 1;
    const value = isReplication
      ? 'SimpleStrategy {replication_factor=1}'
      : {
          ClusterName: 'orders',
          EndpointToHostId: node.hosts,
          JoiningNodes: [],
          LeavingNodes: [],
          LiveNodes: Object.keys(node.hosts),
          LocalHostId: `host-of-${pod}`,
          MovingNodes: [],
          NonLocalStrategyKeyspaces: node.keyspaces,
          OperationMode: 'NORMAL',
          SchemaVersion: 'v',
        };
    return Promise.resolve({ status: 200, body: JSON.stringify({ status: 200, value }) });
  }
}

test('every ready node is asked for its view', async () => {
  const nodes = new Nodes();
  nodes.add('a', { '198.18.0.1': 'host-of-a' });
  nodes.add('b', { '198.18.0.1': 'host-of-a' });
  await nodes.run(async () => {
    await nodes.clock.until(
      'both views are there',
      () => nodes.view('a') !== undefined && nodes.view('b') !== undefined,
    );
    assert.equal(nodes.view('a')?.hostId, 'host-of-a');
  });
});

test('a round that learns nothing new tells nobody', async () => {
  const nodes = new Nodes();
  nodes.add('a', {});
  await nodes.run(async () => {
    await nodes.clock.advance(probePaceMs.fast * 10);
    assert.ok(nodes.asked > 5);
    assert.equal(nodes.changes, 1);
  });
});

test('a quiet ring is asked once a minute, and at once when a pod changes', async () => {
  const nodes = new Nodes();
  nodes.add('a', {});
  await nodes.run(async () => {
    await nodes.clock.advance(1);
    nodes.probe.pace = 'quiet';
    await nodes.clock.advance(probePaceMs.fast);
    const asked = nodes.asked;
    await nodes.clock.advance(probePaceMs.quiet - probePaceMs.fast);
    assert.ok(nodes.asked - asked <= 1);
    nodes.add('b', {});
    nodes.probe.nudge();
    await nodes.clock.advance(probePaceMs.fast);
    assert.ok(nodes.view('b'));
  });
});

test('what a node last said stays, and that it is silent now is known beside it', async () => {
  const nodes = new Nodes();
  const node = nodes.add('a', {});
  await nodes.run(async () => {
    await nodes.clock.until('the view is there', () => nodes.view('a') !== undefined);
    node.silent = true;
    const [pod] = nodes.pods();
    assert.ok(pod);
    await nodes.clock.until('it is silent', () => nodes.probe.unreadable(pod) !== undefined);
    assert.match(nodes.probe.unreadable(pod) ?? '', /HTTP 503/);
    assert.ok(nodes.view('a'));
  });
});

test('the view of a pod that is not ready any more is forgotten', async () => {
  const nodes = new Nodes();
  nodes.add('a', {});
  await nodes.run(async () => {
    await nodes.clock.until('the view is there', () => nodes.view('a') !== undefined);
    nodes.nodes.delete('a');
    await nodes.clock.until('it is gone', () => nodes.view('a') === undefined);
  });
});

test('it is known since when a node names the same hosts', async () => {
  const nodes = new Nodes();
  const node = nodes.add('a', { x: '1' });
  await nodes.run(async () => {
    await nodes.clock.advance(5_000);
    assert.equal(nodes.view('a')?.hostsSinceMs, 0);
    node.hosts = { x: '1', y: '2' };
    await nodes.clock.advance(5_000);
    assert.ok((nodes.view('a')?.hostsSinceMs ?? 0) >= 5_000);
  });
});

test('replication is read only once there is data', async () => {
  const nodes = new Nodes();
  const node = nodes.add('a', {});
  await nodes.run(async () => {
    await nodes.clock.advance(2_000);
    assert.equal(nodes.probe.replication, undefined);
    node.keyspaces = ['system_auth', 'shop'];
    await nodes.clock.until('replication is read', () => nodes.probe.replication !== undefined);
    assert.deepEqual(Object.keys(nodes.probe.replication ?? {}), ['system_auth', 'shop']);
  });
});

test('replication that is known is not read in every round, and that of a new keyspace at once', async () => {
  const nodes = new Nodes();
  const node = nodes.add('a', {}, ['shop']);
  await nodes.run(async () => {
    await nodes.clock.until('replication is read', () => nodes.probe.replication !== undefined);
    await nodes.clock.advance(60_000);
    assert.ok(nodes.askedForReplication >= 10 && nodes.askedForReplication <= 15, String(nodes.askedForReplication));
    node.keyspaces = ['shop', 'stock'];
    await nodes.clock.advance(probePaceMs.fast * 2);
    assert.deepEqual(Object.keys(nodes.probe.replication ?? {}), ['shop', 'stock']);
  });
});
