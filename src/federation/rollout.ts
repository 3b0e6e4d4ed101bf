import { isDeepStrictEqual } from 'node:util';
import { changesOf, deliveryOrder, describeChanges, type Disruption, stateOf, wordsFor } from './changes.ts';
import { type PlanContext, type RegionChanges, seedsOf } from './context.ts';
import { pendingReference } from './copies.ts';
import { deadlineObstacle, freeBrokenPods, isBroken, isStarting, lostWhileLeaving, noPodReady } from './corrections.ts';
import { type Obstacle, replicasObstacle, replicationObstacle, ringObstacle, staleObstacle } from './gates.ts';
import { changingSince, hasSettled, restingSince, unrest } from './health.ts';
import { operationObstacle } from './long-operations.ts';
import { deliver } from './member-writes.ts';
import { answeredFor, hasGone, isLeaving, isReady, type MemberPicture, type RegionPicture } from './picture.ts';
import { operationUnderWay } from './pod-operations.ts';
import { noSteps, type Steps } from './steps.ts';

/** What the rollout does in one region in this pass. */
export type Turns = ReadonlyMap<string, Steps>;

/**
 * How a change of the spec goes through the regions.
 *
 * 1. What restarts nothing goes to every region at once.
 * 2. Everything else goes to one region at a time, in the order of the spec, one kind after the other: restarts, seeds, storage, new
 *    nodes, and nodes that leave last. The next region waits until this one is settled, whole, in the ring, and has baked.
 * 3. A region that a change of ours has broken gets the user's next spec at once, whatever state it and the others are in:
 *    nobody waits for a node that can never start.
 * 4. While nodes leave a region's ring, nothing at all is written to its member.
 *
 * `mayWrite` holds the regions whose member may be written now, in the order of the spec.
 */
export function rollOut(context: PlanContext, mayWrite: readonly MemberPicture[]): Turns {
  const turns = new Map<string, Steps>();
  const waiting: MemberPicture[] = [];
  for (const picture of mayWrite) {
    const own = ownTurn(context, picture);
    if (own) turns.set(picture.region.name, own);
    else if (nextKind(changesOf(context, picture)) !== undefined) waiting.push(picture);
  }
  // The region that is being changed goes on before another one begins.
  waiting.sort((one, other) => Number(isChanging(context, other)) - Number(isChanging(context, one)));
  let busy = [...turns.values()].find((steps) => steps.intents.length > 0 && steps.disrupts) !== undefined;
  for (const picture of waiting) {
    const kind = nextKind(changesOf(context, picture));
    if (kind === undefined) continue;
    const { name } = picture.region;
    const gate = busy ? wait(name, 'another region is being changed') : disruptionObstacle(context, picture, kind);
    if (gate) {
      turns.set(name, { ...noSteps, obstacles: [held(context, picture, gate)] });
      continue;
    }
    // Whose turn it is stands in the status before the region is touched: should it vanish then, nobody takes it for untouched.
    const isNoted = picture.recorded?.changingSince !== undefined;
    turns.set(
      name,
      isNoted
        ? delivered(context, picture, kind, { corrects: false, unlocks: false })
        : { ...noSteps, begins: name, busy: true },
    );
    busy = true;
  }
  return turns;
}

/** What happens in a region whatever the others do; undefined: it asks for its turn. */
function ownTurn(context: PlanContext, picture: MemberPicture): Steps | undefined {
  const { name } = picture.region;
  const { changes, rejected, target } = changesOf(context, picture);
  const since = changingSince(context, picture);
  const kinds = new Set(changes.map(({ kind }) => kind));
  if (rejected || kinds.has('forbidden')) return noSteps;
  if (stateOf(context, picture).scalingDown) {
    const message = `nodes of region ${name} leave the ring; nothing is written to its member before that is over`;
    const obstacle = wait(name, message);
    const lost = lostWhileLeaving(context, picture);
    return {
      ...noSteps,
      obstacles: [...lost, changes.length > 0 ? held(context, picture, obstacle) : obstacle],
      busy: lost.length === 0 && !isTampered(context, picture),
    };
  }
  if (wasRestoredLately(context, picture)) {
    const message = `they were put back already within the last ${restoreEveryMs / 60_000} minutes`;
    return { ...noSteps, obstacles: [held(context, picture, wait(name, message))] };
  }
  if (since === undefined || hasSettled(context, picture)) {
    if (!kinds.has('benign') || !stateOf(context, picture).settled)
      return since === undefined || changes.length > 0 ? undefined : noSteps;
    return delivered(context, picture, 'benign', { corrects: false, unlocks: false });
  }
  const late = deadlineObstacle(context, picture);
  const obstacles = late ? [late] : [];
  const { delivery } = picture.member.bookkeeping;
  const rest = changes.filter(({ kind }) => kind === 'benign' || kind === 'restart');
  const isNew = delivery?.target !== target;
  const isRemainder = rest.every(({ to }) => to === undefined);
  if (rest.length > 0 && (isNew || isRemainder)) {
    const restarts = rest.some(({ kind }) => kind === 'restart');
    if (restarts && (isStarting(context, picture) || yields(context, picture))) return undefined;
    const lacks = pendingReference(context, picture, { anew: true });
    if (lacks) return { ...noSteps, obstacles: [held(context, picture, lacks), ...obstacles] };
    const unlocks = isNew && isBroken(context, picture);
    return { ...delivered(context, picture, 'restart', { corrects: isNew, unlocks }), obstacles };
  }
  const [seeds] = changes.filter(({ kind }) => kind === 'seeds');
  if (seeds && isDeepStrictEqual(seeds.to, seedsOf(context, picture))) {
    // The member remembers them already; its operator has to be told.
    return { ...delivered(context, picture, 'seeds', { corrects: false, unlocks: false }), obstacles };
  }
  const freed = freeBrokenPods(context, picture);
  const stops = [...noPodReady(context, picture), ...obstacles];
  return { ...noSteps, intents: freed, obstacles: stops, busy: stops.length === 0 };
}

