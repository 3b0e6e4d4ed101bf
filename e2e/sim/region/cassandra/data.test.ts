import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RingBench } from './bench.ts';
import { SchemaRefusedError } from './network.ts';
import type { CassandraNode } from './node.ts';
import { execute } from './storage-service.ts';

const inEu = { strategy: 'NetworkTopologyStrategy', datacenters: { eu: 2 } } as const;
const inBoth = { strategy: 'NetworkTopologyStrategy', datacenters: { eu: 2, us: 1 } } as const;

/** Two nodes with a keyspace of two replicas and something in it. */
async function withOrders(
  ...others: string[]
): Promise<{ bench: RingBench; nodes: CassandraNode[]; first: CassandraNode }> {
  const bench = new RingBench();
  const nodes = await bench.ring('eu-0', 'eu-1', ...others);
  const [first] = nodes;
  assert.ok(first);
  bench.network.writeKeyspace(first, 'orders', inEu);
  await bench.rest();
  bench.network.write(first, 'orders');
  return { bench, nodes, first };
}

async function rebuild(bench: RingBench, node: CassandraNode, from: string): Promise<string | undefined> {
  const { network, clock } = bench;
  const outcome = execute({ network, clock, node }, 'rebuild(java.lang.String)', [from]);
  assert.ok('wait' in outcome);
  let end: { error: string | undefined } | undefined;
  outcome.wait((error) => (end = { error: error?.message }));
  await clock.until('the end of the rebuild', () => end !== undefined);
  return end?.error;
}

describe('data in the ring', () => {
  test('a keyspace reaches every node that can be reached, and changes the version of the schema', async () => {
    const { bench, nodes } = await withOrders('us-0');
    const versions = new Set(nodes.map((node) => bench.read(node, 'SchemaVersion')));
    assert.equal(versions.size, 1);
    assert.ok(!versions.has('d03783d7-b468-3c1a-82f1-8e30b2edde8b'));
    for (const node of nodes) assert.ok(bench.list(node, 'NonLocalStrategyKeyspaces').includes('orders'));
  });

  test('two halves that each wrote a keyspace have both after they have met', async () => {
    const { bench, nodes } = await withOrders('us-0');
    const [eu, , us] = nodes as [CassandraNode, CassandraNode, CassandraNode];
    bench.connect('eu', 'us', false);
    bench.network.writeKeyspace(eu, 'mine', inEu);
    bench.network.writeKeyspace(us, 'yours', inEu);
    await bench.rest();
    assert.notEqual(bench.read(eu, 'SchemaVersion'), bench.read(us, 'SchemaVersion'));
    bench.connect('eu', 'us', true);
    await bench.rest();
    assert.equal(bench.read(eu, 'SchemaVersion'), bench.read(us, 'SchemaVersion'));
    for (const name of ['mine', 'yours']) assert.ok(bench.list(us, 'Keyspaces').includes(name));
  });

  test('who joins gets its share of the data', async () => {
    const { bench, first } = await withOrders();
    const third = await bench.startNormal('eu-2', ['eu-0']);
    await bench.rest();
    assert.deepEqual(bench.network.dataGaps(first), []);
    assert.equal(third.options.disk.data.get('orders')?.size, 1);
  });

  test('a seed skips the join, and with it the data', async () => {
    const { bench, first } = await withOrders();
    const third = await bench.startNormal('eu-2', ['eu-0', 'eu-2']);
    await bench.rest();
    assert.deepEqual(
      bench.network.dataGaps(first).map(({ hostId, keyspace }) => [hostId, keyspace]),
      [[third.hostId, 'orders']],
    );
    assert.deepEqual(bench.network.lostKeyspaces(first), []);
    bench.network.repair(first);
    assert.deepEqual(bench.network.dataGaps(first), []);
  });

  test('a datacenter that is named in a keyspace owns its ranges without data until it is rebuilt', async () => {
    const { bench, first, nodes } = await withOrders('us-0');
    const us = nodes[2] as CassandraNode;
    bench.network.writeKeyspace(first, 'orders', inBoth);
    await bench.rest();
    assert.deepEqual(
      bench.network.dataGaps(first).map(({ datacenter }) => datacenter),
      ['us'],
    );
    bench.network.writeKeyspace(first, 'system_auth', {
      strategy: 'NetworkTopologyStrategy',
      datacenters: { eu: 2, us: 1 },
    });
    await bench.rest();
    assert.equal(await rebuild(bench, us, 'eu'), undefined);
    assert.deepEqual(bench.network.dataGaps(first), []);
  });

  test('a rebuild fails while a keyspace has a single replica that may be elsewhere', async () => {
    const { bench, nodes } = await withOrders('us-0', 'ap-0');
    assert.match((await rebuild(bench, nodes[2] as CassandraNode, 'eu')) ?? '', /system_auth with RF=1/);
  });

  test('a node that lost its disk comes back as another host, and what the old one had is missing', async () => {
    const { bench, nodes, first } = await withOrders();
    const second = nodes[1] as CassandraNode;
    second.crash();
    bench.network.diskLost(second.options.disk);
    await bench.rest();
    assert.deepEqual(
      bench.network.dataGaps(first).map(({ hostId }) => hostId),
      [second.hostId],
    );
    const again = await bench.startNormal('eu-1', ['eu-0', 'eu-1']);
    await bench.rest();
    assert.notEqual(again.hostId, second.hostId);
    assert.equal(bench.network.dataGaps(first).length, 2);
    assert.deepEqual(bench.network.lostKeyspaces(first), ['orders']);
  });

  test('a node cannot join while one that has to give up a range is down', async () => {
    const { bench, nodes } = await withOrders();
    nodes[1]?.crash();
    await bench.rest();
    bench.start('eu-2', ['eu-0']);
    await bench.clock.until('the end of it', () => bench.exits.length > 0);
    assert.match(bench.exits[0] ?? '', /A node required to move the data consistently is down/);
  });

  test('removing the last host that had something is a loss', async () => {
    const { bench, nodes, first } = await withOrders();
    const second = nodes[1] as CassandraNode;
    second.crash();
    await bench.rest();
    const { network, clock } = bench;
    const third = await bench.startNormal('eu-2', ['eu-0', 'eu-2']);
    await bench.rest();
    assert.deepEqual(network.losses, []);
    execute({ network, clock, node: first }, 'removeNode', [second.hostId]);
    assert.deepEqual(
      network.losses.map(({ keyspace }) => keyspace),
      ['orders'],
    );
    assert.equal(third.options.disk.data.get('orders'), undefined);
  });

  test('a schema that names a datacenter without nodes, or forgets one that has some, is refused', async () => {
    const { bench, first } = await withOrders('us-0');
    const write = (name: string, datacenters: Record<string, number>): void =>
      bench.network.writeKeyspace(first, name, { strategy: 'NetworkTopologyStrategy', datacenters });
    assert.throws(() => write('orders', { ap: 1 }), SchemaRefusedError);
    assert.throws(() => write('system_auth', { eu: 2 }), /must be present: us/);
    write('system_auth', { eu: 2, us: 1 });
  });

  test('a keyspace may not be altered while a node joins', async () => {
    const { bench, first } = await withOrders();
    bench.start('eu-2', ['eu-0']);
    await bench.clock.until('it to be seen', () => bench.list(first, 'JoiningNodes').length > 0);
    assert.throws(() => bench.network.writeKeyspace(first, 'orders', inEu), SchemaRefusedError);
  });
});
