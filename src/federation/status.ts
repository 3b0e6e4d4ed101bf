import { isDeepStrictEqual } from 'node:util';
import { type ConditionUpdate, setCondition } from '../api/conditions.ts';
import type { Problem } from '../api/problem.ts';
import type { Condition, RegionStatus, Status } from '../api/schema.ts';
import { changesOf } from './changes.ts';
import { dueSeedsOf, type PlanContext, seedsOf } from './context.ts';
import { isGuardWrite } from './guard-writes.ts';
import { answeredFor, isLeaving, isPassing } from './picture.ts';
import { isPlaced } from './memory.ts';
import { describeJobs, operationsDone } from './operations-status.ts';
import { isOperationWrite } from './pod-operations.ts';
import { awaitsRows } from './rebuild.ts';
import { regionsReachable } from './reachable.ts';
import type { Refusal } from './refusals.ts';
import { describeRegion } from './region-status.ts';
import { ringIntact } from './ring-status.ts';
import { momentOf, type Snapshot } from './snapshot.ts';
import type { Steps } from './steps.ts';

/**
 * The status after this pass: what the user reads, and what the next pass remembers. Conditions carry the generation
 * they speak of even when the spec is refused, or `kubectl wait` would wait for ever.
 */
export function describe(context: PlanContext, refused: readonly Refusal[], steps: Steps): Status {
  const { snapshot, memory, pictures, ring, hosts, views } = context;
  const before = snapshot.mcc.status ?? {};
  const regions = pictures.map((picture) => describeRegion(context, picture, steps));
  const gone = (before.regions ?? []).filter(
    (each) => !regions.some((region) => region.name === each.name) && isPlaced(each),
  );
  const founder = memory.founder ?? steps.founder;
  const hostCount = ring.kind === 'one' || ring.kind === 'differing' ? ring.hosts.size : before.ring?.hosts;
  const due = memory.seeds.length > 0 ? memory.seeds : memory.planned.map((seed) => seed.address);
  // A spec that is not accepted changes no list.
  const seeds = refused.length > 0 ? (before.seeds ?? due) : due;

  const active = regions.filter(isActive);
  const nodes = regions.reduce((sum, region) => sum + (region.nodes ?? 0), 0);
  const ready = regions.reduce((sum, region) => sum + (region.readyNodes ?? 0), 0);
  const running = regions.filter((region) => region.stage === 'Running').length;
  // What all regions together are is told again once all that were seen a moment ago are.
  const isHeld = refused.length === 0 && before.conditions !== undefined && pictures.some(isPassing);
  if (isHeld) {
    return {
      ...before,
      conditions: withConditions(snapshot, before.conditions, [accepted(refused)]),
      ...(founder !== undefined && { ring: { ...before.ring, founder }, seeds: [...seeds] }),
      regions: regions.concat(gone),
    };
  }
  const intact = ringIntact(ring, hosts, pictures, views);
  const updates = [
    accepted(refused),
    ...progress(context, active, intact, refused, steps),
    intact,
    regionsReachable(active),
    seedsCurrent(context, active),
    ...operationsDone(context, steps),
  ];
  return {
    observedGeneration: snapshot.mcc.metadata.generation ?? 0,
    conditions: withConditions(snapshot, before.conditions, updates),
    summary: { regions: `${running}/${active.length}`, nodes: `${ready}/${nodes}` },
    ...(founder !== undefined && {
      ring: {
        founder,
        ...(hostCount !== undefined && { hosts: hostCount }),
        ...(memory.abandonedHosts.length > 0 && { abandonedHosts: [...memory.abandonedHosts] }),
      },
      seeds: [...seeds],
    }),
    regions: [...regions, ...gone],
  };
}

/** Whether a region is, or is to be, part of the ring. */
function isActive({ stage }: RegionStatus): boolean {
  return stage !== 'Removed' && stage !== 'Abandoned';
}

/** The status of a spec that cannot even be read as a federation: everything else stays as it was. */
export function describeRefusal(
  snapshot: Pick<Snapshot, 'nowMs'> & { mcc: { metadata: { generation?: number }; status?: Status } },
  problems: readonly Problem[],
): Status {
  const before = snapshot.mcc.status ?? {};
  const refused = problems.map(({ path, reason, message }) => ({ path, reason, message }));
  const known = new Set(['Accepted', 'Ready', 'Reconciling', 'Stalled']);
  const updates: ConditionUpdate[] = [accepted(refused), ...notAccepted(refused)];
  const generation = snapshot.mcc.metadata.generation ?? 0;
  const rest = (before.conditions ?? []).map((condition) =>
    known.has(condition.type) ? condition : { ...condition, observedGeneration: generation },
  );
  return { ...before, observedGeneration: generation, conditions: withConditions(snapshot, rest, updates) };
}

function withConditions(
  snapshot: Parameters<typeof describeRefusal>[0],
  before: readonly Condition[] | undefined,
  updates: readonly ConditionUpdate[],
): Condition[] {
  const now = momentOf(snapshot);
  const observedGeneration = snapshot.mcc.metadata.generation ?? 0;
  return updates.reduce<Condition[]>(
    (list, update) => setCondition(list, { ...update, observedGeneration }, now),
    [...(before ?? [])],
  );
}

