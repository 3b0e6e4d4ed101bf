import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { controllerUser, type Regions, startRegions } from '../harness/index.ts';
import { writesBy } from './audit-log.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';

const namespace = 'kept';
const names = ['eu', 'us'];

/** With CASSKOP_BIN the real CassKop takes up the labels that we set. */
suite('What every node does once', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;

  before(async () => {
    regions = await startRegions({ regions: names });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace);
    controller = new ControllerProcess(regions);
    await federation.apply();
    await federation.ready();
  });
  after(async () => {
    await controller?.stop();
    await regions?.stop();
  });

  /** Our writes to pods, region by region, and when they were made. */
  function orders(): { region: string; what: string; at: string }[] {
    return names.flatMap((region) =>
      writesBy(regions.region(region).auditLog, controllerUser)
        .filter((each) => each.namespace === namespace && each.status < 300 && /^pods\/[^/]+$/.test(each.what))
        .map(({ what, at }) => ({ region, what, at })),
    );
  }

  async function labels(): Promise<(Record<string, string> | undefined)[]> {
    const pods = await federation.allPods();
    return pods.map(({ pod }) => pod.metadata.labels);
  }

  async function run(operations: Record<string, string>): Promise<void> {
    await federation.apply({ operations });
    await federation.waitForCondition('OperationsDone', 'True', { reason: 'Done' });
  }

  test('each node cleans up once for a token, one region after the other, and nothing restarts', async () => {
    const ran = await federation.whatRuns();
    await run({ cleanup: 'november' });
    const [first, second, ...others] = orders();
    assert.deepEqual([first?.what, second?.what], ['pods/orders-eu-rack1-0', 'pods/orders-us-rack1-0']);
    assert.deepEqual(others, []);
    assert.ok((first?.at ?? '') < (second?.at ?? ''));
    for (const each of await labels()) {
      assert.equal(each?.['operation-name'], 'cleanup');
      assert.equal(each['operation-status'], 'Done');
      // CassKop has written both: it was taken up, and it came to its end.
      assert.match(each['operation-start'] ?? '', /^\d{8}T\d{6}$/);
      assert.match(each['operation-end'] ?? '', /^\d{8}T\d{6}$/);
    }
    const [eu, us] = await labels();
    assert.ok((eu?.['operation-end'] ?? '') <= (us?.['operation-start'] ?? ''));
    await federation.ready();
    assert.deepEqual(await federation.whatRuns(), ran);
  });

  test('neither a controller that starts anew nor a wiped status has a node do it again', async () => {
    await controller.stop();
    await federation.forgetStatus();
    controller = new ControllerProcess(regions);
    await federation.ready();
    await run({ cleanup: 'november' });
    assert.equal(orders().length, 2);
  });

  test('files of older versions are rewritten likewise', async () => {
    await run({ cleanup: 'november', upgradesstables: 'fifth' });
    assert.equal(orders().length, 4);
    for (const each of await labels()) {
      assert.deepEqual([each?.['operation-name'], each?.['operation-status']], ['upgradesstables', 'Done']);
    }
    for (const region of names) {
      const { operations } = (await federation.region(region)) as { operations?: unknown };
      assert.deepEqual(operations, [
        { name: 'cleanup', token: 'november', done: 1, total: 1 },
        { name: 'upgradesstables', token: 'fifth', done: 1, total: 1 },
      ]);
    }
  });
});
