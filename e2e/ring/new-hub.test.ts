import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { controllerUser, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ordersBy, writesBy } from './audit-log.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';
import { assertOneRing } from './one-ring.ts';

const namespace = 'new-hub';
const names = ['eu', 'us', 'ap'];
const sizes: Readonly<Record<string, number>> = { eu: 2, us: 1, ap: 2 };

suite('a hub that is lost while regions come and go', () => {
  let regions: Regions;
  /** The same MultiCassandraCluster, in the hub that is lost and in the one that is used from then on. */
  let old: Federation;
  let federation: Federation;
  let controller: ControllerProcess;

  before(async () => {
    regions = await startRegions({ regions: ['hub', ...names], nodes: 'light' });
    await installCrd(regions, 'hub');
    await installCrd(regions, 'us');
    const prepared = regions.all.map((region) =>
      region.prepareNamespace(namespace, { pace: 'fast', operator: region.name !== 'hub' }),
    );
    await Promise.all(prepared);
    old = new Federation(regions, namespace, { hub: 'hub', names });
    federation = new Federation(regions, namespace, { hub: 'us', names });
    controller = new ControllerProcess(regions, { name: 'first' });
    await old.apply(specOf({ eu: {}, us: {} }));
    await old.ready();
  });
  after(() => regions?.stop());

  function specOf(states: Record<string, Record<string, unknown>>): Record<string, unknown> {
    const datacenters = (name: string): object[] => [{ name, nodesPerRacks: sizes[name], racks: [{ name: 'rack1' }] }];
    return {
      adoptionPolicy: 'IfUnchanged',
      regions: Object.entries(states).map(([name, more]) => ({ name, datacenters: datacenters(name), ...more })),
    };
  }

  async function modeOf(region: string, pod: string): Promise<unknown> {
    return (await federation.ask(region, pod, 'OperationMode,LocalHostId'))['OperationMode'];
  }

  const orders = (): string[] => regions.all.flatMap(({ auditLog }) => ordersBy(auditLog, controllerUser, namespace));

  /** Members that the controllers have made, all together. */
  const made = (): string[] =>
    regions.all.flatMap(({ name, auditLog }) =>
      writesBy(auditLog, controllerUser)
        .filter(({ what, status }) => what.startsWith('cassandraclusters/') && status === 201)
        .map(() => name),
    );

  test('as a region joins: the same object on another hub takes all over, and has it join', async () => {
    const { eu, us } = await federation.whatRuns();
    const spec = specOf({ eu: {}, us: {}, ap: {} });
    await old.apply(spec);
    await waitFor(async () => (await federation.pods('ap')).length > 0, {
      what: 'region ap to have begun to join',
      timeoutMs: formationTimeoutMs,
      intervalMs: 20,
    });
    await controller.kill();
    await regions.region('hub').controlPlane.kill();

    controller = new ControllerProcess(regions, { name: 'second', contexts: ['us', 'eu', 'ap'] });
    await federation.apply(spec);
    await federation.ready();
    const { status } = await federation.get();
    assert.equal(status?.ring?.founder, 'eu');
    assert.deepEqual(status.summary, { regions: '3/3', nodes: '5/5' });
    await assertOneRing(federation, 5);
    const runs = await federation.whatRuns();
    assert.deepEqual([runs['eu'], runs['us']], [eu, us]);
    for (const set of await federation.statefulSets('ap')) assert.equal(set.metadata.generation, set.spec.replicas);
    assert.deepEqual(made().sort(), names.toSorted());
    await assertRecovered();
  });

  test('as a region leaves, after its first node was told to: the same object, made again, has the others follow', async () => {
    const { us, ap } = await federation.whatRuns();
    const { seeds = [] } = (await federation.get()).status ?? {};
    assert.ok(seeds.some((seed) => seed.includes('-eu-')));
    const spec = specOf({ eu: { state: 'Removing' }, us: {}, ap: {} });
    await federation.apply(spec);
    const leaves = 'orders-eu-rack1-1';
    await waitFor(async () => (await modeOf('eu', leaves)) !== 'NORMAL', {
      what: `${leaves} to have been told to leave`,
      timeoutMs: formationTimeoutMs,
      intervalMs: 20,
    });
    await controller.kill();
    await federation.hub.delete(federation.path);
    assert.equal(await federation.hub.find(federation.path), undefined);

    controller = new ControllerProcess(regions, { name: 'third', contexts: ['us', 'eu', 'ap'] });
    // Somebody who does not know how far it was.
    await federation.apply(specOf({ eu: {}, us: {}, ap: {} }));
    const refused = await federation.waitForCondition('Accepted', 'False', { reason: 'RemovalUnderWay' });
    assert.match(refused.message, /Region eu has been leaving the ring since .* Put its state back to Removing/);
    assert.deepEqual(orders(), [`${leaves} decommission/true`]);

    await federation.apply(spec);
    await federation.ready();
    const { status } = await federation.get();
    assert.equal(status?.regions?.find(({ name }) => name === 'eu')?.stage, 'Removed');
    assert.deepEqual(orders(), [`${leaves} decommission/true`, 'orders-eu-rack1-0 decommission/true']);
    assert.equal(await federation.member('eu'), undefined);
    assert.equal(await federation.guard('eu'), undefined);
    assert.deepEqual(await federation.pods('eu'), []);
    await assertOneRing(federation, 3);
    const runs = await federation.whatRuns();
    assert.deepEqual([runs['us'], runs['ap']], [us, ap]);
    assert.equal(status.ring?.founder, 'eu');
    const left = seeds.filter((seed) => !seed.includes('-eu-'));
    await waitFor(async () => isDeepStrictEqual((await federation.get()).status?.seeds, left), {
      what: 'the seeds to be those of the others',
      timeoutMs: formationTimeoutMs,
    });
  });

  test('its entry may then be dropped', async () => {
    await federation.apply(specOf({ us: {}, ap: {} }));
    await federation.ready();
    assert.deepEqual((await federation.get()).status?.summary, { regions: '2/2', nodes: '3/3' });
    await assertRecovered();
  });

  /** What the hub says of the hosts is what the nodes say, and what it says of the seeds is what the regions were given. */
  async function assertRecovered(): Promise<void> {
    const { metadata, status } = await federation.get();
    for (const { name, hosts = [], appliedSeeds } of status?.regions ?? []) {
      for (const { pod, hostId } of hosts) {
        assert.equal((await federation.ask(name, pod, 'LocalHostId,OperationMode'))['LocalHostId'], hostId);
      }
      const found = await federation.member(name);
      assert.deepEqual(found?.status.seedlist, appliedSeeds);
      assert.match(found?.metadata.annotations?.['ringmaster.dev/owner'] ?? '', new RegExp(metadata.uid ?? ''));
    }
    assert.equal(status?.regions?.flatMap(({ hosts = [] }) => hosts).length, status?.ring?.hosts);
  }
});
