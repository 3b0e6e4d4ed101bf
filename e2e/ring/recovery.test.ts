import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd, type Mcc } from './federation.ts';
import { assertOneRing, assertOneUntouchedRing } from './one-ring.ts';

const namespace = 'recovery';
const names = ['eu', 'us', 'ap'];

suite('what a controller knows of a ring that runs', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;
  let formed: Mcc;
  let running: Record<string, unknown>;

  before(async () => {
    regions = await startRegions({ regions: names, nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace);
    controller = new ControllerProcess(regions);
    await federation.apply();
    await federation.ready();
    formed = await federation.get();
    running = await federation.whatRuns();
    await assertOneUntouchedRing(federation, 3);
  });
  after(() => regions?.stop());

  /** Asserts that the status says of the ring what it said when the ring was formed, and that nothing was restarted. */
  async function assertKnownAndUntouched(of: Federation): Promise<void> {
    const { status } = await of.get();
    assert.deepEqual(status?.ring, formed.status?.ring);
    assert.deepEqual(status?.seeds, formed.status?.seeds);
    assert.deepEqual(status?.summary, formed.status?.summary);
    const facts = (mcc: Mcc): unknown =>
      mcc.status?.regions?.map((each) => [each.name, each.identity, each.hosts, each.appliedSeeds]);
    assert.deepEqual(facts(await of.get()), facts(formed));
    assert.deepEqual(await of.whatRuns(), running);
    await assertOneRing(of, 3);
  }

  function ownerOf(region: string): Promise<string | undefined> {
    return federation.member(region).then((member) => {
      const owner = member?.metadata.annotations?.['ringmaster.dev/owner'];
      return owner === undefined ? undefined : (JSON.parse(owner) as { uid: string }).uid;
    });
  }

  async function versions(): Promise<(string | undefined)[]> {
    const members = await Promise.all(names.map((name) => federation.member(name)));
    const guards = await Promise.all(names.map((name) => federation.guard(name)));
    return [...members, ...guards].map((each) => each?.metadata.resourceVersion);
  }

  async function deleteMcc(): Promise<void> {
    await federation.hub.delete(federation.path);
    await waitFor(async () => (await federation.hub.find(federation.path)) === undefined, {
      what: 'the MultiCassandraCluster to be gone',
      timeoutMs: formationTimeoutMs,
    });
  }

  test('is recovered from the members when its status was wiped by hand', async () => {
    const writes = federation.writesToRegions();
    await federation.forgetStatus();
    await federation.ready();
    await assertKnownAndUntouched(federation);
    assert.deepEqual(federation.writesToRegions(), writes);
  });

  test('keeps it from touching members of a MultiCassandraCluster that was deleted, and of one made again', async () => {
    const [writes, before] = [federation.writesToRegions(), await versions()];
    await deleteMcc();
    assert.deepEqual(await versions(), before);

    await federation.apply();
    const stalled = await federation.waitForCondition('Stalled', 'True', { reason: 'ForeignMember' });
    assert.match(stalled.message, /set spec\.adoptionPolicy to IfUnchanged/);
    assert.equal((await federation.get()).status?.ring, undefined);
    assert.deepEqual(federation.writesToRegions(), writes);
    assert.deepEqual(await versions(), before);
    assert.deepEqual(await federation.whatRuns(), running);
  });

  test('is taken over, with no restart, by one made again that may adopt what is unchanged', async () => {
    await federation.apply({ adoptionPolicy: 'IfUnchanged' });
    await federation.ready();
    await assertKnownAndUntouched(federation);
    const { uid } = (await federation.get()).metadata;
    for (const region of names) assert.equal(await ownerOf(region), uid);
  });

  test('is recovered on another hub that never heard of it', async () => {
    assert.equal(await controller.stop(), 0);
    const elsewhere = new Federation(regions, namespace, { hub: 'us' });
    await installCrd(regions, 'us');
    new ControllerProcess(regions, { contexts: ['us', 'eu', 'ap'], name: 'elsewhere' });
    await elsewhere.apply({ adoptionPolicy: 'IfUnchanged' });
    await elsewhere.ready();
    await assertKnownAndUntouched(elsewhere);
    const { uid } = (await elsewhere.get()).metadata;
    for (const region of names) assert.equal(await ownerOf(region), uid);
  });

  test('makes the old hub’s controller keep still when it comes back', async () => {
    const [writes, before] = [federation.writesToRegions(), await versions()];
    new ControllerProcess(regions, { name: 'again' });
    const message = /belongs to another MultiCassandraCluster by now/;
    await federation.waitForCondition('Stalled', 'True', { reason: 'ForeignMember', message });
    assert.deepEqual(federation.writesToRegions(), writes);
    assert.deepEqual(await versions(), before);
  });
});
