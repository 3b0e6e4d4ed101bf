import { multiCassandraClusters, type Status } from '../api/schema.ts';
import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { UnknownRegion } from '../federation/snapshot.ts';
import { isKubeError } from '../kube/errors.ts';
import type { RestartCause } from '../kube/recovery.ts';
import { Reflector } from '../kube/reflector.ts';
import { keyOf } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { RegionHandle } from '../regions/region-handle.ts';
import type { RegionRegistry } from '../regions/registry.ts';
import { isOpenTo } from '../regions/tenancy.ts';
import type { OpenCql } from '../ring/cql.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FederationSight } from '../ui/federation-view.ts';
import { Doubts } from './doubts.ts';
import type { Events } from './events.ts';
import { kindOfFailure } from './failure-kind.ts';
import type { Leadership } from './leadership.ts';
import { NamedObjects } from './named-objects.ts';
import { backgroundPriority, WorkQueue } from './queue.ts';
import { Reachability } from './reachability.ts';
import { Reconciler } from './reconciler.ts';
import { RegionNamespace } from './region.ts';
import { resync } from './resync.ts';
import { TokenRenewal } from './token-renewal.ts';

export interface ControllerOptions {
  /** The hub and the regions. It is run by who made it, and longer than the controller: that ends with requests to them. */
  regions: RegionRegistry;
  operator: RegionalOperator;
  leadership: Leadership;
  /** Opens connections to nodes, as spec.cql asks for it. */
  openCql: OpenCql;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Pick<Metrics, 'queue' | 'hub' | 'region' | 'watchRestarted' | 'applied' | 'registration'>;
  /** Tells people what happens; without it nothing is told. */
  events?: Pick<Events, 'tell'>;
}

/**
 * A namespace of a region, as the federations of one namespace of the hub may use it: started when the first key asked for
 * it, and stopped when the last one let it go.
 */
interface EngagedRegion {
  readonly value: RegionNamespace;
  readonly keys: Set<string>;
  readonly stop: AbortController;
  readonly handle: RegionHandle;
  readonly hubNamespace: string;
}

/** Asks one region whether it is there. */
interface Watched {
  readonly handle: RegionHandle;
  readonly probe: Reachability;
  readonly stop: AbortController;
  readonly hide: () => void;
}

const parallelReconciles = 8;
/** How long writes under way may take when the controller stops, milliseconds; some time is left to give the Lease back. */
const drainDeadlineMs = 7_000;

