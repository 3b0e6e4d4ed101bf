import { isDeepStrictEqual } from 'node:util';
import { effective } from '../api/effective.ts';
import { withoutRepeats } from '../api/problem.ts';
import type { Status } from '../api/schema.ts';
import { validate } from '../api/validate.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import { assessRing } from '../ring/view.ts';
import { abandon } from './abandon.ts';
import { differingObstacle } from './adoption-differences.ts';
import { adoptionObstacle, adoptRing } from './adoption.ts';
import { alterIntents, altersOf } from './alterations.ts';
import { stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { copyIntents, missingReference, pruneIntents } from './copies.ts';
import { grow } from './grow.ts';
import { guardIntent } from './guard-writes.ts';
import { freshViews, proveHosts } from './hosts.ts';
import type { Intent } from './intents.ts';
import { leave } from './leave.ts';
import { leftUnasked } from './left-unasked.ts';
import { viewsOfRing, withoutLeft } from './leaving-views.ts';
import { upkeepIntent } from './member-writes.ts';
import { recall } from './memory.ts';
import { neverCreated, observedObstacle } from './observed.ts';
import { type Pace, paceOf } from './pace.ts';
import {
  answeredFor,
  hasGone,
  isLeaving,
  isObserved,
  type MemberPicture,
  pictureRegions,
  type RegionPicture,
} from './picture.ts';
import { jobsOf, operate } from './pod-operations.ts';
import { rebuildObstacle } from './rebuild.ts';
import { misspeltFields, refusals } from './refusals.ts';
import { foundingObstacle, newerWriter, regionObstacle } from './region-gates.ts';
import { rollOut } from './rollout.ts';
import type { Snapshot } from './snapshot.ts';
import { describe, describeRefusal } from './status.ts';
import { noSteps, type Steps } from './steps.ts';

/** Nodes of a quiet ring are asked once a minute; a view that missed two rounds says nothing any more. Milliseconds. */
export const viewMaxAgeMs = 150_000;

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
    kept.flatMap(({ obstacles }) => obstacles.filter(({ stalled, isLocal }) => stalled && !isLocal)),
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
    const left = leftUnasked(context, picture);
    const differs = differingObstacle(context, picture);
    const lasting = [left, differs].filter((each) => each !== undefined);
    const isStuck = lasting.length > 0 || turn.obstacles.some(({ stalled }) => stalled);
    const missing =
      turn.obstacles.length > 0 ? undefined : (missingReference(context, picture) ?? rebuildObstacle(context, picture));
    return {
      ...turn,
      intents: intents.filter((each) => each !== undefined),
      obstacles: [...lasting, ...(missing ? [missing] : turn.obstacles)],
      busy: !isStuck && (turn.busy || picture.member.bookkeeping.injecting),
    };
  });
}
