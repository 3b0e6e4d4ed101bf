import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { effective } from '../api/effective.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { appendSeeds, plannedSeeds, seedListFor, type Seed } from './seeds.ts';
import { mccOf } from './testing.ts';

const shape = fc.record({
  perDatacenter: fc.integer({ min: 1, max: 3 }),
  regions: fc.array(fc.record({ racks: fc.integer({ min: 1, max: 3 }), nodes: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function seedsFor({ perDatacenter, regions }: Shape): readonly Seed[] {
  const mcc = mccOf({
    seeds: { perDatacenter, address: '{pod}.{region}.db.example.net' },
    regions: regions.map(({ racks, nodes }, index) => ({
      name: `r${index}`,
      datacenters: [
        {
          name: `dc${String.fromCodePoint(97 + index)}`,
          nodesPerRacks: nodes,
          racks: Array.from({ length: racks }, (_, rack) => ({ name: `k${rack}` })),
        },
      ],
    })),
  });
  return plannedSeeds(effective(mcc), casskop);
}

test('every datacenter has seeds, no more than asked for and no more than it has nodes', () => {
  fc.assert(
    fc.property(shape, (given) => {
      const seeds = seedsFor(given);
      given.regions.forEach(({ racks, nodes }, index) => {
        const own = seeds.filter((seed) => seed.region === `r${index}`);
        assert.equal(own.length, Math.min(given.perDatacenter, racks * nodes));
      });
    }),
  );
});

test('seeds are the lowest ordinals, spread over racks', () => {
  fc.assert(
    fc.property(shape, (given) => {
      const seeds = seedsFor(given);
      given.regions.forEach(({ racks }, index) => {
        const own = seeds.filter((seed) => seed.region === `r${index}`).map((seed) => seed.pod.split('-').slice(-2));
        assert.equal(new Set(own.map(([rack]) => rack)).size, Math.min(racks, own.length));
        assert.ok(own.every(([, ordinal], position) => Number(ordinal) === Math.floor(position / racks)));
      });
    }),
  );
});

test('more nodes in a rack never change the seeds of a rack that had enough', () => {
  fc.assert(
    fc.property(shape, (given) => {
      const grown = { ...given, regions: given.regions.map((region) => ({ ...region, nodes: region.nodes + 3 })) };
      const enough = { ...grown, regions: grown.regions.map((region) => ({ ...region, nodes: region.nodes + 5 })) };
      assert.deepEqual(seedsFor(grown), seedsFor(enough));
    }),
  );
});

test('every region gets all seeds, its own first, and none twice', () => {
  fc.assert(
    fc.property(shape, (given) => {
      const planned = seedsFor(given);
      const recorded = planned.map((seed) => seed.address);
      given.regions.forEach((_, index) => {
        const list = seedListFor(`r${index}`, recorded, planned);
        const own = planned.filter((seed) => seed.region === `r${index}`).map((seed) => seed.address);
        assert.deepEqual([...list].sort(), [...recorded].sort());
        assert.deepEqual(list.slice(0, own.length), own);
        assert.deepEqual(
          list.slice(own.length),
          recorded.filter((address) => !own.includes(address)),
        );
      });
    }),
  );
});

test('recorded seeds never leave and never move when more are appended', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.array(fc.string()), (known, more) => {
      const all = appendSeeds(known, more);
      assert.deepEqual(all.slice(0, known.length), known);
      assert.ok(more.every((address) => all.includes(address)));
      assert.equal(new Set(all).size, all.length);
    }),
  );
});
