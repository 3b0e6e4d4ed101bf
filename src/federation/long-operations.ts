import type { KubeObject } from '../kube/objects.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import type { MemberPicture } from './picture.ts';

/** How long a node may be at it before somebody had better look, milliseconds. */
const hintAfterMs = 600_000;

/** What a person can do about a node that has been at something for long, and since when it has, Unix milliseconds. */
export interface LongOperation {
  readonly message: string;
  readonly sinceMs: number;
}

/**
 * A node that the regional operator has held for long to be at what it was told. That ends with the operator's process, and what it has noted
 * stays: the region waits for ever then, and nobody but a person who looks at the node can tell.
 */
export function longOperation(context: PlanContext, picture: MemberPicture): LongOperation | undefined {
  const { operator, snapshot } = context;
  const { name: region, namespace } = picture.region;
  for (const pod of picture.snapshot.pods) {
    const { name: podName } = pod.metadata;
    const { name, phase, since, unfinished } = operator.podOperation(pod, picture.member.object);
    const isHeld = unfinished?.pod === podName;
    const operation = isHeld ? unfinished.name : phase === 'running' ? name : undefined;
    const sinceMs = latest([since, isHeld ? unfinished.since : undefined, toldSince(picture, pod)], snapshot.nowMs);
    // What has just been told to it again is about to be taken up.
    if (operation === undefined || phase === 'ordered' || !(snapshot.nowMs - sinceMs > hintAfterMs)) continue;
    const message =
      `${podName} is at ${operation} since ${new Date(sinceMs).toISOString()}. If that node is not busy with it (nodetool compactionstats), the regional operator ` +
      `has lost it; have it begin anew: kubectl label pod ${podName} -n ${namespace} operation-name=${operation} operation-status=ToDo --overwrite, in region ${region}`;
    return { message, sinceMs };
  }
  return undefined;
}

/** What others wait for while a node of the region is at something; once that has taken longer than a region may, a person has to look. */
export function operationObstacle(context: PlanContext, picture: MemberPicture, message: string): Obstacle {
  const { federation, snapshot } = context;
  const sinceMs = longOperation(context, picture)?.sinceMs ?? NaN;
  const stalled = snapshot.nowMs - sinceMs > federation.rollout.progressDeadlineSeconds * 1000;
  return { stalled, reason: stalled ? 'ProgressDeadlineExceeded' : 'Waiting', message };
}

function toldSince({ member }: MemberPicture, { metadata }: KubeObject): string | undefined {
  const records = Object.values(member.bookkeeping.operations);
  return records.flatMap(({ running }) => running).find(({ pod }) => pod === metadata.name)?.since;
}

/** Of another machine's clock what lies ahead of ours does not count. NaN: none does. */
function latest(times: readonly (string | undefined)[], nowMs: number): number {
  const known = times.map((time) => Date.parse(time ?? '')).filter((ms) => ms <= nowMs);
  return known.length === 0 ? NaN : Math.max(...known);
}
