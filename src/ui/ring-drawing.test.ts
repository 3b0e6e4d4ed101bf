import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeSign, stateWords } from './node-symbol.ts';
import type { NodeState } from './node-view.ts';
import { drawRing, inWords } from './ring-drawing.ts';
import { regionOf, viewOf, worldOf } from './sight.fixture.ts';

const names = [
  'eu-west',
  'eu-north',
  'us-east',
  'us-west',
  'ap-south',
  'ap-east',
  'sa-east',
  'af-south',
  'me',
  'ca',
  'jp',
  'au',
];

test('the drawing has every region with its count, every node, the seeds and the founder', async () => {
  const view = viewOf(await worldOf([regionOf('eu'), regionOf('us'), regionOf('ap')]));
  const text = drawRing(view, { id: 'ring' })?.text ?? '';
  assert.equal(text.match(/class="node up"/g)?.length, 9);
  assert.equal(text.match(/class="seed"/g)?.length, 6);
  assert.match(text, /★ eu<tspan class="count"[^>]*>3\/3/);
  assert.match(text, /<title>orders-us-b-0: up, seed<\/title>/);
  assert.match(text, /one ring<\/text>/);
});

test('it says in words what it shows', async () => {
  const world = await worldOf([regionOf('eu'), regionOf('us', 1, 2)]);
  const [pod] = world.pods;
  if (pod) pod.ready = false;
  assert.equal(
    inWords(viewOf(world)),
    '2 regions. region eu, which founded the ring: 3 nodes in 3 racks (1 down, 2 up); region us: 2 nodes (2 up).',
  );
});

test('twelve regions of three nodes are drawn, with all their names in full', async () => {
  const view = viewOf(await worldOf(names.map((name) => regionOf(name))));
  const text = drawRing(view, { id: 'ring' })?.text ?? '';
  for (const name of names) assert.match(text, new RegExp(`>(?:★ )?${name}<tspan`));
  assert.equal(text.match(/class="node up"/g)?.length, 36);
});

test('of more than can be drawn there is no drawing', async () => {
  const view = viewOf(
    await worldOf(
      [...names, 'x'].map((name) => regionOf(name, 1)),
      1,
    ),
  );
  assert.equal(drawRing(view, { id: 'ring' }), undefined);
});

test('two drawings on one page share no id', async () => {
  const view = viewOf(await worldOf([regionOf('eu'), regionOf('us')]));
  const ids = ['one', 'other'].flatMap((id) => [...(drawRing(view, { id })?.text ?? '').matchAll(/ id="([^"]+)"/g)]);
  const all = ids.map(([, id]) => id);
  assert.ok(all.length > 4);
  assert.equal(new Set(all).size, all.length);
});

test('a small drawing has no words but those in its middle', async () => {
  const view = viewOf(await worldOf([regionOf('eu'), regionOf('us')]));
  const text = drawRing(view, { id: 'ring', isSmall: true })?.text ?? '';
  assert.doesNotMatch(text, /textPath/);
  assert.match(text, /6<tspan class="of">\/6/);
});

test('each state has a shape of its own, whatever its colour', () => {
  const states = Object.keys(stateWords) as NodeState[];
  const shapes = states.map((state) => nodeSign(state, false, 10).text.replace(`node ${state}`, ''));
  assert.equal(new Set(shapes).size, states.length);
});
