import { whatToDo } from '../api/what-to-do.ts';
import type { ConditionView } from './condition-view.ts';
import type { RegionView } from './federation-view.ts';

/** What a person has to do, and what is being waited for; the oldest first, each thing once. */
export interface Tasks {
  readonly todo: readonly Task[];
  readonly waits: readonly Task[];
}

export interface Task {
  /** Regions it is about; none: the whole federation. */
  readonly regions: readonly string[];
  readonly reason: string;
  readonly message: string;
  /** What to do; undefined: what the message says. */
  readonly advice: string | undefined;
  /** RFC 3339. */
  readonly since: string;
}

/** Sums up the conditions of a federation and of its regions. */
export function tasksOf(conditions: readonly ConditionView[], regions: readonly RegionView[]): Tasks {
  const all = [
    ...regions.flatMap(({ name, conditions: own }) => own.map((condition): Said => ({ region: name, condition }))),
    ...conditions.map((condition): Said => ({ region: undefined, condition })),
  ].filter(({ condition }) => condition.tone !== 'good' && !sums.has(condition.type));
  const bad = all.filter(({ condition }) => condition.tone === 'bad');
  // Stalled repeats the worst of the others, with a word before or after it.
  const isToldBy = (reason: string): boolean =>
    reason === 'NotAccepted' ||
    bad.some(({ condition }) => condition.type !== 'Stalled' && condition.reason === reason);
  const todo = merged(bad.filter(({ condition }) => condition.type !== 'Stalled' || !isToldBy(condition.reason)));
  const troubled = new Set(todo.flatMap((task) => task.regions));
  const said = new Set(todo.map(({ message }) => message));
  const patient = all.filter(({ condition }) => condition.tone !== 'bad' && !said.has(condition.message));
  // What comes first among a region's conditions is why the others are as they are.
  const first = patient.filter(
    ({ region }, index) =>
      region === undefined || (!troubled.has(region) && patient.findIndex((each) => each.region === region) === index),
  );
  // What is wrong in a region is wrong in the ring, too.
  const own = first.filter(({ region, condition }) => region !== undefined || !ofTheRing.has(condition.type));
  return { todo, waits: merged(own.length > 0 || todo.length > 0 ? own : first) };
}

interface Said {
  readonly region: string | undefined;
  readonly condition: ConditionView;
}

/** Conditions that only say in one word what others say in full. */
const sums: ReadonlySet<string> = new Set(['Ready', 'RegionsReachable']);
const ofTheRing: ReadonlySet<string> = new Set(['RingIntact', 'SeedsCurrent']);

function merged(all: readonly Said[]): Task[] {
  const byMessage = Map.groupBy(all, ({ condition }) => condition.message);
  return [...byMessage.values()]
    .map((group): Task => {
      const [first] = group;
      const advised = group.find(({ condition }) => condition.advice !== undefined) ?? first;
      const since = group.map(({ condition }) => condition.since).sort()[0] ?? '';
      return {
        regions: [...new Set(group.flatMap(({ region }) => region ?? []))],
        reason: advised?.condition.reason ?? '',
        message: first?.condition.message ?? '',
        // Of a reason that is told in several places, Stalled says what to do.
        advice: advised?.condition.advice ?? whatToDo('Stalled', advised?.condition.reason ?? ''),
        since,
      };
    })
    .sort((one, other) => one.since.localeCompare(other.since));
}
