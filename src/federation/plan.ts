import { isDeepStrictEqual } from 'node:util';
import { effective } from '../api/effective.ts';
import { withoutRepeats } from '../api/problem.ts';
import type { Status } from '../api/schema.ts';
import { validate } from '../api/validate.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import { assessRing } from '../ring/view.ts';
import { stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { copyIntents, missingReference, pruneIntents } from './copies.ts';
import {
  foundingObstacle,
  howToAdopt,
  memberMissingObstacle,
  type Obstacle,
  regionObstacle,
  replicationObstacle,
  ringObstacle,
  staleObstacle,
  wasInRing,
} from './gates.ts';
import { abandon } from './abandon.ts';
import { adoptionObstacle, adoptRing } from './adoption.ts';
import { alterIntents, altersOf } from './alterations.ts';
import { guardIntent } from './guard-writes.ts';
import { freshViews, proveHosts } from './hosts.ts';
import type { Intent } from './intents.ts';
import { leave } from './leave.ts';
import { viewsOfRing, withoutLeft } from './leaving-views.ts';
import { createMember, upkeepIntent } from './member-writes.ts';
import { recall } from './memory.ts';
import { neverCreated, observedObstacle } from './observed.ts';
import {
  answeredFor,
  hasGone,
  isLeaving,
  isObserved,
  isPassing,
  isReady,
  isUnmarked,
  type KnownPicture,
  type MemberPicture,
  type OwnedObject,
  pictureRegions,
  type RegionPicture,
  wasOurs,
} from './picture.ts';
import { jobsOf, operate, operationUnderWay } from './pod-operations.ts';
import { rebuildObstacle } from './rebuild.ts';
import { misspeltFields, refusals } from './refusals.ts';
import { changeUnderWay, rollOut } from './rollout.ts';
import type { Snapshot } from './snapshot.ts';
import { describe, describeRefusal } from './status.ts';
import { noSteps, type Steps } from './steps.ts';

/** Nodes of a quiet ring are asked once a minute; a view that missed two rounds says nothing any more. Milliseconds. */
export const viewMaxAgeMs = 150_000;

/**
 * How soon to look at the ring and plan again when no event comes.
 * - `fast`: a step is under way.
 * - `writing`: objects are brought up to date beside a ring that is whole; its nodes have nothing new to tell.
 * - `slow`: nothing goes on before something outside changes: a person, a network, a node that is down.
 * - `quiet`: all is as it should be.
 */
export type Pace = 'fast' | 'writing' | 'slow' | 'quiet';

/** What to do now, and what to tell the user. */
export interface Plan {
  /** In order within a region; regions side by side. */
  readonly intents: readonly Intent[];
  readonly status: Status;
  readonly pace: Pace;
}

/**
 * From one snapshot to the next writes. Pure: no I/O, no clock, no randomness; the same snapshot gives the same plan.
 *
 * How a ring is formed, and why it cannot split:
 * 1. One region is chosen as the founder, and the choice is recorded in the MultiCassandraCluster before anything is
 *    written to any region. It is made only while every region can be seen and none holds anything of an older ring.
 * 2. Every member starts with the same seeds, computed once from the spec, and with a guard that lets no pod start
 *    alone (guard/pre_run.sh). Only the founder's first pod may, and only until it was proven NORMAL.
 * 3. One region joins after the other, and only when the nodes themselves say that the ring so far is one, whole and
 *    at rest (gates.ts). What cannot be seen is never taken for absent: it closes the gate.
 * 4. What a member is to name, Secrets and ConfigMaps, is in its region before it is written there (copies.ts).
 * 5. Every write waits until the one before it is seen, so a crash between any two leaves a state this same function
 *    goes on from.
 */
export function plan(snapshot: Snapshot, operator: RegionalOperator): Plan {
  const problems = validate(snapshot.mcc);
  if (problems.length > 0) {
    // A misspelt field is often why another one is missing, so it is said first.
    const misspelt = misspeltFields(snapshot.mcc, operator, (name) => snapshot.regions[name]);
    const status = describeRefusal(snapshot, withoutRepeats([...misspelt, ...problems]));
    return { intents: [], status, pace: 'quiet' };
  }

  const context = contextOf(snapshot, operator);
  const refused = refusals(context);
  const steps = refused.length > 0 ? noSteps : nextSteps(context);
  const status = describe(context, refused, steps);
  return {
    intents: steps.intents,
    status,
    pace: paceOf(context, steps, status),
  };
}

function paceOf({ ring, hosts, pictures, views }: PlanContext, steps: Steps, status: Status): Pace {
  const is = (type: 'Stalled' | 'RingIntact'): boolean =>
    status.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
  const stalled = is('Stalled');
  const isWriting = pictures.some(isPassing) || (steps.intents.length > 0 && !stalled);
  // While a region is out of sight for a moment, that the ring is whole is told as before.
  const isFormed = is('RingIntact') && status.regions?.every(({ stage }) => stage === 'Running');
  const ringRests = isFormed && !steps.busy && !(ring.kind === 'one' && ring.busy !== undefined);
  if (isWriting && ringRests) return 'writing';
  if (pictures.some(isPassing)) return 'fast';
  if (steps.founder !== undefined || steps.intents.length > 0 || (steps.busy && !stalled)) return 'fast';
  const unrest = ring.kind === 'one' ? ring.busy !== undefined : hosts.joined.size > 0;
  const waits =
    steps.operating?.isUnderWay || steps.obstacles.some((each) => !each.stalled && each.reason !== 'Paused');
  return stalled || unrest || waits || hasSilentNode(pictures, views) ? 'slow' : 'quiet';
}

/** A Ready node that does not answer, or has not for a while: what it said last grows old without an event. */
function hasSilentNode(pictures: readonly RegionPicture[], views: PlanContext['views']): boolean {
  return pictures.filter(answeredFor).some(({ snapshot }) =>
    snapshot.pods.some((pod) => {
      const { name } = pod.metadata;
      return isReady(pod) && (snapshot.unreadable[name] !== undefined || !views.has(name));
    }),
  );
}

/** What a pass works out of its snapshot before it decides anything. The spec must be valid. */
export function contextOf(snapshot: Snapshot, operator: RegionalOperator): PlanContext {
  const federation = effective(snapshot.mcc);
  const pictures = pictureRegions(snapshot, federation, operator);
  const memory = recall(snapshot, federation, operator, pictures);
  const heard = freshViews(pictures, snapshot.monotonicMs, viewMaxAgeMs);
  const hosts = proveHosts(federation, pictures, memory, heard);
  const views = viewsOfRing(heard, pictures, hosts);
  return {
    snapshot,
    federation,
    operator,
    pictures: pictures.map((picture) => withoutLeft(picture, hosts)),
    memory,
    heard,
    views,
    ring: assessRing([...views.values()]),
    hosts,
    workedOut: new Map(),
  };
}

/** What to do now, if nothing in the spec is refused. */
export function nextSteps(context: PlanContext): Steps {
  const { memory, pictures, snapshot } = context;
  if (memory.founderConflict !== undefined) {
    const message = `${memory.founderConflict} are both recorded as the founder of the ring; nothing is written until a person has decided which history is true`;
    return { ...noSteps, obstacles: [{ stalled: true, reason: 'RingSplit', message }] };
  }
  if (memory.founder === undefined) return found(context);

  // A recovered founder or seed list is recorded again before anything builds on it.
  const { ring, seeds } = snapshot.mcc.status ?? {};
  if (ring?.founder !== memory.founder || !isDeepStrictEqual(seeds ?? [], memory.seeds))
    return { ...noSteps, busy: true };

  const kept = [...keepAll(context), ...pictures.filter(isLeaving).map((picture) => letGo(context, picture))];
  const isBusy = ({ intents, obstacles, begins }: Steps): boolean =>
    intents.length > 0 || obstacles.some(({ isLocal }) => !isLocal) || begins !== undefined;
  const grown = grow(
    context,
    kept.some(isBusy) ||
      pictures.some(
        ({ recorded }) => recorded?.settledRevision !== undefined && recorded.changingSince !== undefined,
      ) ||
      pictures.some((picture) => picture.leavingSince !== undefined && !hasGone(picture)),
    kept.some((steps) => steps.obstacles.some(({ stalled, isLocal }) => stalled && !isLocal)),
  );
  const begins = kept.find((steps) => steps.begins !== undefined)?.begins;
  const all = [...kept, grown];
  const keyspaces = altersOf(all).map(({ keyspace }) => keyspace);
  // What fails again and again holds up only what needs it.
  const altersNow = keyspaces.length > 0 && snapshot.cqlProblem === undefined;
  const goesOn = whatGoesOn(all) ?? (altersNow ? `keyspaces ${keyspaces.join(', ')} are being altered` : undefined);
  const operating = operate(context, jobsOf(context), goesOn);
  const intents = [...all.flatMap((steps) => steps.intents), ...operating.intents];
  return {
    ...(begins !== undefined && { begins }),
    // One at a time, and not while another one's turn begins.
    leaves: begins === undefined ? kept.flatMap((steps) => steps.leaves ?? []).slice(0, 1) : [],
    removed: kept.flatMap((steps) => steps.removed ?? []),
    abandoned: kept.flatMap((steps) => steps.abandoned ?? []),
    operating,
    intents: [...intents, ...alterIntents(context, all, intents)],
    obstacles: all.flatMap((steps) => steps.obstacles),
    busy: grown.busy || kept.some((steps) => steps.busy),
  };
}

function letGo(context: PlanContext, picture: RegionPicture): Steps {
  const newer = picture.known ? newerWriter(picture) : undefined;
  if (newer) return { ...noSteps, obstacles: [newer] };
  return picture.region.state === 'Abandoned' ? abandon(context, picture) : leave(context, picture);
}

/** What is written, waited for or under way, as a sentence; undefined: nothing is. What one region alone lacks does not count. */
function whatGoesOn(steps: readonly Steps[]): string | undefined {
  const [obstacle] = steps.flatMap(({ obstacles }) => obstacles.filter(({ isLocal }) => !isLocal));
  const [intent] = steps.flatMap(({ intents }) => intents);
  const isBusy = steps.some(({ busy, begins, leaves = [] }) => busy || begins !== undefined || leaves.length > 0);
  return obstacle?.message ?? intent?.why ?? (isBusy ? 'a region is being brought up to date' : undefined);
}

/** Chooses the founder. Only the choice is recorded in this pass; the founder's member is written once it is seen. */
function found(context: PlanContext): Steps {
  const adopted = adoptRing(context);
  if (adopted) return adopted;
  const { pictures, federation } = context;
  const first = pictures.find((picture) => !isLeaving(picture) && !isObserved(picture));
  const obstacle =
    foundingObstacle(pictures, federation.clusterName) ??
    (first?.known && (regionObstacle(context, first) ?? missingReference(context, first)));
  if (obstacle) return { ...noSteps, obstacles: [obstacle], busy: !obstacle.stalled };
  if (first) return { ...noSteps, founder: first.region.name, busy: true };
  return { ...noSteps, obstacles: pictures.filter(isObserved).map(neverCreated) };
}

/** Keeps the regions that have their members: their guards up to date, their seeds where they belong, and changes of the spec going through them. */
function keepAll(context: PlanContext): Steps[] {
  const members = context.pictures.filter(answeredFor).filter((picture) => !isLeaving(picture));
  const obstacles = new Map(
    members.map((each) => [
      each,
      regionObstacle(context, each) ?? newerWriter(each) ?? adoptionObstacle(context, each),
    ]),
  );
  const isFree = (each: MemberPicture): boolean =>
    obstacles.get(each) === undefined &&
    each.member.object.metadata.deletionTimestamp === undefined &&
    !isObserved(each);
  const turns = rollOut(
    context,
    members.filter((each) => isFree(each) && each.member.ownership === 'ours'),
  );
  return members.map((picture) => {
    const obstacle = obstacles.get(picture);
    if (obstacle) return { ...noSteps, obstacles: [obstacle] };
    if (isObserved(picture)) {
      const due = observedObstacle(context, picture);
      return due ? { ...noSteps, obstacles: [due] } : noSteps;
    }
    const turn = turns.get(picture.region.name) ?? noSteps;
    const isFrozen = stateOf(context, picture).scalingDown;
    const upkeep = turn.intents.length > 0 || isFrozen || !isFree(picture) ? undefined : upkeepIntent(context, picture);
    const copies = copyIntents(context, picture);
    const unneeded = copies.length > 0 ? [] : pruneIntents(context, picture);
    const intents = [guardIntent(context, picture), ...copies, ...turn.intents, upkeep, ...unneeded];
    const missing =
      turn.obstacles.length > 0 ? undefined : (missingReference(context, picture) ?? rebuildObstacle(context, picture));
    return {
      ...turn,
      intents: intents.filter((each) => each !== undefined),
      obstacles: missing ? [missing] : turn.obstacles,
      busy: turn.busy || picture.member.bookkeeping.injecting,
    };
  });
}

/**
 * Brings the next region into the ring, the founder first and alone, then one after the other. A member that was deleted
 * comes back before anybody joins: those who wait for it must not stand before it.
 */
function grow(context: PlanContext, othersBusy: boolean, othersStuck: boolean): Steps {
  const { pictures, memory, hosts } = context;
  // Beside members whose nodes are not known for certain, nobody joins, and no ring is founded.
  const unmarked = pictures.filter(isUnmarked);
  if (unmarked.length > 0) {
    return { ...noSteps, busy: unmarked.every((each) => adoptionObstacle(context, each)?.stalled !== true) };
  }
  const obstacles: Obstacle[] = [];
  const joining = pictures.some(
    (picture) =>
      answeredFor(picture) && !isLeaving(picture) && picture.pods.some((pod) => !context.hosts.joined.has(pod.name)),
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
    if (gate) return { ...noSteps, obstacles: [...obstacles, gate], busy: joining || !othersStuck };
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
  if (operation !== undefined) return { stalled: false, reason: 'Waiting', message: operation };
  return (
    changeUnderWay(context, picture) ??
    ringObstacle(pictures, hosts, ring, views) ??
    staleObstacle(views, context.snapshot.monotonicMs) ??
    replicationObstacle(context)
  );
}

/** Whoever writes from a newer spec knows better, whichever of a region's objects it has written. */
function newerWriter({ region, member, guard, copies }: KnownPicture): Obstacle | undefined {
  const copy = copies.find(({ ownership }) => ownership === 'newer');
  const object =
    member?.ownership === 'newer'
      ? 'member'
      : guard?.ownership === 'newer'
        ? 'guard'
        : copy && `copy of ${copy.kind} ${copy.object.metadata.name}`;
  if (object === undefined) return undefined;
  const message = `the ${object} of region ${region.name} was written by a later leader, or from a newer spec than this controller has seen; it holds back`;
  return { stalled: true, reason: 'NewerWriter', message, region: region.name };
}

function foreignMember(picture: KnownPicture & { member: OwnedObject }): Obstacle {
  const { name, namespace } = picture.region;
  const message = wasOurs(picture.recorded)
    ? `the member of region ${name} in namespace ${namespace} belongs to another MultiCassandraCluster by now; this one writes nothing there any more. Delete ` +
      'this one if the other is meant to go on'
    : `region ${name} holds a CassandraCluster of this name in namespace ${namespace} that is not ours; it is left untouched. Choose another spec.clusterName, ` +
      `or, ${howToAdopt(picture.member)}`;
  return { stalled: true, reason: 'ForeignMember', region: name, message };
}
