import { readBookkeeping } from './bookkeeping.ts';
import type { Snapshot } from './snapshot.ts';

/** The highest number of a leader on what this MultiCassandraCluster has in its regions, and where it stands. */
export function latestLeader({ mcc, regions }: Snapshot): { transitions: number; where: string } | undefined {
  let latest: { transitions: number; where: string } | undefined;
  for (const [name, region] of Object.entries(regions)) {
    if (!region.known) continue;
    for (const kind of ['member', 'guard'] as const) {
      const object = region[kind];
      const { owner, stamp } = object ? readBookkeeping(object) : {};
      if (!stamp || owner?.uid !== mcc.metadata.uid) continue;
      if (stamp.leaseTransitions <= (latest?.transitions ?? -1)) continue;
      latest = { transitions: stamp.leaseTransitions, where: `the ${kind} of region ${name}` };
    }
  }
  return latest;
}
