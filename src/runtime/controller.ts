import { multiCassandraClusters } from '../api/schema.ts';
import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { UnknownRegion, UserScripts } from '../federation/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { resources } from '../kube/objects.ts';
import { Reflector } from '../kube/reflector.ts';
import { keyOf } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Doubts } from './doubts.ts';
import { WorkQueue } from './queue.ts';
import { Reachability } from './reachability.ts';
import { Reconciler } from './reconciler.ts';
import { RegionNamespace } from './region.ts';

export interface ControllerOptions {
  /** The context that holds the MultiCassandraClusters; it may be a region as well. */
  hub: string;
  /** One client per context. */
  clients: ReadonlyMap<string, KubeClient>;
  operator: RegionalOperator;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Pick<Metrics, 'queue' | 'region' | 'watchRestarted'>;
}

/** Something started when the first key asked for it, and stopped when the last one let it go. */
interface Engaged<T> {
  readonly value: T;
  readonly keys: Set<string>;
  readonly stop: AbortController;
}

const parallelReconciles = 8;
/** How long reconciles may take to end when the controller stops, milliseconds. */
const drainDeadlineMs = 10_000;

/** The running controller: reflectors, queue and reconciler put together. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #hubClient: KubeClient;
  readonly #federations: Reflector;
  readonly #doubts: Doubts;
  readonly #queue: WorkQueue;
  readonly #reachability = new Map<string, Reachability>();
  readonly #regions = new Map<string, Engaged<RegionNamespace>>();
  readonly #scripts = new Map<string, Engaged<Reflector>>();
  readonly #running = new Set<Promise<void>>();

  /** @throws Error when `hub` is none of the clients' contexts. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    const hubClient = options.clients.get(options.hub);
    if (!hubClient) throw new Error(`no client for the hub's context ${options.hub}`);
    this.#hubClient = hubClient;
    const { clock, random, logger, metrics } = options;
    this.#federations = new Reflector({
      client: hubClient,
      resource: multiCassandraClusters,
      clock,
      random,
      logger: logger.child({ context: options.hub }),
      onChange: (change) => this.#queue.add(change.key),
      onRestart: (cause) => metrics.watchRestarted(options.hub, cause),
    });
    this.#doubts = new Doubts({
      client: hubClient,
      clock,
      found: (_resource, object) =>
        this.#federations.store.expect(keyOf(object), object.metadata.resourceVersion ?? ''),
      // Whoever waits for it looks again by himself.
      onSettled: () => undefined,
    });
    const reconciler = new Reconciler({
      clock,
      logger,
      operator: options.operator,
      hub: { client: hubClient, store: this.#federations.store, doubts: this.#doubts },
      region: (key, context, namespace) => this.#engage(key, context, namespace),
      release: (key, kept) => this.#release(key, kept),
      userScripts: (key, namespace, name) => this.#userScripts(key, namespace, name),
    });
    this.#queue = new WorkQueue({
      name: 'multicassandracluster',
      concurrency: parallelReconciles,
      clock,
      random,
      metrics: metrics.queue('multicassandracluster'),
      process: async (key, signal) => {
        const { afterMs } = await reconciler.reconcile(key, signal);
        return afterMs === undefined ? {} : { requeueAfterMs: afterMs };
      },
      onFailure: (key, error, failures) => {
        // A lost race with another writer is daily business: the next pass sees what that one wrote.
        const level = isKubeError(error, 'Conflict') ? 'debug' : 'warn';
        logger[level]('reconcile failed and is repeated', { key, failures, error });
      },
      retryFirstMs: 20,
      retryMaxMs: 30_000,
    });
    for (const [context, client] of options.clients) {
      const probe = new Reachability(context, client, clock, () => this.#reachabilityChanged(context));
      this.#reachability.set(context, probe);
      metrics.region(context, () => ({ up: probe.state === true, cacheAgeMs: this.#cacheAge(context) }));
    }
  }

  /** True once the hub's objects are known; regions do not count, since one that is dead must not stop the others. */
  get ready(): boolean {
    return this.#federations.status.hasSynced;
  }

  /** Runs until `signal` aborts; then finishes what is under way and resolves when everything has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    const probes = [...this.#reachability.values()].map((probe) => probe.run(signal));
    const federations = Promise.all([this.#federations.run(signal), this.#doubts.run(signal)]);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await this.#queue.shutDown(drainDeadlineMs);
    for (const each of [...this.#regions.values(), ...this.#scripts.values()]) each.stop.abort();
    await Promise.all([...probes, federations, ...this.#running]);
  }

  #engage(key: string, context: string, namespace: string): RegionNamespace | UnknownRegion {
    const client = this.#options.clients.get(context);
    const probe = this.#reachability.get(context);
    if (!client || !probe) {
      const known = [...this.#options.clients.keys()].join(', ');
      const message = `there is no kubeconfig context ${context}; this controller was given ${known}`;
      return { known: false, reason: 'UnknownContext', message };
    }
    const id = `${context}/${namespace}`;
    let engaged = this.#regions.get(id);
    if (!engaged) {
      const { operator, clock, random, logger, metrics } = this.#options;
      const keys = new Set<string>();
      const value = new RegionNamespace({
        context,
        namespace,
        client,
        operator,
        clock,
        random,
        logger: logger.child({ context, namespace }),
        reachable: () => probe.state,
        onChange: () => keys.forEach((each) => this.#queue.add(each)),
        onWatchRestart: (cause) => metrics.watchRestarted(context, cause),
      });
      engaged = { value, keys, stop: new AbortController() };
      this.#regions.set(id, engaged);
      this.#track(value.run(engaged.stop.signal));
    }
    engaged.keys.add(key);
    return engaged.value;
  }

  #release(key: string, kept: readonly { context: string; namespace: string }[]): void {
    const ids = new Set(kept.map(({ context, namespace }) => `${context}/${namespace}`));
    for (const [id, { value }] of this.#regions) if (!ids.has(id)) value.forget(key);
    drop(this.#regions, key, (id) => ids.has(id));
    if (kept.length === 0) drop(this.#scripts, key, () => false);
  }

  #userScripts(key: string, namespace: string, name: string): UserScripts {
    const id = `${namespace}/${name}`;
    let engaged = this.#scripts.get(id);
    if (!engaged) {
      const { clock, random, logger } = this.#options;
      const keys = new Set<string>();
      const value = new Reflector({
        client: this.#hubClient,
        resource: resources.configMaps,
        selection: { namespace, fieldSelector: `metadata.name=${name}` },
        clock,
        random,
        logger: logger.child({ configMap: id }),
        onChange: () => keys.forEach((each) => this.#queue.add(each)),
        onConnection: () => keys.forEach((each) => this.#queue.add(each)),
      });
      engaged = { value, keys, stop: new AbortController() };
      this.#scripts.set(id, engaged);
      this.#track(value.run(engaged.stop.signal));
    }
    engaged.keys.add(key);
    const { store, status } = engaged.value;
    if (!status.hasSynced) {
      return {
        known: false,
        message: `ConfigMap ${id} of the hub is not read yet: ${status.lastError?.message ?? 'on its way'}`,
      };
    }
    const found = store.get(id);
    return found
      ? { known: true, found: true, data: (found['data'] ?? {}) as Record<string, string> }
      : { known: true, found: false };
  }

  #reachabilityChanged(context: string): void {
    const state = this.#reachability.get(context)?.state;
    if (state !== true) this.#options.logger.warn('a cluster cannot be reached', { context, why: state?.message });
    else this.#options.logger.info('a cluster can be reached', { context });
    for (const [id, { keys }] of this.#regions) {
      if (id.startsWith(`${context}/`)) for (const key of keys) this.#queue.add(key);
    }
  }

  /** How long ago the cluster was last heard by the reflectors, the most silent one counting. */
  #cacheAge(context: string): number | undefined {
    const ages = [...this.#regions]
      .filter(([id]) => id.startsWith(`${context}/`))
      .map(([, { value }]) => value.lastHeardMs)
      .filter((at) => at !== undefined);
    return ages.length === 0 ? undefined : this.#options.clock.monotonic() - Math.min(...ages);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}

/** Takes `key` off everything but what is kept, and stops what nobody uses any more. */
function drop<T>(engaged: Map<string, Engaged<T>>, key: string, isKept: (id: string) => boolean): void {
  for (const [id, each] of engaged) {
    if (isKept(id) || !each.keys.delete(key) || each.keys.size > 0) continue;
    each.stop.abort();
    engaged.delete(id);
  }
}