function accepted(refused: readonly Refusal[]): ConditionUpdate {
  const [first] = refused;
  if (!first) return { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'the spec is valid' };
  const message = refused.map((each) => `${each.path}: ${each.message}`).join('\n');
  return { type: 'Accepted', status: 'False', reason: first.reason, message };
}

function notAccepted(refused: readonly Refusal[]): ConditionUpdate[] {
  const message = `the spec is not accepted: ${refused[0]?.path ?? 'spec'}: ${refused[0]?.message ?? ''}`;
  return [
    { type: 'Ready', status: 'False', reason: 'NotAccepted', message },
    {
      type: 'Reconciling',
      status: 'False',
      reason: 'Idle',
      message: 'nothing is written while the spec is not accepted',
    },
    { type: 'Stalled', status: 'True', reason: 'NotAccepted', message },
  ];
}

/** Ready, Reconciling and Stalled, as kstatus reads them: at most one of the last two is True. */
function progress(
  context: PlanContext,
  regions: readonly RegionStatus[],
  intact: ConditionUpdate,
  refused: readonly Refusal[],
  steps: Steps,
): ConditionUpdate[] {
  if (refused.length > 0) return notAccepted(refused);
  // What one region lacks holds up only that region: while the others go on, nothing is stalled.
  const othersGoOn = steps.busy || steps.intents.length > 0;
  const stuck = steps.obstacles.find((each) => each.stalled && (each.region === undefined || !othersGoOn));
  const stalled = ringTrouble(intact) ?? stuck ?? stalledRegion(regions);
  const waiting = steps.obstacles.find((obstacle) => !obstacle.stalled);
  const settled = regions.filter(
    (region) => is(region, 'Settled') && is(region, 'RingMember') && is(region, 'Applied'),
  );
  const unknown = context.pictures.filter((picture) => !picture.known && !isLeaving(picture));
  const leaving = regions.filter((region) => region.stage === 'Removing');

  let ready: ConditionUpdate;
  if (unknown.length > 0) {
    const message = `cannot see ${unknown.map((picture) => picture.region.name).join(', ')}`;
    ready = { type: 'Ready', status: 'Unknown', reason: 'RegionsUnreachable', message };
  } else if (leaving.length > 0) {
    const message = leaving.map((region) => `${region.name}: ${applied(region)}`).join('; ');
    ready = { type: 'Ready', status: 'False', reason: 'Changing', message };
  } else if (regions.some((region) => region.stage !== 'Running')) {
    const missing = regions.filter((region) => region.stage !== 'Running').map((region) => region.name);
    ready = {
      type: 'Ready',
      status: 'False',
      reason: 'Forming',
      message: `not in the ring yet: ${missing.join(', ')}`,
    };
  } else if (intact.status !== 'True') {
    ready = { type: 'Ready', status: intact.status, reason: 'RingNotIntact', message: intact.message };
  } else if (isChanging(context, regions, steps)) {
    const changing = regions.filter((region) => !is(region, 'Applied') || region.changingSince !== undefined);
    const message = changing.map((region) => `${region.name}: ${firstFalse(region)}`).join('; ');
    ready = { type: 'Ready', status: 'False', reason: 'Changing', message };
  } else if (settled.length < regions.length) {
    const message = regions
      .filter((region) => !settled.includes(region))
      .map((region) => `${region.name}: ${firstFalse(region)}`)
      .join('; ');
    ready = { type: 'Ready', status: 'False', reason: 'NodesNotReady', message };
  } else if (stalled) {
    ready = { type: 'Ready', status: 'False', reason: 'Changing', message: stalled.message };
  } else {
    const message = `${regions.length} regions run one ring of ${context.hosts.joined.size} nodes`;
    ready = { type: 'Ready', status: 'True', reason: 'Ready', message };
  }

  const isOperating = !steps.busy && ready.status === 'True' && steps.operating?.isUnderWay === true;
  const working = !stalled && (steps.busy || isOperating || ready.status !== 'True');
  const [operation] = isOperating ? describeJobs(context).running : [];
  const what = operation ?? waiting?.message ?? steps.intents[0]?.why ?? ready.message;
  const founding = context.hosts.joined.size === 0;
  const paused = !steps.busy && steps.obstacles.some((each) => each.reason === 'Paused');
  return [
    ready,
    working
      ? {
          type: 'Reconciling',
          status: 'True',
          reason: founding
            ? 'Founding'
            : leaving.length > 0
              ? 'Leaving'
              : forming(regions)
                ? 'Joining'
                : paused
                  ? 'Paused'
                  : isOperating
                    ? 'Operating'
                    : ready.reason === 'Changing'
                      ? 'Changing'
                      : 'Settling',
          message: what,
        }
      : { type: 'Reconciling', status: 'False', reason: 'Idle', message: 'nothing is under way' },
    stalled
      ? { type: 'Stalled', status: 'True', reason: stallReason(stalled.reason), message: stalled.message }
      : { type: 'Stalled', status: 'False', reason: 'Progressing', message: 'nothing waits for a person' },
  ];
}

