import { type ConditionUpdate, type RegionStage, setCondition } from '../api/conditions.ts';
import type { Condition, RegionStatus } from '../api/schema.ts';
import type { KubeObject } from '../kube/objects.ts';
import { isMember } from '../ring/view.ts';
import { type PlanContext, seedsOf } from './context.ts';
import type { Obstacle } from './gates.ts';
import { driftedPaths, stateOf } from './member-writes.ts';
import {
  answeredFor,
  isPassing,
  isReady,
  type KnownPicture,
  type MemberPicture,
  type RegionPicture,
} from './picture.ts';
import { reachable, unseen } from './reachable.ts';
import { momentOf } from './snapshot.ts';
import type { Steps } from './steps.ts';

/** How long a node may wait in its guard before that is worth a person's attention. Milliseconds. */
const guardPatienceMs = 45_000;
/** A node that finds others still joining ends once or twice before it gets its turn. */
const restartsUntilSaid = 3;

/** One region's entry in the status. A region that cannot be seen keeps what was last known of it. */
export function describeRegion(context: PlanContext, picture: RegionPicture, steps: Steps): RegionStatus {
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
  const clusterUID = picture.snapshot.clusterUid;
  const memberUID =
    (ours?.member.ownership === 'adoptable' ? undefined : ours?.member.object.metadata.uid) ??
    recorded?.identity?.memberUID;
  const written = ours !== undefined || recorded?.identity !== undefined;
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
        context: region.context,
        namespace: region.namespace,
        clusterUID,
        ...(memberUID !== undefined && { memberUID }),
      },
    }),
    ...(written && { appliedSeeds: [...seedsOf(context, picture)] }),
    ...(joined.length > 0 && { hosts: joined }),
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

function stageOf({ memory }: PlanContext, picture: KnownPicture, joined: number): RegionStage {
  if (!answeredFor(picture)) return 'Waiting';
  if (joined === picture.pods.length) return 'Running';
  return picture.region.name === memory.founder ? 'Founding' : 'Joining';
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
  const drifted = driftedPaths(context, picture);
  if (drifted.length > 0) {
    const status = picture.member.object['status'] as { lastClusterAction?: string } | undefined;
    const rejected = status?.lastClusterAction === 'CorrectCRDConfig';
    const fields = drifted.join(', ');
    return rejected
      ? say('False', 'Rejected', `CassKop put ${fields} back; see its log for the reason`)
      : say('False', 'Drifted', `${fields} of the member were changed by somebody else; put them back`);
  }
  const intent = steps.intents.find((each) => each.region === picture.region.name);
  if (intent) return say('False', 'Writing', intent.why);
  if (picture.member.bookkeeping.injecting) {
    return say('False', 'Writing', 'the seeds leave the spec once the operator holds them and has nothing under way');
  }
  return say('True', 'Applied', 'the member is what the spec asks for');
}

function appliedReason({ reason }: Obstacle): Extract<ConditionUpdate, { type: 'Applied' }>['reason'] {
  switch (reason) {
    case 'ForeignMember':
    case 'MemberMissing':
    case 'NewerWriter':
    case 'RegionUnreachable':
      return reason;
    default:
      return 'PreconditionMissing';
  }
}

function settled(context: PlanContext, picture: MemberPicture | undefined): ConditionUpdate {
  if (!picture) return { type: 'Settled', status: 'False', reason: 'NoMember', message: 'there is no member yet' };
  const state = stateOf(context, picture);
  return state.settled
    ? { type: 'Settled', status: 'True', reason: 'Settled', message: state.message }
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

/** What speaks against a region's nodes being alive and at rest in the ring: their own words, and those of the others. */
function doubts({ views }: PlanContext, picture: KnownPicture): string[] {
  return picture.pods.flatMap(({ name }) => {
    const view = views.get(name);
    if (!view) return [];
    if (view.operationMode !== 'NORMAL') return [`${name} is ${view.operationMode}`];
    return [...views.values()]
      .filter((other) => other.operationMode === 'NORMAL' && !isMember(other, view.hostId))
      .map((other) => `${other.pod} holds ${name} to be down or on the move`);
  });
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
  const joinedAddresses = new Set(
    context.memory.planned.filter((seed) => context.hosts.joined.has(seed.pod)).map((seed) => seed.address),
  );
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
