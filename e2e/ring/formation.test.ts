import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd, writesBy } from './federation.ts';

/** Asserts what a formation with the right seeds from the start leaves behind: one ring, and nothing was ever restarted. */
async function assertOneUntouchedRing(federation: Federation, nodes: number): Promise<void> {
  const table = await federation.hostTable();
  assert.equal(table.size, nodes);
  const [first, ...others] = [...table.values()];
  assert.equal(new Set(first).size, nodes);
  for (const other of others) assert.deepEqual(other, first);
  for (const { name } of federation.regions.all) {
    for (const set of await federation.statefulSets(name)) {
      assert.equal(set.metadata.generation, set.spec.replicas, `${set.metadata.name} was changed after its creation`);
    }
    for (const pod of await federation.pods(name)) {
      const cassandra = pod.status.containerStatuses?.find((each) => each.name === 'cassandra');
      assert.equal(cassandra?.restartCount, 0, `${pod.metadata.name} was restarted`);
    }
  }
}

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
    assert.deepEqual(created, [...created].sort());
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
