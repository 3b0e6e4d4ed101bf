import { effective } from '../api/effective.ts';
import { isObject } from '../api/json.ts';
import { type Matters, mattersOf } from '../api/matters.ts';
import { parseMultiCassandraCluster } from '../api/parse.ts';
import type { MultiCassandraCluster, RegionStatus, Status } from '../api/schema.ts';
import { perObject } from '../edges/per-object.ts';
import { pictureRegions, type RegionPicture } from '../federation/picture.ts';
import type { Snapshot } from '../federation/snapshot.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { NodeView as RingView } from '../ring/view.ts';
import { conditionsOf, type ConditionView, type Tone } from './condition-view.ts';
import { droppedNodesOf, nodesOf, type NodeView } from './node-view.ts';

/** A MultiCassandraCluster as the hub's cache holds it, and what the last pass over it saw of its regions. */
export interface FederationSight {
  readonly object: KubeObject;
  /** Undefined: it was not looked at yet, or cannot be read. */
  readonly snapshot: Snapshot | undefined;
}

/** All that the page tells of one MultiCassandraCluster. Text is as it came, and not escaped. */
export interface FederationView extends Matters {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Generation that the status speaks of. */
  readonly observedGeneration: number | undefined;
  readonly headline: Headline;
  /** Nodes in the ring, as its nodes say. */
  readonly ringHosts: number | undefined;
  readonly founder: string | undefined;
  readonly seeds: readonly string[];
  readonly regions: readonly RegionView[];
  readonly conditions: readonly ConditionView[];
}

/** How it is, in a word and a sentence. */
export interface Headline {
  readonly tone: Tone;
  readonly word: string;
  readonly sentence: string;
}

/** One region, and how far it is with what the spec asks for. */
export interface RegionView {
  readonly name: string;
  readonly context: string;
  readonly namespace: string;
  readonly stage: string;
  readonly isFounder: boolean;
  readonly nodes: readonly NodeView[];
  /** Whether all that the spec asks for has arrived, and nothing is under way. */
  readonly isSettled: boolean;
  readonly tone: Tone;
  /** What is being done there, or what it waits for. */
  readonly words: string;
  readonly conditions: readonly ConditionView[];
  readonly operations: readonly { readonly name: string; readonly done: number; readonly total: number }[];
}

const parse = perObject((raw: KubeObject) => parseMultiCassandraCluster(raw));

/** What is to be told of a federation. Pure; makes no request, and takes nothing from the snapshot but how nodes are. */
export function viewFederation({ object, snapshot }: FederationSight, operator: RegionalOperator): FederationView {
  const { namespace = '', name, generation = 0 } = object.metadata;
  const { mcc } = parse(object);
  const status = mcc?.status ?? statusOf(object);
  const conditions = conditionsOf(status.conditions, generation);
  const isDeleted = object.metadata.deletionTimestamp !== undefined;
  const regions = mcc ? viewRegions(mcc, snapshot, operator) : [];
  return {
    namespace,
    name,
    generation,
    observedGeneration: status.observedGeneration,
    headline: headlineOf(conditions, isDeleted),
    ringHosts: status.ring?.hosts,
    founder: status.ring?.founder,
    seeds: status.seeds ?? [],
    regions,
    conditions,
    ...mattersOf(status),
  };
}

/** Of an object that does not keep to the schema: what its status says, as far as that is text. */
function statusOf(object: KubeObject): Status {
  const status = object['status'];
  const conditions: unknown = isObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(conditions)) return {};
  return {
    conditions: conditions.filter(isObject).map((each) => ({
      type: textIn(each['type']),
      status: each['status'] === 'True' || each['status'] === 'False' ? each['status'] : 'Unknown',
      reason: textIn(each['reason']),
      message: textIn(each['message']),
      lastTransitionTime: textIn(each['lastTransitionTime']),
    })),
  };
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function viewRegions(
  mcc: MultiCassandraCluster,
  snapshot: Snapshot | undefined,
  operator: RegionalOperator,
): RegionView[] {
  const federation = effective(mcc);
  const pictures = pictureRegions({ ...(snapshot ?? nothingSeen), mcc }, federation, operator);
  const seeds = new Set(mcc.status?.seeds);
  const heard = pictures.flatMap((each): RingView[] => (each.known ? Object.values(each.snapshot.views) : []));
  const listed = pictures.map((picture) => viewRegion(picture, mcc, nodesOf(federation, picture, seeds, heard)));
  // What the spec has dropped and the status still tells of.
  const dropped = (mcc.status?.regions ?? [])
    .filter(({ name }) => !listed.some((region) => region.name === name))
    .map((recorded) => droppedRegion(recorded, mcc, droppedNodesOf(recorded, federation.clusterName, heard)));
  return [...listed, ...dropped];
}

