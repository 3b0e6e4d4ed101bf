import { type ConditionUpdate, type RegionStage, setCondition } from '../api/conditions.ts';
import type { Condition, RegionStatus } from '../api/schema.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type PlanContext, seedsOf } from './context.ts';
import type { Obstacle } from './gates.ts';
import { changesOf, describeChanges, revisionOf, stateOf } from './changes.ts';
import { changingSince, doubts, hasSettled } from './health.ts';
import {
  answeredFor,
  isLeaving,
  isObserved,
  isPassing,
  isReady,
  isUnmarked,
  type KnownPicture,
  type MemberPicture,
  type RegionPicture,
} from './picture.ts';
import { operationsOf } from './operations-status.ts';
import { isOperationWrite } from './pod-operations.ts';
import { reachable, unseen } from './reachable.ts';
import { describeLeaving } from './leaving-status.ts';
import { nextKind } from './rollout.ts';
import { momentOf } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** How long a node may wait in its guard before that is worth a person's attention. Milliseconds. */
const guardPatienceMs = 45_000;
/** A node that finds others still joining ends once or twice before it gets its turn. */
const restartsUntilSaid = 3;

/** One region's entry in the status. A region that cannot be seen keeps what was last known of it. */
export function describeRegion(context: PlanContext, picture: RegionPicture, steps: Steps): RegionStatus {
  const status = describeStaying(context, picture, steps);
  return isLeaving(picture) ? describeLeaving(context, picture, steps, status) : status;
}

function describeStaying(context: PlanContext, picture: RegionPicture, steps: Steps): RegionStatus {
  const { snapshot, hosts } = context;
  const { region, recorded } = picture;
  const now = momentOf(snapshot);
  const observedGeneration = snapshot.mcc.metadata.generation ?? 0;
  const conditions = (updates: readonly ConditionUpdate[]): Condition[] =>
    updates.reduce<Condition[]>(
      (list, update) => setCondition(list, { ...update, observedGeneration }, now),
      [...(recorded?.conditions ?? [])],
    );
  // A pod that the spec no longer asks for is in the ring all the same, until it has left it.
  const names = new Set([...picture.pods.map((pod) => pod.name), ...(recorded?.hosts ?? []).map((host) => host.pod)]);
  const joined = [...names].flatMap((name) => {
    const hostId = hosts.joined.get(name);
    return hostId === undefined ? [] : [{ pod: name, hostId }];
  });

  const proven = picture.pods.filter((pod) => hosts.joined.has(pod.name)).length;

  if (!picture.known) {
    return {
      stage: 'Unknown',
      nodes: picture.pods.length,
      ...recorded,
      ...(joined.length > 0 && { hosts: joined }),
      name: region.name,
      conditions: isPassing(picture) ? [...(recorded?.conditions ?? [])] : conditions(unseen(picture)),
    };
  }
  const ours = answeredFor(picture) ? picture : undefined;
  const operations = ours ? operationsOf(context, ours) : [];
  const clusterUID = picture.snapshot.clusterUid;
  const memberUID =
    (ours?.member.ownership === 'adoptable' ? undefined : ours?.member.object.metadata.uid) ??
    recorded?.identity?.memberUID;
  const written = (ours !== undefined && !isUnmarked(picture)) || recorded?.identity !== undefined;
  // An object counts as ours once it says so itself: until then it may still be adopted (picture.ts).
  const identified =
    [picture.member, picture.guard].some((each) => each?.ownership === 'ours' || each?.ownership === 'newer') ||
    recorded?.identity !== undefined;
  return {
    name: region.name,
    stage: stageOf(context, picture, proven),
    nodes: picture.pods.length,
    readyNodes: picture.snapshot.pods.filter((pod) => isReady(pod) && isPlanned(picture, pod)).length,
    ...(identified && {
      identity: {
        // Where it was first written to: another place in the spec is refused, and goes on being refused.
        context: recorded?.identity?.context ?? region.context,
        namespace: recorded?.identity?.namespace ?? region.namespace,
        clusterUID,
        ...(memberUID !== undefined && { memberUID }),
      },
    }),
    ...(written && { appliedSeeds: [...seedsOf(context, picture)] }),
    ...progressOf(context, picture, steps),
    ...(joined.length > 0 && { hosts: joined }),
    ...(operations.length > 0 && { operations }),
    // Which region's turn it is nobody can say while one is out of sight for a moment.
    conditions: conditions(
      !ours && recorded?.conditions && context.pictures.some(isPassing)
        ? []
        : [
            reachable(picture),
            applied(context, picture, steps),
            settled(context, ours),
            ringMember(context, picture, proven),
          ],
    ),
  };
}

