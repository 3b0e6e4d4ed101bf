import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { simResources } from '../api/resources.ts';
import { clusterName } from '../world/user.ts';
import { forgetGuard } from './faulty-casskop.ts';
import { paths, Scene } from './scene.ts';

/** Lets the pods of two regions miss each other's packets, both ways; their API servers are reached all the same. */
function cutBetween(scene: Scene, one: string, other: string): void {
  scene.world.network.set(one, other, 'dropped');
  scene.world.network.set(other, one, 'dropped');
}

describe('nodes do not end in separate rings', () => {
  test('O#301, O#302: a closed port between two regions keeps the second one’s pod in its guard, and the status names ports and regions', async () => {
    const scene = new Scene();
    cutBetween(scene, 'eu', 'us');
    scene.apply();
    await scene.untilCondition('RingMember', 'False', 'SeedsUnreachable', 'us');
    await scene.untilCondition('Stalled', 'True', 'SeedsUnreachable');
    const { message = '' } = scene.condition('Stalled') ?? {};
    assert.match(message, /orders-us-rack1-0 in region us waits for a live seed/);
    assert.match(message, /orders-eu-rack1-0\.eu\.db\.example\.net/);
    assert.match(message, /from region us to ports 8778 and 7000/);
    await scene.pass(1_800_000);
    assert.equal(scene.foundings, 1);
    scene.world.network.heal();
    await scene.end();
    assert.equal(scene.foundings, 1);
    assert.deepEqual(scene.hostsSeenFrom('us'), scene.hostsSeenFrom('eu'));
  });

  test('O#384: all pods of all regions start anew at once, none seeds itself, and they are the same ring again without a write to any member', async () => {
    const scene = await Scene.formed({ eu: {}, us: {}, ap: {} });
    const hosts = scene.hostsSeenFrom('eu');
    scene.takeWrites();
    scene.perform({ do: 'restart all pods' });
    await scene.until('a ring that is down', () => !scene.isReady);
    await scene.end();
    assert.equal(scene.foundings, 1);
    for (const region of ['eu', 'us', 'ap']) assert.deepEqual(scene.hostsSeenFrom(region), hosts);
    assert.deepEqual(scene.takeWrites(), []);
  });

  test('O#384 in a partition: every node comes back with the data it has, and they find each other once they can', async () => {
    const scene = await Scene.formed({ eu: {}, us: {}, ap: {} });
    const hosts = scene.hostsSeenFrom('eu');
    for (const [one, other] of [
      ['eu', 'us'],
      ['us', 'ap'],
      ['ap', 'eu'],
    ] as const)
      cutBetween(scene, one, other);
    scene.perform({ do: 'restart all pods' });
    scene.world.trouble(600_000);
    await scene.pass(600_000);
    for (const region of ['eu', 'us', 'ap']) assert.deepEqual(scene.hostsSeenFrom(region), hosts);
    assert.equal(scene.isReady, false);
    scene.world.network.heal();
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('C#84, C#112: the headless service is lost and with it the names of the founder’s pods: the next region waits, and says to look at DNS', async (context) => {
    const scene = new Scene();
    namesNeedTheService(context, scene, 'eu');
    scene.apply();
    await scene.until('a member in us', () => scene.member('us') !== undefined);
    scene.world.region('eu').stopCasskop();
    scene.delete('eu', paths.service(clusterName));
    scene.world.ring.connectivityChanged();
    await scene.untilCondition('Stalled', 'True', 'SeedsUnreachable');
    assert.match(scene.condition('RingMember', 'us')?.message ?? '', /Check DNS and network from region us/);
    await scene.pass(300_000);
    assert.equal(scene.foundings, 1);
    // A CassKop that does it right makes the service again.
    scene.world.region('eu').startCasskop();
    await scene.until('the service', () => scene.find('eu', simResources.services, clusterName) !== undefined);
    scene.world.ring.connectivityChanged();
    await scene.end();
    assert.equal(scene.foundings, 1);
  });

  test('a CassKop that forgets the guard’s ConfigMap lets a ring of its own start: that is said, nothing more is written, and once the wrong ring is deleted there is one', async () => {
    const scene = new Scene({ eu: {}, us: {}, ap: {} });
    scene.force('one ring is founded');
    scene.force('only the ignition pod founds');
    const doRight = forgetGuard(scene, 'us');
    cutBetween(scene, 'eu', 'us');
    scene.apply();
    await scene.untilCondition('Stalled', 'True', 'RingSplit');
    assert.equal(scene.foundings, 2);
    assert.equal(scene.condition('RingIntact')?.reason, 'RingSplit');
    assert.match(scene.condition('RingIntact')?.message ?? '', /\{orders-eu-rack1-0\} and \{orders-us-rack1-0\}/);
    scene.takeWrites();
    await scene.pass(180_000);
    assert.deepEqual(scene.takeWrites(), []);
    assert.equal(scene.member('ap'), undefined, 'no further region joins');

    doRight();
    scene.world.network.heal();
    scene.delete('us', paths.member);
    scene.delete('us', paths.claim(`data-${scene.podName('us')}`));
    await scene.end();
    assert.equal(scene.hostsSeenFrom('eu').length, 3);
  });
});

/** As ExternalDNS has it: a region's pods have names only while the headless service is there. */
function namesNeedTheService(context: TestContext, scene: Scene, region: string): void {
  const simulated = scene.world.region(region);
  const original = simulated.addressOf.bind(simulated);
  context.mock.method(simulated, 'addressOf', (pod: string) =>
    scene.find(region, simResources.services, clusterName) ? original(pod) : undefined,
  );
}
