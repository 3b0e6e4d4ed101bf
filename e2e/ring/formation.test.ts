import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { writesBy } from './audit-log.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { assertOneUntouchedRing } from './one-ring.ts';

suite('a ring of three regions with one node each', () => {
  let regions: Regions;
  let federation: Federation;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us', 'ap'] });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('ring', { pace: 'true' });
    federation = new Federation(regions, 'ring');
    new ControllerProcess(regions);
    await federation.apply();
    await federation.ready();
  });
  after(() => regions?.stop());

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

  test('nothing is written any more: a minute of silence in every audit log', async () => {
    const count = (): number =>
      regions.all.reduce((sum, each) => sum + writesBy(each.auditLog, 'ringmaster').length, 0);
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    assert.equal(count() - before, 0);
  });
});
