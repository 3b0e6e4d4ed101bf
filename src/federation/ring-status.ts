import type { ConditionUpdate } from '../api/conditions.ts';
import type { NodeView, RingState } from '../ring/view.ts';
import { describeLoss, describeReturned, describeSplit, describeStrangers, strangersIn, unprovenIn } from './gates.ts';
import type { Hosts } from './hosts.ts';
import { answeredFor, hasGone, isGivenUp, isReady, type RegionPicture } from './picture.ts';

type RingIntact = Extract<ConditionUpdate, { type: 'RingIntact' }>;

/**
 * Whether all nodes are in one ring, as they say themselves. True needs the view of every Ready node, one host set in all of
 * them, and exactly the hosts that were proven before. A node that is down is still part of an intact ring.
 */
export function ringIntact(
  ring: RingState,
  hosts: Hosts,
  pictures: readonly RegionPicture[],
  views: ReadonlyMap<string, NodeView>,
): RingIntact {
  const say = (status: RingIntact['status'], reason: RingIntact['reason'], message: string): RingIntact => ({
    type: 'RingIntact',
    status,
    reason,
    message,
  });
  if (hosts.returned.length > 0) return say('False', 'ReturnedAfterAbandon', describeReturned(hosts));
  if (ring.kind === 'split') return say('False', 'RingSplit', describeSplit(ring));
  if (hosts.suspected.length > 0) return say('False', 'DataLossSuspected', describeLoss(hosts));
  if (ring.kind === 'unknown') {
    return hosts.joined.size === 0
      ? say('Unknown', 'NoRing', 'there is no ring yet')
      : say('Unknown', 'NoView', 'no node of the ring can be asked');
  }
  if (ring.kind === 'differing') return say('False', 'ViewsDiffer', ring.why);

  const strangers = strangersIn(ring, hosts);
  if (strangers.length > 0) return say('False', 'UnknownHosts', describeStrangers(strangers));
  const unproven = unprovenIn(ring, hosts);
  if (unproven.length > 0) {
    return say('False', 'NodesMissing', `host ${unproven.join(', ')} is not proven NORMAL yet`);
  }
  const givenUp = new Set(pictures.filter(isGivenUp).flatMap(({ pods }) => pods.map(({ name }) => name)));
  const missing = [...hosts.joined]
    .filter(([pod, hostId]) => !ring.hosts.has(hostId) && !givenUp.has(pod))
    .map(([pod]) => pod);
  if (missing.length > 0) return say('False', 'NodesMissing', `the ring does not know ${missing.join(', ')}`);

  const silent = pictures.flatMap((picture) => {
    if (isGivenUp(picture) || hasGone(picture)) return [];
    if (!picture.known)
      return picture.recorded?.identity?.memberUID === undefined ? [] : [`region ${picture.region.name}`];
    if (!answeredFor(picture)) return [];
    const ready = picture.snapshot.pods.filter(isReady).map((pod) => pod.metadata.name);
    return picture.pods.map((pod) => pod.name).filter((pod) => ready.includes(pod) && !views.has(pod));
  });
  if (silent.length > 0) return say('Unknown', 'NoView', `not heard: ${silent.join(', ')}`);
  return say('True', 'OneRing', `${ring.hosts.size} hosts, the same in ${ring.views} views`);
}
