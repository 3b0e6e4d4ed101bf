import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mccOf, PlannerWorld } from './testing.ts';

for (const state of ['Removing', 'Abandoned'] as const) {
  test(`of a region that cannot be seen and is ${state} the same is said as time goes by`, async () => {
    const world = new PlannerWorld();
    await world.settle();
    const [eu] = world.mcc.status?.regions ?? assert.fail();
    const abandonedHosts = eu?.hosts?.map(({ hostId }) => hostId);
    if (state === 'Abandoned') world.lose('eu');
    const entry = { name: 'eu', state, ...(state === 'Abandoned' && { abandonedHosts }) };
    world.mcc = {
      ...world.mcc,
      metadata: { ...world.mcc.metadata, generation: 2 },
      spec: mccOf({ regions: [entry, { name: 'us' }, { name: 'ap' }] }).spec,
    };
    await world.step();
    world.unknown.set('eu', { known: false, reason: 'Unreachable', message: 'context eu: no answer' });
    await world.settle();
    const { status } = world.mcc;
    const applied = status?.regions?.[0]?.conditions?.find(({ type }) => type === 'Applied');
    assert.equal(applied?.status, 'False');
    world.nowMs += 60_000;
    assert.deepEqual(world.plan().status, status);
  });
}

test('that a region which returned is gone for good is not said before the nodes that stay were heard', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const { hosts } = world.mcc.status?.regions?.[0] ?? assert.fail();
  world.lose('eu');
  const entry = { name: 'eu', state: 'Abandoned', abandonedHosts: hosts?.map(({ hostId }) => hostId) };
  world.mcc = {
    ...world.mcc,
    metadata: { ...world.mcc.metadata, generation: 2 },
    spec: mccOf({ regions: [entry, { name: 'us' }, { name: 'ap' }] }).spec,
  };
  await world.settle();
  const stage = (): string | undefined => world.mcc.status?.regions?.[0]?.stage;
  assert.equal(stage(), 'Abandoned');
  // As after a start of the controller.
  for (const region of ['us', 'ap']) world.overrides.set(region, { views: {} });
  world.unknown.delete('eu');
  await world.settle();
  assert.equal(stage(), 'Abandoned');
  world.overrides.clear();
  await world.settle();
  assert.equal(stage(), 'Removed');
});
