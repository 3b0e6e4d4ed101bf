import type { Condition, RegionStatus, Status } from './schema.ts';
import { whatToDo } from './what-to-do.ts';

/** What is going on, each list with the oldest first. */
export interface Matters {
  /** Nothing of it goes on without a person. */
  readonly yourTurn: readonly Matter[];
  /** It goes on by itself once something else is over. */
  readonly waiting: readonly Matter[];
  readonly underWay: readonly Matter[];
}

export interface Matter {
  /** Undefined: the whole federation. */
  readonly region?: string;
  /** A reason of the conditions, see docs/operations.md. */
  readonly reason: string;
  readonly message: string;
  readonly since?: string;
  /** What a person does about it, where the message does not say so itself. */
  readonly todo?: string;
  /** CQL that a person is to run, taken out of the message. */
  readonly statements: readonly string[];
}

type Kind = keyof Matters;

/** Reasons that name what a person has to do, wherever they stand. */
const forPeople: ReadonlySet<string> = new Set([
  'AbandonUnconfirmed',
  'CRDMissing',
  'DataLossSuspected',
  'DecommissionFailed',
  'Failed',
  'Forbidden',
  'ForeignMember',
  'IdentityChanged',
  'LastRegion',
  'LeftoversFound',
  'NamespaceNotAllowed',
  'NewerWriter',
  'NodeLeft',
  'NoPodReady',
  'Paused',
  'PreconditionMissing',
  'ProgressDeadlineExceeded',
  'RebuildFailed',
  'RegistrationRefused',
  'Rejected',
  'ReplicationGate',
  'ReturnedAfterAbandon',
  'RingSplit',
  'SeedsUnreachable',
  'StillAlive',
  'Unauthorized',
  'UnknownContext',
  'UnknownHosts',
  'WriteRefused',
]);

/** What a regional operator or nodes are at. */
const atWork: ReadonlySet<string> = new Set([
  'Deleting',
  'Leaving',
  'NotJoined',
  'Running',
  'Terminating',
  'Working',
  'Writing',
]);

/** Reads conditions as what they ask of whom. The same thing said of a region and of the whole is told once, of the region. Pure. */
export function mattersOf(status: Status): Matters {
  const conditions = status.conditions ?? [];
  const found = new Found();
  for (const condition of conditions) {
    if (condition.type !== 'Accepted' || condition.status !== 'False') continue;
    for (const message of condition.message.split('\n')) found.add('yourTurn', condition, { message });
  }
  for (const region of status.regions ?? [])
    for (const each of region.conditions ?? []) addOfRegion(found, region, each);
  const ready = conditions.find(({ type }) => type === 'Ready');
  for (const each of conditions) {
    const isKnown = each.type === 'Reconciling' && each.message === ready?.message && !found.isEmpty;
    if (!isKnown) addOfAll(found, each);
  }
  return found.matters;
}

function addOfRegion(found: Found, region: RegionStatus, condition: Condition): void {
  const { type, status, reason } = condition;
  // Of one that cannot be seen the other conditions say no more than Reachable does.
  if (status === 'True' || (status === 'Unknown' && type !== 'Reachable')) return;
  // Of one without a member they say just that.
  if (region.stage === 'Waiting' && (type === 'Settled' || type === 'RingMember')) return;
  const since = reason === 'Leaving' ? region.leavingSince : atWork.has(reason) ? region.changingSince : undefined;
  const kind = forPeople.has(reason) ? 'yourTurn' : atWork.has(reason) ? 'underWay' : 'waiting';
  found.add(kind, condition, { region: region.name, ...(since !== undefined && { since }) });
}

function addOfAll(found: Found, condition: Condition): void {
  const { type, status, reason } = condition;
  switch (type) {
    case 'Stalled':
      // Why the spec is not accepted stands there already.
      if (status === 'True' && reason !== 'NotAccepted') found.add('yourTurn', condition);
      return;
    case 'RingIntact':
    case 'OperationsDone':
      if (status === 'False')
        found.add(forPeople.has(reason) ? 'yourTurn' : atWork.has(reason) ? 'underWay' : 'waiting', condition);
      return;
    case 'Reconciling':
      if (status === 'True') found.add(forPeople.has(reason) ? 'yourTurn' : 'underWay', condition);
      return;
    default:
      return;
  }
}

class Found {
  readonly #all: { kind: Kind; matter: Matter }[] = [];

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  add(kind: Kind, condition: Condition, more: { region?: string; message?: string; since?: string } = {}): void {
    const { reason, lastTransitionTime } = condition;
    const text = more.message ?? condition.message;
    const since = more.since ?? lastTransitionTime;
    const known = this.#all.findIndex(({ matter }) => isSame(matter, text, more.region));
    const before = this.#all[known];
    if (before) {
      // A region's condition turned False when its change began; that a person is waited for is newer.
      const later = kind === 'yourTurn' && since > (before.matter.since ?? '') ? since : before.matter.since;
      const isMore = kind === 'yourTurn' || before.kind === kind;
      this.#all[known] = {
        kind: isMore ? kind : before.kind,
        matter: {
          ...before.matter,
          ...(kind === 'yourTurn' && { reason }),
          ...(later !== undefined && { since: later }),
        },
      };
      return;
    }
    const todo = kind === 'underWay' ? undefined : todoOf(condition);
    const matter = {
      ...(more.region !== undefined && { region: more.region }),
      reason,
      since,
      ...withoutStatements(text),
      ...(todo !== undefined && { todo }),
    };
    this.#all.push({ kind, matter });
  }

  get matters(): Matters {
    const of = (kind: Kind): Matter[] =>
      this.#all
        .filter((each) => each.kind === kind)
        .map(({ matter }) => matter)
        .sort((one, other) => (one.since ?? '').localeCompare(other.since ?? ''));
    return { yourTurn: of('yourTurn'), waiting: of('waiting'), underWay: of('underWay') };
  }
}

function todoOf({ type, reason }: Condition): string | undefined {
  const todo = whatToDo(type, reason) ?? whatToDo('Stalled', reason);
  return todo === undefined || /\bthe message\b/.test(todo) ? undefined : todo;
}

/** What is said of the whole may name the region before it goes on as the region's own condition does. */
function isSame({ region, message }: Matter, text: string, of: string | undefined): boolean {
  const said = withoutStatements(text).message;
  if (message === said) return of === undefined || of === region;
  return of === undefined && region !== undefined && said.includes(message);
}

/** CQL names and values may hold semicolons where they are quoted. */
const alteration = /ALTER KEYSPACE (?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^;"'])*;/g;

/** The message goes on where they stood, if it does. */
function withoutStatements(text: string): { message: string; statements: string[] } {
  const statements = text.match(alteration) ?? [];
  const rest = text.split(alteration).map((part) => part.trim());
  const message = rest.filter((part, at) => part !== '' || at === 0).join(' those below. ');
  return { message, statements };
}
