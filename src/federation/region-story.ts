import type { RegionOperation, RegionStatus } from '../api/schema.ts';
import type { Line } from './story.ts';

/** Reasons for which a region has to wait that are told as any other news: nobody has to do something about them. */
const usualWaits: ReadonlySet<string> = new Set(['Waiting', 'Observed']);
/** Reasons of Applied that other lines tell of: the writes, the stages and what the whole waits for. */
const toldElsewhere: ReadonlySet<string> = new Set([
  'Applied',
  'Writing',
  'Paused',
  'Leaving',
  'Deleting',
  'Deleted',
  'Orphaned',
  'Removed',
  'Abandoned',
  'RegionUnreachable',
]);

/**
 * What becomes of one region: how it comes into the ring, is changed, waits, grows and shrinks, and leaves. Nothing of a
 * region that is new, but what it does next.
 * @param stalled what the whole is stalled by, which is not told twice
 */
export function linesOfRegion(was: RegionStatus | undefined, is: RegionStatus, stalled: string | undefined): Line[] {
  if (was === undefined) return [];
  return [
    ...hostLines(was, is),
    ...stageLines(was, is),
    ...changeLines(was, is),
    ...waitLines(was, is, stalled),
    ...operationLines(was, is),
  ];
}

const line = (reason: string, action: string, note: string, type: Line['type'] = 'Normal'): Line => ({
  type,
  reason,
  action,
  note,
});

function stageLines(was: RegionStatus, is: RegionStatus): Line[] {
  const { name, stage } = is;
  const isNews = was.stage !== stage;
  if (is.leavingSince !== undefined && was.leavingSince === undefined) {
    const note = `region ${name} begins to leave the ring; that is not taken back any more`;
    return [line('RegionLeaving', 'RemoveRegion', note)];
  }
  if (!isNews) return [];
  switch (stage) {
    case 'Founding':
      return [line('RegionFounding', 'FoundRing', `region ${name} starts the ring with ${nodes(is.nodes)}`)];
    case 'Joining': {
      // A ring that runs has nodes added to; they join one after the other, too.
      if (was.stage === 'Founding') return [];
      const what = was.stage === 'Running' ? `nodes of region ${name} join the ring` : `region ${name} joins the ring`;
      return [
        line('RegionJoining', 'JoinRing', `${what}: ${is.hosts?.length ?? 0} of ${nodes(is.nodes)} are part of it`),
      ];
    }
    case 'Running':
      if (was.stage === 'Unknown' || was.stage === 'Observed') return [];
      return [line('RegionJoined', 'JoinRing', `region ${name} is part of the ring, with ${nodes(is.nodes)}`)];
    case 'Observed':
      return [line('RegionObserved', 'ObserveRegion', `region ${name} is watched, and nothing is written to it`)];
    case 'Removed':
      return [line('RegionRemoved', 'RemoveRegion', `region ${name} has left the ring; its entry may be dropped`)];
    case 'Abandoned':
      return [line('RegionAbandoned', 'AbandonRegion', `no host of region ${name} is part of the ring any more`)];
    default:
      return [];
  }
}

/** Nodes that have come and gone in a region that stays where it is on its way. */
function hostLines(was: RegionStatus, is: RegionStatus): Line[] {
  if (is.stage === 'Removed' || is.stage === 'Abandoned') return [];
  const [before, after] = [was, is].map(({ hosts = [] }) => new Map(hosts.map(({ pod, hostId }) => [pod, hostId])));
  if (!before || !after) return [];
  const news = (pods: readonly string[], reason: string, action: string, what: string): Line[] =>
    pods.length === 0 ? [] : [line(reason, action, `${pods.join(', ')} of region ${is.name} ${what}`)];
  const isOf = (list: ReadonlyMap<string, string>) => (pod: string) => list.has(pod);
  const other = [...after].filter(([pod, hostId]) => before.has(pod) && before.get(pod) !== hostId);
  return [
    ...news(
      [...after.keys()].filter((pod) => !isOf(before)(pod)),
      'NodeJoined',
      'JoinRing',
      'joined the ring',
    ),
    ...news(
      [...before.keys()].filter((pod) => !isOf(after)(pod)),
      'NodeLeft',
      'LeaveRing',
      'left the ring',
    ),
    ...news(
      other.map(([pod]) => pod),
      'NodeReplaced',
      'JoinRing',
      'came into the ring as another host',
    ),
  ];
}

function changeLines(was: RegionStatus, is: RegionStatus): Line[] {
  if (is.stage !== 'Running' && is.stage !== 'Joining') return [];
  if (was.changingSince === undefined && is.changingSince !== undefined && was.stage === 'Running') {
    const what = is.conditions?.find(({ type, status }) => type === 'Applied' && status === 'False');
    const detail = what?.reason === 'Writing' ? `: ${what.message}` : '';
    return [line('RegionChanging', 'ChangeRegion', `it is the turn of region ${is.name}${detail}`)];
  }
  if (was.changingSince !== undefined && is.changingSince === undefined && is.stage === 'Running') {
    return [line('RegionSettled', 'ChangeRegion', `region ${is.name} has settled with what was last written to it`)];
  }
  return [];
}

function waitLines(was: RegionStatus, is: RegionStatus, stalled: string | undefined): Line[] {
  const [before, after] = [was, is].map(({ conditions }) => conditions?.find(({ type }) => type === 'Applied'));
  if (!before || after?.status !== 'False' || before.reason === after.reason) return [];
  if (toldElsewhere.has(after.reason) || stalled?.includes(after.message)) return [];
  const type = usualWaits.has(after.reason) ? 'Normal' : 'Warning';
  // Before its turn has come for the first time nothing of it waits but the region itself.
  if (after.reason === 'Waiting' && is.stage === 'Waiting') return [];
  const whose = `region ${is.name}`;
  const note = after.message.startsWith(`${whose} `) ? after.message : `${whose}: ${after.message}`;
  return [line(`Region${after.reason}`, 'ChangeRegion', note, type)];
}

function operationLines(was: RegionStatus, is: RegionStatus): Line[] {
  return (is.operations ?? []).flatMap((now) => {
    const { name, token, total } = now;
    const before = was.operations?.find((each) => each.name === name && each.token === token);
    const what = `${name} (${token})`;
    const failed = (now.failed ?? []).filter((pod) => !before?.failed?.includes(pod));
    const trouble =
      failed.length === 0
        ? []
        : [
            line(
              'OperationFailed',
              'Operate',
              `${what} failed on ${failed.join(', ')} of region ${is.name}`,
              'Warning',
            ),
          ];
    if (isOver(now)) {
      const isNews = before !== undefined && !isOver(before);
      return isNews
        ? [...trouble, line('OperationDone', 'Operate', `region ${is.name} is through with ${what}`)]
        : trouble;
    }
    if (before) return trouble;
    return [
      line('OperationBegun', 'Operate', `${what} is to be done by ${nodes(total)} of region ${is.name}`),
      ...trouble,
    ];
  });
}

function isOver({ done, total, failed = [] }: RegionOperation): boolean {
  return done + failed.length >= total;
}

function nodes(count = 0): string {
  return `${count} ${count === 1 ? 'node' : 'nodes'}`;
}