/** Whether what was last written to the region has settled, or since when it has not. */
function progressOf(
  context: PlanContext,
  picture: KnownPicture,
  steps: Steps,
): Pick<RegionStatus, 'settledRevision' | 'changingSince'> {
  const { recorded } = picture;
  if (!answeredFor(picture) || picture.member.ownership !== 'ours') {
    return recorded?.settledRevision === undefined ? {} : { settledRevision: recorded.settledRevision };
  }
  const since = changingSince(context, picture);
  const settledRevision =
    since === undefined || hasSettled(context, picture)
      ? revisionOf(picture.member.bookkeeping)
      : recorded?.settledRevision;
  const begins = steps.begins === picture.region.name;
  const goesOn =
    since !== undefined && (!hasSettled(context, picture) || nextKind(changesOf(context, picture)) !== undefined);
  return {
    ...(settledRevision !== undefined && { settledRevision }),
    ...((begins || goesOn) && { changingSince: new Date(since ?? context.snapshot.nowMs).toISOString() }),
  };
}

function stageOf({ memory, hosts }: PlanContext, picture: KnownPicture, joined: number): RegionStage {
  if (!answeredFor(picture)) return isObserved(picture) ? 'Observed' : 'Waiting';
  if (isUnmarked(picture) && joined < picture.pods.length) return 'Waiting';
  if (joined === picture.pods.length) return 'Running';
  return picture.region.name === memory.founder && hosts.joined.size === 0 ? 'Founding' : 'Joining';
}

function applied(context: PlanContext, picture: KnownPicture, steps: Steps): ConditionUpdate {
  const say = (
    status: Condition['status'],
    reason: Extract<ConditionUpdate, { type: 'Applied' }>['reason'],
    message: string,
  ): ConditionUpdate => ({ type: 'Applied', status, reason, message });
  const obstacle = steps.obstacles.find((each) => each.region === picture.region.name);
  const refused = context.snapshot.refusedWrites[picture.region.name];
  if (refused !== undefined) return say('False', 'WriteRefused', refused);
  if (obstacle) return say('False', appliedReason(obstacle), obstacle.message);
  if (!answeredFor(picture)) {
    const waiting = steps.obstacles[0]?.message ?? 'its turn comes once the ring so far is whole and at rest';
    return say('False', 'Waiting', waiting);
  }
  if (picture.member.object.metadata.deletionTimestamp !== undefined) {
    return say('False', 'Terminating', 'somebody has deleted the member; it goes once its finalizers are done');
  }
  const { changes, rejected, drifted } = changesOf(context, picture);
  const fields = changes.map(({ path }) => path).join(', ');
  if (rejected)
    return say('False', 'Rejected', `CassKop put ${fields} back; see its log for the reason, and change the spec`);
  const intent = steps.intents.find(
    ({ region, write }) => region === picture.region.name && !isOperationWrite(write) && write.verb !== 'cql',
  );
  if (intent) return say('False', 'Writing', intent.why);
  if (picture.member.bookkeeping.injecting && picture.member.ownership === 'ours') {
    return say('False', 'Writing', 'the seeds leave the spec once the operator holds them and has nothing under way');
  }
  if (drifted) return say('False', 'Drifted', `${fields} of the member were changed by somebody else`);
  if (changes.length > 0) return say('False', 'Waiting', describeChanges(changes, picture.pods.length));
  if (picture.member.ownership === 'adoptable') return say('False', 'Writing', 'the member is about to be adopted');
  const unguarded = picture.member.bookkeeping.guardWaits
    ? '; its nodes start without the guard until they are restarted, for instance by another value of spec.rollout.restartToken'
    : '';
  return say('True', 'Applied', `the member is what the spec asks for${unguarded}`);
}

function appliedReason({ reason }: Obstacle): Extract<ConditionUpdate, { type: 'Applied' }>['reason'] {
  switch (reason) {
    case 'ForeignMember':
    case 'MemberMissing':
    case 'NewerWriter':
    case 'NodeLeft':
    case 'RegionUnreachable':
    case 'Waiting':
    case 'Paused':
    case 'ProgressDeadlineExceeded':
    case 'NoPodReady':
    case 'ReplicationGate':
    case 'RebuildFailed':
    case 'Drifted':
    case 'Observed':
      return reason;
    default:
      return 'PreconditionMissing';
  }
}

function settled(context: PlanContext, picture: MemberPicture | undefined): ConditionUpdate {
  if (!picture) return { type: 'Settled', status: 'False', reason: 'NoMember', message: 'there is no member yet' };
  const state = stateOf(context, picture);
  // A node may clean up for hours; for who looks at the ring nothing is missing meanwhile.
  // What they do OperationsDone tells, and CassKop's own word of it may come minutes later.
  return state.settled || state.reason === 'PodOperation'
    ? { type: 'Settled', status: 'True', reason: 'Settled', message: 'nothing is under way' }
    : { type: 'Settled', status: 'False', reason: 'Working', message: state.message };
}

