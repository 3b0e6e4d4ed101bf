import { historyOf } from './generate.ts';
import type { Violation } from '../world/inspection.ts';
import { simulate, type Outcome } from './simulate.ts';

/** What a number of histories came to, together. */
export interface BatchResult {
  readonly histories: number;
  readonly cpuSeconds: number;
  readonly virtualHours: number;
  readonly requests: number;
  readonly writes: number;
  readonly checks: number;
  /** By kind of action: in how many histories it came. */
  readonly actions: Readonly<Record<string, number>>;
  /** What the status said, by conditions and stages. */
  readonly states: readonly string[];
  readonly failures: readonly { readonly seed: number; readonly violation: Violation }[];
}

/** Runs the histories of `count` seeds from `first` on, every `step`th of them. Ends early after `failuresMax` failures or at `until`. */
export async function runBatch(options: {
  first: number;
  count: number;
  step: number;
  failuresMax: number;
  /** Asked before each history. */
  isOver: () => boolean;
  onOutcome?: (seed: number, outcome: Outcome) => void;
}): Promise<BatchResult> {
  const { first, count, step, failuresMax, isOver, onOutcome } = options;
  const cpu = process.cpuUsage();
  const states = new Set<string>();
  const actions: Record<string, number> = {};
  const failures: { seed: number; violation: Violation }[] = [];
  const total = { histories: 0, virtualMs: 0, requests: 0, writes: 0, checks: 0 };
  for (let seed = first; seed < first + count; seed += step) {
    if (isOver() || failures.length >= failuresMax) break;
    const history = historyOf(seed);
    const outcome = await simulate(history).catch((error: unknown) => {
      failures.push({ seed, violation: mistake(error as Error) });
      return undefined;
    });
    if (!outcome) continue;
    for (const kind of new Set(history.steps.map(({ action }) => action.do))) actions[kind] = (actions[kind] ?? 0) + 1;
    total.histories++;
    total.virtualMs += outcome.virtualMs;
    total.requests += outcome.requests;
    total.writes += outcome.writes;
    total.checks += outcome.checks;
    for (const state of outcome.states) states.add(state);
    if (outcome.violation) failures.push({ seed, violation: outcome.violation });
    onOutcome?.(seed, outcome);
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    histories: total.histories,
    cpuSeconds: (user + system) / 1e6,
    virtualHours: total.virtualMs / 3_600_000,
    requests: total.requests,
    writes: total.writes,
    checks: total.checks,
    actions,
    states: [...states],
    failures,
  };
}

/** The simulation itself, or the controller in it, threw. */
function mistake({ stack = '', cause }: Error): Violation {
  const sentence = `${stack}\n${cause instanceof Error ? (cause.stack ?? '') : ''}`;
  return { invariant: 'no exception', atMs: 0, sentence, statement: 'Nothing is thrown that nobody catches.' };
}

/** Two parts of one run as one. */
export function together(one: BatchResult, other: BatchResult): BatchResult {
  const actions = { ...one.actions };
  for (const [kind, count] of Object.entries(other.actions)) actions[kind] = (actions[kind] ?? 0) + count;
  return {
    histories: one.histories + other.histories,
    cpuSeconds: one.cpuSeconds + other.cpuSeconds,
    virtualHours: one.virtualHours + other.virtualHours,
    requests: one.requests + other.requests,
    writes: one.writes + other.writes,
    checks: one.checks + other.checks,
    actions,
    states: [...new Set([...one.states, ...other.states])],
    failures: [...one.failures, ...other.failures].sort((a, b) => a.seed - b.seed),
  };
}
