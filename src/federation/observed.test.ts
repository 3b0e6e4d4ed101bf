import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { changed, conditionOf, edit, edited, imageOf, rest, withTemplate } from './rollout.fixture.ts';
import { tearDown } from './teardown.ts';
import { mccOf, PlannerWorld } from './testing.ts';

const otherImage = withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' });
const observing = (...names: string[]): Record<string, unknown> => ({
  regions: ['eu', 'us', 'ap'].map((name) => ({ name, ...(names.includes(name) && { state: 'Observed' }) })),
});

/** Regions that something was written to, in order, each once. */
const touched = (world: PlannerWorld): string[] => [...new Set(world.written.map(({ region }) => region))];

test('a change passes by a region that is only observed, and goes through the others', async () => {
  const world = await edited({ ...otherImage, ...observing('us') });
  for (let turn = 0; turn < 4; turn++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'ap']);
  assert.deepEqual(touched(world), ['eu', 'ap']);
  assert.equal(imageOf(world, 'us'), 'cassandra:5.0.8');
  assert.match(conditionOf(world, 'Applied', 'us'), /^False Observed: region us is only observed, and waits: .*image/i);
  assert.match(conditionOf(world, 'Stalled'), /^False/);
});

test('a region that is managed again takes what it has missed', async () => {
  const world = await edited({ ...otherImage, ...observing('us') });
  for (let turn = 0; turn < 4; turn++) await rest(world);
  edit(world, otherImage);
  for (let turn = 0; turn < 3; turn++) await rest(world);
  assert.deepEqual(changed(world), ['eu', 'ap', 'us']);
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('a federation that is what the spec asks for stays Ready while a region is only observed', async () => {
  const world = await edited(observing('eu'));
  await rest(world);
  assert.deepEqual(world.written, []);
  assert.match(conditionOf(world, 'Ready'), /^True/);
  assert.match(conditionOf(world, 'Applied', 'eu'), /^True/);
});

test('a region without a member gets none while it is only observed, and keeps nobody from joining', async () => {
  const world = new PlannerWorld(mccOf(observing('eu')));
  await world.settle();
  await rest(world);
  assert.deepEqual(touched(world), ['us', 'ap']);
  assert.equal(world.mcc.status?.ring?.founder, 'us');
  assert.equal(world.mcc.status.regions?.find(({ name }) => name === 'eu')?.stage, 'Observed');
  assert.match(conditionOf(world, 'Applied', 'eu'), /^False Observed: region eu has no member/);
});

test('where all regions are only observed no ring is founded', async () => {
  const world = new PlannerWorld(mccOf(observing('eu', 'us', 'ap')));
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.equal(world.mcc.status?.ring, undefined);
  assert.match(conditionOf(world, 'Ready'), /^False Forming/);
});

test('no region joins while the guard of one that is only observed does not tell of the last one that did', async () => {
  const from = { regions: [{ name: 'eu' }, { name: 'us' }] };
  const [, us] = from.regions;
  const added = [{ name: 'ap' }, { name: 'sa' }];
  const world = await edited({ regions: [{ name: 'eu', state: 'Observed' }, us, ...added] }, from);
  for (let turn = 0; turn < 3; turn++) await rest(world);
  assert.deepEqual(touched(world), ['ap', 'us']);
  assert.match(conditionOf(world, 'Stalled'), /^True Observed: region eu is only observed, and waits: tell the guard/);
  edit(world, { regions: [...from.regions, ...added] });
  for (let turn = 0; turn < 3; turn++) await rest(world);
  assert.ok(world.member('sa'));
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('a region that is only observed is left as it is when the whole is deleted', async () => {
  const world = await edited({ ...observing('us'), deletionPolicy: 'Delete' });
  const { intents } = tearDown(world.snapshot(), casskop);
  assert.deepEqual(
    intents.map(({ region }) => region),
    ['eu', 'ap'],
  );
});