/**
 * A correction does not wait for its turn, but two regions do not get one at once: where no write of ours can have kept a node
 * from starting, nothing is lost by waiting for another region that is being changed and is not up.
 */
function yields(context: PlanContext, picture: MemberPicture): boolean {
  // What other nodes hold of it does not matter here: while they restart they hold everybody to be down.
  const isUp = ({ pods, snapshot }: MemberPicture): boolean =>
    pods.every(({ name }) => {
      const pod = snapshot.pods.find(({ metadata }) => metadata.name === name);
      return pod !== undefined && isReady(pod) && context.hosts.joined.has(name);
    });
  const hasStarted = picture.pods.every(({ name }) => context.hosts.joined.has(name));
  const mayBeOurs = picture.member.bookkeeping.delivery !== undefined || !hasStarted;
  if (mayBeOurs && !isUp(picture)) return false;
  // What restarts nothing breaks nothing: after such a write, whoever else is being changed goes first, also while it is up still.
  const mayBeBroken = picture.member.bookkeeping.delivery?.disrupts !== false;
  const before = context.pictures.slice(0, context.pictures.indexOf(picture));
  return context.pictures.some((other) => {
    if (other === picture || !isChanging(context, other)) return false;
    if (!answeredFor(other)) return true;
    return !hasSettled(context, other) && (!mayBeBroken || before.includes(other) || !isUp(other));
  });
}

/** The first kind of what is left that only one region at a time may get; undefined: nothing is. */
export function nextKind({ changes, rejected }: RegionChanges): Disruption | undefined {
  if (rejected || changes.some(({ kind }) => kind === 'forbidden')) return undefined;
  return deliveryOrder.find((kind) => changes.some((change) => change.kind === kind));
}

function delivered(
  context: PlanContext,
  picture: MemberPicture,
  kind: Disruption | 'benign',
  options: { corrects: boolean; unlocks: boolean },
): Steps {
  const { changes, drifted } = changesOf(context, picture);
  const restores = drifted && !options.corrects;
  const now = changes.filter((change) => change.kind === kind || (change.kind === 'benign' && kind !== 'scale-down'));
  const what = describeChanges(now, picture.pods.length);
  const reason = options.corrects ? 'correct' : restores ? 'put back' : 'change';
  const why = `${reason} the member of region ${picture.region.name}: ${what}`;
  const intent = deliver(context, picture, { kind, ...options, restores, why });
  return { ...noSteps, intents: intent ? [intent] : [], busy: true, disrupts: kind !== 'benign' };
}

/** Why a region may not be disrupted now. A region that nobody can see does not stand in the way while its nodes are seen alive by the others. */
function disruptionObstacle(context: PlanContext, picture: MemberPicture, kind: Disruption): Obstacle | undefined {
  const { pictures, hosts, ring, views, federation, snapshot } = context;
  const { name } = picture.region;
  const lacks = pendingReference(context, picture);
  if (lacks) return lacks;
  const others = pictures.filter((other) => other !== picture);
  const changing = others.find((other) => holdsUp(context, other, picture));
  if (changing) return wait(name, `region ${changing.region.name} is being changed${whatGoesOn(context, changing)}`);
  // What restarts nothing was written all the same, so that the region may count as being changed and rest.
  if (federation.rollout.paused && (!isChanging(context, picture) || hasSettled(context, picture))) {
    return { ...wait(name, 'spec.rollout.paused holds it until it is false again'), reason: 'Paused' };
  }
  if (!isChanging(context, picture)) {
    const baking = others.find((other) => bakesUntil(context, other) > snapshot.nowMs);
    if (baking) {
      return wait(
        name,
        `region ${baking.region.name} has to stay healthy until ${new Date(bakesUntil(context, baking)).toISOString()}`,
      );
    }
  }
  const own = unrest(context, picture);
  if (own !== undefined) {
    const isOperation = stateOf(context, picture).reason === 'PodOperation';
    return isOperation ? { ...operationObstacle(context, picture, own), region: name } : wait(name, own);
  }
  const ringChanges = kind === 'datacenter' || kind === 'scale-up' || kind === 'scale-down';
  const operation = ringChanges ? operationUnderWay(context) : undefined;
  if (operation) return { ...operation, region: name };
  const gate =
    ringObstacle(pictures, hosts, ring, views, { unseen: ringChanges ? 'waits' : 'ignored' }) ??
    staleObstacle(views, snapshot.monotonicMs) ??
    (kind === 'datacenter' ? replicationObstacle(context) : undefined) ??
    (kind === 'scale-down' ? replicasObstacle(context, picture) : undefined);
  return gate && { ...gate, region: name };
}

