import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RegionView } from './federation-view.ts';
import { arcPath, layOut, nodesMax, point, regionsMax } from './ring-geometry.ts';

/** A region with so many nodes in each of its racks. */
function region(name: string, racks: readonly number[]): RegionView {
  const nodes = racks.flatMap((count, rack) =>
    Array.from({ length: count }, (_, ordinal) => ({
      pod: `orders-${name}-${rack}-${ordinal}`,
      datacenter: name,
      rack: String(rack),
      ordinal,
      state: 'up' as const,
      words: 'up',
      isSeed: false,
      hostId: undefined,
    })),
  );
  const rest = { context: name, namespace: 'cassandra', stage: 'Running', words: '', conditions: [], operations: [] };
  return { name, nodes, isFounder: false, isSettled: true, tone: 'good', ...rest };
}

const federations = fc
  .array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((all) => all.map((racks, index) => region(`r${index}`, racks)))
  .filter((regions) => regions.flatMap(({ nodes }) => nodes).length <= nodesMax);

test('every node stands in its own region, a step from the next one at least, and nothing overlaps', () => {
  fc.assert(
    fc.property(federations, (regions) => {
      const layout = layOut(regions);
      assert.ok(layout);
      const { step } = layout;
      const almost = 1e-6;
      for (const { from, to, nodes, region: own } of layout.regions) {
        assert.deepEqual(
          nodes.map(({ node }) => node),
          own.nodes,
        );
        for (const [index, { at }] of nodes.entries()) {
          assert.ok(at - step / 2 >= from - almost && at + step / 2 <= to + almost, `${at} in ${from} to ${to}`);
          const next = nodes[index + 1];
          if (next) assert.ok(next.at - at >= step - almost);
        }
      }
      for (const [index, { to }] of layout.regions.entries()) {
        const next = layout.regions[index + 1];
        if (next) assert.ok(next.from > to);
      }
      const [first, last] = [layout.regions[0], layout.regions.at(-1)];
      assert.ok(first && last && last.to - first.from <= 360 + almost);
    }),
  );
});

test('the first region has its middle at the top', () => {
  const [first] = layOut(['eu', 'us', 'ap'].map((name) => region(name, [1, 1, 1])))?.regions ?? [];
  assert.ok(first && Math.abs(first.from + first.to) < 1e-9);
});

test('racks and datacenters stand around their nodes', () => {
  const [placed] = layOut([region('eu', [2, 1]), region('us', [1])])?.regions ?? [];
  assert.deepEqual(
    placed?.racks.map(({ name }) => name),
    ['0', '1'],
  );
  const [rack] = placed.racks;
  assert.ok(rack && placed.nodes[0] && placed.nodes[1] && placed.nodes[2]);
  assert.ok(rack.from < placed.nodes[0].at && placed.nodes[1].at < rack.to && rack.to < placed.nodes[2].at);
  const [datacenter] = placed.datacenters;
  assert.ok(datacenter && datacenter.from === rack.from && datacenter.to > placed.nodes[2].at);
});

test('what is more than a circle can show, or nothing, is not laid out', () => {
  const many = Array.from({ length: regionsMax + 1 }, (_, index) => region(`r${index}`, [1]));
  assert.equal(layOut(many), undefined);
  assert.ok(layOut(many.slice(1)));
  assert.equal(layOut([region('eu', [nodesMax + 1])]), undefined);
  assert.equal(layOut([]), undefined);
});

test('degrees go clockwise from the top, and a turned arc runs the other way', () => {
  assert.deepEqual(point(0, 10), { x: 0, y: -10 });
  assert.deepEqual(point(90, 10), { x: 10, y: 0 });
  assert.equal(arcPath({ from: 0, to: 90 }, 10), 'M0 -10A10 10 0 0 1 10 0');
  assert.equal(arcPath({ from: 0, to: 90 }, 10, true), 'M10 0A10 10 0 0 0 0 -10');
  assert.match(arcPath({ from: 0, to: 270 }, 10), /A10 10 0 1 1/);
});
