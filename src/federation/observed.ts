import { describeChanges, changesOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { copyIntents } from './copies.ts';
import type { Obstacle } from './gates.ts';
import { guardIntent } from './guard-writes.ts';
import { upkeepIntent } from './member-writes.ts';
import { type MemberPicture, type RegionPicture } from './picture.ts';

/**
 * What would be written to the member of a region that is only looked at. The guards have to tell the truth before the
 * ring changes anywhere: one that does not holds up the others too.
 */
export function observedObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const { name } = picture.region;
  const say = (due: string): Pick<Obstacle, 'region' | 'message' | 'reason'> => ({
    reason: 'Observed',
    region: name,
    message: `region ${name} is only observed, and waits: ${due}. Set its state to Managed to have it written`,
  });
  const guard = guardIntent(context, picture);
  if (guard) {
    return { ...say(`${guard.why}; no region joins the ring or is changed before that`), stalled: true };
  }
  const { changes } = changesOf(context, picture);
  const due =
    changes.length > 0
      ? describeChanges(changes, picture.pods.length)
      : (copyIntents(context, picture)[0] ?? upkeepIntent(context, picture))?.why;
  return due === undefined ? undefined : { ...say(due), stalled: false, isLocal: true };
}

/** One without a member gets none. */
export function neverCreated({ region: { name } }: RegionPicture): Obstacle {
  const message = `region ${name} has no member, and is only observed: set its state to Managed to have it join the ring`;
  return { stalled: false, isLocal: true, reason: 'Observed', region: name, message };
}
