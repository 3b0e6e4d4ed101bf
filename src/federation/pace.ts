import type { Status } from '../api/schema.ts';
import type { PlanContext } from './context.ts';
import { answeredFor, isPassing, isReady, type RegionPicture } from './picture.ts';
import type { Steps } from './steps.ts';

/**
 * How soon to look at the ring and plan again when no event comes.
 * - `fast`: a step is under way.
 * - `writing`: objects are brought up to date beside a ring that is whole; its nodes have nothing new to tell.
 * - `slow`: nothing goes on before something outside changes: a person, a network, a node that is down.
 * - `quiet`: all is as it should be.
 */
export type Pace = 'fast' | 'writing' | 'slow' | 'quiet';

/** How soon to plan again after these steps, with the status that tells of them. */
export function paceOf({ ring, hosts, pictures, views }: PlanContext, steps: Steps, status: Status): Pace {
  const is = (type: 'Stalled' | 'RingIntact'): boolean =>
    status.conditions?.some((each) => each.type === type && each.status === 'True') ?? false;
  const stalled = is('Stalled');
  const isWriting = pictures.some(isPassing) || (steps.intents.length > 0 && !stalled);
  // While a region is out of sight for a moment, that the ring is whole is told as before.
  const isFormed = is('RingIntact') && status.regions?.every(({ stage }) => stage === 'Running');
  const ringRests = isFormed && !steps.busy && !(ring.kind === 'one' && ring.busy !== undefined);
  if (isWriting && ringRests) return 'writing';
  if (pictures.some(isPassing)) return 'fast';
  if (steps.founder !== undefined || steps.intents.length > 0 || (steps.busy && !stalled)) return 'fast';
  const unrest = ring.kind === 'one' ? ring.busy !== undefined : hosts.joined.size > 0;
  const waits =
    steps.operating?.isUnderWay || steps.obstacles.some((each) => !each.stalled && each.reason !== 'Paused');
  return stalled || unrest || waits || hasSilentNode(pictures, views) ? 'slow' : 'quiet';
}

/** A Ready node that does not answer, or has not for a while: what it said last grows old without an event. */
function hasSilentNode(pictures: readonly RegionPicture[], views: PlanContext['views']): boolean {
  return pictures.filter(answeredFor).some(({ snapshot }) =>
    snapshot.pods.some((pod) => {
      const { name } = pod.metadata;
      return isReady(pod) && (snapshot.unreadable[name] !== undefined || !views.has(name));
    }),
  );
}
