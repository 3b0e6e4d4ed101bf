import { resources } from '../kube/objects.ts';
import { readInput, stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import { nodesUnrest, unrest } from './health.ts';
import type { Intent } from './intents.ts';
import { deliver } from './member-writes.ts';
import { cannotStart, isReady, type MemberPicture } from './picture.ts';

/** A roll that goes well has a pod that is not ready most of the time; this long, none of the quick ones is. Milliseconds. */
const unlockAfterMs = 60_000;

/**
 * A new member whose pods are being started is let be, since CassKop never ends its start when a pod of it restarts meanwhile; unless a
 * pod cannot start at all, or it takes too long.
 */
export function isStarting(context: PlanContext, picture: MemberPicture): boolean {
  if (stateOf(context, picture).reason !== 'Initializing' || picture.snapshot.pods.some(cannotStart)) return false;
  const { bookkeeping, object } = picture.member;
  const since = Date.parse(bookkeeping.delivery?.since ?? object.metadata.creationTimestamp ?? '');
  return !(context.snapshot.nowMs - since > context.federation.rollout.progressDeadlineSeconds * 1000);
}

/** A region that has not settled in time with what it was given; undefined: it has, or there is time left. */
export function deadlineObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const { progressDeadlineSeconds } = context.federation.rollout;
  const since = Date.parse(picture.member.bookkeeping.delivery?.since ?? '');
  if (!(context.snapshot.nowMs - since > progressDeadlineSeconds * 1000)) return undefined;
  const { name } = picture.region;
  const message =
    `region ${name} has not settled within ${progressDeadlineSeconds} s of its last change: ${unrest(context, picture) ?? 'it is at rest only now'}. The other regions keep what ` +
    `they have. Put the old values back, or correct them: region ${name} gets the new spec at once`;
  return { stalled: true, reason: 'ProgressDeadlineExceeded', region: name, message };
}

/**
 * A region that nodes have been leaving for long, while a node is not well. CassKop waits for a leaving node's own word that it has left,
 * which one that was restarted since never gives.
 */
export function lostWhileLeaving(context: PlanContext, picture: MemberPicture): Obstacle[] {
  if (deadlineObstacle(context, picture) === undefined) return [];
  const { name } = picture.region;
  const down = picture.snapshot.pods.find((pod) => !isReady(pod))?.metadata.name;
  const trouble = nodesUnrest(context, picture) ?? (down && `pod ${down} is not ready`);
  if (trouble === undefined) return [];
  const message =
    `nodes of region ${name} have been leaving the ring since ${picture.member.bookkeeping.delivery?.since}, and ${trouble}: the regional operator may wait ` +
    'in vain. Look at its log and at that of the node. One that was decommissioned has left for good, with its rows streamed to the others';
  return [{ stalled: true, reason: 'ProgressDeadlineExceeded', region: name, message }];
}

/** With no pod ready CassKop changes nothing any more, not even for a correction, and only a new object gets it going again. */
export function noPodReady(context: PlanContext, picture: MemberPicture): Obstacle[] {
  const { delivery } = picture.member.bookkeeping;
  const { pods } = picture.snapshot;
  const waitedMs = context.snapshot.nowMs - Date.parse(delivery?.since ?? '');
  if (!delivery?.corrects || !(waitedMs >= unlockAfterMs) || pods.some(isReady)) return [];
  if (!pods.some(cannotStart) && deadlineObstacle(context, picture) === undefined) return [];
  const { name, namespace } = picture.region;
  const message =
    `no pod of region ${name} is ready, and CassKop corrects nothing then. Delete its member: its volumes stay, and Ringmaster writes it again, corrected, with ` +
    `the same nodes: kubectl delete cassandracluster ${context.federation.clusterName} -n ${namespace}, in region ${name}`;
  return [{ stalled: true, reason: 'NoPodReady', region: name, message }];
}

/** Whether a pod of the region is not ready: the operator's guard against disruption holds back a correction then. */
export function isBroken(context: PlanContext, picture: MemberPicture): boolean {
  return picture.snapshot.pods.some(
    (pod) => !isReady(pod) && picture.pods.some(({ name }) => name === pod.metadata.name),
  );
}

/**
 * After a correction: the operator is let past its guard against disruption, once, and the pods of the broken revision that
 * the StatefulSet's controller would wait for are deleted.
 */
export function freeBrokenPods(context: PlanContext, picture: MemberPicture): Intent[] {
  const { delivery } = picture.member.bookkeeping;
  if (!delivery?.corrects) return [];
  const { name } = picture.region;
  const waitedMs = context.snapshot.nowMs - Date.parse(delivery.since);
  const isAtRest = stateOf(context, picture).reason !== 'NotProcessed';
  if (!delivery.unlocked && isBroken(context, picture) && isAtRest && waitedMs >= unlockAfterMs) {
    const why = `let the operator of region ${name} past its guard against disruption, since a pod of the old revision cannot start`;
    const intent = deliver(context, picture, { kind: 'benign', corrects: true, unlocks: true, why });
    return intent ? [intent] : [];
  }
  return context.operator.obsoletePods(readInput(context, picture), picture.snapshot.pods).map((pod) => {
    const { name: podName, namespace = picture.region.namespace, uid = '', resourceVersion = '' } = pod.metadata;
    const ref = { namespace, name: podName };
    const why = `delete pod ${podName} of region ${name}, which was made from the spec that is corrected by now and cannot start`;
    return { region: name, why, write: { verb: 'delete', resource: resources.pods, ref, uid, resourceVersion } };
  });
}
