import { isSameJson } from '../api/json.ts';
import { parseMultiCassandraCluster } from '../api/parse.ts';
import { type MultiCassandraCluster, multiCassandraClusters, type Spec, type Status } from '../api/schema.ts';
import { effective } from '../api/effective.ts';
import { perObject } from '../edges/per-object.ts';
import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import { execute, type Outcome } from '../federation/execute.ts';
import type { Intent } from '../federation/intents.ts';
import { observe } from '../federation/observe.ts';
import type { Pace } from '../federation/pace.ts';
import { plan } from '../federation/plan.ts';
import { describeRefusal } from '../federation/status.ts';
import type { Snapshot, UnknownReason, UnknownRegion } from '../federation/snapshot.ts';
import { latestLeader } from '../federation/stamps.ts';
import { type Line, lineOfWrite } from '../federation/story.ts';
import { isTornDown, tearDown } from '../federation/teardown.ts';
import type { CqlAccess } from '../federation/run-cql.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeError } from '../kube/errors.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { transitionsMax } from '../kube/lease.ts';
import type { Store } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { OpenCql } from '../ring/cql.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Doubts } from './doubts.ts';
import { isHeld, setHeld } from './finalizer.ts';
import type { Leadership, Term } from './leadership.ts';
import type { NamedObjects } from './named-objects.ts';
import type { RegionNamespace } from './region.ts';
import { asLookedAt, Sight } from './sight.ts';
import { StatusWriter } from './status-writer.ts';
import { Turns } from './turns.ts';

/** What the reconciler needs of the running process. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly operator: RegionalOperator;
  readonly leadership: Pick<Leadership, 'term' | 'met' | 'permit'>;
  /** Opens connections to nodes, as spec.cql asks for it. */
  readonly openCql: OpenCql;
  readonly hub: { readonly client: KubeClient; readonly store: Store; readonly doubts: Doubts };
  /** The region's caches, started when they are first asked for; `key` is planned again whenever they change. */
  readonly region: (key: string, context: string, namespace: string) => RegionNamespace | UnknownRegion;
  /** Drops what was engaged for `key` and is not among `kept` any more. */
  readonly release: (key: string, kept: readonly { context: string; namespace: string }[]) => void;
  readonly hubObjects: Pick<NamedObjects, 'beginPass' | 'look'>;
  /** Told what became of each write to a region: `success`, or the code of its error. */
  readonly onWrite: (context: string, result: string) => void;
  /** Tells people what happened to a MultiCassandraCluster. */
  readonly tell: (mcc: KubeObject, lines: readonly Line[]) => void;
  /** Has `key` looked at again, `afterMs` milliseconds from now at the latest. */
  readonly requeue: (key: string, afterMs: number) => void;
}

/** When the key wants to be looked at again by itself; events bring it back sooner. Milliseconds. */
export interface Next {
  afterMs: number | undefined;
}

/** Plans are made at least this often, milliseconds: views age, patience ends. Events bring the next one sooner. */
const planPaceMs = { fast: 1_000, writing: 1_000, slow: 5_000, quiet: undefined } as const satisfies Record<
  Pace,
  number | undefined
>;
/** Within this time after a start, a region that is not read yet says nothing. Milliseconds. */
const firstLookMs = 15_000;
/** How long to wait for an event that must come before it is looked for. Milliseconds. */
const expectedEventMs = 1_000;
/** Why nothing is known of a region that is only begun to be looked at. */
const unreadYet: ReadonlySet<UnknownReason> = new Set(['NotSynced', 'BehindOwnWrite']);
/** A plan that is older builds on views that are; what it still holds is planned again. Milliseconds. */
const planMaxAgeMs = 5_000;

/** Without options: what a newer version has written is let be. */
const parse = perObject((raw: KubeObject) => parseMultiCassandraCluster(raw));

/** What this process remembers of a key between passes. Times are monotonic milliseconds. */
interface Memory {
  /** When this process first planned it. */
  firstPassAt?: number;
  /** What the last pass saw, for people to look at. */
  snapshot?: Snapshot;
  /** By region: the last write that was refused. */
  refused: Record<string, string>;
  /** Why keyspaces could not be altered. */
  cqlProblem?: string;
  spec?: Spec;
}