const nothingSeen: Omit<Snapshot, 'mcc'> = {
  nowMs: 0,
  monotonicMs: 0,
  leaseTransitions: 0,
  userScripts: {},
  sources: {},
  refusedWrites: {},
  regions: {},
};

function viewRegion(picture: RegionPicture, mcc: MultiCassandraCluster, nodes: readonly NodeView[]): RegionView {
  const { region, recorded } = picture;
  return {
    name: region.name,
    context: region.context,
    namespace: region.namespace,
    isFounder: mcc.status?.ring?.founder === region.name,
    nodes,
    ...progressOf(recorded, mcc),
  };
}

function droppedRegion(recorded: RegionStatus, mcc: MultiCassandraCluster, nodes: readonly NodeView[]): RegionView {
  return {
    name: recorded.name,
    context: recorded.identity?.context ?? recorded.name,
    namespace: recorded.identity?.namespace ?? mcc.metadata.namespace,
    isFounder: mcc.status?.ring?.founder === recorded.name,
    nodes,
    ...progressOf(recorded, mcc),
  };
}

type Progress = Pick<RegionView, 'stage' | 'isSettled' | 'tone' | 'words' | 'conditions' | 'operations'>;

function progressOf(recorded: RegionStatus | undefined, mcc: MultiCassandraCluster): Progress {
  const stage = recorded?.stage ?? 'Unknown';
  const conditions = conditionsOf(recorded?.conditions, mcc.metadata.generation ?? 0);
  const isEarlier = conditions.some(({ isCurrent }) => !isCurrent);
  const [worst] = conditions.filter(({ tone }) => tone !== 'good');
  const isGone = stage === 'Removed' || stage === 'Abandoned';
  const isSettled =
    isGone || (conditions.length > 0 && worst === undefined && !isEarlier && recorded?.changingSince === undefined);
  const words = worst?.message ?? restingWords(conditions.length === 0, isSettled, isEarlier);
  return {
    stage,
    isSettled,
    tone: conditions.length === 0 ? 'unknown' : (worst?.tone ?? (isSettled ? 'good' : 'busy')),
    words: isGone ? (conditions.find(({ type }) => type === 'Applied')?.message ?? words) : words,
    conditions,
    operations: recorded?.operations ?? [],
  };
}

function restingWords(isNew: boolean, isSettled: boolean, isEarlier: boolean): string {
  if (isNew) return 'not looked at yet';
  if (isSettled) return 'settled';
  return isEarlier ? 'settled with an earlier spec' : 'is being changed';
}

function headlineOf(conditions: readonly ConditionView[], isDeleted: boolean): Headline {
  const of = (type: string): ConditionView | undefined => conditions.find((each) => each.type === type);
  const [accepted, ready, reconciling, stalled] = [of('Accepted'), of('Ready'), of('Reconciling'), of('Stalled')];
  if (!ready) return { tone: 'unknown', word: 'New', sentence: 'Nothing has been said of it yet.' };
  if (!ready.isCurrent) {
    return {
      tone: 'busy',
      word: 'Edited',
      sentence: 'The spec has just changed; what is said here is about the one before.',
    };
  }
  if (accepted?.status === 'False') return { tone: 'bad', word: 'Not accepted', sentence: accepted.message };
  if (stalled?.status === 'True') return { tone: 'bad', word: 'Needs a person', sentence: stalled.message };
  if (isDeleted) return { tone: 'busy', word: 'Being deleted', sentence: ready.message };
  if (reconciling?.status === 'True') {
    if (reconciling.reason === 'Paused') return { tone: 'waiting', word: 'Paused', sentence: reconciling.message };
    const word = ready.status === 'True' ? 'Ready, at work' : 'At work';
    return { tone: 'busy', word, sentence: reconciling.message };
  }
  if (ready.status === 'True') return { tone: 'good', word: 'Ready', sentence: ready.message };
  return ready.status === 'Unknown'
    ? { tone: 'unknown', word: 'Not all seen', sentence: ready.message }
    : { tone: 'busy', word: 'Not ready', sentence: ready.message };
}
