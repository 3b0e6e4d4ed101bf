import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, resources } from '../kube/objects.ts';
import type { OrderedOperation, PodOperation } from '../operators/operator.ts';
import { annotations, type OperationRecord, orderOn } from './bookkeeping.ts';
import { stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { type Obstacle, ringObstacle } from './gates.ts';
import type { Intent, Write } from './intents.ts';
import { longOperation, operationObstacle } from './long-operations.ts';
import { isNote, noteOperations } from './member-writes.ts';
import { isOrderOf, outcomeOf, podNamed, recordOf, recordOfSame, type Running } from './operation-records.ts';
import { answeredFor, isLeaving, isObserved, type MemberPicture, type RegionPicture } from './picture.ts';
import { rebuildJobs } from './rebuild.ts';

/**
 * What every node of some regions is to do once.
 *
 * 1. One region at a time, in the order of the spec, and in it at most `parallel` nodes at once; only while the ring is
 *    whole and nothing is being changed.
 * 2. All members note that there is something to do before any node does it. The member notes which pod is next before that pod is told, and the pod is told by one write that names the attempt:
 *    whoever goes on after a crash sees both, and tells nobody twice.
 * 3. A node that fails, or whose pod is another one by now, is told again, at most `attemptsMax` times in all. Then it is noted
 *    as failed, and the others are gone on with, unless `stopsAtFailure`.
 */
export interface Job extends OrderedOperation {
  /** Another one has every node do it again. */
  readonly token: string;
  /** Their names. */
  readonly regions: readonly string[];
  /** Nodes of a region at once. */
  readonly parallel: number;
  /** No other node is told once one has failed for good. */
  readonly stopsAtFailure: boolean;
}

/** How often one node is told. */
export const attemptsMax = 3;
/** How long after a failure it is told again, milliseconds. */
const retryMs = 60_000;

/** What the driver does in this pass, and what keeps it from doing more. */
export interface Operating {
  readonly intents: readonly Intent[];
  /** Nodes are at it, or have yet to be told. */
  readonly isUnderWay: boolean;
  readonly waits?: string;
}

const nothing: Operating = { intents: [], isUnderWay: false };

/** What is to be done, in the order in which it is: rows for regions that have joined, then what spec.operations asks for. */
export function jobsOf(context: PlanContext): Job[] {
  const { federation } = context;
  const asked = (['cleanup', 'upgradesstables'] as const).flatMap((name): Job[] => {
    const { [name]: token } = federation.operations;
    if (token === undefined) return [];
    const regions = federation.regions.map((region) => region.name);
    return [{ name, token, regions, parallel: 1, stopsAtFailure: false }];
  });
  return [...rebuildJobs(context), ...asked];
}

/**
 * The next step of the first job that is not through.
 * @param busyWith what the ring is busy with otherwise; undefined: nothing.
 */
export function operate(context: PlanContext, jobs: readonly Job[], busyWith: string | undefined): Operating {
  // What a node was told is noted as done before it is told something else.
  const job =
    jobs.find((each) => picturesOf(context, each).some((picture) => hasBegun(picture, each))) ??
    jobs.find((each) => picturesOf(context, each).some((picture) => !isThrough(context, picture, each)));
  if (!job) return nothing;
  const obstacle = busyWith ?? whyNotNow(context, job);
  if (obstacle !== undefined) return { intents: [], isUnderWay: true, waits: obstacle };
  const pictures = picturesOf(context, job).filter(answeredFor);
  const unaware = pictures.filter(({ member }) => recordOfSame(member, job) === undefined);
  if (unaware.length > 0) return { intents: unaware.map((each) => noteOrder(context, each, job)), isUnderWay: true };
  const begun = pictures.find((picture) => hasBegun(picture, job));
  const picture = begun ?? pictures.find((each) => !isThrough(context, each, job));
  return picture ? { intents: advance(context, picture, job), isUnderWay: true } : nothing;
}

function hasBegun(picture: RegionPicture, job: Job): boolean {
  return answeredFor(picture) && recordOf(picture, job).running.length > 0;
}

/** Whether a write has a node do something, or notes how far a region is with that: its member stays as it is. */
export function isOperationWrite(write: Write): boolean {
  return write.verb === 'label' || isNote(write);
}

/** Which node is at what we told it: the ring is not changed meanwhile. */
export function operationUnderWay(context: PlanContext): Obstacle | undefined {
  const { pictures, operator } = context;
  for (const picture of pictures.filter(answeredFor)) {
    const { region, snapshot, member } = picture;
    for (const pod of snapshot.pods) {
      const order = orderOn(pod);
      const { name, phase } = operator.podOperation(pod, member.object);
      if (order?.name !== name || (phase !== 'ordered' && phase !== 'running')) continue;
      const hint = longOperation(context, picture)?.message;
      const message = `${pod.metadata.name} of region ${region.name} is at ${name}${hint === undefined ? '' : `: ${hint}`}`;
      return operationObstacle(context, picture, message);
    }
  }
  return undefined;
}

/** What a region's nodes are asked to do and have not begun: the token they have had, if any, and the one of now. */
export function ordersFor(
  context: PlanContext,
  picture: MemberPicture,
): { name: PodOperation; from: string | undefined; to: string }[] {
  return jobsOf(context)
    .filter((job) => !isThrough(context, picture, job))
    .map(({ name, token }) => ({ name, from: picture.member.bookkeeping.operations[name]?.token, to: token }));
}

/** The regions that a job is for; those that leave the ring, or are only looked at, are let be. */
export function picturesOf({ pictures }: PlanContext, { regions }: Job): RegionPicture[] {
  return pictures.filter(
    (picture) => regions.includes(picture.region.name) && !isLeaving(picture) && !isObserved(picture),
  );
}

/** A region that has no member yet is not asked: its nodes will be new. One that cannot be seen is as it was last told. */
export function isThrough({ operator }: PlanContext, picture: RegionPicture, job: Job): boolean {
  if (!picture.known) {
    const told = picture.recorded?.operations?.find(({ name, token }) => name === job.name && token === job.token);
    if (picture.recorded?.identity?.memberUID === undefined) return true;
    return told !== undefined && told.done + (told.failed?.length ?? 0) >= told.total;
  }
  if (!answeredFor(picture) || picture.member.ownership !== 'ours') return true;
  const record = recordOf(picture, job);
  // A person may have had a failed node do it after all.
  return record.complete && !record.failed.some((name) => isDoneByHand(podNamed(picture, name)));

  function isDoneByHand(pod: KubeObject | undefined): boolean {
    const state = pod && picture.known && picture.member && operator.podOperation(pod, picture.member.object);
    return state !== undefined && state !== false && state.name === job.name && state.phase === 'done';
  }
}

/** Whoever takes a region over that has not begun knows by this that it is to. */
function noteOrder(context: PlanContext, picture: MemberPicture, job: Job): Intent {
  const operations = { ...picture.member.bookkeeping.operations, [job.name]: recordOf(picture, job) };
  const why = `note that the nodes of region ${picture.region.name} are to do ${job.name}, as ${job.token} asks for`;
  return noteOperations(context, picture, operations, why);
}

function whyNotNow(context: PlanContext, job: Job): string | undefined {
  const { pictures, hosts, ring, views, federation } = context;
  if (federation.rollout.paused) return 'spec.rollout.paused holds it until it is false again';
  const unseen = pictures.find((picture) => !picture.known && !isLeaving(picture));
  if (unseen) return `region ${unseen.region.name} cannot be seen`;
  const members = pictures.filter(answeredFor).filter((picture) => !isLeaving(picture));
  for (const picture of members) {
    const { settled, reason, message } = stateOf(context, picture);
    if (!settled && reason !== 'PodOperation') return `region ${picture.region.name} is not at rest: ${message}`;
    const other = picture.snapshot.pods.find((pod) => isAtSomethingElse(context, picture, job, pod));
    const records = Object.values(picture.member.bookkeeping.operations);
    // They go on, and what became of them is noted once it may be.
    if (isObserved(picture) && records.some(({ running }) => running.length > 0))
      return `nodes of region ${picture.region.name} were told something before it came to be only observed; set its state to Managed to go on`;
    if (other) return `${other.metadata.name} of region ${picture.region.name} is still at what it was told before`;
  }
  return ringObstacle(pictures, hosts, ring, views)?.message;
}

/** Whether a pod that we once told something is at that still, and it is not what is noted now. */
function isAtSomethingElse(context: PlanContext, picture: MemberPicture, job: Job, pod: KubeObject): boolean {
  const order = orderOn(pod);
  const state = context.operator.podOperation(pod, picture.member.object);
  if (!order || (state.phase !== 'ordered' && state.phase !== 'running')) return false;
  return !recordOf(picture, job).running.some((each) => isOrderOf(order, job, each));
}

/** Notes what has come of the nodes that were told, and who is next; then tells them. */
function advance(context: PlanContext, picture: MemberPicture, job: Job): Intent[] {
  const before = recordOf(picture, job);
  const after = nextRecord(context, picture, job, before);
  const { name } = picture.region;
  const { operations } = picture.member.bookkeeping;
  const isNoted = isDeepStrictEqual(operations[job.name], after);
  const why = `note that ${after.done.length} of ${picture.pods.length} nodes of region ${name} are through with ${job.name}`;
  return [
    ...(isNoted ? [] : [noteOperations(context, picture, { ...operations, [job.name]: after }, why)]),
    ...after.running.flatMap((each) => orderIntent(context, picture, job, each)),
  ];
}

function nextRecord(
  { snapshot, operator }: PlanContext,
  picture: MemberPicture,
  job: Job,
  before: OperationRecord,
): OperationRecord {
  const pods = picture.pods.map(({ name }) => name);
  const outcomes = before.running.map((each) => ({ each, outcome: outcomeOf(operator, picture, job, each) }));
  const mended = before.failed.filter((name) => {
    const pod = podNamed(picture, name);
    const state = pod && operator.podOperation(pod, picture.member.object);
    return state?.name === job.name && state.phase === 'done';
  });
  const isLeft = ({ each, outcome }: (typeof outcomes)[0]): boolean =>
    outcome === 'failed' && each.attempt >= attemptsMax;
  const done = [
    ...before.done,
    ...mended,
    ...outcomes.filter(({ outcome }) => outcome === 'done').map(({ each }) => each.pod),
  ];
  const failed = [
    ...before.failed.filter((pod) => !mended.includes(pod)),
    ...outcomes.filter(isLeft).map(({ each }) => each.pod),
  ];
  const goingOn = outcomes.flatMap((found): Running[] => {
    if (found.outcome === 'pending') return [found.each];
    return found.outcome === 'failed' && !isLeft(found) ? [running(found.each.pod, found.each.attempt + 1)] : [];
  });
  const isStopped = job.stopsAtFailure && failed.length > 0;
  const asked = new Set([...done, ...failed, ...goingOn.map(({ pod }) => pod)]);
  const free = before.complete || isStopped ? [] : pods.filter((pod) => !asked.has(pod));
  const next = free.slice(0, Math.max(0, job.parallel - goingOn.length)).map((pod) => running(pod, 1));
  const isComplete = before.complete || (goingOn.length === 0 && next.length === 0);
  return {
    token: job.token,
    ...(job.argument !== undefined && { argument: job.argument }),
    done: isComplete ? [] : done.filter((pod) => pods.includes(pod)),
    failed: failed.filter((pod) => pods.includes(pod)),
    running: [...goingOn, ...next],
    complete: isComplete,
  };

  function running(pod: string, attempt: number): Running {
    const uid = podNamed(picture, pod)?.metadata.uid ?? '';
    return { pod, uid, attempt, since: new Date(snapshot.nowMs).toISOString() };
  }
}

/** Tells a pod what to do, unless it was told, is at something else, or has failed a moment ago. */
function orderIntent(context: PlanContext, picture: MemberPicture, job: Job, each: Running): Intent[] {
  const { operator, snapshot } = context;
  const pod = podNamed(picture, each.pod);
  if (!pod || pod.metadata.uid !== each.uid || isOrderOf(orderOn(pod), job, each)) return [];
  const { phase, unfinished } = operator.podOperation(pod, picture.member.object);
  if (phase === 'ordered' || phase === 'running' || (unfinished && unfinished.name !== job.name)) return [];
  if (each.attempt > 1 && snapshot.nowMs - Date.parse(each.since) < retryMs) return [];
  const { namespace = picture.region.namespace, name, uid = '', resourceVersion = '' } = pod.metadata;
  const { name: operation, token, argument } = job;
  const order = JSON.stringify({ name: operation, token, attempt: each.attempt });
  const again = each.attempt > 1 ? `, attempt ${each.attempt} of ${attemptsMax}` : '';
  const what = argument === undefined ? operation : `${operation} from ${argument}`;
  return [
    {
      region: picture.region.name,
      why: `have ${name} of region ${picture.region.name} do ${what}, as ${token} asks for${again}`,
      write: {
        verb: 'label',
        resource: resources.pods,
        ref: { namespace, name },
        uid,
        resourceVersion,
        labels: operator.labelsToOrder(pod, { name: operation, ...(argument !== undefined && { argument }) }),
        annotations: { ...pod.metadata.annotations, [annotations.operation]: order },
      },
    },
  ];
}
