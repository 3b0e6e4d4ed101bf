import { type ConditionUpdate, setCondition } from '../api/conditions.ts';
import type { Condition, RegionStatus } from '../api/schema.ts';
import type { PlanContext } from './context.ts';
import { hasGone, isPassing, type RegionPicture } from './picture.ts';
import { momentOf } from './snapshot.ts';
import type { Steps } from './steps.ts';

/**
 * The entry of a region that leaves the ring.
 * @param status what is said of it as if it stayed
 */
export function describeLeaving(
  context: PlanContext,
  picture: RegionPicture,
  steps: Steps,
  status: RegionStatus,
): RegionStatus {
  const { region, recorded } = picture;
  const { snapshot } = context;
  const now = momentOf(snapshot);
  const { settledRevision: _, changingSince: __, ...rest } = status;
  const observedGeneration = snapshot.mcc.metadata.generation ?? 0;
  // Said of a region that stays, it would be taken back here each time, and every time be news.
  const applied = recorded?.conditions?.filter(({ type }) => type === 'Applied') ?? [];
  const others = rest.conditions?.flatMap((each) => (each.type === 'Applied' ? applied : each));
  const saying = (update: ConditionUpdate): Condition[] => setCondition(others, { ...update, observedGeneration }, now);
  // A pass that decides nothing says nothing of it either.
  const was = (stage: RegionStatus['stage']): boolean => hasGone(picture) && recorded?.stage === stage;
  if (steps.removed?.includes(region.name) ?? was('Removed')) {
    const message = `region ${region.name} has left the ring; its entry may be dropped from spec.regions`;
    const said = ['Reachable', 'Applied'];
    return {
      name: region.name,
      stage: 'Removed',
      nodes: 0,
      readyNodes: 0,
      // Whoever was given up may still come back, and is then removed again.
      ...(region.state === 'Abandoned' && picture.leavingSince !== undefined && { leavingSince: picture.leavingSince }),
      conditions: saying({ type: 'Applied', status: 'True', reason: 'Removed', message }).filter(({ type }) =>
        said.includes(type),
      ),
    };
  }
  const since = picture.leavingSince ?? (steps.leaves?.includes(region.name) ? now : undefined);
  const leavingSince = since === undefined ? {} : { leavingSince: since };
  if (steps.abandoned?.includes(region.name) ?? was('Abandoned')) {
    const { hosts: ___, ...kept } = rest;
    const message =
      `no node of region ${region.name} is part of the ring any more. Its entry may be dropped from spec.regions, but had better stay until the region was seen and ` +
      'its member deleted: its nodes would come back into the ring with their old disks';
    const conditions = saying({ type: 'Applied', status: 'False', reason: 'Abandoned', message });
    return { ...kept, ...leavingSince, stage: 'Abandoned', nodes: 0, readyNodes: 0, conditions };
  }
  // A condition that nothing was said of yet is about to be, unless the region is out of sight for a moment only.
  if (isPassing(picture)) return { ...rest, ...leavingSince, stage: 'Removing' };
  const obstacle = steps.obstacles.find((each) => each.region === region.name);
  const refused = snapshot.refusedWrites[region.name];
  const intent = steps.intents.find((each) => each.region === region.name);
  const message =
    refused ?? obstacle?.message ?? intent?.why ?? `region ${region.name} leaves the ring, one node after the other`;
  const reason =
    refused !== undefined ? 'WriteRefused' : obstacle?.stalled ? leavingReason(obstacle.reason) : 'Leaving';
  return {
    ...rest,
    ...leavingSince,
    stage: 'Removing',
    conditions: saying({ type: 'Applied', status: 'False', reason, message }),
  };
}

const leavingReasons = [
  'ReplicationGate',
  'LastRegion',
  'AbandonUnconfirmed',
  'StillAlive',
  'ReturnedAfterAbandon',
  'MemberMissing',
  'DecommissionFailed',
  'Drifted',
] as const;

function leavingReason(reason: string): (typeof leavingReasons)[number] | 'Leaving' {
  return leavingReasons.find((each) => each === reason) ?? 'Leaving';
}
