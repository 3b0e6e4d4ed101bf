import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd, type RegionStatus } from './federation.ts';
import { makeByHand, memberPath } from './made-by-hand.ts';
import { assertOneRing } from './one-ring.ts';

const names = ['eu', 'us'];

suite('a ring that no Ringmaster has made', () => {
  let regions: Regions;
  let federation: Federation;
  let running: Record<string, unknown>;
  let controller: ControllerProcess;

  const seeds = ['orders-eu-rack1-0.by-hand.eu.db.example.net', 'orders-us-rack1-0.by-hand.us.db.example.net'];

  before(async () => {
    regions = await startRegions({ regions: names, nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('by-hand');
    federation = new Federation(regions, 'by-hand');
    const { template } = federation.smallestSpec() as { template: { spec: { nodesPerRacks: number } } };
    const { nodesPerRacks: _, ...rest } = template.spec;
    // The size of eu stands where it is that of all datacenters, and has two nodes, as no default is.
    const eu = { ...rest, nodesPerRacks: 2, topology: { dc: [{ name: 'eu', rack: [{ name: 'rack1' }] }] } };
    const us = { ...rest, topology: { dc: [{ name: 'us', nodesPerRacks: 1, rack: [{ name: 'rack1' }] }] } };
    await makeByHand(federation, { region: 'eu', spec: eu, seeds, hosts: 2 });
    await makeByHand(federation, { region: 'us', spec: us, seeds, hosts: 3, keepsSeeds: true });
    running = await federation.whatRuns();
    controller = new ControllerProcess(regions);
  });
  after(() => regions?.stop());

  function specOf(
    more: Record<string, unknown> = {},
    templateMore: Record<string, unknown> = {},
  ): Record<string, unknown> {
    const { template, ...smallest } = federation.smallestSpec() as { template: { spec: object } };
    return {
      ...smallest,
      template: { spec: { ...template.spec, ...templateMore } },
      regions: [{ name: 'eu', datacenters: [{ name: 'eu', nodesPerRacks: 2 }] }, { name: 'us' }],
      ...more,
    };
  }

  async function assertUntouched(): Promise<void> {
    assert.deepEqual(await federation.whatRuns(), running);
    await assertOneRing(federation, 3);
  }

  test('is left alone while nothing says that it may be adopted', async () => {
    await federation.apply(specOf());
    const { message } = await federation.waitForCondition('Stalled', 'True', { reason: 'ForeignMember' });
    assert.match(message, /set spec\.adoptionPolicy to IfUnchanged/);
    assert.deepEqual(federation.writesToRegions(), []);
    await assertUntouched();
  });

  test('is left alone in all regions while one member is not what the spec asks for, and the status names the field', async () => {
    await federation
      .api('us')
      .patch(memberPath(federation, 'us'), 'merge', { spec: { autoPilot: true, keyspaceCleanupThreads: 3 } });
    await federation.apply(specOf({ adoptionPolicy: 'IfUnchanged' }));
    const message = /\/spec\/autoPilot is true there and absent in the spec/;
    await federation.waitForCondition('Stalled', 'True', { reason: 'ForeignMember', message });
    await federation.waitForCondition('Applied', 'False', { region: 'us', reason: 'ForeignMember', message });
    assert.deepEqual(federation.writesToRegions(), []);
    await assertUntouched();
  });

  test('is adopted once all members are, without a restart', async () => {
    const template = { autoPilot: false, keyspaceCleanupThreads: 3 };
    await federation.apply(specOf({ adoptionPolicy: 'IfUnchanged' }, template));
    await federation.ready();
    await assertUntouched();
    const { status } = await federation.get();
    assert.equal(status?.ring?.founder, 'eu');
    assert.equal(status?.ring?.hosts, 3);
    for (const name of names) assert.deepEqual((await federation.region(name))?.appliedSeeds, seeds);
    await federation.waitForCondition('Applied', 'True', { region: 'us', message: /start without the guard/ });
    const { spec } = (await federation.member('us')) ?? assert.fail();
    assert.equal(spec.backRestSidecar?.envVars, undefined);
    assert.equal(spec['autoPilot'] ?? false, false);
  });

  test('takes an edit that restarts nothing', async () => {
    await federation.apply(specOf({ adoptionPolicy: 'IfUnchanged' }, { autoPilot: true, keyspaceCleanupThreads: 3 }));
    await federation.ready();
    for (const name of names) assert.equal((await federation.member(name))?.spec['autoPilot'], true);
    await assertUntouched();
  });

  test('is adopted once more, with all that was known of it, by another hub that never heard of it', async () => {
    const { status: known } = await federation.get();
    assert.equal(await controller.stop(), 0);
    await installCrd(regions, 'us');
    federation = new Federation(regions, 'by-hand', { hub: 'us' });
    controller = new ControllerProcess(regions, { contexts: ['us', 'eu'], name: 'elsewhere' });
    const template = { autoPilot: true, keyspaceCleanupThreads: 3 };
    await federation.apply(specOf({ adoptionPolicy: 'IfUnchanged' }, template));
    await federation.ready();
    const { status } = await federation.get();
    assert.deepEqual([status?.ring, status?.seeds], [known?.ring, known?.seeds]);
    const facts = (list: RegionStatus[] = []): unknown =>
      list.map(({ name, hosts, appliedSeeds, identity }) => [name, hosts, appliedSeeds, identity]);
    assert.deepEqual(facts(status?.regions), facts(known?.regions));
    await assertUntouched();
    await federation.apply(specOf({ adoptionPolicy: 'IfUnchanged' }, { ...template, keyspaceCleanupThreads: 2 }));
    await federation.ready();
    for (const name of names) assert.equal((await federation.member(name))?.spec['keyspaceCleanupThreads'], 2);
    await federation.waitForCondition('Applied', 'True', { region: 'us', message: /start without the guard/ });
    await assertUntouched();
  });

  test('gets its guard with the first restart, one region after the other, and stays one ring', async () => {
    const rollout = { restartToken: 'guarded' };
    await federation.apply(
      specOf({ adoptionPolicy: 'IfUnchanged', rollout }, { autoPilot: true, keyspaceCleanupThreads: 3 }),
    );
    await federation.waitForCondition('Ready', 'True', { timeoutMs: formationTimeoutMs });
    for (const name of names) {
      assert.equal((await federation.member(name))?.spec['configMapName'], 'orders-ringmaster');
      await federation.waitForCondition('Applied', 'True', { region: name, message: /asks for$/ });
    }
    await assertOneRing(federation, 3);
  });
});