/** Observes, plans and, while this process leads, executes, one MultiCassandraCluster at a time. */
export class Reconciler {
  readonly #surroundings: Surroundings;
  readonly #memories = new Map<string, Memory>();
  readonly #turns: Turns;
  readonly #statuses: StatusWriter;
  readonly #sight = new Sight();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    const { clock, random, logger, requeue } = surroundings;
    this.#statuses = new StatusWriter(surroundings);
    this.#turns = new Turns({
      clock,
      random,
      onOutcomes: ({ key, lane }, outcomes) => {
        for (const { error } of outcomes) surroundings.onWrite(lane, error?.code ?? 'success');
        this.#remember(key, outcomes);
      },
      onEnd: requeue,
      onMistake: ({ key, region }, error) => logger.error('a turn of writes failed', { key, region, error }),
    });
  }

  /** Lets the writes that are under way end, for at most `deadlineMs` milliseconds. */
  shutDown(deadlineMs: number): Promise<void> {
    return this.#turns.shutDown(deadlineMs);
  }

  /** What the last pass over `key` saw, for people to look at; undefined: there was none yet. */
  lastSeen(key: string): Snapshot | undefined {
    return this.#memories.get(key)?.snapshot;
  }

  /**
   * One pass for the object under `key` (`namespace/name`). Returns when the writes to the regions have begun: each
   * that ends has the key looked at again. A standby's pass looks at everything and writes nothing.
   * @throws KubeError when the status cannot be written.
   */
  async reconcile(key: string): Promise<Next> {
    const { hub, clock, operator, leadership } = this.#surroundings;
    const raw = hub.store.get(key);
    if (!raw || (raw.metadata.deletionTimestamp !== undefined && !isHeld(raw))) {
      this.#forget(key);
      return { afterMs: undefined };
    }
    const { namespace = '', name } = raw.metadata;
    const isInDoubt = hub.doubts.has(multiCassandraClusters, { namespace, name });
    if (isInDoubt || !hub.store.isCurrent(key)) return { afterMs: expectedEventMs };

    const parsed = parse(raw);
    if (!parsed.mcc) {
      const { term } = leadership;
      if (!term) return { afterMs: undefined };
      // The CRD let it through and the schema does not: it is told so, and nothing else is touched.
      const status = (raw['status'] ?? {}) as Status;
      const mcc = { metadata: { generation: raw.metadata.generation ?? 0 }, status };
      const refusal = describeRefusal({ mcc, nowMs: clock.now() }, parsed.problems);
      await this.#statuses.write(raw, refusal, 'at once', term.signal);
      return { afterMs: undefined };
    }

    const mcc = this.#withKnownSpec(key, parsed.mcc);
    const snapshot = this.#observe(key, mcc);
    const latest = latestLeader(snapshot);
    if (latest) leadership.met(latest.transitions, latest.where);
    if (mcc.metadata.deletionTimestamp !== undefined) return this.#tearDown(key, raw, mcc, snapshot);
    if (leadership.term && isHeld(raw) !== isTornDown(mcc)) {
      // Nothing is made that is to be deleted with the object before the object waits for that.
      await setHeld(hub, raw, isTornDown(mcc), leadership.term.signal);
      return { afterMs: expectedEventMs };
    }
    const result = plan(snapshot, operator);
    this.#setPace(key, mcc, result.pace);
    const { term } = leadership;
    // A standby keeps everything ready to go on from here; who wins the Lease looks at all keys again.
    if (!term) return { afterMs: undefined };
    if (term.transitions !== snapshot.leaseTransitions) return { afterMs: 0 };
    const retryMs = this.#beginTurns(key, mcc, snapshot, result.intents, term);
    const isOver = this.#dropRefusals(key, snapshot, result.intents);
    if (result.pace === 'quiet') delete this.#memory(key).cqlProblem;
    const when = this.#isSettlingIn(key, snapshot) ? 'facts' : 'paced';
    const written = await this.#statuses.write(raw, result.status, when, term.signal);
    return { afterMs: isOver ? 0 : earliest(earliest(written, retryMs), planPaceMs[result.pace]) };
  }

  /** One pass for an object that is being deleted and waits for us. */
  async #tearDown(key: string, raw: KubeObject, mcc: MultiCassandraCluster, snapshot: Snapshot): Promise<Next> {
    const { hub, operator, leadership } = this.#surroundings;
    const { term } = leadership;
    if (!term) return { afterMs: undefined };
    if (term.transitions !== snapshot.leaseTransitions) return { afterMs: 0 };
    const { intents, status, isOver } = tearDown(snapshot, operator);
    this.#setPace(key, mcc, 'slow');
    if (isOver) {
      await setHeld(hub, raw, false, term.signal);
      return { afterMs: expectedEventMs };
    }
    const retryMs = this.#beginTurns(key, mcc, snapshot, intents, term);
    const written = await this.#statuses.write(raw, status, 'paced', term.signal);
    return { afterMs: earliest(earliest(written, retryMs), planPaceMs.slow) };
  }

  /**
   * Whether this process has only begun to look at the regions: that some are not read yet is no news then, and a
   * status that says so would only flap at every start.
   */
  #isSettlingIn(key: string, { monotonicMs, regions }: Snapshot): boolean {
    const since = (this.#memory(key).firstPassAt ??= monotonicMs);
    const unread = Object.values(regions).some((region) => !region.known && unreadYet.has(region.reason));
    return unread && monotonicMs - since < firstLookMs;
  }

  /** `mcc` with the spec of the pass before if it is the same: what was worked out of that one holds. */
  #withKnownSpec(key: string, mcc: MultiCassandraCluster): MultiCassandraCluster {
    const memory = this.#memory(key);
    if (memory.spec && isSameJson(memory.spec, mcc.spec)) return { ...mcc, spec: memory.spec };
    memory.spec = mcc.spec;
    return mcc;
  }

  #observe(key: string, mcc: MultiCassandraCluster): Snapshot {
    const { clock, operator, leadership, region, release, hubObjects } = this.#surroundings;
    const kept = effective(mcc).regions.map(({ context, namespace }) => ({ context, namespace }));
    release(key, kept);
    hubObjects.beginPass(key);
    const snapshot = observe(mcc, operator, {
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
      leaseTransitions: leadership.term?.transitions ?? transitionsMax,
      region: (context, namespace) => {
        const there = region(key, context, namespace);
        return 'known' in there ? there : there.caches(key);
      },
      hubObject: (kind, namespace, name) =>
        hubObjects.look(key, kind === 'Secret' ? resources.secrets : resources.configMaps, namespace, name),
      refusedWrites: this.#memory(key).refused,
      cqlProblem: this.#memory(key).cqlProblem,
    });
    const seen = this.#sight.follow(key, snapshot, (name) => this.#turns.isUnderWay(key, name));
    const memory = this.#memory(key);
    memory.snapshot = asLookedAt(seen, memory.snapshot);
    return seen;
  }

  /** One turn for each region that is to be written to. Answers when to try again what failed a moment ago. */
  #beginTurns(
    key: string,
    mcc: MultiCassandraCluster,
    snapshot: Snapshot,
    intents: readonly Intent[],
    term: Term,
  ): number | undefined {
    const { logger, clock, hub, leadership } = this.#surroundings;
    const { uid, generation, deletionTimestamp } = mcc.metadata;
    const isOutdated = (): boolean => {
      const now = hub.store.get(key)?.metadata;
      const isSame = now?.uid === uid && now?.generation === generation && now?.deletionTimestamp === deletionTimestamp;
      if (!isSame || this.#turns.isStopping || leadership.term !== term) return true;
      return clock.monotonic() - snapshot.monotonicMs > planMaxAgeMs;
    };
    let retryMs: number | undefined;
    for (const [region, turn] of Map.groupBy(intents, (intent) => intent.region)) {
      const there = this.#regionOf(key, mcc, region);
      const send = (signal: AbortSignal): Promise<Outcome[]> => {
        for (const { why, write } of turn) logger.info(why, { key, region, verb: write.verb });
        const { client } = there;
        return execute(
          turn,
          {
            client: () => client,
            clock: this.#surroundings.clock,
            seen: (_region, resource, object) => there.expect(resource, object),
            doubt: (_region, resource, ref) => there.doubt(resource, ref),
            isOutdated,
            cql: this.#cqlAccess(key, mcc),
          },
          signal,
        );
      };
      const waitMs = this.#turns.begin({ key, region, lane: there.context, intents: turn, send });
      retryMs = earliest(retryMs, waitMs);
    }
    return retryMs;
  }

  #cqlAccess(key: string, mcc: MultiCassandraCluster): CqlAccess {
    const { hub, leadership, openCql, region } = this.#surroundings;
    return {
      open: openCql,
      hub: hub.client,
      permit: () => leadership.permit(),
      altered: () => {
        for (const { context, namespace } of effective(mcc).regions) {
          const there = region(key, context, namespace);
          if (!('known' in there)) there.forgetReplication();
        }
      },
    };
  }

  /**
   * What a server refused is said in the status until a write to that region goes through, or none is wanted there any
   * more: an answer that was lost looks like a refusal. A lost race is none.
   */
  #remember(key: string, outcomes: readonly Outcome[]): void {
    const memory = this.#memories.get(key);
    const raw = this.#surroundings.hub.store.get(key);
    const lines = outcomes.flatMap(({ intent, error }) => (error ? [] : (lineOfWrite(intent) ?? [])));
    if (raw) this.#surroundings.tell(raw, lines);
    for (const { intent, error } of outcomes) {
      const { region, why } = intent;
      if (error) {
        const level = isLostRace(error) ? 'debug' : 'warn';
        this.#surroundings.logger[level]('a write failed and is planned again', { key, region, why, error });
      }
      if (!memory) continue;
      if (intent.write.verb === 'cql') {
        if (error === undefined) delete memory.cqlProblem;
        else if (!isLostRace(error)) memory.cqlProblem = error.message;
      } else if (error === undefined) delete memory.refused[region];
      // No answer is no refusal: whether the region can be reached is told by itself.
      else if (error.status !== undefined && !isLostRace(error)) memory.refused[region] = `${why}: ${error.message}`;
    }
  }

  /** Forgets refusals of writes that are not wanted any more. Answers whether there were any. */
  #dropRefusals(key: string, { regions }: Snapshot, intents: readonly Intent[]): boolean {
    const memory = this.#memory(key);
    const tried = new Set(intents.map((intent) => intent.region));
    const isLeft = (name: string): boolean => tried.has(name) || regions[name]?.known === false;
    const refused = Object.fromEntries(Object.entries(memory.refused).filter(([name]) => isLeft(name)));
    const isOver = Object.keys(refused).length < Object.keys(memory.refused).length;
    memory.refused = refused;
    return isOver;
  }

  #memory(key: string): Memory {
    let memory = this.#memories.get(key);
    if (!memory) this.#memories.set(key, (memory = { refused: {} }));
    return memory;
  }

  #regionOf(key: string, mcc: MultiCassandraCluster, name: string): RegionNamespace {
    const wanted = effective(mcc).regions.find((region) => region.name === name);
    const there = wanted && this.#surroundings.region(key, wanted.context, wanted.namespace);
    if (!there || 'known' in there) throw new Error(`no region ${name} to write to: the plan named one it cannot see`);
    return there;
  }

  #setPace(key: string, mcc: MultiCassandraCluster, pace: Pace): void {
    for (const { context, namespace } of effective(mcc).regions) {
      const there = this.#surroundings.region(key, context, namespace);
      if (!('known' in there)) there.setPace(key, pace);
    }
  }

  #forget(key: string): void {
    this.#surroundings.release(key, []);
    this.#turns.forget(key);
    this.#statuses.forget(key);
    this.#sight.forget(key);
    this.#memories.delete(key);
  }
}

/** With another writer, or for the Lease: daily business, since the next pass sees what that one wrote. */
function isLostRace({ code }: KubeError): boolean {
  return code === 'Conflict' || code === 'NotLeader';
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
