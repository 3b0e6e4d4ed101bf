import type { Action, History, Shape } from './history.ts';

export const region = (name: string, nodesPerRacks = 1, racks = 1): Shape['regions'][0] => ({
  name,
  nodesPerRacks,
  racks,
});

export const shapeOf = (regions: Shape['regions'], changes: Partial<Shape> = {}): Shape => ({
  regions,
  hub: 'hub',
  latencyMs: { least: 1, most: 20 },
  guardWaitSeconds: 60,
  ...changes,
});

/** When a federation of the shapes below is formed and at rest, milliseconds since its apply. */
export const formedMs = 300_000;

/** One seed, one shape, and what happens when, milliseconds since the world began. */
export function workload(seed: number, shape: Shape, ...steps: [number, Action][]): History {
  return { seed, shape, steps: steps.map(([atMs, action]) => ({ atMs, action })) };
}

/** When a change has gone through all regions, milliseconds since it was applied. */
const changedMs = 300_000;

export const two = shapeOf([region('eu'), region('us')]);
export const three = shapeOf([region('eu'), region('us'), region('ap')]);

/** What users do, each without any fault: the ground for dying at every request on the way. */
export const workloads: Readonly<Record<string, History>> = {
  'two regions': workload(1, shapeOf([region('eu'), region('us')], { hub: 'eu' })),
  'three regions': workload(2, three),
  'racks and two nodes': workload(3, shapeOf([region('eu', 2, 2), region('us', 1, 2)])),
  'an edit': workload(4, three, [formedMs, { do: 'set guardWaitSeconds', to: 45 }]),
  'another order': workload(5, three, [formedMs, { do: 'reorder regions' }]),
  'a refused edit, taken back': workload(6, three, [formedMs, { do: 'edit template', field: 'image', forMs: 20_000 }]),
  'a region dropped by mistake': workload(7, three, [formedMs, { do: 'drop region', region: 'us', forMs: 20_000 }]),
  'a wiped status': workload(8, three, [formedMs, { do: 'wipe status' }]),
  'a wiped status while it is formed': workload(9, three, [15_000, { do: 'wipe status' }]),
  'deleted, applied again and adopted': workload(10, three, [formedMs, { do: 'delete and recreate' }]),
  'deleted, robbed of all marks, applied again and adopted': workload(26, three, [
    formedMs,
    { do: 'take our marks away', everyMs: 1_000, unguarded: false },
  ]),
  'a deleted guard': workload(11, three, [formedMs, { do: 'delete guard', region: 'us' }]),
  'a deleted member': workload(12, three, [formedMs, { do: 'delete member', region: 'us' }]),
  'a lost disk': workload(13, three, [formedMs, { do: 'restart pod', region: 'us', pod: 0, wipe: true }]),
  'another image, and the old one again': workload(15, two, [
    formedMs,
    { do: 'edit template', field: 'newer image', forMs: changedMs },
  ]),
  'an image that cannot start, taken back': workload(16, shapeOf([region('eu', 2), region('us')]), [
    formedMs,
    { do: 'edit template', field: 'image', forMs: 90_000 },
  ]),
  'a node more, and one less': workload(17, two, [
    formedMs,
    { do: 'resize region', region: 'us', by: 1, forMs: changedMs },
  ]),
  'a node less, and one more': workload(18, shapeOf([region('eu'), region('us', 2)]), [
    formedMs,
    { do: 'resize region', region: 'us', by: -1, forMs: changedMs },
  ]),
  'a restart by its token': workload(19, two, [formedMs, { do: 'order a restart', token: 'november' }]),
  'every node cleans up': workload(22, shapeOf([region('eu', 2), region('us')]), [
    formedMs,
    { do: 'order an operation', name: 'cleanup', token: 'november' },
  ]),
  'a pull Secret that comes late, and is edited': workload(
    20,
    { ...two, namesSecret: true },
    [20_000, { do: 'write Secret', holds: 'one' }],
    [formedMs, { do: 'write Secret', holds: 'two' }],
  ),
  'a pull Secret that is named later, and no more': workload(
    21,
    two,
    [formedMs - 1, { do: 'write Secret', holds: 'one' }],
    [formedMs, { do: 'name Secret', forMs: changedMs }],
  ),
  'a region removed': workload(
    22,
    shapeOf([region('eu'), region('us', 2), region('ap')]),
    [formedMs - 60_000, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [formedMs, { do: 'remove region', region: 'us', forMs: changedMs }],
  ),
  'the founder removed': workload(23, three, [formedMs, { do: 'remove region', region: 'eu', forMs: changedMs }]),
  'deleted with all members': workload(25, two, [formedMs, { do: 'delete everything', forMs: 5_000 }]),
  'a region given up that returns': workload(24, three, [
    formedMs,
    { do: 'abandon region', region: 'us', forMs: changedMs },
  ]),
  'keyspaces altered for a region that joins': workload(26, { ...three, cql: 'from the start' }, [
    9_000,
    { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' },
  ]),
  'everything restarts': workload(14, three, [formedMs, { do: 'restart all pods' }]),
};
