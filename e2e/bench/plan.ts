import { mccOf, PlannerWorld } from '../../src/federation/testing.ts';
import { plan } from '../../src/federation/plan.ts';
import type { Snapshot } from '../../src/federation/snapshot.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';

/**
 * Time of one pass of the planner over a settled federation of six regions, and beside it, in the same run, one JSON
 * round trip of the snapshot it plans from. The pass is measured as the controller makes it: the objects in the
 * snapshot are those of the pass before, the snapshot and the MultiCassandraCluster around its spec are new.
 *
 * Prints a line a measurement and, last, `ratio <number>`: the pass over the round trip.
 */

const regionNames = ['eu', 'us', 'ap', 'sa', 'af', 'oc'];
const rounds = 9;
const roundMs = 200;

/** Microseconds of processor time that `work` takes: of several rounds the quickest, since all that disturbs adds to it. */
function microsecondsOf(work: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const from = process.cpuUsage();
    const endsAt = performance.now() + roundMs;
    let count = 0;
    for (; performance.now() < endsAt; count++) work();
    const { user, system } = process.cpuUsage(from);
    return (user + system) / count;
  });
  return Math.min(...times);
}

const world = new PlannerWorld(mccOf({ regions: regionNames.map((name) => ({ name })) }));
await world.settle();
const snapshot: Snapshot = world.snapshot();
const pass = microsecondsOf(() => plan({ ...snapshot, mcc: { ...snapshot.mcc } }, casskop));
const roundTrip = microsecondsOf(() => JSON.parse(JSON.stringify(snapshot)) as unknown);
console.log(`plan of ${regionNames.length} regions: ${pass.toFixed(0)} microseconds`);
console.log(`JSON round trip of its snapshot: ${roundTrip.toFixed(0)} microseconds`);
console.log(`ratio ${(pass / roundTrip).toFixed(2)}`);
