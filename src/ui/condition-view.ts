import { conditionTypes, reasons, regionConditionTypes } from '../api/conditions.ts';
import type { Condition } from '../api/schema.ts';

/**
 * good: as it should be. busy: it goes on by itself. waiting: it is not its turn. bad: somebody has to look at it. unknown:
 * nobody knows.
 */
export type Tone = 'good' | 'busy' | 'waiting' | 'bad' | 'unknown';

/** One condition in words. */
export interface ConditionView {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** RFC 3339. */
  readonly since: string;
  readonly tone: Tone;
  /** What this condition says when it is True. */
  readonly meaning: string | undefined;
  /** What the reason means. */
  readonly inGeneral: string | undefined;
  /** Whether it is about the spec as it is now. */
  readonly isCurrent: boolean;
}

/** Conditions whose normal status is False. */
const unwelcome: ReadonlySet<string> = new Set(['Reconciling', 'Stalled']);
/** Reasons for which something is not as it should be, and nothing is done about it yet. */
const waiting: ReadonlySet<string> = new Set(['Waiting', 'Paused', 'Pending', 'Deferred', 'NoMember']);
/** Others that pass by themselves. */
const passing: ReadonlySet<string> = new Set([
  'Forming',
  'Changing',
  'Deleting',
  'Running',
  'Leaving',
  'Deleted',
  'Orphaned',
  'Removed',
  'Abandoned',
  'Writing',
  'Terminating',
  'Working',
  'NotJoined',
  'ViewsDiffer',
  'NodesMissing',
  'NodesNotReady',
  'RegionsUnreachable',
  'RingNotIntact',
  'NotAlive',
]);

/** The conditions of an object of this generation, in words. */
export function conditionsOf(conditions: readonly Condition[] | undefined, generation: number): ConditionView[] {
  return (conditions ?? []).map(({ type, status, reason, message, lastTransitionTime, observedGeneration }) => ({
    type,
    status,
    reason,
    message,
    since: lastTransitionTime,
    tone: toneOf(type, status, reason),
    meaning: lookUp({ ...conditionTypes, ...regionConditionTypes }, type),
    inGeneral: lookUp(lookUp<Readonly<Record<string, string>>>(reasons, type) ?? {}, reason),
    isCurrent: observedGeneration === undefined || observedGeneration === generation,
  }));
}

function toneOf(type: string, status: string, reason: string): Tone {
  if (status === 'Unknown') return 'unknown';
  if ((status === 'True') !== unwelcome.has(type)) return 'good';
  if (type === 'Reconciling') return 'busy';
  if (waiting.has(reason)) return 'waiting';
  return passing.has(reason) ? 'busy' : 'bad';
}

function lookUp<Value>(words: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(words, key) ? words[key] : undefined;
}
