import { type Alteration, alterationsForDatacenters, replicasIn, userKeyspaces } from '../ring/keyspaces.ts';
import { replicationGate } from './keyspace-gate.ts';
import type { PlanContext } from './context.ts';
import { type Obstacle, replicationOf } from './gates.ts';
import { answeredFor, isLeaving, type MemberPicture, type RegionPicture } from './picture.ts';
import type { Job } from './pod-operations.ts';

/**
 * How a region that joins a ring with data gets its rows.
 *
 * 1. Its member is created with a note that its nodes are to be rebuilt: as seeds of a new datacenter they skip the bootstrap, and have no rows.
 * 2. Once all its nodes are in the ring, keyspaces have to be told to have replicas there; the message prints the statements. Before that
 *    nobody reads from them, and no row is sent to them.
 * 3. Then every node streams what it owns from the datacenter of a region that has it, one node after the other (pod-operations.ts). One that fails for good
 *    stops the rest: a person decides where else to stream from.
 */
export const rebuildToken = 'join';

/** Whether its nodes have joined a ring with data and do not have their rows yet. */
export function lacksRows(picture: RegionPicture): boolean {
  if (!answeredFor(picture) || picture.region.rebuild.skip || isLeaving(picture)) return false;
  const { rebuild } = picture.member.bookkeeping.operations;
  return rebuild !== undefined && !(rebuild.complete && rebuild.failed.length === 0);
}

/** Whether users have keyspaces in the ring, as far as its nodes can be heard. */
function findsRows({ views }: PlanContext): boolean {
  return userKeyspaces([...views.values()].flatMap((view) => view.keyspaces)).length > 0;
}

/** Whether a region that is about to join may find rows of users in the ring. Of one outside the federation nobody can tell before. */
export function mayFindRows(context: PlanContext): boolean {
  const { federation, hosts } = context;
  return findsRows(context) || (federation.seeds.external.length > 0 && hosts.joined.size === 0);
}

/** Whether a region waits for its rows, or for what has to come before. */
export function awaitsRows(context: PlanContext, picture: RegionPicture): boolean {
  return lacksRows(picture) && findsRows(context);
}

/** What keeps a region that has joined from getting its rows. */
export function rebuildObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  if (!awaitsRows(context, picture) || !picture.pods.every(({ name }) => context.hosts.joined.has(name)))
    return undefined;
  const { name } = picture.region;
  const replication = replicationNow(context);
  if (!replication) {
    const message = 'the replication of the ring’s keyspaces is being read';
    return { stalled: false, reason: 'Waiting', region: name, message, isLocal: true };
  }
  const alterations = missingReplicas(context, replication);
  if (alterations.length > 0) {
    const words = {
      why: `region ${name} has joined, and keyspaces have no replicas there yet`,
      advice: 'Let clients use LOCAL_ consistency levels elsewhere, then run:',
      next: ` Then its nodes stream their rows. To leave that to somebody else, set spec.regions[${name}].rebuild.skip`,
    };
    return replicationGate(context, alterations, words, { region: name, isLocal: true });
  }
  if ((picture.region.rebuild.from ?? sourceFor(context, picture, replication)) === undefined) {
    const message = `name the datacenter that the nodes of region ${name} are to stream their rows from: spec.regions[${name}].rebuild.from`;
    return { stalled: true, reason: 'ReplicationGate', region: name, message, isLocal: true };
  }
  const failed = picture.member.bookkeeping.operations.rebuild?.failed ?? [];
  if (failed.length === 0) return undefined;
  const message =
    `${failed.join(', ')} of region ${name} could not stream from ${picture.member.bookkeeping.operations.rebuild?.argument ?? 'another datacenter'}; the logs of the node and of its regional operator ` +
    `say why. Name another datacenter in spec.regions[${name}].rebuild.from, or rebuild by hand and set rebuild.skip`;
  return { stalled: true, reason: 'RebuildFailed', region: name, message, isLocal: true };
}

/** One for each region whose nodes can get their rows now. */
export function rebuildJobs(context: PlanContext): Job[] {
  return context.pictures.flatMap((picture): Job[] => {
    if (!answeredFor(picture) || !awaitsRows(context, picture) || picture.member.ownership !== 'ours') return [];
    const record = picture.member.bookkeeping.operations.rebuild;
    const replication = replicationNow(context);
    const isBegun = record?.argument !== undefined;
    const isReady =
      picture.pods.every(({ name }) => context.hosts.joined.has(name)) &&
      replication !== undefined &&
      missingReplicas(context, replication).length === 0;
    const argument =
      picture.region.rebuild.from ?? record?.argument ?? (replication && sourceFor(context, picture, replication));
    if (!(isBegun || isReady) || argument === undefined) return [];
    const { parallel } = picture.region.rebuild;
    return [
      {
        name: 'rebuild',
        token: rebuildToken,
        argument,
        regions: [picture.region.name],
        parallel,
        stopsAtFailure: true,
      },
    ];
  });
}

/** The datacenter that has most of the keyspaces, of a region that has its rows; the first of them in the order of the spec. */
function sourceFor(
  { pictures }: PlanContext,
  picture: RegionPicture,
  replication: Readonly<Record<string, string>>,
): string | undefined {
  const keyspaces = userKeyspaces(Object.keys(replication));
  const candidates = pictures
    .filter((each) => each !== picture && answeredFor(each) && !lacksRows(each) && !isLeaving(each))
    .flatMap(({ region }) => region.datacenters.map(({ name }) => name));
  const held = (datacenter: string): number =>
    keyspaces.filter((keyspace) => replicasIn(replication[keyspace] ?? '', datacenter) > 0).length;
  return candidates.toSorted((one, other) => held(other) - held(one))[0];
}

function replicationNow({ pictures, views }: PlanContext): Readonly<Record<string, string>> | undefined {
  return replicationOf(pictures, [...new Set([...views.values()].flatMap((view) => view.keyspaces))]);
}

/** Of all regions that have joined at once: a keyspace of the system has to name them all. */
function missingReplicas(
  { pictures, hosts }: PlanContext,
  replication: Readonly<Record<string, string>>,
): Alteration[] {
  const joined = pictures
    .filter((picture) => answeredFor(picture) && !isLeaving(picture))
    .filter(({ pods }) => pods.every(({ name }) => hosts.joined.has(name)));
  const lacking = joined.filter(lacksRows).flatMap(({ region }) => region.datacenters.map(({ name }) => name));
  const counts: Record<string, number> = {};
  for (const { datacenter } of joined.flatMap(({ pods }) => pods)) counts[datacenter] = (counts[datacenter] ?? 0) + 1;
  return alterationsForDatacenters(replication, counts, lacking);
}
