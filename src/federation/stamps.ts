import { readBookkeeping } from './bookkeeping.ts';
import type { Snapshot } from './snapshot.ts';

/** The highest number of a leader on what this MultiCassandraCluster has in its regions, and where it stands. */
export function latestLeader({ mcc, regions }: Snapshot): { transitions: number; where: string } | undefined {
  let latest: { transitions: number; where: string } | undefined;
  for (const [name, region] of Object.entries(regions)) {
    if (!region.known) continue;
    const objects = [
      { what: 'the member', object: region.member },
      { what: 'the guard', object: region.guard },
      ...region.copies.map(({ kind, object }) => ({ what: `${kind} ${object.metadata.name}`, object })),
    ];
    for (const { what, object } of objects) {
      const { owner, stamp } = object ? readBookkeeping(object) : {};
      if (!stamp || owner?.uid !== mcc.metadata.uid) continue;
      if (stamp.leaseTransitions <= (latest?.transitions ?? -1)) continue;
      latest = { transitions: stamp.leaseTransitions, where: `${what} of region ${name}` };
    }
  }
  return latest;
}