/** A region that was changed before the ring was complete, and has not settled since: nobody joins meanwhile. */
export function changeUnderWay(context: PlanContext, { region }: RegionPicture): Obstacle | undefined {
  const changed = context.pictures
    .filter(answeredFor)
    .find((each) => each.member.bookkeeping.delivery && isChanging(context, each) && !hasSettled(context, each));
  return changed && wait(region.name, `region ${changed.region.name} is being changed${whatGoesOn(context, changed)}`);
}

/**
 * Whether one region's change keeps another from its own. Two that are both noted as being changed, and are both at rest, go
 * in the order of the spec.
 */
function holdsUp(context: PlanContext, other: RegionPicture, picture: MemberPicture): boolean {
  if (isLeaving(other)) return other.leavingSince !== undefined && !hasGone(other);
  if (!isChanging(context, other)) return false;
  if (!other.known || !answeredFor(other) || !hasSettled(context, other)) return true;
  const isEarlier = context.pictures.indexOf(other) < context.pictures.indexOf(picture);
  if (nextKind(changesOf(context, other)) === undefined || pendingReference(context, other)) return false;
  return isEarlier || !isChanging(context, picture);
}

function whatGoesOn(context: PlanContext, picture: RegionPicture): string {
  if (isLeaving(picture)) return ': it leaves the ring';
  if (!picture.known) return ', and cannot be seen';
  const why = picture.member && unrest(context, picture as MemberPicture);
  return why === undefined ? '' : `: ${why}`;
}

function isChanging(context: PlanContext, picture: RegionPicture): boolean {
  return changingSince(context, picture) !== undefined;
}

/** A region that was changed and came to rest bakes for a while before the next one is touched. */
function bakesUntil({ federation }: PlanContext, picture: RegionPicture): number {
  const { bakeSeconds } = federation.rollout;
  if (bakeSeconds === 0 || !picture.known || !picture.member?.bookkeeping.delivery) return 0;
  return restingSince(picture) + bakeSeconds * 1000;
}

function wait(region: string, message: string): Obstacle {
  return { stalled: false, reason: 'Waiting', message, region };
}

/** What somebody puts into a member again and again is put back this often; whoever it is wins in between, and is named. Milliseconds. */
const restoreEveryMs = 300_000;

function wasRestoredLately(context: PlanContext, picture: MemberPicture): boolean {
  const { delivery } = picture.member.bookkeeping;
  if (!changesOf(context, picture).drifted || !delivery?.restores) return false;
  return context.snapshot.nowMs - Date.parse(delivery.since) < restoreEveryMs;
}

/** Whether what differs is somebody else's doing: fields of the spec, or the seeds that its operator was given. */
function isTampered(context: PlanContext, picture: MemberPicture): boolean {
  const { changes, drifted } = changesOf(context, picture);
  return (
    drifted || changes.some(({ kind, to }) => kind === 'seeds' && isDeepStrictEqual(to, seedsOf(context, picture)))
  );
}

/**
 * The gate that a region's changes wait at. What somebody else has done to a member may keep the ring from coming to
 * rest, and only they can end that; the turns of the other regions end by themselves.
 */
function held(context: PlanContext, picture: MemberPicture, gate: Obstacle): Obstacle {
  const othersFirst = context.pictures.some((other) => other !== picture && isChanging(context, other));
  if (!isTampered(context, picture) || othersFirst || gate.reason === 'Paused')
    return { ...gate, message: pending(context, picture, gate.message) };
  const fields = changesOf(context, picture)
    .changes.map(({ path }) => wordsFor(path))
    .join(', ');
  const message =
    `${fields} of the member were changed by somebody else. Ringmaster puts them back, but not now: ${gate.message}. ` +
    'If that does not end by itself, put them back by hand';
  return { ...gate, stalled: true, reason: 'Drifted', message };
}

/** What a region waits with, and what for. */
function pending(context: PlanContext, picture: MemberPicture, why: string): string {
  const { changes } = changesOf(context, picture);
  return `region ${picture.region.name} waits: ${why}. Its turn ${describeChanges(changes, picture.pods.length)}`;
}
