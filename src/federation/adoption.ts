import { changesOf, stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { describeSplit, describeStrangers, type Obstacle, staleObstacle } from './gates.ts';
import { foundingObstacle, regionObstacle } from './region-gates.ts';
import { isReady, isUnmarked, type MemberPicture } from './picture.ts';
import { noSteps, type Steps } from './steps.ts';

/**
 * How a ring is taken over whose members no Ringmaster has written.
 *
 * 1. Nothing is written anywhere until every region was looked at, and all of these members are what the spec asks for, are at rest, and their nodes
 *    say that they are one ring. Then the first of their regions is recorded as the founder, as if it had been founded so.
 * 2. Their nodes are proven one after the other, as always. Only then each gets its guard, and its mark: a write that changes nothing else of it.
 * 3. The seeds that a member's operator holds are the ones that its region was given.
 * 4. What would restart its nodes, the guard in their pods, waits until they restart anyway (render.ts).
 */
export function adoptRing(context: PlanContext): Steps | undefined {
  const { federation, pictures } = context;
  const found = pictures.filter(isUnmarked);
  const [first] = found;
  if (!first) return undefined;
  const obstacles = [
    foundingObstacle(pictures, federation.clusterName),
    ...found.map((picture) => adoptionObstacle(context, picture)),
  ].filter((each) => each !== undefined);
  if (obstacles.length === 0) return { ...noSteps, founder: first.region.name, busy: true };
  return { ...noSteps, obstacles, busy: obstacles.every(({ stalled }) => !stalled) };
}

/** Why a member that nobody of ours has written is not made ours now; undefined: it may be, or it is another kind of member. */
export function adoptionObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  if (!isUnmarked(picture)) return undefined;
  return (
    regionObstacle(context, picture) ??
    differing(context, picture) ??
    unsettled(context, picture) ??
    notOneRing(context) ??
    unproven(context, picture)
  );
}

function differing(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const { name: region, namespace } = picture.region;
  const fields = changesOf(context, picture)
    .changes.filter(({ kind, path }) => kind !== 'benign' && !path.startsWith('/metadata/annotations/'))
    .map(({ path, from, to }) => `${path} is ${inWords(from)} there and ${inWords(to)} in the spec`);
  if (fields.length === 0) return undefined;
  const message =
    `the CassandraCluster of region ${region} in namespace ${namespace} was not written by Ringmaster, and is not what the spec asks for: ${fields.join('; ')}. ` +
    'Nothing is written to any region that is not adopted yet; make the two the same, and it is adopted without a restart';
  return { stalled: true, reason: 'ForeignMember', region, message };
}

function unsettled(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const { name: region } = picture.region;
  const { object, bookkeeping } = picture.member;
  const { settled, message } = stateOf(context, picture);
  if (object.metadata.deletionTimestamp === undefined && settled && bookkeeping.seeds !== undefined) return undefined;
  const why = object.metadata.deletionTimestamp === undefined ? message : 'it is being deleted';
  return {
    stalled: false,
    reason: 'Waiting',
    region,
    message: `the member of region ${region} is adopted once it is at rest: ${why}`,
  };
}

/** All nodes that run under these members must be in one ring, and that ring hold nobody else. */
function notOneRing({ pictures, federation, heard, ring, hosts, snapshot }: PlanContext): Obstacle | undefined {
  const wait = (message: string): Obstacle => ({ stalled: false, reason: 'Waiting', message });
  for (const picture of pictures.filter(isUnmarked)) {
    for (const { name } of picture.pods) {
      const pod = picture.snapshot.pods.find(({ metadata }) => metadata.name === name);
      if (!pod || !isReady(pod)) return wait(`pod ${name} is not ready`);
      const view = heard.get(name);
      if (!view) return wait(`node ${name} has not told its view of the ring yet`);
      if (view.operationMode !== 'NORMAL') return wait(`node ${name} is ${view.operationMode}`);
      if (view.clusterName !== federation.clusterName) {
        const message = `node ${name} calls its cluster ${view.clusterName}, and the spec ${federation.clusterName}: it would never be taken for a node of this ring`;
        return { stalled: true, reason: 'ForeignMember', region: picture.region.name, message };
      }
    }
  }
  if (ring.kind === 'split') return { stalled: true, reason: 'RingSplit', message: describeSplit(ring) };
  if (ring.kind === 'unknown') return wait('no node of the ring has been heard yet');
  if (ring.kind === 'differing') return wait(`the views of the ring have not met yet: ${ring.why}`);
  if (ring.busy !== undefined) return wait(`the ring is not at rest: ${ring.busy}`);
  const known = new Set([...hosts.joined.values(), ...[...heard.values()].map(({ hostId }) => hostId)]);
  const strangers = federation.seeds.external.length > 0 ? [] : [...ring.hosts].filter((host) => !known.has(host));
  const [stranger] = strangers;
  if (stranger !== undefined && pictures.some((picture) => !picture.known)) {
    return wait(`host ${stranger} may be of a region that cannot be seen`);
  }
  if (stranger !== undefined) {
    return { stalled: true, reason: 'UnknownHosts', message: describeStrangers(strangers) };
  }
  return staleObstacle(heard, snapshot.monotonicMs);
}

/** Once the founder is recorded, its first node is proven, then those that it knows. */
function unproven({ memory, hosts }: PlanContext, picture: MemberPicture): Obstacle | undefined {
  if (memory.founder === undefined) return undefined;
  const pod = picture.pods.find(({ name }) => !hosts.joined.has(name))?.name;
  if (pod === undefined) return undefined;
  return {
    stalled: false,
    reason: 'Waiting',
    region: picture.region.name,
    message: `node ${pod} is not proven NORMAL yet`,
  };
}

/** A field's value for people. */
export function inWords(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
