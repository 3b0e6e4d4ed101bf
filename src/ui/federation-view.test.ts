import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { viewFederation } from './federation-view.ts';
import { edit, regionOf, rest, sightOf, viewOf, worldOf } from './sight.fixture.ts';

const three = [regionOf('eu', 1), regionOf('us', 1), regionOf('ap', 1)];

test('of a ring at rest there is nothing to do, and nothing is waited for', async () => {
  const view = viewOf(await worldOf(three));
  assert.deepEqual(view.headline, { tone: 'good', word: 'Ready', sentence: '3 regions run one ring of 3 nodes' });
  assert.deepEqual([view.yourTurn, view.waiting, view.underWay], [[], [], []]);
  assert.deepEqual([view.founder, view.ringHosts, view.seeds.length], ['eu', 3, 3]);
  assert.deepEqual(
    view.regions.map(({ name, isFounder, isSettled, tone, words }) => [name, isFounder, isSettled, tone, words]),
    [
      ['eu', true, true, 'good', 'settled'],
      ['us', false, true, 'good', 'settled'],
      ['ap', false, true, 'good', 'settled'],
    ],
  );
});

test('what nobody has looked at yet is new, with the nodes that it asks for', async () => {
  const world = await worldOf(three, 0);
  const view = viewFederation({ object: world.mcc, snapshot: undefined }, casskop);
  assert.equal(view.headline.word, 'New');
  assert.deepEqual(
    view.regions.map(({ words, nodes }) => [words, nodes.map(({ state }) => state)]),
    Array.from({ length: 3 }, () => ['not looked at yet', ['planned']]),
  );
});

test('a change on its way: the region that is at it, those that wait for it, and how many have settled', async () => {
  const world = await worldOf(three);
  world.operatorStatus.set('eu', { lastClusterActionStatus: 'Ongoing' });
  edit(world, { regions: three, rollout: { restartToken: 'new' } });
  await world.step();
  await world.step();
  await world.step();
  const view = viewOf(world);
  assert.deepEqual([view.headline.tone, view.headline.word], ['busy', 'At work']);
  assert.equal(view.regions.filter(({ isSettled }) => isSettled).length, 0);
  assert.deepEqual(view.yourTurn, []);
  assert.match(view.waiting.find(({ region }) => region === 'us')?.message ?? '', /region eu is being changed/);
  assert.ok(view.underWay.some(({ region }) => region === 'eu'));
});

test('a region that cannot be reached: what is waited for, and what to do if it lasts', async () => {
  const world = await worldOf(three);
  const message = 'context ap: no answer within 5000 ms';
  world.unknown.set('ap', { known: false, reason: 'Unreachable', answer: 'Timeout', message });
  await world.step();
  const { waiting, headline, regions } = viewOf(world);
  const [first] = waiting;
  assert.deepEqual([first?.region, first?.reason, first?.message], ['ap', 'Timeout', message]);
  assert.match(first?.todo ?? '', /Look at the network/);
  assert.deepEqual([headline.tone, regions[2]?.tone], ['busy', 'bad']);
});

test('a spec that is not accepted is said first, with its problem, and once', async () => {
  const world = await worldOf(three);
  edit(world, { regions: [regionOf('eu', 1), regionOf('us', 1)] });
  await world.step();
  const { headline, yourTurn } = viewOf(world);
  assert.deepEqual([headline.tone, headline.word], ['bad', 'Not accepted']);
  assert.deepEqual(
    yourTurn.map(({ reason, todo }) => [reason, todo]),
    [['RegionDropped', 'Put its entry back.']],
  );
});

test('a region that the spec has dropped is still told of', async () => {
  const world = await worldOf(three);
  edit(world, { regions: [regionOf('eu', 1), regionOf('us', 1)] });
  await world.step();
  assert.deepEqual(
    viewOf(world).regions.map(({ name, nodes }) => [name, nodes.map(({ words }) => words)]),
    [
      ['eu', ['up']],
      ['us', ['up']],
      ['ap', ['not seen; other nodes hold it to be alive']],
    ],
  );
});

test('a change that is paused waits, and what waits for it does, too', async () => {
  const world = await worldOf(three);
  edit(world, { regions: three, rollout: { restartToken: 'new', paused: true } });
  await rest(world);
  const { headline, regions } = viewOf(world);
  assert.deepEqual([headline.tone, headline.word], ['waiting', 'Paused']);
  assert.deepEqual([...new Set(regions.map(({ tone }) => tone))], ['waiting']);
});

test('right after an edit nothing is claimed of the new spec', async () => {
  const world = await worldOf(three);
  edit(world, { regions: three, rollout: { restartToken: 'new' } });
  const { headline, regions } = viewOf(world);
  assert.equal(headline.word, 'Edited');
  assert.ok(regions.every(({ isSettled }) => !isSettled));
});

test('what is stalled needs a person', async () => {
  const world = await worldOf(three);
  const [, , last] = world.pods;
  assert.ok(last);
  last.hostId = 'another';
  await rest(world);
  const { headline, yourTurn } = viewOf(world);
  assert.equal(headline.word, 'Needs a person');
  assert.ok(yourTurn.some(({ reason }) => reason === 'DataLossSuspected'));
});

test('an object that does not keep to the schema is told of by its conditions', async () => {
  const { object } = sightOf(await worldOf(three));
  const view = viewFederation({ object: { ...object, spec: 'nonsense' }, snapshot: undefined }, casskop);
  assert.deepEqual(view.regions, []);
  assert.equal(view.headline.word, 'Ready');
  const odd = viewFederation(
    { object: { ...object, spec: 1, status: { conditions: [7, {}] } }, snapshot: undefined },
    casskop,
  );
  assert.equal(odd.conditions.length, 1);
});
