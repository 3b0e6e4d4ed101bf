import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';

/** Two federations of one Cassandra cluster, of which the second one finds the ring of the first. */
suite('a ring that exists already', () => {
  let regions: Regions;
  let existing: Federation;
  let joining: Federation;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.region('eu').prepareNamespace('existing');
    for (const region of ['eu', 'us']) await regions.region(region).prepareNamespace('joining');
    existing = new Federation(regions, 'existing');
    joining = new Federation(regions, 'joining');
    new ControllerProcess(regions);
  });
  after(() => regions?.stop());

  const seedOf = (federation: Federation, region: string): string =>
    `orders-${region}-rack1-0.${federation.namespace}.${region}.db.example.net`;

  function apply(federation: Federation, region: string, external: readonly string[]): Promise<unknown> {
    const { seeds } = federation.smallestSpec() as { seeds: object };
    return federation.apply({ regions: [{ name: region }], seeds: { ...seeds, external } });
  }

  test('is waited for: nobody starts a second one', async () => {
    await apply(joining, 'us', [seedOf(existing, 'eu')]);
    await joining.untilBootstrapSays('us', 'orders-us-rack1-0', /waits for a live seed \(as long as it takes/);
    assert.equal((await joining.region('us'))?.hosts, undefined);
  });

  test('is joined once it is there', async () => {
    await apply(existing, 'eu', []);
    await existing.waitForCondition('RingMember', 'True', { region: 'eu' });
    await joining.ready();
    const { message } = await joining.waitForCondition('RingIntact', 'True');
    assert.match(message, /^2 hosts/);
  });

  test('and takes the new nodes for part of it when it is told of them', async () => {
    await existing.waitForCondition('Stalled', 'True', { reason: 'UnknownHosts' });
    await apply(existing, 'eu', [seedOf(joining, 'us')]);
    await existing.ready();
    await existing.waitForCondition('SeedsCurrent', 'False', { reason: 'Deferred' });
  });
});
