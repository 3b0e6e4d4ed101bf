import type { Condition, Mcc, PodObject, RegionStatus } from '../ring/federation.ts';

/** What a person wants to know of one region while the ring forms. */
export interface RegionProgress {
  readonly name: string;
  readonly stage: string;
  readonly ready: number;
  readonly wanted: number;
  /** What happens there now, or what is wrong; empty while the region waits for its turn. */
  readonly doing: string;
}

export interface Progress {
  readonly name: string;
  /** Whether the whole spec, as it is now, is one ring at rest. */
  readonly ready: boolean;
  /** Why nothing will go on by itself, if so. */
  readonly refused: string | undefined;
  /** Reason and sentence of what the controller is doing or waiting for. */
  readonly doing: string;
  readonly seeds: readonly string[];
  readonly regions: readonly RegionProgress[];
}

/** Reads a MultiCassandraCluster's status; `pods` holds those regions' pods that could be listed. */
export function readProgress(mcc: Mcc, pods: ReadonlyMap<string, readonly PodObject[]>): Progress {
  const { status, metadata } = mcc;
  const conditions = status?.conditions;
  const ready = find(conditions, 'Ready');
  const accepted = find(conditions, 'Accepted');
  return {
    name: metadata.name,
    ready: ready?.status === 'True' && ready.observedGeneration === metadata.generation,
    refused: accepted?.status === 'False' ? accepted.message : undefined,
    doing: federationDoing(conditions),
    seeds: status?.seeds ?? [],
    regions: (status?.regions ?? []).map((region) => ({
      name: region.name,
      stage: region.stage,
      ready: region.readyNodes ?? 0,
      wanted: region.nodes ?? 0,
      doing: regionDoing(region, pods.get(region.name) ?? []),
    })),
  };
}

function federationDoing(conditions: readonly Condition[] | undefined): string {
  if (!conditions) return 'the controller has not seen it yet';
  const telling = ['Stalled', 'Reconciling'].map((type) => find(conditions, type));
  const shown = telling.find((each) => each?.status === 'True') ?? find(conditions, 'Ready');
  return shown ? `${shown.reason}: ${shown.message}` : '';
}

function regionDoing(region: RegionStatus, pods: readonly PodObject[]): string {
  const problem = region.conditions?.find(
    ({ type, status, reason }) =>
      (type === 'Reachable' && status !== 'True') || ['SeedsUnreachable', 'DataLossSuspected'].includes(reason),
  );
  if (problem) return problem.message;
  if (region.stage === 'Waiting') return '';
  const starting = pods.filter((pod) => !isReady(pod)).map((pod) => `${pod.metadata.name} ${podState(pod)}`);
  if (starting.length > 0) return starting.join(', ');
  for (const type of ['Settled', 'RingMember', 'Applied']) {
    const condition = find(region.conditions, type);
    if (condition && condition.status !== 'True') return condition.message;
  }
  return 'in the ring, at rest';
}

function isReady(pod: PodObject): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** How far a pod is: CassKop's pods first run the guard, in init container `bootstrap`, then Cassandra. */
function podState({ metadata, status }: PodObject): string {
  if (metadata.deletionTimestamp) return 'ends';
  const bootstrap = status.initContainerStatuses?.find(({ name }) => name === 'bootstrap')?.state ?? {};
  if ('terminated' in bootstrap) return 'starts Cassandra';
  return 'running' in bootstrap ? 'is in its guard, which looks for a live seed' : 'is created';
}

function find(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}

/** The progress as a small block for a terminal. */
export function progressBlock(progress: Progress, elapsedMs: number): string[] {
  const width = nameWidth(progress);
  const running = progress.regions.filter(({ stage }) => stage === 'Running').length;
  const count =
    progress.regions.length > 0 ? `${running} of ${progress.regions.length} regions in the ring` : 'applied';
  return [
    `${clock(elapsedMs)}  ${progress.name}: ${count}`,
    ...progress.regions.map((region) => `${indent}${regionLine(region, width)}`),
    ...(progress.seeds.length > 0 ? [`${indent}seeds ${progress.seeds.join(', ')}`] : []),
    `${indent}${progress.doing}`,
  ];
}

/** What is new since `before`, one line each, for a log. */
export function changes(before: Progress | undefined, now: Progress, elapsedMs: number): string[] {
  const width = nameWidth(now);
  const regions = now.regions.flatMap((region) => {
    const line = regionLine(region, width);
    const older = before?.regions.find(({ name }) => name === region.name);
    return older && regionLine(older, width) === line ? [] : [line];
  });
  const seeds = now.seeds.join(', ');
  return [
    ...(seeds !== '' && seeds !== before?.seeds.join(', ') ? [`${now.name.padEnd(width)}  seeds ${seeds}`] : []),
    ...(now.doing === before?.doing ? [] : [`${now.name.padEnd(width)}  ${now.doing}`]),
    ...regions,
  ].map((line) => `${clock(elapsedMs)}  ${line}`);
}

/** Time since the start of the demo, in whole seconds. */
export function clock(elapsedMs: number): string {
  return `${Math.floor(elapsedMs / 1000)} s`.padStart(6);
}

const indent = ' '.repeat(8);
const stageWidth = 'Abandoned'.length;

function nameWidth({ name, regions }: Progress): number {
  return Math.max(name.length, ...regions.map((region) => region.name.length));
}

function regionLine({ name, stage, ready, wanted, doing }: RegionProgress, width: number): string {
  return `${name.padEnd(width)}  ${stage.padEnd(stageWidth)}  ${ready}/${wanted} ready  ${doing}`.trimEnd();
}
