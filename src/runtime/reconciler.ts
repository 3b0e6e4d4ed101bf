import { isDeepStrictEqual } from 'node:util';
import { parseMultiCassandraCluster } from '../api/parse.ts';
import { type MultiCassandraCluster, multiCassandraClusters, type Spec, type Status } from '../api/schema.ts';
import { effective } from '../api/effective.ts';
import { perObject } from '../edges/per-object.ts';
import type { Clock } from '../edges/clock.ts';
import { execute, type Outcome } from '../federation/execute.ts';
import { observe } from '../federation/observe.ts';
import { type Pace, plan } from '../federation/plan.ts';
import { describeRefusal } from '../federation/status.ts';
import type { Snapshot, UnknownRegion, UserScripts } from '../federation/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { keyOf, type Store } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Doubts } from './doubts.ts';
import type { RegionNamespace } from './region.ts';

/** What the reconciler needs of the running process. */
export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly operator: RegionalOperator;
  readonly hub: { readonly client: KubeClient; readonly store: Store; readonly doubts: Doubts };
  /** The region's caches, started when they are first asked for; `key` is planned again whenever they change. */
  readonly region: (key: string, context: string, namespace: string) => RegionNamespace | UnknownRegion;
  /** Drops what was engaged for `key` and is not among `kept` any more. */
  readonly release: (key: string, kept: readonly { context: string; namespace: string }[]) => void;
  readonly userScripts: (key: string, namespace: string, name: string) => UserScripts;
}

/** When the key wants to be looked at again by itself; events bring it back sooner. Milliseconds. */
export interface Next {
  afterMs: number | undefined;
}

/** A status that only tells the user more waits until this long after the last one, milliseconds. */
const statusPaceMs = 1_000;
/** Plans are made at least this often, milliseconds: views age, patience ends. Events bring the next one sooner. */
const planPaceMs = { fast: 1_000, slow: 5_000, quiet: undefined } as const satisfies Record<Pace, number | undefined>;
/** Within this time after a start, a region that is not read yet says nothing. Milliseconds. */
const firstLookMs = 15_000;
/** How long to wait for an event that must come before it is looked for. Milliseconds. */
const expectedEventMs = 1_000;
/** A region whose cache does not show our own write in this time is taken for unknown. Milliseconds. */
const ownWritePatienceMs = 10_000;

/** Without options: what a newer version has written is let be. */
const parse = perObject((raw: KubeObject) => parseMultiCassandraCluster(raw));

/** What this process remembers of a key between passes. Times are monotonic milliseconds. */
interface Memory {
  /** When this process first planned it. */
  firstPassAt?: number;
  statusWrittenAt?: number;
  /** What it last wrote. */
  status?: Status;
  /** Since when it waits for its own writes to come back. */
  behindSince?: number | undefined;
  /** By region: the last write that was refused. */
  refused: Record<string, string>;
  spec?: Spec;
}

/** Observes, plans and executes, one MultiCassandraCluster at a time. */
export class Reconciler {
  readonly #surroundings: Surroundings;
  readonly #memories = new Map<string, Memory>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /**
   * One pass for the object under `key` (`namespace/name`).
   * @throws KubeError of the first write that failed; the others were sent all the same.
   */
  async reconcile(key: string, signal: AbortSignal): Promise<Next> {
    const { hub, clock, operator, logger } = this.#surroundings;
    const raw = hub.store.get(key);
    if (!raw || raw.metadata.deletionTimestamp !== undefined) {
      // Orphan is the only deletion policy so far: the members stay as they are.
      this.#forget(key);
      return { afterMs: undefined };
    }
    const { namespace = '', name } = raw.metadata;
    const isInDoubt = hub.doubts.has(multiCassandraClusters, { namespace, name });
    if (isInDoubt || !hub.store.isCurrent(key)) return { afterMs: expectedEventMs };

    const parsed = parse(raw);
    if (!parsed.mcc) {
      // The CRD let it through and the schema does not: it is told so, and nothing else is touched.
      const status = (raw['status'] ?? {}) as Status;
      const mcc = { metadata: { generation: raw.metadata.generation ?? 0 }, status };
      await this.#writeStatus(raw, describeRefusal({ mcc, nowMs: clock.now() }, parsed.problems), 'at once', signal);
      return { afterMs: undefined };
    }

    const mcc = this.#withKnownSpec(key, parsed.mcc);
    const snapshot = this.#observe(key, mcc);
    if (this.#waitsForOwnWrite(key, snapshot)) return { afterMs: expectedEventMs };

    // A region may end meanwhile, and another one begin under its name: what a write did there is told to the one it went to.
    const places = new Map<string, RegionNamespace>();
    const place = (region: string): RegionNamespace => {
      const there = places.get(region) ?? this.#regionOf(key, mcc, region);
      places.set(region, there);
      return there;
    };
    const result = plan(snapshot, operator);
    this.#setPace(key, mcc, result.pace);
    for (const intent of result.intents)
      logger.info(intent.why, { key, region: intent.region, verb: intent.write.verb });
    // Both are let finish: a status that cannot be written is no reason to leave a request to a region half-way.
    const [executed, written] = await Promise.allSettled([
      execute(
        result.intents,
        {
          client: (region) => place(region).client,
          seen: (region, resource, object) => place(region).expect(resource, object),
          doubt: (region, resource, ref) => place(region).doubt(resource, ref),
        },
        signal,
      ),
      this.#writeStatus(raw, result.status, this.#isSettlingIn(key, snapshot) ? 'facts' : 'paced', signal),
    ]);
    if (executed.status === 'rejected') throw executed.reason as Error;
    if (written.status === 'rejected') throw written.reason as Error;
    const isOver = this.#remember(key, snapshot, executed.value);
    const failed = executed.value.find((outcome) => outcome.error);
    if (failed?.error) throw failed.error;
    return { afterMs: isOver ? 0 : earliest(written.value, planPaceMs[result.pace]) };
  }

  /**
   * Whether this process has only begun to look at the regions: that some are not read yet is no news then, and a
   * status that says so would only flap at every start.
   */
  #isSettlingIn(key: string, { monotonicMs, regions }: Snapshot): boolean {
    const since = (this.#memory(key).firstPassAt ??= monotonicMs);
    const unread = Object.values(regions).some((region) => !region.known && region.reason === 'NotSynced');
    return unread && monotonicMs - since < firstLookMs;
  }

  /** `mcc` with the spec of the pass before if it is the same: what was worked out of that one holds. */
  #withKnownSpec(key: string, mcc: MultiCassandraCluster): MultiCassandraCluster {
    const memory = this.#memory(key);
    if (memory.spec && isDeepStrictEqual(memory.spec, mcc.spec)) return { ...mcc, spec: memory.spec };
    memory.spec = mcc.spec;
    return mcc;
  }

