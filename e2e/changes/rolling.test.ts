import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createTables } from '../ring/cql.ts';
import type { PodObject } from '../ring/federation.ts';
import { untilOneRing } from '../ring/one-ring.ts';
import { watched } from '../ring/watched.ts';
import { ChangingRing, type Wanted } from './changing-ring.ts';
import { assertVolumesGrow } from './volumes.ts';

const names = ['eu', 'us', 'ap'];
const namespace = 'rolling';
const podsEach = 2;

interface Container {
  image: string;
  resources?: { requests?: { cpu?: string } };
  env?: { name: string; value?: string }[];
}
type Pod = PodObject & {
  spec: { containers: (Container & { name: string })[]; initContainers: (Container & { name: string })[] };
};

suite('changes that restart nodes, in a ring of three regions of two nodes at the true pace of CassKop', () => {
  let ring: ChangingRing;

  before(async () => {
    const sizes = Object.fromEntries(names.map((name) => [name, podsEach]));
    ring = await ChangingRing.start({ namespace, nodes: 'cassandra', pace: 'true', sizes });
    // As many replicas as nodes: whoever reads and writes with LOCAL_QUORUM needs them all.
    await createTables(ring.federation, sizes);
  });
  after(() => ring?.stop());

  /** Asserts that a change restarts each node once, one region after the other, with nobody in another region being the wiser. */
  async function assertRolls(change: Partial<Wanted>): Promise<void> {
    const history = await watched(ring.federation, names, async () => {
      await ring.restarts(names, () => ring.apply(change));
      await ring.ready();
    });
    assert.deepEqual(history.order, names);
    const every = names.flatMap((name) =>
      Array.from({ length: podsEach }, (_, index) => `orders-${name}-rack1-${index}`),
    );
    assert.deepEqual(Object.fromEntries(history.deletions), Object.fromEntries(every.map((pod) => [pod, 1])));
    await untilOneRing(ring.federation, every.length);
  }

  /** What all containers of this name have, in all pods of the ring. */
  async function inAll<T>(container: string, read: (container: Container) => T): Promise<T[]> {
    return (await ring.federation.allPods()).map(({ pod }) => {
      const { initContainers, containers } = (pod as Pod).spec;
      const found = [...initContainers, ...containers].find(({ name }) => name === container);
      assert.ok(found, `${pod.metadata.name} has a container ${container}`);
      return read(found);
    });
  }

  test('another image', async () => {
    const image = 'registry.example.net/cassandra:5.0.8';
    await assertRolls({ image });
    for (const found of await inAll('cassandra', (each) => each.image)) assert.equal(found, image);
  });

  test('other resources', async () => {
    await assertRolls({ cpu: '400m' });
    for (const found of await inAll('cassandra', (each) => each.resources?.requests?.cpu)) assert.equal(found, '400m');
  });

  test('other settings of Cassandra', async () => {
    await assertRolls({ config: { 'cassandra-yaml': { read_request_timeout: '6000ms' } } });
    const settings = await inAll(
      'config-builder',
      ({ env }) => env?.find(({ name }) => name === 'CONFIG_FILE_DATA')?.value ?? '',
    );
    for (const found of settings) assert.match(found, /"read_request_timeout":"6000ms"/);
  });

  test('a restart token', async () => {
    await assertRolls({ restartToken: 'november' });
  });

  test('larger volumes: the StatefulSets are made anew around their pods, and no pod restarts for it', async () => {
    await assertVolumesGrow(ring, '2Gi');
    await untilOneRing(ring.federation, names.length * podsEach);
  });
});
