import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { claimLoopbackNet, type LoopbackNet } from './loopback.ts';
import { LightNodeProcess, type NodeArguments } from './spawn-light-node.ts';

const timeoutMs = 300_000;

describe('light nodes', () => {
  let net: LoopbackNet;
  let directory: string;
  let hosts = 0;
  let running: LightNodeProcess[] = [];

  before(async () => {
    net = await claimLoopbackNet();
    directory = await mkdtemp(join(tmpdir(), 'light-node-'));
  });
  after(async () => {
    await net[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** An address nothing used before, and a data directory that is still empty. */
  const place = (): { address: string; data: string } => {
    hosts += 1;
    return { address: net.address(hosts), data: join(directory, String(hosts)) };
  };
  const start = (options: NodeArguments): LightNodeProcess => {
    const node = new LightNodeProcess(options);
    running.push(node);
    return node;
  };
  const startNormal = async (options: NodeArguments): Promise<LightNodeProcess> => {
    const node = start(options);
    await waitFor(() => node.isNormal(), {
      what: `${node.address} to be NORMAL`,
      timeoutMs,
      intervalMs: 50,
      giveUp: () => node.ending,
    });
    return node;
  };
  /** Waits until every node lists exactly these nodes, all alive and none still joining, with one set of host IDs. */
  const oneRing = (nodes: readonly LightNodeProcess[]): Promise<unknown> =>
    waitFor(
      async () => {
        const views = await Promise.all(nodes.map((node) => node.hosts()));
        const lives = await Promise.all(nodes.map((node) => node.read<string[]>('LiveNodes')));
        const addresses = nodes.map((node) => node.address).toSorted();
        for (const view of views) assert.deepEqual(view, views[0]);
        for (const live of lives) assert.deepEqual(live.toSorted(), addresses);
        for (const node of nodes) assert.deepEqual(await node.read('JoiningNodes'), []);
        assert.deepEqual(Object.keys(views[0] ?? {}).toSorted(), addresses);
        return true;
      },
      { what: 'one ring', timeoutMs, intervalMs: 50 },
    );
  const ring = async (size: number): Promise<{ places: ReturnType<typeof place>[]; nodes: LightNodeProcess[] }> => {
    const places = Array.from({ length: size }, place);
    const nodes: LightNodeProcess[] = [];
    // A node may only start once all have heard that the one before has joined.
    for (const each of places) {
      nodes.push(await startNormal({ ...each, seeds: [places[0]?.address ?? ''] }));
      await oneRing(nodes);
    }
    return { places, nodes };
  };
  const ringTest = (name: string, body: () => Promise<void>): void => {
    test(name, async () => {
      try {
        await body();
      } finally {
        await Promise.all(running.map((node) => node.kill()));
        running = [];
      }
    });
  };

  ringTest('three nodes with the same seed form one ring', async () => {
    const { nodes } = await ring(3);
    assert.equal(new Set(Object.values((await nodes[0]?.hosts()) ?? {})).size, 3);
  });

  ringTest('a node that is no seed joins before it is NORMAL, and the others see it joining', async () => {
    const { nodes, places } = await ring(1);
    const joining = start({ ...place(), seeds: [places[0]?.address ?? ''], streamMs: 3000 });
    const seen = await waitFor(
      async () => {
        const addresses = await nodes[0]?.read<string[]>('JoiningNodes');
        return addresses?.length ? addresses : undefined;
      },
      { what: 'the joining node', timeoutMs, intervalMs: 20 },
    );
    assert.deepEqual(seen, [joining.address]);
    await oneRing([...nodes, joining]);
    await waitFor(async () => (await nodes[0]?.read<string[]>('JoiningNodes'))?.length === 0, {
      what: 'the end of the join',
      timeoutMs,
    });
    assert.ok(await joining.isNormal());
  });

  ringTest('nodes that are each their own only seed found a ring each', async () => {
    const [a, b] = [place(), place()];
    const nodes = await Promise.all([a, b].map((each) => startNormal({ ...each, seeds: [each.address] })));
    for (const node of nodes) assert.deepEqual(Object.keys(await node.hosts()), [node.address]);
  });

  ringTest('a node with an empty disk that is not among its seeds and reaches none exits', async () => {
    const node = start({ ...place(), seeds: [place().address] });
    assert.equal(await node.ended(), 3);
    assert.match(node.errors, /Unable to gossip with any peers/);
  });

  ringTest('a node with an empty disk that is among its seeds and reaches no other founds a ring', async () => {
    const here = place();
    const node = await startNormal({ ...here, seeds: [place().address, here.address] });
    assert.deepEqual(Object.keys(await node.hosts()), [here.address]);
  });

  ringTest('a node that is no seed skips the join without auto_bootstrap, but needs a ring all the same', async () => {
    const { nodes, places } = await ring(1);
    const there = { ...place(), autoBootstrap: false, streamMs: 600_000 };
    const lonely = start({ ...there, seeds: [place().address] });
    assert.equal(await lonely.ended(), 3);
    assert.match(lonely.errors, /Unable to gossip with any peers/);
    const joined = await startNormal({ ...there, seeds: [places[0]?.address ?? ''] });
    await oneRing([...nodes, joined]);
  });

  ringTest('a node that is to replace a stranger at its first boot needs a disk that has had its first', async () => {
    const { nodes, places } = await ring(2);
    await Promise.all(nodes.map((node) => node.kill()));
    const replaceAddressFirstBoot = '192.0.2.1';
    const here = places[1] ?? place();
    const there = place();
    const empty = start({ ...there, seeds: [here.address, there.address], replaceAddressFirstBoot });
    assert.equal(await empty.ended(), 3);
    assert.match(empty.errors, /Replacing a node without bootstrapping/);
    await startNormal({ ...here, seeds: [places[0]?.address ?? '', here.address], replaceAddressFirstBoot });
  });

  ringTest('a node comes back after SIGKILL with its host ID at a new address, and the others follow it', async () => {
    const { nodes, places } = await ring(3);
    const hostId = await nodes[2]?.read<string>('LocalHostId');
    await nodes[2]?.kill();
    await waitFor(async () => (await nodes[0]?.read<string[]>('UnreachableNodes'))?.length === 1, {
      what: 'the failure to be detected',
      timeoutMs,
    });
    const moved = await startNormal({
      address: place().address,
      data: places[2]?.data ?? '',
      seeds: [places[0]?.address ?? ''],
    });
    assert.equal(await moved.read('LocalHostId'), hostId);
    await oneRing([...nodes.slice(0, 2), moved]);
  });

  ringTest('a node with data and only itself as seed comes back alone, as the same host', async () => {
    const { nodes, places } = await ring(2);
    const [first, second] = places;
    const before = await nodes[1]?.hosts();
    await Promise.all(nodes.map((node) => node.kill()));
    const alone = await startNormal({ ...(second ?? place()), seeds: [second?.address ?? ''] });
    assert.deepEqual(await alone.hosts(), before);
    assert.deepEqual(await alone.read('UnreachableNodes'), [first?.address]);
  });

  ringTest('all nodes restart at once with new addresses and find each other through the seeds', async () => {
    const { nodes, places } = await ring(3);
    const hostIds = Object.values((await nodes[0]?.hosts()) ?? {}).toSorted();
    await Promise.all(nodes.map((node) => node.kill()));
    const addresses = places.map(() => place().address);
    const restarted = places.map(({ data }, index) =>
      start({ data, address: addresses[index] ?? '', seeds: addresses }),
    );
    await oneRing(restarted);
    assert.deepEqual(Object.values((await restarted[0]?.hosts()) ?? {}).toSorted(), hostIds);
  });

  ringTest('a node of another cluster is refused', async () => {
    const { nodes, places } = await ring(1);
    const other = start({ ...place(), cluster: 'invoices', seeds: [places[0]?.address ?? ''] });
    assert.equal(await other.ended(), 3);
    assert.deepEqual(Object.keys((await nodes[0]?.hosts()) ?? {}), [places[0]?.address]);
  });

  ringTest('a disk of another cluster is refused', async () => {
    const { nodes, places } = await ring(1);
    await nodes[0]?.kill();
    const here = places[0] ?? place();
    const other = start({ ...here, cluster: 'invoices', seeds: [here.address] });
    assert.equal(await other.ended(), 3);
    assert.match(other.errors, /Saved cluster name orders != configured name invoices/);
  });

  ringTest("an empty disk at a member's address is refused, also when that member is down", async () => {
    const { nodes, places } = await ring(2);
    await nodes[1]?.kill();
    const address = places[1]?.address ?? '';
    const replacement = start({ address, data: place().data, seeds: [places[0]?.address ?? ''] });
    assert.equal(await replacement.ended(), 3);
    assert.match(replacement.errors, /already exists, cancelling join/);
  });

  ringTest('a decommissioned node leaves the views of the others, keeps its own, and does not come back', async () => {
    const { nodes, places } = await ring(2);
    const [first, second] = nodes;
    const there = place();
    const { address } = there;
    const leaving = await startNormal({ ...there, seeds: [places[0]?.address ?? ''], streamMs: 3000 });
    await oneRing([...nodes, leaving]);
    const answer = leaving.exec('decommission', true);
    await waitFor(async () => (await first?.read<string[]>('LeavingNodes'))?.includes(address), {
      what: 'the node to be seen leaving',
      timeoutMs,
      intervalMs: 20,
    });
    assert.equal((await answer)?.status, 200);
    assert.equal(await leaving.read('OperationMode'), 'DECOMMISSIONED');
    await oneRing([first, second].filter((node) => node !== undefined));
    assert.deepEqual(
      (await leaving.read<string[]>('LiveNodes'))?.toSorted(),
      [...places.map((each) => each.address), address].toSorted(),
    );
    await leaving.kill();
    const again = start({ ...there, seeds: [places[0]?.address ?? ''] });
    assert.equal(await again.ended(), 3);
    assert.match(again.errors, /was decommissioned/);
  });

  ringTest('removeNode refuses a live node, and takes a dead one out of every view', async () => {
    const { nodes } = await ring(3);
    const [first, second, third] = nodes;
    const hostId = await third?.read<string>('LocalHostId');
    assert.match((await first?.exec('removeNode', hostId))?.error ?? '', /is alive and owns this ID/);
    await third?.kill();
    await waitFor(async () => (await first?.exec('removeNode', hostId))?.status === 200, {
      what: 'the node to be removed',
      timeoutMs,
    });
    await oneRing([first, second].filter((node) => node !== undefined));
  });

  ringTest('the last node cannot be decommissioned', async () => {
    const { nodes } = await ring(1);
    const answer = await nodes[0]?.exec('decommission', true);
    assert.equal(answer?.status, 500);
    assert.match(answer?.error ?? '', /no other normal nodes in the ring/);
  });
});