  #observe(key: string, mcc: MultiCassandraCluster): Snapshot {
    const { clock, operator, region, release, userScripts } = this.#surroundings;
    const kept = effective(mcc).regions.map(({ context, namespace }) => ({ context, namespace }));
    release(key, kept);
    return observe(mcc, operator, {
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
      region: (context, namespace) => {
        const there = region(key, context, namespace);
        return 'known' in there ? there : there.caches();
      },
      userScripts: (namespace, name) => userScripts(key, namespace, name),
      refusedWrites: this.#memory(key).refused,
    });
  }

  /**
   * What a server refused is said in the status until a write to that region goes through, or none is wanted there any
   * more: an answer that was lost looks like a refusal. A lost race is none. Answers whether one is over.
   */
  #remember(key: string, { regions }: Snapshot, outcomes: readonly Outcome[]): boolean {
    const memory = this.#memory(key);
    const tried = new Set(outcomes.map(({ intent }) => intent.region));
    const isLeft = (name: string): boolean => tried.has(name) || regions[name]?.known === false;
    const refused = Object.fromEntries(Object.entries(memory.refused).filter(([name]) => isLeft(name)));
    const isOver = Object.keys(refused).length < Object.keys(memory.refused).length;
    for (const { intent, error } of outcomes) {
      if (error === undefined) delete refused[intent.region];
      else if (error.code !== 'Conflict') refused[intent.region] = `${intent.why}: ${error.message}`;
    }
    memory.refused = refused;
    return isOver;
  }

  /** A pass made before the caches show what the last one wrote would only say again what is known to be outdated. */
  #waitsForOwnWrite(key: string, snapshot: Snapshot): boolean {
    const now = this.#surroundings.clock.monotonic();
    const memory = this.#memory(key);
    const behind = Object.values(snapshot.regions).some(
      (region) => !region.known && region.reason === 'BehindOwnWrite',
    );
    if (!behind) {
      memory.behindSince = undefined;
      return false;
    }
    memory.behindSince ??= now;
    return now - memory.behindSince < ownWritePatienceMs;
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

  /** Writes the status if it says something new. Resolves with when to come back for one that has to wait. */
  async #writeStatus(
    raw: KubeObject,
    status: Status,
    when: 'at once' | 'paced' | 'facts',
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { hub, clock } = this.#surroundings;
    const key = keyOf(raw);
    const before = raw['status'] as Status | undefined;
    if (isDeepStrictEqual(before, status)) return undefined;
    const waited = clock.monotonic() - (this.#memory(key).statusWrittenAt ?? -Infinity);
    if (when === 'facts' && before && isDeepStrictEqual(facts(before), facts(status))) return statusPaceMs;
    // Two controllers that see different things must not answer each other at once, for ever.
    const { status: last } = this.#memory(key);
    const isContested = last !== undefined && !isDeepStrictEqual(last, before);
    const waits = isContested || !isUrgent(before, status);
    if (when === 'paced' && waited < statusPaceMs && waits) return statusPaceMs - waited;
    const { namespace = '', name, resourceVersion = '' } = raw.metadata;
    const ref = { namespace, name };
    const written = await hub.client
      .patchStatus(multiCassandraClusters, ref, resourceVersion, status, signal)
      .catch((error: unknown) => {
        if (isKubeError(error) && (error.status === 409 || error.mayHaveActed)) {
          hub.doubts.add(multiCassandraClusters, ref);
        }
        throw error;
      });
    hub.store.expect(key, written.metadata.resourceVersion ?? '');
    Object.assign(this.#memory(key), { statusWrittenAt: clock.monotonic(), status });
    return undefined;
  }

  #forget(key: string): void {
    this.#surroundings.release(key, []);
    this.#memories.delete(key);
  }
}

/** What the protocol builds on, and what people and tools wait for, is written without delay. */
function isUrgent(before: Status | undefined, after: Status): boolean {
  const said = (status: Status | undefined): unknown =>
    (status?.conditions ?? [])
      .filter((condition) => condition.type === 'Accepted' || condition.type === 'Ready')
      .map((condition) => [condition.type, condition.status, condition.observedGeneration]);
  return !isDeepStrictEqual([facts(before), said(before)], [facts(after), said(after)]);
}

/** What the next pass builds on. */
function facts(status: Status | undefined): unknown {
  return [
    status?.ring?.founder,
    status?.seeds,
    status?.regions?.map((region) => [region.name, region.identity, region.appliedSeeds, region.hosts]),
  ];
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
