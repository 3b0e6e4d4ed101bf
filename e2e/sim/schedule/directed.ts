import type { Action, History } from './history.ts';
import { formedMs, region, shapeOf, three, two, workload } from './workloads.ts';

/**
 * Histories with one thing in mind each, that random ones come to too seldom. The controller has to pass them
 * (directed.test.ts), and mutants name them (mutants/).
 */
export const directed = {
  'an edit beside a region that is only observed': workload(
    150,
    three,
    [formedMs, { do: 'observe region', region: 'us', forMs: 60_000 }],
    [formedMs + 1_000, { do: 'set guardWaitSeconds', to: 45 }],
  ),
  /** The cache learns of a deletion only by its absence from a list. */
  'a guard deleted while nobody listens': workload(
    101,
    three,
    [formedMs, { do: 'deafen watches', cluster: 'us' }],
    [formedMs + 100, { do: 'delete guard', region: 'us' }],
    [formedMs + 200, { do: 'compact', cluster: 'us' }],
  ),
  /** Everything but the nodes' own words goes on. */
  'nodes that cannot be asked': workload(102, three, [formedMs, { do: 'mute nodes', region: 'us', forMs: 600_000 }]),
  'a definition that may not be read': workload(
    103,
    three,
    [formedMs, { do: 'bad answers', cluster: 'us', status: 403, count: 20, of: 'customresourcedefinitions' }],
    [formedMs, { do: 'kill controller', backAfterMs: 1_000 }],
  ),
  'a node less while its region restarts, taken back': workload(
    104,
    shapeOf([region('eu', 4), region('us')]),
    [formedMs, { do: 'order a restart', token: 'november' }],
    [formedMs + 15_000, { do: 'resize region', region: 'eu', by: -1, forMs: 3_000 }],
  ),
  /** The controller dies with the member of the second region just created, and its successor cannot see it. */
  'the next region is out of sight while it joins': {
    ...workload(2, three, [
      0,
      { do: 'crash at', nth: 15, of: 'writes', point: 'after commit', backAfterMs: 1, cutOffMs: 60_000 },
    ]),
    lastsMs: formedMs,
  },
  'a keyspace before the last datacenter': workload(
    106,
    three,
    [15_000, { do: 'cut', from: 'controller', to: 'ap', passage: 'refused', bothWays: true, forMs: 80_000 }],
    [30_000, { do: 'create keyspace', strategy: 'SimpleStrategy' }],
  ),
  /** It has no time to look at the last change of the member, which the controller makes by then. */
  'CassKop dies as the last seeds leave the spec': workload(2, three, [
    33_810,
    { do: 'crash CassKop', region: 'ap', backAfterMs: 60_000 },
  ]),
  /** Its old host stays in the ring until a person has removed it. */
  'a disk that is lost': workload(108, three, [formedMs, { do: 'restart pod', region: 'us', pod: 0, wipe: true }]),
  /** The controller starts anew and cannot see the founder, and the hub has forgotten it. */
  'a wiped status while the founder is out of sight': workload(
    2,
    three,
    [6_000, { do: 'reorder regions' }],
    [6_400, { do: 'kill controller', backAfterMs: 1_000 }],
    [6_500, { do: 'wipe status', unseen: 'eu', forMs: 90_000 }],
  ),
  /** The first status names the founder again, the second that nothing goes on, and nothing happens after that. */
  'a status is wiped while all is well': workload(154, three, [formedMs, { do: 'wipe status' }]),
  /** A member is created whose record does not get through, and nobody sees it until the successor leads. */
  'a member is created and nothing else gets through': {
    ...workload(
      2,
      three,
      [0, { do: 'crash at', nth: 16, of: 'writes', point: 'after commit', backAfterMs: 1, cutOffMs: 90_000 }],
      [7_200, { do: 'crash CassKop', region: 'us', backAfterMs: 150_000 }],
      [7_270, { do: 'cut', from: 'controller', to: 'hub', passage: 'refused', bothWays: true, forMs: 5_000 }],
    ),
    lastsMs: formedMs,
  },
  /** Its node is in the ring by then, and nobody can tell whose it is. */
  'a joining region goes out of sight': workload(
    2,
    three,
    [19_000, { do: 'cut', from: 'controller', to: 'us', passage: 'refused', bothWays: true, forMs: 300_000 }],
    [19_000, { do: 'kill controller', backAfterMs: 100 }],
  ),
  /** All pods of a region wait in their guards for the others, for longer than the user has patience. */
  'an edit while pods wait in their guards': workload(
    109,
    { ...three, guardWaitSeconds: 600 },
    [formedMs, { do: 'cut', from: 'us', to: 'eu', passage: 'dropped', bothWays: true, forMs: 400_000 }],
    [formedMs, { do: 'cut', from: 'us', to: 'ap', passage: 'dropped', bothWays: true, forMs: 400_000 }],
    [formedMs + 1_000, { do: 'restart region', region: 'us' }],
    [formedMs + 60_000, { do: 'set guardWaitSeconds', to: 45 }],
  ),
  /** Nodes that come now have to stream what the first ones got. */
  'rows come while a datacenter is filled': workload(110, shapeOf([region('eu'), region('us', 3)]), [
    16_000,
    { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' },
  ]),
  /** Nothing else is to be written to that region afterwards. */
  'a write that was carried out is called refused': workload(
    111,
    three,
    [formedMs, { do: 'lose answers', cluster: 'us', count: 1, as: 'error' }],
    [formedMs + 100, { do: 'set guardWaitSeconds', to: 45 }],
  ),
  /** As when a role lacks a rule: all else in the hub goes on, the Lease above all. */
  'a status that may not be written': workload(
    112,
    three,
    [formedMs, { do: 'bad answers', cluster: 'hub', status: 403, count: 500, of: 'multicassandraclusters' }],
    [formedMs + 100, { do: 'set guardWaitSeconds', to: 45 }],
    [formedMs + 90_000, { do: 'set guardWaitSeconds', to: 60 }],
  ),
  /** The first pod that restarts can never start, and the region is not at rest before that is mended. */
  'an image that cannot start, taken back': workload(113, shapeOf([region('eu', 2), region('us')]), [
    formedMs,
    { do: 'edit template', field: 'image', forMs: 90_000 },
  ]),
  /** CassKop has noted it, writes no StatefulSet before the node has joined, and has nothing to write by then. */
  'a bad image is taken back while a node joins': workload(153, shapeOf([region('eu'), region('us', 1, 2)]), [
    12_500,
    { do: 'edit template', field: 'image', forMs: 25_000 },
  ]),
  /** It stands in the way of a copy, and goes again. */
  "somebody else's Secret of the same name": workload(
    114,
    { ...three, namesSecret: true },
    [1, { do: 'foreign Secret', region: 'us', forMs: 120_000 }],
    [2, { do: 'write Secret', holds: 'one' }],
    [formedMs, { do: 'write Secret', holds: 'two' }],
  ),
  'a Secret is named, edited and named no more': workload(
    115,
    shapeOf([region('eu', 2), region('us')]),
    [formedMs - 1, { do: 'write Secret', holds: 'one' }],
    [formedMs, { do: 'name Secret', forMs: 300_000 }],
    [formedMs + 200_000, { do: 'write Secret', holds: 'two' }],
  ),
  'every node cleans up while its controller dies': workload(
    116,
    shapeOf([region('eu', 2), region('us')]),
    [formedMs, { do: 'order an operation', name: 'cleanup', token: 'november' }],
    [formedMs + 1, { do: 'crash at', nth: 4, of: 'writes', point: 'after commit', backAfterMs: 1_000 }],
    [formedMs + 90_000, { do: 'kill controller', backAfterMs: 1_000 }],
    [formedMs + 120_000, { do: 'order an operation', name: 'cleanup', token: 'december' }],
  ),
  'CassKop dies while a node cleans up': workload(
    117,
    shapeOf([region('eu'), region('us')]),
    [formedMs, { do: 'order an operation', name: 'cleanup', token: 'november' }],
    [formedMs + 3_000, { do: 'crash CassKop', region: 'eu', backAfterMs: 5_000 }],
  ),
  'CassKop dies while a node cleans up that is to restart': workload(
    121,
    shapeOf([region('eu'), region('us')]),
    [formedMs, { do: 'order an operation', name: 'cleanup', token: 'november' }],
    [formedMs + 3_000, { do: 'crash CassKop', region: 'eu', backAfterMs: 5_000 }],
    [formedMs + 20_000, { do: 'order a restart', token: 'december' }],
  ),
  /** CassKop labels all pods of the rack anew, over what tells that one of them is through. */
  'a region grows while its controller is away and a node gets through': workload(
    152,
    shapeOf([region('eu', 2), region('us')]),
    [formedMs, { do: 'order an operation', name: 'cleanup', token: 'november' }],
    [formedMs + 3_000, { do: 'kill controller', backAfterMs: 50_000 }],
    [formedMs + 25_000, { do: 'resize region', region: 'eu', by: 1, forMs: 600_000 }],
  ),
  /** It is no region that founds anything when it comes back. */
  'the founder leaves, and comes back to rows': workload(
    116,
    three,
    [formedMs - 60_000, { do: 'create keyspace', strategy: 'SimpleStrategy' }],
    [formedMs, { do: 'remove region', region: 'eu', forMs: 600_000 }],
  ),
  /**
   * The process stands still between its look at the node and the order, and when it goes on another one leads, the
   * region has left, and is asked for again. Only who is about to give an order asks for the release.
   */
  'a controller stands still as a node is told to leave': workload(
    117,
    three,
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
    [formedMs + 2, { do: 'second controller', forMs: 90_000 }],
    [formedMs + 2, { do: 'pause controller', forMs: 60_000, atRequest: 'ReleaseVersion' }],
  ),
  'a region leaves': workload(118, shapeOf([region('eu'), region('us', 2)]), [
    formedMs,
    { do: 'remove region', region: 'us', forMs: 600_000 },
  ]),
  'a region leaves a keyspace': workload(
    119,
    three,
    [formedMs - 60_000, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
  ),
  'a keyspace is made as a region begins to leave': workload(
    151,
    three,
    [formedMs, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [formedMs + 4_000, { do: 'remove region', region: 'us', forMs: 600_000 }],
  ),
  /** The keyspace is older than the other regions. */
  'a region leaves with rows of its own': workload(
    120,
    three,
    [9_000, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [formedMs, { do: 'remove region', region: 'eu', forMs: 120_000 }],
  ),
  'a node goes down while a region leaves': workload(
    121,
    shapeOf([region('eu'), region('us', 2), region('ap')]),
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
    [formedMs + 900, { do: 'kill controller', backAfterMs: 50_000 }],
    [formedMs + 1_000, { do: 'restart region', region: 'ap' }],
    [formedMs + 1_100, { do: 'cut', from: 'ap', to: 'eu', passage: 'dropped', bothWays: true, forMs: 120_000 }],
    [formedMs + 1_100, { do: 'cut', from: 'ap', to: 'us', passage: 'dropped', bothWays: true, forMs: 120_000 }],
  ),
  /** A neighbour is gone before all rows are handed over. */
  'a node cannot hand over its rows': workload(
    128,
    three,
    [formedMs - 60_000, { do: 'create keyspace', strategy: 'SimpleStrategy' }],
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
    [formedMs + 4_000, { do: 'restart region', region: 'ap' }],
    [formedMs + 4_100, { do: 'cut', from: 'ap', to: 'eu', passage: 'dropped', bothWays: true, forMs: 60_000 }],
    [formedMs + 4_100, { do: 'cut', from: 'ap', to: 'us', passage: 'dropped', bothWays: true, forMs: 60_000 }],
  ),
  /** The next region waits for other replication, and is none of those that could know a host of it. */
  'a region leaves while another one waits to join': workload(
    129,
    three,
    [9_000, { do: 'create keyspace', strategy: 'SimpleStrategy' }],
    [30_000, { do: 'remove region', region: 'us', forMs: 600_000 }],
  ),
  /** The controller alone cannot see it. */
  'a region that is alive is given up': workload(122, three, [
    formedMs,
    { do: 'abandon region', region: 'us', forMs: 120_000, isAlive: true },
  ]),
  'a region that was given up returns': workload(123, three, [
    formedMs,
    { do: 'abandon region', region: 'us', forMs: 120_000 },
  ]),
  /** Its disk would have kept it from starting. */
  'a node that has left comes back without its disk': workload(
    124,
    shapeOf([region('eu'), region('us', 2)]),
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
    [formedMs + 4_000, { do: 'mute nodes', region: 'us', forMs: 120_000 }],
    [formedMs + 12_000, { do: 'restart pod', region: 'us', pod: 1, wipe: true }],
  ),
  'a region leaves while the hub takes no status': workload(
    127,
    three,
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
    [formedMs, { do: 'bad answers', cluster: 'hub', status: 500, count: 50, of: 'multicassandraclusters' }],
  ),
  ...lostHubs(),
  'all is deleted': workload(125, two, [formedMs, { do: 'delete everything', forMs: 1_000 }]),
  'all is deleted while a region is out of sight': workload(
    126,
    two,
    [formedMs, { do: 'delete everything', forMs: 1_000 }],
    [formedMs + 9_000, { do: 'cut', from: 'controller', to: 'us', passage: 'refused', bothWays: true, forMs: 60_000 }],
  ),
  /** Nothing in the regions tells that Ringmaster was ever there; and the controller cannot see one of them for a while. */
  'members without our marks, one of them out of sight': workload(
    160,
    three,
    [formedMs, { do: 'take our marks away', everyMs: 1_000, unguarded: false }],
    [formedMs + 5_000, { do: 'cut', from: 'controller', to: 'ap', passage: 'refused', bothWays: true, forMs: 60_000 }],
  ),
  /** Their pods start without the guard until they are restarted. */
  'members without our marks and guards, and then a restart': workload(
    161,
    shapeOf([region('eu', 2), region('us')]),
    [formedMs, { do: 'take our marks away', everyMs: 120_000, unguarded: true }],
    [formedMs + 400_000, { do: 'order a restart', token: 'november' }],
  ),
  'members without our marks, and a hub that takes no status': workload(
    162,
    three,
    [formedMs, { do: 'take our marks away', everyMs: 1_000, unguarded: false }],
    [formedMs + 6_000, { do: 'bad answers', cluster: 'hub', status: 500, count: 30, of: 'multicassandraclusters' }],
  ),
  'keyspaces are altered for a region that joins': workload(130, { ...three, cql: 'from the start' }, [
    9_000,
    { do: 'create keyspace', strategy: 'SimpleStrategy' },
  ]),
  'a region leaves keyspaces that may be altered': workload(
    131,
    { ...three, cql: 'from the start' },
    [formedMs - 60_000, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [formedMs, { do: 'remove region', region: 'us', forMs: 600_000 }],
  ),
  'keyspaces wait for the right password': workload(132, { ...three, cql: 'with a wrong password' }, [
    9_000,
    { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' },
  ]),
  /** The process stands still between its look at a keyspace and the statement, and another one leads by then. */
  'a controller stands still as it alters keyspaces': workload(
    133,
    { ...three, cql: 'from the start' },
    [9_000, { do: 'create keyspace', strategy: 'NetworkTopologyStrategy' }],
    [15_000, { do: 'second controller', forMs: 120_000 }],
    [24_300, { do: 'pause controller', forMs: 60_000 }],
  ),
  /** Each region's version 10000 is the creation of its guard, and one region is slow to tell of it. */
  'versions that get a digit more': workload(107, { ...three, firstVersion: 9_993 }, [
    5_000,
    { do: 'hold watches', cluster: 'us', plural: 'configmaps', forMs: 5_000 },
  ]),
  /** For longer than guards let them wait for each other, and with new addresses. */
  'all pods restart while no region hears another': workload(
    163,
    three,
    [formedMs, { do: 'cut', from: 'eu', to: 'us', passage: 'dropped', bothWays: true, forMs: 300_000 }],
    [formedMs, { do: 'cut', from: 'eu', to: 'ap', passage: 'dropped', bothWays: true, forMs: 300_000 }],
    [formedMs, { do: 'cut', from: 'us', to: 'ap', passage: 'dropped', bothWays: true, forMs: 300_000 }],
    [formedMs + 1_000, { do: 'restart all pods' }],
  ),
  'all pods restart, and the one that founded the ring without its disk': workload(164, three, [
    formedMs,
    { do: 'restart all pods', lost: { region: 'eu', pod: 0 } },
  ]),
} as const satisfies Readonly<Record<string, History>>;

/** At moments that are spread over the forming of a ring, and over a removal. */
function lostHubs(): Record<string, History> {
  const lost: Action = { do: 'delete and recreate', whatever: true };
  const shape = shapeOf([region('eu', 2), region('us'), region('ap')]);
  const forming = [4, 9, 14, 19, 24, 34].map((seconds, index) => [
    `the hub is lost ${seconds} s after a ring was begun`,
    workload(140 + index, shape, [seconds * 1_000, lost]),
  ]);
  const leaving = [2, 6, 10, 14, 20].map((seconds, index) => [
    `the hub is lost ${seconds} s after a region was told to leave`,
    workload(
      150 + index,
      shape,
      [formedMs, { do: 'remove region', region: 'eu', forMs: 600_000 }],
      [formedMs + seconds * 1_000, lost],
    ),
  ]);
  return Object.fromEntries([...forming, ...leaving]) as Record<string, History>;
}
