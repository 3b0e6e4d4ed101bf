import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../kube/objects.ts';
import type { PodOperation } from '../operators/operator.ts';
import { type Order, type OperationRecord, type OperationRecords, orderOn } from './bookkeeping.ts';
import type { PlanContext } from './context.ts';
import type { MemberPicture, RegionPicture } from './picture.ts';
import type { Job } from './pod-operations.ts';

/** A node that was told, or is about to be. */
export type Running = OperationRecord['running'][number];

/** What is noted of this job; of another token or argument nothing counts. */
export function recordOf({ member }: MemberPicture, job: Job): OperationRecord {
  const { token, argument } = job;
  const record = recordOfSame(member, job);
  if (record) return record;
  return { token, ...(argument !== undefined && { argument }), done: [], failed: [], running: [], complete: false };
}

/** What is noted of this job; undefined: nothing. */
export function recordOfSame(
  { bookkeeping }: MemberPicture['member'],
  { name, token, argument }: Job,
): OperationRecord | undefined {
  const record = bookkeeping.operations[name];
  return record?.token === token && record.argument === argument ? record : undefined;
}

/**
 * What is noted on a member, and which nodes have come to their end since. For a write that may take away what tells of it: CassKop labels all pods
 * of a rack that has grown, and a pod that restarts is another one.
 */
export function recordsSoFar({ operator }: PlanContext, picture: MemberPicture): OperationRecords {
  const { operations } = picture.member.bookkeeping;
  const entries = Object.entries(operations) as [PodOperation, OperationRecord][];
  return Object.fromEntries(
    entries.map(([name, record]) => {
      const { token } = record;
      const ended = record.running.filter((each) => outcomeOf(operator, picture, { name, token }, each) === 'done');
      const running = record.running.filter((each) => !ended.includes(each));
      return [name, { ...record, done: [...record.done, ...ended.map(({ pod }) => pod)], running }];
    }),
  );
}

/** The pod of this name; undefined: there is none. */
export function podNamed(picture: RegionPicture, name: string): KubeObject | undefined {
  return picture.known ? picture.snapshot.pods.find(({ metadata }) => metadata.name === name) : undefined;
}

/** Whether what a pod was told is this attempt. */
export function isOrderOf(
  order: Order | undefined,
  { name, token }: Pick<Job, 'name' | 'token'>,
  { attempt }: Running,
): boolean {
  return isDeepStrictEqual(order, { name, token, attempt });
}

/** What has become of a node that was told. `gone`: it is no part of the region any more. */
export function outcomeOf(
  operator: PlanContext['operator'],
  picture: MemberPicture,
  job: Pick<Job, 'name' | 'token'>,
  each: Running,
): 'pending' | 'done' | 'failed' | 'gone' {
  if (!picture.pods.some(({ name }) => name === each.pod)) return 'gone';
  const pod = podNamed(picture, each.pod);
  if (pod?.metadata.uid !== each.uid) return 'failed';
  if (!isOrderOf(orderOn(pod), job, each)) return 'pending';
  const { name, phase } = operator.podOperation(pod, picture.member.object);
  if (phase === 'ordered' || phase === 'running') return 'pending';
  return name === job.name && phase === 'done' ? 'done' : 'failed';
}