/** Whether a change of the spec has not gone through all regions yet. */
function isChanging(context: PlanContext, regions: readonly RegionStatus[], steps: Steps): boolean {
  return (
    regions.some((region) => region.changingSince !== undefined) ||
    steps.intents.some(({ write }) => !isGuardWrite(write) && !isOperationWrite(write)) ||
    steps.obstacles.some(({ isLocal, reason }) => isLocal || reason === 'Observed') ||
    context.pictures.some(
      (each) =>
        answeredFor(each) &&
        !isLeaving(each) &&
        (each.member.ownership === 'adoptable' ||
          awaitsRows(context, each) ||
          changesOf(context, each).changes.length > 0),
    )
  );
}

function forming(regions: readonly RegionStatus[]): boolean {
  return regions.some((region) => region.stage !== 'Running');
}

/** What only a person can put right in the ring itself; it weighs more than what a single region lacks. */
function ringTrouble(intact: ConditionUpdate): { reason: string; message: string } | undefined {
  const personNeeded = new Set(['RingSplit', 'DataLossSuspected', 'UnknownHosts', 'ReturnedAfterAbandon']);
  return intact.status === 'False' && personNeeded.has(intact.reason) ? intact : undefined;
}

/** A region's own trouble that the ring's gates do not speak of. */
function stalledRegion(regions: readonly RegionStatus[]): { reason: string; message: string } | undefined {
  const personNeeded = new Set(['SeedsUnreachable', 'Rejected', 'DataLossSuspected', 'WriteRefused']);
  const unusable = regions.flatMap(({ name, conditions = [] }) =>
    conditions.flatMap(({ status, reason, message }) => {
      const todo = status === 'False' ? registrationTodos.get(reason) : undefined;
      return todo === undefined ? [] : [{ reason, message: `region ${name}: ${message}; ${todo}` }];
    }),
  );
  if (unusable[0]) return unusable[0];
  return regions
    .flatMap((region) => region.conditions ?? [])
    .find((condition) => condition.status === 'False' && personNeeded.has(condition.reason));
}

/** What a person does about a region whose registration is in the way. */
const registrationTodos: ReadonlyMap<string, string> = new Map([
  ['RegistrationRefused', 'mend what registers the region, a Secret of the hub or a kubeconfig'],
  [
    'NamespaceNotAllowed',
    "name that namespace in the annotations of the region's Secret or in --allow, or another one in the spec",
  ],
]);

const stallReasons = [
  'LeftoversFound',
  'DataLossSuspected',
  'RingSplit',
  'Rejected',
  'ForeignMember',
  'PreconditionMissing',
  'Observed',
  'SeedsUnreachable',
  'ReplicationGate',
  'RebuildFailed',
  'LastRegion',
  'AbandonUnconfirmed',
  'StillAlive',
  'ReturnedAfterAbandon',
  'DecommissionFailed',
  'NodeLeft',
  'ProgressDeadlineExceeded',
  'NoPodReady',
  'UnknownHosts',
  'MemberMissing',
  'Drifted',
  'NewerWriter',
  'WriteRefused',
  'RegistrationRefused',
  'NamespaceNotAllowed',
] as const;

function stallReason(reason: string): (typeof stallReasons)[number] {
  return stallReasons.find((each) => each === reason) ?? 'PreconditionMissing';
}

function seedsCurrent(context: PlanContext, regions: readonly RegionStatus[]): ConditionUpdate {
  const older = context.pictures.filter(
    (picture) =>
      answeredFor(picture) &&
      !isLeaving(picture) &&
      !isDeepStrictEqual(seedsOf(context, picture), dueSeedsOf(context, picture)),
  );
  if (older.length > 0) {
    const names = older.map((picture) => picture.region.name).join(', ');
    const message =
      `${names} start their nodes with an older list of seeds. Set spec.seeds.updatePolicy to Rolling to restart them with ` +
      `the new one, one region after another: ${context.memory.seeds.join(', ')}`;
    return {
      type: 'SeedsCurrent',
      status: 'False',
      reason: context.federation.seeds.updatePolicy === 'Rolling' ? 'Pending' : 'Deferred',
      message,
    };
  }
  const pending = regions
    .filter((region) => region.stage !== 'Removing' && (!region.appliedSeeds || !is(region, 'Settled')))
    .map((region) => region.name);
  return pending.length === 0
    ? {
        type: 'SeedsCurrent',
        status: 'True',
        reason: 'Current',
        message: 'every region starts its nodes with the same seeds',
      }
    : { type: 'SeedsCurrent', status: 'False', reason: 'Pending', message: `not proven yet in ${pending.join(', ')}` };
}

function is(region: RegionStatus, type: string): boolean {
  return region.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function applied(region: RegionStatus): string {
  return region.conditions?.find((condition) => condition.type === 'Applied')?.message ?? 'it leaves the ring';
}

function firstFalse(region: RegionStatus): string {
  return region.conditions?.find((condition) => condition.status !== 'True')?.message ?? 'not settled';
}
