import * as z from 'zod';
import { perObject } from '../../edges/per-object.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { OrderedOperation, PodOperation, PodOperationState } from '../operator.ts';

const label = {
  name: 'operation-name',
  status: 'operation-status',
  argument: 'operation-argument',
  start: 'operation-start',
} as const;

const names: ReadonlySet<string> = new Set(['cleanup', 'rebuild', 'upgradesstables'] satisfies PodOperation[]);

const racks = z.record(
  z.string(),
  z.looseObject({
    podLastOperation: z
      .looseObject({
        name: z.string().optional(),
        status: z.string().optional(),
        pods: z.array(z.string()).optional(),
        startTime: z.string().optional(),
      })
      .optional(),
  }),
);
const memberStatus = z.looseObject({ cassandraRackStatus: racks.optional() });
const racksOf = perObject(
  (member: KubeObject): z.infer<typeof racks> =>
    memberStatus.safeParse(member['status']).data?.cassandraRackStatus ?? {},
);

/**
 * What the labels of a pod say of its operation, and what CassKop notes of it. CassKop 2.3.4 (read, and run): a pod with
 * operation-status ToDo is taken up in a pass that draws that operation, and only while lastClusterActionStatus is Done;
 * it turns to Ongoing, then to Done or Error. All that a rack is told of while an operation of another name has not been
 * put down as over would be noted under that name, so such a rack is busy.
 */
export function readPodOperation(pod: KubeObject, member: KubeObject): PodOperationState {
  const { labels = {} } = pod.metadata;
  const name = labels[label.name];
  const last = racksOf(member)[labels['dc-rack'] ?? '']?.podLastOperation;
  const [atIt] = last?.pods ?? [];
  const unfinished = last?.status === 'Ongoing' &&
    last.name !== undefined && {
      name: last.name,
      ...(atIt !== undefined && isPodOperation(last.name) && { pod: atIt }),
      ...(last.startTime !== undefined && { since: last.startTime }),
    };
  const phase = phaseOf(name, labels[label.status]);
  const since = phase === 'running' ? timeOf(labels[label.start]) : undefined;
  return {
    ...(isPodOperation(name) && { name }),
    phase,
    ...(since !== undefined && { since }),
    ...(unfinished && { unfinished }),
  };
}

/** A label can hold no RFC 3339, so CassKop writes 20260131T235959, and reads it as UTC. */
function timeOf(text: string | undefined): string | undefined {
  const [, date, time] = /^(\d{8})T(\d{6})$/.exec(text ?? '') ?? [];
  if (date === undefined || time === undefined) return undefined;
  const [days, hours] = [date.replace(/(..)(..)$/, '-$1-$2'), time.replace(/^(..)(..)/, '$1:$2:')];
  return `${days}T${hours}Z`;
}

/** What nodes do on command, and stay in the ring as they are: each may be told again. */
export function isPodOperation(name: string | undefined): name is PodOperation {
  return name !== undefined && names.has(name);
}

function phaseOf(name: string | undefined, status: string | undefined): PodOperationState['phase'] {
  switch (status) {
    case 'ToDo':
      return 'ordered';
    case 'Ongoing':
      return 'running';
    case 'Done':
      return isPodOperation(name) ? 'done' : 'none';
    case 'Error':
      return isPodOperation(name) ? 'failed' : 'none';
    default:
      // Manual is what CassKop puts on the pods of a rack that has grown, for a person to look at.
      return name === 'decommission' ? 'running' : 'none';
  }
}

/** All labels of a pod that is told to do `operation`, its others among them. */
export function withPodOperation(pod: KubeObject, { name, argument }: OrderedOperation): Record<string, string> {
  const { [label.argument]: _, ...others } = pod.metadata.labels ?? {};
  return {
    ...others,
    [label.name]: name,
    [label.status]: 'ToDo',
    ...(argument !== undefined && { [label.argument]: argument }),
  };
}
