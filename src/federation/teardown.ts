import { effective } from '../api/effective.ts';
import { type ConditionUpdate, setCondition } from '../api/conditions.ts';
import type { MultiCassandraCluster, RegionStatus, Status } from '../api/schema.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { PlanContext } from './context.ts';
import type { Intent } from './intents.ts';
import { clearAway, deleteGuard } from './leave.ts';
import { isObserved, type RegionPicture } from './picture.ts';
import { contextOf } from './plan.ts';
import { momentOf, type Snapshot } from './snapshot.ts';

/** What a MultiCassandraCluster that is being deleted still has to do. */
export interface Teardown {
  readonly intents: readonly Intent[];
  readonly status: Status;
  /** Nothing: it may go. */
  readonly isOver: boolean;
}

/** Whether anything is to be deleted with the object, so that it may not go before that is done. */
export function isTornDown(mcc: MultiCassandraCluster): boolean {
  return effective(mcc).regions.some(
    ({ deletionPolicy, state }) => deletionPolicy === 'Delete' && state !== 'Observed',
  );
}

/**
 * The end of a MultiCassandraCluster. Regions whose `deletionPolicy` is Orphan, or that are only observed, are left exactly as they are: their ring goes on, and what
 * stands on their objects lets another MultiCassandraCluster of this name adopt them. Of the others the member is deleted, then the
 * copies and the guard. A region that cannot be seen is waited for. The policy counts as it stands now, so that it can be changed until the end.
 */
export function tearDown(snapshot: Snapshot, operator: RegionalOperator): Teardown {
  const context = contextOf(snapshot, operator);
  const parts = context.pictures.map((picture) => ({ picture, ...part(context, picture) }));
  const left = parts.filter(({ isOver }) => !isOver);
  const message = left.map(({ picture, why }) => `${picture.region.name}: ${why}`).join('; ');
  const updates: ConditionUpdate[] = [
    { type: 'Ready', status: 'False', reason: 'Deleting', message: message || 'nothing is left to be deleted' },
    { type: 'Reconciling', status: 'True', reason: 'Deleting', message: message || 'nothing is left to be deleted' },
    { type: 'Stalled', status: 'False', reason: 'Progressing', message: 'nothing waits for a person' },
  ];
  const before = snapshot.mcc.status ?? {};
  const observedGeneration = snapshot.mcc.metadata.generation ?? 0;
  const saying = (list: RegionStatus['conditions'], update: ConditionUpdate): NonNullable<RegionStatus['conditions']> =>
    setCondition(list, { ...update, observedGeneration }, momentOf(snapshot));
  return {
    intents: parts.flatMap(({ intents }) => intents),
    status: {
      ...before,
      observedGeneration,
      conditions: updates.reduce((list, update) => saying(list, update), before.conditions ?? []),
      regions: (before.regions ?? []).map((region) => {
        const of = parts.find(({ picture }) => picture.region.name === region.name);
        if (!of) return region;
        const { why, reason } = of;
        const status = reason === 'Deleting' ? 'False' : 'True';
        return {
          ...region,
          conditions: saying(region.conditions, { type: 'Applied', status, reason, message: why }),
        };
      }),
    },
    isOver: left.length === 0,
  };
}

interface Part {
  readonly intents: readonly Intent[];
  readonly isOver: boolean;
  readonly reason: 'Deleting' | 'Deleted' | 'Orphaned';
  readonly why: string;
}

function part(context: PlanContext, picture: RegionPicture): Part {
  const { name, deletionPolicy } = picture.region;
  if (deletionPolicy === 'Orphan' || isObserved(picture)) {
    const reason = deletionPolicy === 'Orphan' ? 'deletionPolicy Orphan' : 'state Observed';
    return { intents: [], isOver: true, reason: 'Orphaned', why: `the region is left as it is (${reason})` };
  }
  const deleting = { isOver: false, reason: 'Deleting' } as const;
  if (!picture.known) {
    const why = `the region cannot be seen, and its member is deleted once it can be: ${picture.snapshot.message}. To let it go as it is, set the deletionPolicy of region ${name} to Orphan`;
    return { ...deleting, intents: [], why };
  }
  const refused = context.snapshot.refusedWrites[name];
  const owned = [picture.member, picture.guard, ...picture.copies].some((each) => each?.ownership === 'newer');
  if (owned) {
    return { ...deleting, intents: [], why: 'a later leader has written there; it goes on' };
  }
  // Somebody else's member is none of ours, and neither is what its operator has made.
  const isForeign = picture.member !== undefined && picture.member.ownership !== 'ours';
  const steps = isForeign ? undefined : (clearAway(context, picture) ?? deleteGuard(context, picture));
  if (!steps) return { intents: [], isOver: true, reason: 'Deleted', why: 'nothing of ours is left in the region' };
  const why = refused ?? steps.obstacles[0]?.message ?? steps.intents[0]?.why ?? 'its objects are being deleted';
  return { ...deleting, intents: steps.intents, why };
}
