import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf, edit, edited, rest } from './rollout.fixture.ts';

const eu = (change: Record<string, unknown>): Record<string, unknown> => ({
  regions: [{ name: 'eu', ...change }, { name: 'us' }, { name: 'ap' }],
});

const cases: { what: string; change: Record<string, unknown>; refused: RegExp }[] = [
  {
    what: 'the name of the cluster',
    change: { clusterName: 'other' },
    refused: /^False Forbidden: spec\.clusterName: The ring has nodes of another name, orders-eu-rack1-0 for one/,
  },
  {
    what: 'the context of a region',
    change: eu({ context: 'asia' }),
    refused:
      /^False IdentityChanged: spec\.regions\[0\]\.context: Region eu was written to context eu, namespace cassandra/,
  },
  {
    what: 'the namespace of a region',
    change: eu({ namespace: 'elsewhere' }),
    refused:
      /^False IdentityChanged: spec\.regions\[0\]\.namespace: Region eu was written to context eu, namespace cassandra/,
  },
  {
    what: 'the name of a datacenter',
    change: eu({ datacenters: [{ name: 'europe', racks: [{ name: 'rack1' }] }] }),
    refused:
      /^False Forbidden: spec\.regions\[0\]: .* from "eu" to "europe"\. Datacenters of a running region keep their names/,
  },
  {
    what: 'the name of a rack',
    change: eu({ datacenters: [{ name: 'eu', racks: [{ name: 'racka' }] }] }),
    refused: /^False Forbidden: spec\.regions\[0\]: .* from "rack1" to "racka"/,
  },
];

for (const { what, change, refused } of cases) {
  test(`${what} cannot be changed: that is refused for as long as it stands there, and nothing is written`, async () => {
    const world = await edited(change);
    for (let turn = 0; turn < 3; turn++) await rest(world);
    assert.match(conditionOf(world, 'Accepted'), refused);
    assert.deepEqual(world.written, []);
    edit(world, {});
    await rest(world);
    assert.match(conditionOf(world, 'Accepted'), /^True/);
    assert.match(conditionOf(world, 'Ready'), /^True/);
    assert.deepEqual(world.written, []);
  });
}
