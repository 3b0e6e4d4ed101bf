import type { Problem } from '../api/problem.ts';
import { validate } from '../api/validate.ts';
import type { Change, RegionalOperator } from '../operators/operator.ts';
import { adoptionObstacle } from './adoption.ts';
import { changesOf, describeChanges, restartPath } from './changes.ts';
import type { PlanContext } from './context.ts';
import { answeredFor, hasGone, isLeaving, isObserved, type MemberPicture, type RegionPicture } from './picture.ts';
import { contextOf, nextSteps } from './plan.ts';
import { ordersFor } from './pod-operations.ts';
import { refusals } from './refusals.ts';
import type { Snapshot } from './snapshot.ts';

/** What a spec would do to its regions, in the order in which it would. */
export interface Preview {
  /** Why nothing at all would be written. */
  readonly refused: readonly Pick<Problem, 'path' | 'message'>[];
  readonly regions: readonly RegionPreview[];
  /** What would be written first, and why. */
  readonly next: readonly string[];
  /** What it would wait for. */
  readonly waits: readonly string[];
}

export interface RegionPreview {
  readonly region: string;
  /**
   * - unchanged: nothing would be written to its member.
   * - created: it would join the ring, or found it.
   * - changed: see `changes`, `cost`.
   * - adopted: its member becomes ours; what `changes` says then follows.
   * - unknown: it cannot be seen, so nobody can tell.
   * - leaves: its nodes leave the ring, or it is given up.
   * - gone: it has left.
   * - untouched: it holds a member that is not ours, or is only observed.
   */
  readonly outcome: 'unchanged' | 'created' | 'changed' | 'adopted' | 'leaves' | 'gone' | 'unknown' | 'untouched';
  /** In words: what it costs the region, or why it cannot be told. */
  readonly cost: string;
  readonly changes: readonly Change[];
}

/** Looks at what the controller itself would do; the same code decides. Pure. */
export function preview(snapshot: Snapshot, operator: RegionalOperator): Preview {
  const problems = validate(snapshot.mcc);
  if (problems.length > 0) return { refused: problems, regions: [], next: [], waits: [] };
  const context = contextOf(snapshot, operator);
  const refused = refusals(context);
  const regions = context.pictures.map((picture): RegionPreview => {
    const region = picture.region.name;
    const told = (outcome: RegionPreview['outcome'], cost: string, changes: readonly Change[] = []): RegionPreview => ({
      region,
      outcome,
      cost,
      changes,
    });
    if (hasGone(picture)) return told('gone', 'it has left the ring');
    if (isLeaving(picture)) return told('leaves', departure(picture));
    if (!picture.known) return told('unknown', picture.snapshot.message);
    if (!picture.member && isObserved(picture)) return told('untouched', 'it is only observed');
    if (!picture.member)
      return told('created', creation(picture, context.memory.founder ?? context.pictures[0]?.region.name));
    if (!answeredFor(picture)) return told('untouched', 'it holds a CassandraCluster of this name that is not ours');
    const { changes: ofMember, rejected } = changesOf(context, picture);
    const orders = ordersFor(context, picture).map(({ name, from, to }): Change => ({
      path: `spec.operations.${name}`,
      kind: 'operation',
      from,
      to,
    }));
    const changes = [...ofMember, ...orders];
    if (isObserved(picture)) return told('untouched', 'it is only observed', changes);
    if (picture.member.ownership === 'adoptable') {
      // Whoever is adopted has no restart and no operation to catch up with.
      return told(
        ...adoption(
          context,
          picture,
          ofMember.filter(({ path }) => path !== restartPath),
        ),
      );
    }
    if (rejected) return told('untouched', 'its operator has put back what the spec asks for', changes);
    if (changes.length === 0) return told('unchanged', 'nothing changes');
    return told('changed', describeChanges(changes, picture.pods.length), changes);
  });
  if (refused.length > 0) return { refused, regions, next: [], waits: [] };
  const steps = nextSteps(context);
  return {
    refused,
    regions,
    next: [
      ...(steps.founder === undefined ? [] : [`record ${steps.founder} as the region that founds the ring`]),
      ...(steps.begins === undefined ? [] : [`begin to change region ${steps.begins}`]),
      ...(steps.leaves ?? []).map(
        (region) => `record that region ${region} leaves the ring, which cannot be taken back then`,
      ),
      ...steps.intents.map(({ why }) => why),
    ],
    waits: steps.obstacles.map(({ message }) => message),
  };
}

/** What becomes of a member that somebody else has written. */
function adoption(
  context: PlanContext,
  picture: MemberPicture,
  changes: readonly Change[],
): [RegionPreview['outcome'], string, readonly Change[]] {
  const obstacle = adoptionObstacle(context, picture);
  if (obstacle?.stalled === true || changes.some(({ kind }) => kind !== 'benign')) {
    return ['untouched', 'its member is not adopted before it is what the spec asks for', changes];
  }
  const later = changes.length > 0 ? `, then ${describeChanges(changes, picture.pods.length)}` : '';
  return ['adopted', `its member is adopted, and nothing restarts${later}`, changes];
}

function creation({ pods, region }: RegionPicture, founder: string | undefined): string {
  const nodes = `${pods.length} ${pods.length === 1 ? 'node' : 'nodes'}`;
  const verb = region.name === founder ? 'found' : 'join';
  return `its ${nodes} ${pods.length === 1 ? `${verb}s` : verb} the ring`;
}

function departure({ pods, region }: RegionPicture): string {
  const nodes = `${pods.length} ${pods.length === 1 ? 'node' : 'nodes'}`;
  if (region.state === 'Abandoned')
    return `its ${nodes} ${pods.length === 1 ? 'is' : 'are'} given up: what only they hold is lost`;
  return `its ${nodes} ${pods.length === 1 ? 'leaves' : 'leave'} the ring, one after the other, and its member is deleted`;
}

/** Whether the spec would change anything. */
export function changesAnything({ regions }: Preview): boolean {
  return regions.some(({ outcome }) => ['created', 'changed', 'adopted', 'leaves'].includes(outcome));
}
