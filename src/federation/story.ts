import type { Condition, Status } from '../api/schema.ts';
import { resources } from '../kube/objects.ts';
import { isNote } from './member-writes.ts';
import { isGuardWrite } from './guard-writes.ts';
import type { Intent } from './intents.ts';

/** One line of what `kubectl describe` tells of a MultiCassandraCluster, in the terms of events.k8s.io/v1. */
export interface Line {
  readonly type: 'Normal' | 'Warning';
  /** Why it was told, one CamelCase word. */
  readonly reason: string;
  /** What was done or noticed, one CamelCase word. */
  readonly action: string;
  readonly note: string;
}

/** Conditions whose reasons tell a story; of the others only True and False do. */
const told = new Set(['Accepted', 'Ready', 'Stalled', 'OperationsDone']);

/** What a person wants to hear of when the status changes from one to the other. The first status of an object tells of what is wrong only. */
export function linesOfStatus(before: Status | undefined, after: Status): Line[] {
  const regions = after.regions ?? [];
  return [
    ...linesOf(
      before?.conditions,
      after.conditions,
      ['Accepted', 'Ready', 'Stalled', 'RingIntact', 'OperationsDone'],
      '',
    ),
    ...regions.flatMap(({ name, conditions }) => {
      const was = before?.regions?.find((each) => each.name === name);
      return linesOf(was?.conditions, conditions, ['Reachable'], `region ${name}: `);
    }),
  ];
}

function linesOf(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
  types: readonly string[],
  whose: string,
): Line[] {
  return types.flatMap((type) => {
    const [was, is] = [before, after].map((list) => list?.find((each) => each.type === type));
    if (!is || (was?.status === is.status && (was.reason === is.reason || !told.has(type)))) return [];
    const bad = isBad(is);
    // That all is well, or not known yet, is no news of something new.
    if (!bad && (was === undefined || (!isBad(was) && was.status === is.status && type !== 'Ready'))) return [];
    return [{ type: bad ? 'Warning' : 'Normal', reason: is.reason, action: type, note: whose + is.message }];
  });
}

/** Whether a person has to do something about it, or might. That a ring is formed or changed is no trouble. */
function isBad({ type, status, reason }: Condition): boolean {
  if (type === 'Stalled') return status === 'True';
  if (type === 'Ready') return status === 'Unknown' || reason === 'NotAccepted' || reason === 'RingNotIntact';
  if (type === 'OperationsDone') return reason === 'Failed';
  return status === 'False';
}

const actions = {
  create: 'CreateMember',
  update: 'UpdateMember',
  removeFields: 'UpdateMember',
  patchStatus: 'GiveSeeds',
  delete: 'DeletePod',
  order: 'OrderNode',
  label: 'OrderOperation',
} as const;

const copied: ReadonlySet<string> = new Set([resources.secrets.plural, resources.configMaps.plural]);

/** What is told of a write that was carried out: not the guards' upkeep, nor what Ringmaster notes for itself. */
export function lineOfWrite({ why, write }: Intent): Line | undefined {
  if (isGuardWrite(write) || isNote(write)) return undefined;
  const isCopy = copied.has(write.resource.plural);
  const isMember = !isCopy && write.resource.plural !== resources.pods.plural;
  const action = isCopy
    ? write.verb === 'delete'
      ? 'DeleteCopy'
      : 'Copy'
    : write.verb === 'delete' && isMember
      ? 'DeleteMember'
      : actions[write.verb];
  return { type: 'Normal', reason: 'Written', action, note: why };
}
