import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannerWorld } from '../federation/testing.ts';
import { edit, regionOf, viewOf, worldOf } from './sight.fixture.ts';

/** `state: words` of a node. */
function told(world: PlannerWorld, pod: string): string {
  const node = viewOf(world)
    .regions.flatMap(({ nodes }) => nodes)
    .find((each) => each.pod === pod);
  return `${node?.state}: ${node?.words}`;
}

function podOf(world: PlannerWorld, name: string): PlannerWorld['pods'][number] {
  return world.pods.find((each) => each.name === name) ?? assert.fail(`there is no ${name}`);
}

const pair = [regionOf('eu', 1, 2), regionOf('us', 1, 2)];

test('a node of a ring at rest is up, with its host ID, and as a seed if it is one', async () => {
  const world = await worldOf([regionOf('eu', 1, 3)]);
  const [region] = viewOf(world).regions;
  assert.deepEqual(
    region?.nodes.map(({ pod, rack, ordinal, state, isSeed }) => ({ pod, rack, ordinal, state, isSeed })),
    [true, true, false].map((isSeed, ordinal) => ({
      pod: `orders-eu-a-${ordinal}`,
      rack: 'a',
      ordinal,
      state: 'up',
      isSeed,
    })),
  );
  assert.equal(region.nodes[0]?.hostId, podOf(world, 'orders-eu-a-0').hostId);
});

test('a node of which nothing is there yet is planned', async () => {
  assert.equal(told(await worldOf(pair, 1), 'orders-us-a-0'), 'planned: not created yet');
});

test('a member of the ring whose pod is not ready, with nothing being changed, is down', async () => {
  const world = await worldOf(pair);
  podOf(world, 'orders-eu-a-1').ready = false;
  assert.equal(told(world, 'orders-eu-a-1'), 'down: its pod is not ready');
});

test('while its region is changed it starts', async () => {
  const world = await worldOf(pair);
  edit(world, { regions: pair, rollout: { restartToken: 'new' } });
  await world.step();
  await world.step();
  podOf(world, 'orders-eu-a-1').ready = false;
  assert.equal(told(world, 'orders-eu-a-1'), 'starting: starting');
  world.pods.splice(world.pods.indexOf(podOf(world, 'orders-eu-a-1')), 1);
  assert.equal(told(world, 'orders-eu-a-1'), 'starting: its pod is being made anew');
});

test('a node without its pod is down', async () => {
  const world = await worldOf(pair);
  world.pods.splice(world.pods.indexOf(podOf(world, 'orders-eu-a-1')), 1);
  assert.equal(told(world, 'orders-eu-a-1'), 'down: its pod is gone');
});

test('a node that calls itself NORMAL and that another one holds to be down is down', async () => {
  const world = await worldOf(pair);
  const { hostId, address } = podOf(world, 'orders-eu-a-0');
  const view = world.viewOf(podOf(world, 'orders-us-a-0'));
  const snapshot = world.snapshot().regions['us'];
  assert.ok(snapshot?.known);
  world.overrides.set('us', {
    views: { ...snapshot.views, [view.pod]: { ...view, live: view.live.filter((each) => each !== address) } },
  });
  assert.equal(view.hosts[address], hostId);
  assert.equal(told(world, 'orders-eu-a-0'), 'down: NORMAL, but another node holds it to be down');
  assert.equal(told(world, 'orders-eu-a-1'), 'up: up');
});

test('a node that does not answer is not known, and it is said why', async () => {
  const world = await worldOf(pair);
  world.overrides.set('us', { views: {}, unreadable: { 'orders-us-a-0': 'no answer' } });
  assert.equal(told(world, 'orders-us-a-0'), 'unknown: ready, but does not answer: no answer');
  assert.equal(told(world, 'orders-us-a-1'), 'unknown: ready; not asked yet');
});

test('of a region that cannot be seen it is told what the others hold of its nodes', async () => {
  const world = await worldOf(pair);
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'no answer' });
  assert.equal(told(world, 'orders-us-a-0'), 'unknown: not seen; other nodes hold it to be alive');
});

test('a node says itself that it joins, or leaves', async () => {
  const world = await worldOf(pair);
  const views = (mode: string): void => {
    const view = { ...world.viewOf(podOf(world, 'orders-us-a-0')), operationMode: mode };
    world.overrides.set('us', { views: { 'orders-us-a-0': view } });
  };
  for (const [mode, said] of [
    ['JOINING', 'joining: joining'],
    ['LEAVING', 'leaving: leaving'],
    ['STARTING', 'starting: starting'],
    ['DRAINED', 'down: drained'],
  ] as const) {
    views(mode);
    assert.equal(told(world, 'orders-us-a-0'), said);
  }
});

test('a node that the spec does not ask for any more is shown until it is gone', async () => {
  const world = await worldOf(pair);
  edit(world, { regions: [regionOf('eu', 1, 2), regionOf('us', 1, 1)] });
  assert.equal(told(world, 'orders-us-a-1'), 'up: up; it is to leave the ring');
});
