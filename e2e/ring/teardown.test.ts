import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';

const names = ['eu', 'us'];

suite('the end of a MultiCassandraCluster', () => {
  let regions: Regions;

  before(async () => {
    regions = await startRegions({ regions: names, nodes: 'light' });
    await installCrd(regions, 'eu');
    new ControllerProcess(regions);
  });
  after(() => regions?.stop());

  async function formed(namespace: string, deletionPolicy: 'Orphan' | 'Delete'): Promise<Federation> {
    await regions.prepareNamespace(namespace);
    const federation = new Federation(regions, namespace);
    await federation.apply({ deletionPolicy });
    await federation.ready();
    return federation;
  }

  function untilGone(what: string, find: () => Promise<unknown>): Promise<unknown> {
    return waitFor(async () => (await find()) === undefined, {
      what: `${what} to be gone`,
      timeoutMs: formationTimeoutMs,
    });
  }

  test('takes nothing with it unless that was asked for', async () => {
    const federation = await formed('orphaned', 'Orphan');
    assert.equal((await federation.get()).metadata.finalizers, undefined);
    const ran = await federation.whatRuns();
    await federation.hub.delete(federation.path);
    await untilGone('the object', () => federation.hub.find(federation.path));
    assert.deepEqual(await federation.whatRuns(), ran);
    for (const region of names) assert.equal((await federation.member(region))?.metadata.deletionTimestamp, undefined);
  });

  suite('that takes the members with it', () => {
    let federation: Federation;
    before(async () => (federation = await formed('deleted', 'Delete')));

    test('waits for a region that cannot be seen, and says so', async () => {
      assert.deepEqual((await federation.get()).metadata.finalizers, ['ringmaster.dev/members']);
      await regions.cut('us', 'blackhole', 'everything');
      await federation.hub.delete(federation.path);
      const message = /^us: the region cannot be seen/;
      await federation.waitForCondition('Ready', 'False', { reason: 'Deleting', message });
      await untilGone('the member of eu', () => federation.member('eu'));
      assert.ok(await federation.hub.find(federation.path));
    });

    test('is over when all are gone, with what was ours beside them', async () => {
      await regions.heal('us');
      await untilGone('the object', () => federation.hub.find(federation.path));
      for (const region of names) {
        assert.equal(await federation.member(region), undefined);
        assert.equal(await federation.guard(region), undefined);
        assert.deepEqual(await federation.pods(region), []);
      }
    });
  });
});
