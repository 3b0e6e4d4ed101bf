import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { assertOneRing } from './one-ring.ts';

const racks = [{ name: 'a' }, { name: 'b' }];

suite('a ring of two regions with two racks each', () => {
  let regions: Regions;
  let federation: Federation;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'] });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('racks');
    federation = new Federation(regions, 'racks');
    new ControllerProcess(regions);
    await federation.apply({
      regions: ['eu', 'us'].map((name) => ({ name, datacenters: [{ name, nodesPerRacks: 1, racks }] })),
    });
    await federation.ready();
  });
  after(() => regions?.stop());

  // CassKop takes a node that joins for ready, so the next one may start too soon, and is started once more.
  test('all four nodes see the same hosts', async () => {
    await assertOneRing(federation, 4);
  });

  test('each rack is a StatefulSet of its own, and its node says that it is in that rack', async () => {
    for (const region of ['eu', 'us']) {
      const sets = await federation.statefulSets(region);
      assert.deepEqual(sets.map((set) => set.metadata.name).sort(), [`orders-${region}-a`, `orders-${region}-b`]);
      for (const rack of ['a', 'b']) {
        const pod = `orders-${region}-${rack}-0`;
        const { Datacenter, Rack } = await federation.ask(region, pod, 'Datacenter,Rack', 'EndpointSnitchInfo');
        assert.deepEqual([Datacenter, Rack], [region, rack]);
      }
    }
  });

  test('the seeds are one node of every rack, the region’s own first', async () => {
    const address = (region: string, rack: string): string =>
      `orders-${region}-${rack}-0.racks.${region}.db.example.net`;
    const eu = ['a', 'b'].map((rack) => address('eu', rack));
    const us = ['a', 'b'].map((rack) => address('us', rack));
    assert.deepEqual((await federation.get()).status?.seeds, [...eu, ...us]);
    assert.deepEqual((await federation.member('eu'))?.status.seedlist, [...eu, ...us]);
    assert.deepEqual((await federation.member('us'))?.status.seedlist, [...us, ...eu]);
  });

  test('no pod of the second region was there before the first region’s nodes had joined', async () => {
    const { status } = await federation.get();
    assert.deepEqual(status?.summary, { regions: '2/2', nodes: '4/4' });
    const podsOf = async (region: string): Promise<number[]> =>
      (await federation.pods(region)).map((pod) => Date.parse(pod.metadata.creationTimestamp ?? ''));
    const [eu, us] = [await podsOf('eu'), await podsOf('us')];
    assert.ok(Math.max(...eu) < Math.min(...us));
  });
});
