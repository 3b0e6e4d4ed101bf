import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RingBench } from './bench.ts';
import type { CassandraNode } from './node.ts';
import { execute } from './storage-service.ts';

describe('nodes of Cassandra in memory', () => {
  test('three nodes with the same seed form one ring, and then gossip rests', async () => {
    const bench = new RingBench();
    const nodes = await bench.ring('eu-0', 'eu-1', 'us-0');
    bench.assertOneRing(...nodes);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  test('a node that is no seed joins before it is NORMAL, and the others see it joining', async () => {
    const bench = new RingBench();
    const [first] = await bench.ring('eu-0');
    assert.ok(first);
    const second = bench.start('eu-1', ['eu-0']);
    await bench.clock.until('the joining node to be seen', () => bench.list(first, 'JoiningNodes').length > 0);
    assert.equal(second.mode, 'JOINING');
    assert.deepEqual(bench.list(first, 'JoiningNodes'), [second.options.address]);
    await bench.normal(second);
    await bench.rest();
    assert.deepEqual(bench.list(first, 'JoiningNodes'), []);
    bench.assertOneRing(first, second);
  });

  test('a node that is among its seeds skips the join', async () => {
    const bench = new RingBench();
    const [first] = await bench.ring('eu-0');
    assert.ok(first);
    const modes = new Set<string>();
    const second = bench.start('eu-1', ['eu-0', 'eu-1']);
    bench.network.onChange(() => modes.add(second.mode));
    await bench.normal(second);
    assert.deepEqual([...modes], ['STARTING', 'NORMAL']);
    await bench.rest();
    bench.assertOneRing(first, second);
  });

  test('a node that is to replace a stranger at its first boot starts only if its disk has had its first', async () => {
    const bench = new RingBench();
    const [first] = await bench.ring('eu-0');
    assert.ok(first);
    first.crash();
    await bench.startNormal('eu-0', ['eu-0'], { disk: first.options.disk, refusesEmptyDisk: true });
    bench.start('us-0', ['us-0'], { refusesEmptyDisk: true });
    bench.start('us-1', ['eu-0'], { refusesEmptyDisk: true });
    await bench.clock.until('the end of both', () => bench.exits.length === 2);
    assert.match(bench.exits.join(), /us-0: Replacing a node without bootstrapping.*us-1: Cannot replace_address/);
  });

  test('two nodes with data that are not among their seeds start together, and neither alone', async () => {
    const bench = new RingBench();
    const nodes = await bench.ring('eu-0', 'eu-1');
    const [one, other] = nodes.map((node) => ({ disk: node.options.disk, address: node.options.address }));
    for (const node of nodes) node.crash();
    bench.start('eu-0', ['eu-1'], one);
    await bench.clock.until('the end of it', () => bench.exits.length > 0);
    assert.deepEqual(bench.exits, ['eu-0: Unable to gossip with any peers']);
    const together = [bench.start('eu-0', ['eu-1'], one), bench.start('eu-1', ['eu-0'], other)];
    await bench.normal(...together);
    await bench.rest();
    bench.assertOneRing(...together);
  });

  test('nodes that are each their own only seed found a ring each', async () => {
    const bench = new RingBench();
    const nodes = [await bench.startNormal('eu-0', ['eu-0']), await bench.startNormal('eu-1', ['eu-1'])];
    await bench.rest();
    for (const node of nodes) bench.assertOneRing(node);
  });

  test('two rings of one cluster name become one as soon as one node learns of the other ring', async () => {
    const bench = new RingBench();
    const first = await bench.startNormal('eu-0', ['eu-0']);
    const second = await bench.startNormal('us-0', ['us-0'], { datacenter: 'us' });
    const bridge = await bench.startNormal('eu-1', ['eu-0', 'us-0']);
    await bench.rest();
    bench.assertOneRing(first, second, bridge);
  });

  test('rings of different cluster names never mix, and a node gets no answer from the other kind', async () => {
    const bench = new RingBench();
    const first = await bench.startNormal('eu-0', ['eu-0']);
    const other = bench.start('eu-1', ['eu-0'], { clusterName: 'invoices' });
    await bench.clock.until('the end of it', () => other.hasEnded);
    assert.deepEqual(bench.exits, ['eu-1: Unable to gossip with any peers']);
    bench.assertOneRing(first);
  });

  test('a node with an empty disk that is no seed and reaches none ends after the ring delay', async () => {
    const bench = new RingBench();
    bench.names.set('eu-0', bench.address());
    bench.start('eu-1', ['eu-0']);
    await bench.clock.until('the end of it', () => bench.exits.length > 0);
    assert.deepEqual(bench.exits, ['eu-1: Unable to gossip with any peers']);
    assert.ok(bench.clock.monotonic() >= 30_000);
  });

  test('a node waits for its seed for as long as the ring delay lasts', async () => {
    const bench = new RingBench();
    const address = bench.address();
    bench.names.set('eu-0', address);
    const second = bench.start('eu-1', ['eu-0']);
    await bench.clock.advance(15_000);
    const first = await bench.startNormal('eu-0', ['eu-0'], { address });
    await bench.normal(second);
    await bench.rest();
    bench.assertOneRing(first, second);
  });

  test('a node whose seeds have no address ends at once', async () => {
    const bench = new RingBench();
    bench.start('eu-0', ['nobody']);
    await bench.clock.until('the end of it', () => bench.exits.length > 0, 5_000);
    assert.deepEqual(bench.exits, ['eu-0: The seed provider lists no seeds.']);
  });

  test('a second node may not join while another joins', async () => {
    const bench = new RingBench();
    await bench.ring('eu-0');
    const second = bench.start('eu-1', ['eu-0']);
    await bench.clock.advance(2000);
    const third = bench.start('eu-2', ['eu-0']);
    await bench.clock.until('the end of one', () => bench.exits.length > 0);
    assert.match(bench.exits[0] ?? '', /^eu-2: Other bootstrapping/);
    assert.ok(third.hasEnded);
    await bench.normal(second);
  });

  test('a host that dies while it joins is forgotten', async () => {
    const bench = new RingBench();
    const [first] = await bench.ring('eu-0');
    assert.ok(first);
    const second = bench.start('eu-1', ['eu-0']);
    await bench.clock.until('it to be seen', () => bench.list(first, 'JoiningNodes').length > 0);
    second.crash();
    await bench.clock.advance(10_000);
    assert.equal(bench.list(first, 'JoiningNodes').length, 1);
    await bench.rest();
    assert.deepEqual(bench.list(first, 'JoiningNodes'), []);
    bench.assertOneRing(first);
  });

  test('a node that dies is held to be down after twenty seconds, one that stops in an orderly way at once', async () => {
    const bench = new RingBench();
    const [first, second, third] = await bench.ring('eu-0', 'eu-1', 'eu-2');
    assert.ok(first && second && third);
    second.crash();
    third.stop();
    assert.deepEqual(bench.list(first, 'UnreachableNodes'), [third.options.address]);
    const stopped = bench.clock.monotonic();
    await bench.clock.until('both to be down', () => bench.list(first, 'UnreachableNodes').length === 2);
    const took = bench.clock.monotonic() - stopped;
    assert.ok(took >= 20_000 && took <= 22_000, `${took} ms`);
    await bench.rest();
  });

  test('a node comes back with its host ID at a new address, and the others follow it', async () => {
    const bench = new RingBench();
    const [first, second, third] = await bench.ring('eu-0', 'eu-1', 'eu-2');
    assert.ok(first && second && third);
    third.crash();
    const moved = await bench.startNormal('eu-2', ['eu-0'], { disk: third.options.disk });
    assert.equal(moved.hostId, third.hostId);
    assert.notEqual(moved.options.address, third.options.address);
    await bench.rest();
    bench.assertOneRing(first, second, moved);
  });

  test('a node with data and only itself as seed comes back alone, as the same host', async () => {
    const bench = new RingBench();
    const [first, second] = await bench.ring('eu-0', 'eu-1');
    assert.ok(first && second);
    first.crash();
    second.crash();
    const alone = await bench.startNormal('eu-1', ['eu-1'], { disk: second.options.disk });
    await bench.rest();
    assert.deepEqual(bench.hosts(alone), [first.hostId, second.hostId]);
    assert.deepEqual(bench.list(alone, 'UnreachableNodes'), [first.options.address]);
  });

  test('all nodes restart at once with new addresses and find each other through the names of the seeds', async () => {
    const bench = new RingBench();
    const before = await bench.ring('eu-0', 'eu-1', 'us-0');
    for (const node of before) node.crash();
    const seeds = ['eu-0', 'us-0'];
    const after = before.map(({ options }) => {
      const { name, datacenter, disk } = options;
      return bench.start(name, seeds, { datacenter, disk });
    });
    await bench.normal(...after);
    await bench.rest();
    bench.assertOneRing(...after);
    assert.deepEqual(
      after.map(({ hostId }) => hostId),
      before.map(({ hostId }) => hostId),
    );
  });

  test('all nodes restart at once at new addresses, each alone: they never meet again by themselves', async () => {
    const bench = new RingBench();
    const before = await bench.ring('eu-0', 'us-0');
    for (const node of before) node.crash();
    const after = before.map(({ options: { name, disk, datacenter } }) =>
      bench.start(name, [name], { disk, datacenter }),
    );
    await bench.normal(...after);
    await bench.rest();
    for (const [index, node] of after.entries()) {
      assert.equal(bench.list(node, 'LiveNodes').length, 1);
      assert.deepEqual(bench.list(node, 'UnreachableNodes'), [before[1 - index]?.options.address]);
    }
  });

  test('a disk of another cluster, and one of a node that was decommissioned, are refused', async () => {
    const bench = new RingBench();
    const [first, second] = await bench.ring('eu-0', 'eu-1');
    assert.ok(first && second);
    first.crash();
    bench.start('eu-0', ['eu-0'], { clusterName: 'invoices', disk: first.options.disk });
    await bench.clock.until('the first end', () => bench.exits.length === 1);
    assert.match(bench.exits[0] ?? '', /Saved cluster name orders != configured name invoices/);
    second.options.disk.bootstrapped = 'DECOMMISSIONED';
    second.crash();
    bench.start('eu-1', ['eu-1'], { disk: second.options.disk });
    await bench.clock.until('the second end', () => bench.exits.length === 2);
    assert.match(bench.exits[1] ?? '', /was decommissioned/);
  });

  test("an empty disk at a member's address is refused, also when that member is down", async () => {
    const bench = new RingBench();
    const [, second] = await bench.ring('eu-0', 'eu-1');
    assert.ok(second);
    second.crash();
    await bench.rest();
    bench.start('eu-1', ['eu-0'], { address: second.options.address });
    await bench.clock.until('the end of it', () => bench.exits.length > 0);
    assert.match(bench.exits[0] ?? '', /already exists, cancelling join/);
  });

  test('regions that are cut off hold each other to be down, and find each other again', async () => {
    const bench = new RingBench();
    const nodes = await bench.ring('eu-0', 'us-0', 'us-1');
    const [eu, us] = nodes as [CassandraNode, CassandraNode];
    bench.connect('eu', 'us', false);
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.list(eu, 'LiveNodes'), [eu.options.address]);
    assert.equal(bench.list(us, 'LiveNodes').length, 2);
    assert.deepEqual(bench.hosts(eu), bench.hosts(us));
    assert.ok(bench.network.isAtRest);
    bench.connect('eu', 'us', true);
    await bench.rest();
    bench.assertOneRing(...nodes);
  });

  test('a connection that comes about in one direction only carries no gossip', async () => {
    const bench = new RingBench();
    const [eu] = await bench.ring('eu-0', 'us-0');
    assert.ok(eu);
    bench.cut.add('us>eu');
    bench.network.connectivityChanged();
    await bench.clock.advance(60_000);
    assert.deepEqual(bench.list(eu, 'LiveNodes'), [eu.options.address]);
  });

  test('two regions that only a third one reaches hold each other to be alive by what it tells them', async () => {
    const bench = new RingBench();
    const nodes = await bench.ring('eu-0', 'us-0', 'ap-0');
    bench.connect('eu', 'us', false);
    await bench.clock.advance(120_000);
    bench.assertOneRing(...nodes);
  });

  test('a node that joins while a region cannot reach it is known there, and counts as down', async () => {
    const bench = new RingBench();
    const [eu, ap] = await bench.ring('eu-0', 'ap-0');
    assert.ok(eu && ap);
    bench.connect('eu', 'us', false);
    const us = await bench.startNormal('us-0', ['us-0', 'ap-0'], { datacenter: 'us' });
    await bench.rest();
    assert.equal(bench.hosts(eu).length, 3);
    assert.deepEqual(bench.list(eu, 'UnreachableNodes'), [us.options.address]);
    assert.deepEqual(bench.list(ap, 'UnreachableNodes'), []);
    bench.connect('eu', 'us', true);
    await bench.rest();
    bench.assertOneRing(eu, ap, us);
  });

  test('a decommissioned node leaves the views of the others, keeps its own, and does not come back', async () => {
    const bench = new RingBench();
    const nodes = await bench.ring('eu-0', 'eu-1', 'eu-2');
    const [first, , third] = nodes as [CassandraNode, CassandraNode, CassandraNode];
    let isOver = false;
    const { network, clock } = bench;
    const outcome = execute({ network, clock, node: third }, 'decommission', [true]);
    assert.ok('wait' in outcome);
    outcome.wait((error) => (isOver = error === undefined));
    await clock.until('it to be seen', () => bench.list(first, 'LeavingNodes').includes(third.options.address));
    await clock.until('the end of it', () => isOver);
    await bench.rest();
    assert.equal(third.mode, 'DECOMMISSIONED');
    bench.assertOneRing(...nodes.slice(0, 2));
    assert.deepEqual(bench.list(third, 'LiveNodes'), nodes.map(({ options }) => options.address).toSorted());
    third.stop();
    bench.start('eu-2', ['eu-0'], { disk: third.options.disk });
    await clock.until('the refusal', () => bench.exits.length > 0);
  });

  test('without force a decommission is refused where the replicas would not fit any more', async () => {
    const bench = new RingBench();
    const [, second] = await bench.ring('eu-0', 'eu-1');
    assert.ok(second);
    const { network, clock } = bench;
    assert.throws(() => execute({ network, clock, node: second }, 'decommission', ['false']), /Not enough live nodes/);
    assert.throws(() => execute({ network, clock, node: second }, 'decommission', []), /requires 1 parameters/);
  });

  test('the last node cannot be decommissioned', async () => {
    const bench = new RingBench();
    const [node] = await bench.ring('eu-0');
    assert.ok(node);
    const { network, clock } = bench;
    assert.throws(() => execute({ network, clock, node }, 'decommission', [true]), /no other normal nodes/);
  });

  test('removeNode refuses a live host, takes a dead one out of every view, and a restart brings it back', async () => {
    const bench = new RingBench();
    const [first, second, third] = await bench.ring('eu-0', 'eu-1', 'eu-2');
    assert.ok(first && second && third);
    const { network, clock } = bench;
    const remove = (): unknown => execute({ network, clock, node: first }, 'removeNode', [third.hostId]);
    assert.throws(remove, /is alive and owns this ID/);
    third.crash();
    await bench.rest();
    remove();
    await bench.rest();
    bench.assertOneRing(first, second);
    const back = await bench.startNormal('eu-2', ['eu-0'], { disk: third.options.disk });
    await bench.rest();
    bench.assertOneRing(first, second, back);
  });

  test('a host that was removed while it was cut off still believes to be a member, and nobody listens', async () => {
    const bench = new RingBench();
    const [eu, , us] = await bench.ring('eu-0', 'eu-1', 'us-0');
    assert.ok(eu && us);
    bench.connect('eu', 'us', false);
    await bench.rest();
    const { network, clock } = bench;
    execute({ network, clock, node: eu }, 'removeNode', [us.hostId]);
    bench.connect('eu', 'us', true);
    await bench.rest();
    assert.equal(bench.hosts(eu).length, 2);
    assert.equal(bench.hosts(us).length, 3);
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    test(`what is at rest stays as it is: a round that is run all the same changes nothing (seed ${seed})`, async () => {
      const bench = new RingBench(seed);
      const nodes = await bench.ring('eu-0', 'us-0', 'ap-0', 'eu-1', 'us-1', 'ap-1');
      const pairs = [
        ['eu', 'us'],
        ['eu', 'ap'],
        ['us', 'ap'],
      ] as const;
      for (const [index, [one, other]] of [...pairs, ...pairs].entries()) {
        bench.connect(one, other, index >= pairs.length);
        if (index === seed % 5) nodes[seed]?.crash();
        await bench.rest();
        const { revision } = bench.network;
        bench.network.connectivityChanged();
        await bench.clock.advance(120_000);
        assert.equal(bench.network.revision, revision + 1);
      }
    });
  }
});