/** The running controller: reflectors, queue and reconciler put together. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #federations: Reflector;
  readonly #doubts: Doubts;
  readonly #queue: WorkQueue;
  readonly #reconciler: Reconciler;
  readonly #renewal: TokenRenewal;
  readonly #watched = new Map<string, Watched>();
  readonly #regions = new Map<string, EngagedRegion>();
  /** What MultiCassandraClusters name in their own namespaces: scripts, and what is copied to the regions. */
  readonly #hubObjects: NamedObjects;
  readonly #hubObjectsStop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #isRunning = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { clock, random, logger, metrics, regions } = options;
    const { hub } = regions;
    this.#federations = new Reflector({
      client: hub.client,
      resource: multiCassandraClusters,
      clock,
      random,
      logger: logger.child({ context: hub.name }),
      onChange: (change) => this.#queue.add(change.key),
      onRestart: (cause) => this.#watchRestarted(hub, cause),
    });
    this.#hubObjects = new NamedObjects({
      client: hub.client,
      place: 'the hub',
      clock,
      random,
      logger: logger.child({ context: hub.name }),
      onChange: (keys) => keys.forEach((each) => this.#queue.add(each)),
    });
    const answered = new Set<string>();
    this.#doubts = new Doubts({
      client: hub.client,
      clock,
      found: (_resource, object) => {
        this.#federations.store.expect(keyOf(object), object.metadata.resourceVersion ?? '');
        answered.add(keyOf(object));
      },
      isAbsent: (_resource, { namespace = '', name }) =>
        this.#federations.store.get(`${namespace}/${name}`) === undefined,
      // The event of the edit that made the write fail may have come while nothing could be planned on it.
      onSettled: () => {
        for (const key of answered) this.#queue.add(key);
        answered.clear();
      },
    });
    this.#reconciler = new Reconciler({
      clock,
      random,
      logger,
      operator: options.operator,
      leadership: options.leadership,
      openCql: options.openCql,
      hub: { client: hub.client, store: this.#federations.store, doubts: this.#doubts },
      region: (key, context, namespace) => this.#engage(key, context, namespace),
      release: (key, kept) => this.#release(key, kept),
      hubObjects: this.#hubObjects,
      requeue: (key, afterMs) => this.#queue.addAfter(key, afterMs),
      onWrite: (context, result) => metrics.applied(context, result),
      tell: (mcc, lines) => options.events?.tell(multiCassandraClusters, mcc, lines),
    });
    this.#queue = new WorkQueue({
      name: 'multicassandracluster',
      concurrency: parallelReconciles,
      clock,
      random,
      metrics: metrics.queue('multicassandracluster'),
      process: async (key) => {
        const { afterMs } = await this.#reconciler.reconcile(key);
        return afterMs === undefined ? {} : { requeueAfterMs: afterMs };
      },
      kindOf: kindOfFailure,
      onFailure: (key, error, failures) => {
        // A lost race with another writer, or for the Lease, is daily business: the next pass sees what that one wrote.
        const isLost = isKubeError(error, 'Conflict', 'NotLeader');
        const level = isLost ? 'debug' : kindOfFailure(error) === 'panic' ? 'error' : 'warn';
        logger[level]('reconcile failed and is repeated', { key, failures, error });
      },
      retryFirstMs: 20,
      retryMaxMs: 30_000,
    });
    this.#renewal = new TokenRenewal({
      regions,
      leadership: options.leadership,
      clock,
      logger,
      onEvent: (region, event) => metrics.registration(region, event),
    });
    options.leadership.onTerm(() => {
      for (const object of this.#federations.store.list()) this.#queue.add(keyOf(object));
    });
    metrics.hub(() => {
      const heardAt = this.#federations.status.lastEventAt;
      return {
        cacheAgeMs: heardAt === undefined ? undefined : clock.monotonic() - heardAt,
        federations: this.#federations.store.list().map((raw) => ({
          namespace: raw.metadata.namespace ?? '',
          name: raw.metadata.name,
          status: raw['status'] as Status | undefined,
        })),
      };
    });
    for (const name of regions.names()) this.#watch(name);
    regions.onChange((name) => this.#registrationChanged(name));
  }

  /** True once the hub's objects are known; regions do not count, since one that is dead must not stop the others. */
  get ready(): boolean {
    return this.#federations.status.hasSynced;
  }

  /** All there is, and what was last seen of it, for people to look at; undefined while the hub's objects are not known. */
  federations(): FederationSight[] | undefined {
    if (!this.ready) return undefined;
    return this.#federations.store
      .list()
      .map((object) => ({ object, snapshot: this.#reconciler.lastSeen(keyOf(object)) }));
  }

  /** Runs until `signal` aborts; then finishes what is under way and resolves when everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    // Whoever leads may go on doing so until his last write is through.
    const lead = new AbortController();
    const leadership = this.#options.leadership.run(lead.signal);
    for (const { probe, stop } of this.#watched.values()) this.#track(probe.run(stop.signal));
    this.#track(this.#hubObjects.run(this.#hubObjectsStop.signal));
    const federations = Promise.all([
      this.#federations.run(signal),
      this.#doubts.run(signal),
      this.#renewal.run(signal),
      resync(
        this.#options.clock,
        this.#options.random,
        () => this.#federations.store.list().forEach((each) => this.#queue.add(keyOf(each), backgroundPriority)),
        signal,
      ),
    ]);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.all([this.#queue.shutDown(drainDeadlineMs), this.#reconciler.shutDown(drainDeadlineMs)]);
    this.#isRunning = false;
    for (const each of [this.#regions, this.#watched].flatMap((all) => [...all.values()])) each.stop.abort();
    this.#hubObjectsStop.abort();
    await Promise.all([federations, ...this.#running]);
    lead.abort();
    await leadership;
  }

  #engage(key: string, context: string, namespace: string): RegionNamespace | UnknownRegion {
    const hubNamespace = namespaceOf(key);
    const handle = this.#options.regions.get(context);
    const probe = this.#watched.get(context)?.probe;
    if (handle && 'refused' in handle) {
      return { known: false, reason: 'RegistrationRefused', message: `context ${context}: ${handle.refused}` };
    }
    if (!handle || !probe) return this.#unregistered(context, hubNamespace);
    const forbidden = handle.tenancyProblem(hubNamespace, namespace);
    if (forbidden !== undefined) {
      return { known: false, reason: 'NamespaceNotAllowed', message: `context ${context}: ${forbidden}` };
    }
    const id = placeId(key, context, namespace);
    let engaged = this.#regions.get(id);
    if (!engaged) {
      const { operator, clock, random, logger } = this.#options;
      const keys = new Set<string>();
      const value = new RegionNamespace({
        context,
        namespace,
        client: handle.clientFor(hubNamespace, namespace),
        operator,
        clock,
        random,
        logger: logger.child({ context, namespace }),
        reachable: () => withProblem(probe.state, handle.problem),
        isSteady: () => probe.isSteady,
        registrationProblem: () => handle.problem,
        credentialsEnd: () => this.#renewal.endOf(handle),
        onIdentified: (clusterUid) => handle.identified(clusterUid),
        onChange: () => keys.forEach((each) => this.#queue.add(each)),
        onWatchRestart: (cause) => this.#watchRestarted(handle, cause),
      });
      engaged = { value, keys, stop: new AbortController(), handle, hubNamespace };
      this.#regions.set(id, engaged);
      this.#track(value.run(engaged.stop.signal));
    }
    engaged.keys.add(key);
    return engaged.value;
  }

  #unregistered(context: string, hubNamespace: string): UnknownRegion {
    const { regions } = this.#options;
    if (regions.pending !== undefined) {
      return { known: false, reason: 'NotSynced', message: `context ${context} is not known yet: ${regions.pending}` };
    }
    // Who may not use a region need not know of it.
    const open = regions.names().filter((name) => {
      const region = regions.get(name);
      return region && !('refused' in region) && isOpenTo(region.tenancy, hubNamespace);
    });
    const message = `no region ${context} is registered, by a kubeconfig context or a Secret; there are ${open.join(', ')}`;
    return { known: false, reason: 'UnknownContext', message };
  }

  #release(key: string, kept: readonly { context: string; namespace: string }[]): void {
    const ids = new Set(kept.map(({ context, namespace }) => placeId(key, context, namespace)));
    for (const [id, { value }] of this.#regions) if (!ids.has(id)) value.forget(key);
    drop(this.#regions, key, (id) => ids.has(id));
    if (kept.length === 0) this.#hubObjects.forget(key);
  }

  /** Asks a region from now on whether it is there, if it can be used. */
  #watch(name: string): void {
    const handle = this.#options.regions.get(name);
    const watched = this.#watched.get(name);
    if (watched && watched.handle === handle) return;
    watched?.stop.abort();
    watched?.hide();
    this.#watched.delete(name);
    if (!handle || 'refused' in handle) return;
    const { clock, metrics } = this.#options;
    const { breaker, outages } = handle;
    const probe = new Reachability(
      name,
      handle.client,
      clock,
      () => this.#reachabilityChanged(name),
      () => breaker.serverAnswers(),
    );
    const unhook = [breaker.onFailure(() => probe.nudge()), outages.onOver(() => this.#answersAgain(handle))];
    const hide = metrics.region(name, () => ({
      up: probe.state === true,
      cacheAgeMs: this.#cacheAge(name),
      lastSeenMs: probe.lastSeen,
      credentialsEndMs: handle.life?.untilMs,
    }));
    const stop = new AbortController();
    this.#watched.set(name, {
      handle,
      probe,
      stop,
      hide: () => {
        hide();
        for (const each of unhook) each();
      },
    });
    if (this.#isRunning) this.#track(probe.run(stop.signal));
  }

  /** A region came, went, became another cluster, is reached in another way, or is for others now. */
  #registrationChanged(name: string): void {
    this.#watch(name);
    const handle = this.#watched.get(name)?.handle;
    for (const [id, each] of this.#regions) {
      const { context, namespace } = each.value;
      if (context !== name) continue;
      if (each.handle === handle && handle.tenancyProblem(each.hubNamespace, namespace) === undefined) {
        each.value.retryNow();
      } else {
        each.stop.abort();
        this.#regions.delete(id);
      }
    }
    for (const federation of this.#federations.store.list()) this.#queue.add(keyOf(federation));
  }

  #reachabilityChanged(context: string): void {
    const state = this.#watched.get(context)?.probe.state;
    if (state !== true) this.#options.logger.warn('a cluster cannot be reached', { context, why: state?.message });
    else if (!this.#watched.get(context)?.probe.isSteady) {
      this.#options.logger.info('a cluster can be reached', { context });
    }
    for (const { keys, value } of this.#regions.values()) {
      if (value.context !== context) continue;
      if (state === true) value.retryNow();
      for (const key of keys) this.#queue.add(key);
    }
  }

  /** A cluster answers after it did not: whatever waits because of that may go on. */
  #answersAgain(handle: RegionHandle): void {
    this.#options.logger.info('a cluster answers again, and is reached over new connections', { context: handle.name });
    for (const { keys, value } of this.#regions.values()) {
      if (value.context !== handle.name) continue;
      value.retryNow();
      for (const key of keys) this.#queue.add(key);
    }
    if (handle !== this.#options.regions.hub) return;
    this.#federations.retryNow();
    this.#hubObjects.retryNow();
    for (const federation of this.#federations.store.list()) this.#queue.add(keyOf(federation));
  }

  /** A watch that has turned out to be dead says something of all connections to its cluster. */
  #watchRestarted({ name, outages }: RegionHandle, cause: RestartCause): void {
    this.#options.metrics.watchRestarted(name, cause);
    if (cause === 'behind' || cause === 'idle') outages.suspect();
  }

  /** How long ago the cluster was last heard by the reflectors, the most silent one counting. */
  #cacheAge(context: string): number | undefined {
    const ages = [...this.#regions.values()]
      .filter(({ value }) => value.context === context)
      .map(({ value }) => value.lastHeardMs)
      .filter((at) => at !== undefined);
    return ages.length === 0 ? undefined : this.#options.clock.monotonic() - Math.min(...ages);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}

/** Of a region that cannot be reached it is also said why what is registered for it now is of no help. */
function withProblem(state: true | UnknownRegion, problem: string | undefined): true | UnknownRegion {
  return state === true || problem === undefined ? state : { ...state, message: `${state.message}; ${problem}` };
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** Federations of two namespaces of the hub share nothing in a region, even where they may use the same place. */
function placeId(key: string, context: string, namespace: string): string {
  return JSON.stringify([namespaceOf(key), context, namespace]);
}

/** Takes `key` off everything but what is kept, and stops what nobody uses any more. */
function drop(engaged: Map<string, EngagedRegion>, key: string, isKept: (id: string) => boolean): void {
  for (const [id, each] of engaged) {
    if (isKept(id) || !each.keys.delete(key) || each.keys.size > 0) continue;
    each.stop.abort();
    engaged.delete(id);
  }
}
