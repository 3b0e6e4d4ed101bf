import type { ConditionUpdate } from '../api/conditions.ts';
import type { RegionOperation } from '../api/schema.ts';
import type { PlanContext } from './context.ts';
import { answeredFor, type MemberPicture } from './picture.ts';
import { longOperation } from './long-operations.ts';
import { recordOf } from './operation-records.ts';
import { attemptsMax, isThrough, jobsOf, picturesOf } from './pod-operations.ts';
import type { Steps } from './steps.ts';

/** How far a region is, for its status. */
export function operationsOf(context: PlanContext, picture: MemberPicture): RegionOperation[] {
  return jobsOf(context)
    .filter(({ regions }) => regions.includes(picture.region.name))
    .map((job) => {
      const { done, failed, running, complete } = recordOf(picture, job);
      const total = picture.pods.length;
      const pods = running.map(({ pod }) => pod);
      return {
        name: job.name,
        token: job.token,
        done: complete ? total - failed.length : done.length,
        total,
        ...(pods.length > 0 && { running: pods }),
        ...(failed.length > 0 && { failed: [...failed] }),
      };
    });
}

/** Said since something was asked for: who never asks hears nothing of it. */
export function operationsDone(context: PlanContext, steps: Steps): ConditionUpdate[] {
  const { running, failed, done } = describeJobs(context);
  const type = 'OperationsDone';
  const wasSaid = context.snapshot.mcc.status?.conditions?.some((each) => each.type === type) ?? false;
  const [next] = running;
  if (next !== undefined) {
    const waits = steps.operating?.waits;
    const message = [waits === undefined ? next : `${next}; it waits: ${waits}`, ...failed].join('. ');
    return [{ type, status: 'False', reason: waits === undefined ? 'Running' : 'Waiting', message }];
  }
  if (failed.length > 0) return [{ type, status: 'False', reason: 'Failed', message: failed.join('. ') }];
  if (done.length > 0) {
    return [{ type, status: 'True', reason: 'Done', message: `every node has done ${done.join(' and ')}` }];
  }
  return wasSaid ? [{ type, status: 'True', reason: 'NotAsked', message: 'spec.operations asks for nothing' }] : [];
}

/** A condition's sentence for each job that is not simply through. */
export function describeJobs(context: PlanContext): { running: string[]; failed: string[]; done: string[] } {
  const told: ReturnType<typeof describeJobs> = { running: [], failed: [], done: [] };
  for (const job of jobsOf(context)) {
    const pictures = picturesOf(context, job);
    if (pictures.every((picture) => isThrough(context, picture, job))) told.done.push(`${job.name} (${job.token})`);
    for (const picture of pictures.filter(answeredFor)) {
      const { done, failed, running } = recordOf(picture, job);
      const { name, namespace } = picture.region;
      if (!isThrough(context, picture, job)) {
        const hint = longOperation(context, picture)?.message;
        const at = running.map(({ pod, attempt }) => {
          const again = attempt > 1 ? `, attempt ${attempt} of ${attemptsMax}` : '';
          return `; ${pod} is at it${again}`;
        });
        told.running.push(
          `${job.name} in region ${name}: ${done.length} of ${picture.pods.length} nodes are through${at.join('')}${hint === undefined ? '' : `; ${hint}`}`,
        );
      }
      for (const pod of failed) {
        told.failed.push(
          `${job.name} has failed on ${pod} of region ${name}, ${attemptsMax} times; the log of its regional operator says why. To try that node again: ` +
            `kubectl label pod ${pod} -n ${namespace} operation-name=${job.name} operation-status=ToDo --overwrite, in region ${name}; another value of ` +
            `spec.operations.${job.name} has all nodes do it again`,
        );
      }
    }
  }
  return told;
}
