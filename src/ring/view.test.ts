import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assessRing, isMember, type NodeView } from './view.ts';

function view(pod: string, hosts: string[], change: Partial<NodeView> = {}): NodeView {
  const known = Object.fromEntries(hosts.map((host) => [`address-of-${host}`, host]));
  return {
    pod,
    hostId: pod,
    clusterName: 'orders',
    operationMode: 'NORMAL',
    schemaVersion: 'v',
    hosts: known,
    live: Object.keys(known),
    joining: [],
    leaving: [],
    moving: [],
    keyspaces: [],
    observedAtMs: 60_000,
    hostsSinceMs: 0,
    ...change,
  };
}

test('views that name the same hosts are one ring at rest', () => {
  const ring = assessRing([view('a', ['a', 'b']), view('b', ['a', 'b'])]);
  assert.equal(ring.kind, 'one');
  assert.equal(ring.busy, undefined);
});

test('views without a common host are a split, once they have been so for a while', () => {
  assert.equal(assessRing([view('a', ['a']), view('b', ['b'])]).kind, 'split');
});

test('a node that has just started and knows only itself is no split yet', () => {
  const ring = assessRing([view('a', ['a']), view('b', ['b'], { hostsSinceMs: 59_000 })]);
  assert.equal(ring.kind, 'differing');
});

test('rings that share one host are not split, they differ', () => {
  const ring = assessRing([view('a', ['a', 'b']), view('b', ['a', 'b', 'c'])]);
  assert.equal(ring.kind, 'differing');
});

test('a chain of overlaps is one ring', () => {
  const ring = assessRing([view('a', ['a', 'b']), view('b', ['b', 'c']), view('c', ['c', 'a'])]);
  assert.equal(ring.kind, 'differing');
});

test('nodes that are not NORMAL have no say, but they are named', () => {
  const leaving = view('b', ['x'], { operationMode: 'DECOMMISSIONED' });
  const ring = assessRing([view('a', ['a']), leaving]);
  assert.equal(ring.kind, 'one');
  assert.match(ring.busy ?? '', /b is DECOMMISSIONED/);
  assert.equal(assessRing([leaving]).kind, 'unknown');
});

for (const what of ['joining', 'leaving', 'moving'] as const) {
  test(`a ring in which a node is ${what} is not at rest`, () => {
    const ring = assessRing([view('a', ['a', 'b'], { [what]: ['address-of-b'] })]);
    assert.equal(ring.kind, 'one');
    assert.match(ring.busy ?? '', /address-of-b/);
  });
}

test('a host that is down is still part of the ring, which is not at rest', () => {
  const ring = assessRing([view('a', ['a', 'b'], { live: ['address-of-a'] })]);
  assert.equal(ring.kind, 'one');
  assert.match(ring.busy ?? '', /host b/);
});

test('only a live host that neither joins, leaves nor moves is a member', () => {
  assert.equal(isMember(view('a', ['a', 'b']), 'b'), true);
  assert.equal(isMember(view('a', ['a', 'b']), 'c'), false);
  assert.equal(isMember(view('a', ['a', 'b'], { live: [] }), 'b'), false);
  assert.equal(isMember(view('a', ['a', 'b'], { joining: ['address-of-b'] }), 'b'), false);
});

test('the order in which views come does not matter', () => {
  const hosts = fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(hosts, { minLength: 1, maxLength: 4 }), fc.integer(), (lists, turn) => {
      const views = lists.map((list, index) => view(`pod${index}`, list));
      const turned = [...views.slice(turn % views.length), ...views.slice(0, turn % views.length)];
      const [one, other] = [assessRing(views), assessRing(turned)];
      assert.equal(one.kind, other.kind);
      if (one.kind === 'split' && other.kind === 'split') assert.equal(one.parties.length, other.parties.length);
    }),
  );
});
