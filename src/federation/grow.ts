import { adoptionObstacle } from './adoption.ts';
import type { PlanContext } from './context.ts';
import { copyIntents, missingReference } from './copies.ts';
import {
  type Obstacle,
  replicationObstacle,
  ringObstacle,
  staleObstacle,
  unaskedObstacle,
  wasInRing,
} from './gates.ts';
import { guardIntent } from './guard-writes.ts';
import { createMember } from './member-writes.ts';
import { neverCreated } from './observed.ts';
import { answeredFor, isLeaving, isObserved, isUnmarked, type KnownPicture, type RegionPicture } from './picture.ts';
import { operationUnderWay } from './pod-operations.ts';
import { foreignMember, memberMissingObstacle, newerWriter, regionObstacle } from './region-gates.ts';
import { changeUnderWay } from './rollout.ts';
import { noSteps, type Steps } from './steps.ts';

/**
 * Brings the next region into the ring, the founder first and alone, then one after the other. A member that was deleted
 * comes back before anybody joins: those who wait for it must not stand before it.
 *
 * @param stalls what holds up the regions that have their members until a person does something
 */
export function grow(context: PlanContext, othersBusy: boolean, stalls: readonly Obstacle[]): Steps {
  const { pictures, memory, hosts } = context;
  // Beside members whose nodes are not known for certain, nobody joins, and no ring is founded.
  const unmarked = pictures.filter(isUnmarked);
  if (unmarked.length > 0) {
    return { ...noSteps, busy: unmarked.every((each) => adoptionObstacle(context, each)?.stalled !== true) };
  }
  const obstacles: Obstacle[] = [];
  const joining = pictures.some(
    (picture) =>
      answeredFor(picture) &&
      !isLeaving(picture) &&
      picture.pods.some((pod) => !context.hosts.joined.has(pod.name)) &&
      !stalls.some(({ region }) => region === picture.region.name),
  );
  const urgency = (picture: RegionPicture): number =>
    picture.region.name === memory.founder ? 2 : Number(wasInRing(picture, context.hosts));
  const waiting = pictures
    .filter((picture) => !isLeaving(picture))
    .filter((picture) => !(picture.known ? picture.member !== undefined : picture.recorded?.identity?.memberUID))
    .sort((one, other) => urgency(other) - urgency(one));

  for (const picture of pictures) {
    if (!picture.known || picture.member?.ownership !== 'foreign') continue;
    obstacles.push(foreignMember({ ...picture, member: picture.member }));
  }
  for (const picture of waiting) {
    // One that comes back after it had left joins a ring as the others do.
    const founds = picture.region.name === memory.founder && hosts.joined.size === 0;
    if (!picture.known) {
      obstacles.push({
        stalled: false,
        reason: 'RegionUnreachable',
        region: picture.region.name,
        message: `region ${picture.region.name} joins once it can be seen: ${picture.snapshot.message}`,
      });
      if (founds) return { ...noSteps, obstacles, busy: true };
      continue;
    }
    const own =
      (isObserved(picture) ? neverCreated(picture) : undefined) ??
      regionObstacle(context, picture) ??
      newerWriter(picture) ??
      memberMissingObstacle(context, picture) ??
      missingReference(context, picture);
    if (own) {
      obstacles.push(own);
      if (founds) return { ...noSteps, obstacles };
      continue;
    }
    const gate = joinGate(context, picture, founds, othersBusy);
    if (gate) return { ...noSteps, obstacles: [...obstacles, gate], busy: joining || stalls.length === 0 };
    const guard = guardIntent(context, picture);
    if (guard) return { intents: [guard], obstacles, busy: true };
    // From its first write on the region counts as part of the ring, so it is recorded before its pods can start.
    if (picture.recorded?.identity === undefined) return { ...noSteps, obstacles, busy: true };
    const copies = copyIntents(context, picture);
    return { intents: copies.length > 0 ? copies : [createMember(context, picture)], obstacles, busy: true };
  }
  return { ...noSteps, obstacles, busy: joining };
}

function joinGate(
  context: PlanContext,
  picture: KnownPicture,
  founds: boolean,
  othersBusy: boolean,
): Obstacle | undefined {
  const { pictures, hosts, ring, views } = context;
  if (founds || wasInRing(picture, hosts)) return undefined;
  if (othersBusy) {
    return {
      stalled: false,
      reason: 'Waiting',
      message: 'the regions that are in the ring are brought up to date first',
    };
  }
  const operation = operationUnderWay(context);
  if (operation) return operation;
  return (
    changeUnderWay(context, picture) ??
    ringObstacle(pictures, hosts, ring, views) ??
    staleObstacle(views, context.snapshot.monotonicMs) ??
    unaskedObstacle(context, firstSeenMs(picture)) ??
    replicationObstacle(context)
  );
}

/** When the status first told of a region. Unix milliseconds; NaN: it does not yet. */
function firstSeenMs({ recorded }: KnownPicture): number {
  const times = (recorded?.conditions ?? []).map(({ lastTransitionTime }) => Date.parse(lastTransitionTime));
  return times.length === 0 ? NaN : Math.min(...times);
}