function ringMember(context: PlanContext, picture: KnownPicture, joined: number): ConditionUpdate {
  const say = (
    status: Condition['status'],
    reason: Extract<ConditionUpdate, { type: 'RingMember' }>['reason'],
    message: string,
  ): ConditionUpdate => ({ type: 'RingMember', status, reason, message });
  const lost = context.hosts.suspected.filter((each) => each.region === picture.region.name);
  if (lost.length > 0) {
    const pods = lost.map(({ pod, recorded, found }) => `${pod} is host ${found} and was ${recorded}`);
    return say('False', 'DataLossSuspected', `${pods.join(', ')}: its disk was lost`);
  }
  const stuck = waitingInGuard(context, picture);
  if (stuck.length > 0) return say('False', 'SeedsUnreachable', describeStuck(context, picture, stuck));
  const ending = endingAgainAndAgain(picture);
  if (ending.length > 0) return say('False', 'NotAlive', describeEnding(picture, ending));
  if (joined < picture.pods.length) {
    return say('False', 'NotJoined', `${joined} of ${picture.pods.length} nodes are proven NORMAL`);
  }
  const silent = picture.pods.filter((pod) => !context.views.has(pod.name)).map((pod) => pod.name);
  if (silent.length > 0) return say('Unknown', 'NoView', `not heard: ${silent.join(', ')}`);
  const doubt = doubts(context, picture)[0];
  if (doubt !== undefined) return say('False', 'NotAlive', doubt);
  return say('True', 'Normal', 'every node is a normal member of the ring');
}

interface PodStatus {
  initContainerStatuses?: { name: string; state?: { running?: { startedAt?: string } } }[];
  containerStatuses?: { name: string; ready?: boolean; restartCount?: number }[];
}

/** Pods that have been in CassKop's init container `bootstrap`, where the guard runs, for longer than a start takes. */
function waitingInGuard({ snapshot }: PlanContext, picture: KnownPicture): string[] {
  return picture.snapshot.pods
    .filter((pod) => isPlanned(picture, pod) && !pod.metadata.deletionTimestamp)
    .filter((pod) => {
      const status = pod['status'] as PodStatus | undefined;
      const bootstrap = status?.initContainerStatuses?.find((each) => each.name === 'bootstrap');
      const since = Date.parse(bootstrap?.state?.running?.startedAt ?? '');
      return snapshot.nowMs - since > guardPatienceMs;
    })
    .map((pod) => pod.metadata.name);
}

/** Pods whose Cassandra has ended several times without becoming ready. Its init container does not run again for that. */
function endingAgainAndAgain(picture: KnownPicture): string[] {
  return picture.snapshot.pods
    .filter((pod) => isPlanned(picture, pod) && !pod.metadata.deletionTimestamp)
    .filter((pod) => {
      const status = pod['status'] as PodStatus | undefined;
      const cassandra = status?.containerStatuses?.find((each) => each.name === 'cassandra');
      return cassandra?.ready === false && (cassandra.restartCount ?? 0) >= restartsUntilSaid;
    })
    .map((pod) => pod.metadata.name);
}

function describeEnding({ region }: KnownPicture, pods: readonly string[]): string {
  return (
    `Cassandra ends again and again in ${pods.join(', ')} of region ${region.name}; the log of its container cassandra says why. A pod that has lost its disk ` +
    'and was let start when no seed answered refuses to start a ring of its own, and goes on doing so: once another ' +
    `node of the ring runs, start it anew: ${pods.map((pod) => `kubectl delete pod ${pod} -n ${region.namespace}`).join('; ')}`
  );
}

function describeStuck(context: PlanContext, picture: KnownPicture, stuck: readonly string[]): string {
  const own = new Set(context.memory.planned.filter((seed) => stuck.includes(seed.pod)).map((seed) => seed.address));
  const joinedAddresses = new Set([
    ...context.federation.seeds.external,
    ...context.memory.planned.filter((seed) => context.hosts.joined.has(seed.pod)).map((seed) => seed.address),
  ]);
  const others = seedsOf(context, picture).filter((address) => !own.has(address) && joinedAddresses.has(address));
  const joined = stuck.filter((pod) => context.hosts.joined.has(pod));
  return (
    `${stuck.join(', ')} in region ${picture.region.name} wait${stuck.length === 1 ? 's' : ''} for a live seed: none of ` +
    `${others.join(', ') || 'the seeds'} answers there as NORMAL on port 8778. Check DNS and network from region ${picture.region.name} to ports 8778 and 7000` +
    (joined.length > 0
      ? `; ${joined.join(', ')} will start with the data it has after ${context.federation.seeds.guardWaitSeconds} s`
      : '; it starts by itself as soon as one does')
  );
}

function isPlanned(picture: RegionPicture, pod: KubeObject): boolean {
  return picture.pods.some((each) => each.name === pod.metadata.name);
}
