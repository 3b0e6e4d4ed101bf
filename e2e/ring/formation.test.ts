import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { controllerUser, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { writesBy } from './audit-log.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { assertOneRing, assertOneUntouchedRing } from './one-ring.ts';

const racks = [{ name: 'a' }, { name: 'b' }];
const silenceMs = 60_000;

let regions: Regions;

before(async () => {
  regions = await startRegions({ regions: ['eu', 'us', 'ap'] });
  await installCrd(regions, 'eu');
  new ControllerProcess(regions);
});
after(() => regions?.stop());

suite('a ring of three regions with one node each', () => {
  let federation: Federation;

  before(async () => {
    await regions.prepareNamespace('ring', { pace: 'true' });
    federation = new Federation(regions, 'ring');
    await federation.apply();
    await federation.ready();
  });

  test('every node sees the same hosts, and nothing was ever restarted', async () => {
    await assertOneUntouchedRing(federation, 3);
  });

  test('the regions were created one after the other, the founder first', async () => {
    const created = await Promise.all(
      ['eu', 'us', 'ap'].map(async (region) =>
        Date.parse((await federation.pods(region))[0]?.metadata.creationTimestamp ?? ''),
      ),
    );
    assert.deepEqual(
      created,
      created.toSorted((one, other) => one - other),
    );
    assert.equal(new Set(created).size, 3);
  });

  test('what was done stands in kubectl describe', async () => {
    const args = ['--context', 'eu', '-n', 'ring', 'describe', 'multicassandracluster', federation.name];
    const describe = (): string => execFileSync(regions.kubectl, args, { encoding: 'utf8', timeout: 60_000 });
    const story = [
      /Normal +MemberCreated .*create the member of region eu, which founds the ring/,
      /Normal +MemberCreated .*create the member of region us, which joins the ring/,
      /Normal +Ready .*3 regions run one ring of 3 nodes/,
    ];
    await waitFor(() => story.every((line) => line.test(describe())), { what: 'the events', timeoutMs: 300_000 });
  });

  test('the seeds are in the operators’ status and no longer in the specs', async () => {
    for (const region of ['eu', 'us', 'ap']) {
      const member = await federation.member(region);
      assert.ok(member);
      assert.equal(member.status.seedlist.length, 3);
      assert.match(member.status.seedlist[0] ?? '', new RegExp(`\\.${region}\\.db\\.example\\.net$`));
      assert.equal(member.spec.backRestSidecar?.envVars, undefined);
      assert.equal(member.spec['config'], undefined);
    }
  });

  suite('while another ring forms, and for a minute at least', () => {
    let from: number;
    let writesBefore: string[];
    let statusBefore: unknown;

    before(async () => {
      from = performance.now();
      writesBefore = writes();
      statusBefore = (await federation.get()).status;
    });

    /** The controller's writes to all but the other ring; that it leads it has to say again and again. */
    function writes(): string[] {
      return regions.all.flatMap(({ name, auditLog }) =>
        writesBy(auditLog, controllerUser)
          .filter(({ namespace, what }) => namespace !== 'racks' && !what.startsWith('leases/'))
          .map(({ at, verb, what, status }) => `${at} ${name}: ${verb} ${what} ${status}`),
      );
    }

    suite('a ring of two regions with two racks each', () => {
      let federation: Federation;

      before(async () => {
        for (const name of ['eu', 'us']) await regions.region(name).prepareNamespace('racks');
        federation = new Federation(regions, 'racks');
        await federation.apply({
          regions: ['eu', 'us'].map((name) => ({ name, datacenters: [{ name, nodesPerRacks: 1, racks }] })),
        });
        await federation.ready();
      });

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

    test('nothing is written any more', async () => {
      await delay(Math.max(0, from + silenceMs - performance.now()));
      assert.deepEqual((await federation.get()).status, statusBefore);
      assert.deepEqual(
        writes().filter((write) => !writesBefore.includes(write)),
        [],
      );
    });
  });
});
