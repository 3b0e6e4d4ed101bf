import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type HubState, showHub } from './federation-metrics.ts';

/** A work queue's present state: keys that wait by priority, and how long those in work have been so, milliseconds. */
export interface QueueState {
  waiting: ReadonlyMap<number, number>;
  runningMs: readonly number[];
  /** How many keys may be in work at once. */
  concurrency: number;
}

/**
 * How a run failed. panic: by a mistake in this program. terminal: repeating it mends nothing. timeout: no answer came
 * before its deadline.
 */
export type FailureKind = 'usual' | 'terminal' | 'timeout' | 'panic';

/** What a work queue reports. Times are milliseconds. */
export interface QueueMetrics {
  added(): void;
  retried(): void;
  started(waitedMs: number): void;
  /** `failure` is given with the result `error`. */
  finished(result: 'success' | 'requeue_after' | 'error', workedMs: number, failure?: FailureKind): void;
  /** Says where to look for the queue's present state when metrics are read. */
  observe(state: () => QueueState): void;
}

/** How one region does, read when metrics are. */
export interface RegionState {
  up: boolean;
  /** Milliseconds since the region's API server was last heard; undefined before the first time. */
  cacheAgeMs: number | undefined;
  /** When it last answered a probe, milliseconds since 1970; undefined before the first time. */
  lastSeenMs: number | undefined;
  /** When the credentials in use end, milliseconds since 1970; undefined: they do not, or do not say. */
  credentialsEndMs?: number | undefined;
}

/** client-go's buckets for work queues: powers of ten from 10 ns. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 1e-8 * 10 ** power);
/** client-go's buckets for requests. */
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** controller-runtime's buckets for reconcile times. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/**
 * All metrics of one process, in a registry of its own. Where controller-runtime or client-go has a metric for the
 * same thing, its name, labels and buckets are used, so that their dashboards work; what those do not know, regions,
 * has the prefix `ringmaster_`. Labels hold regions, verbs and causes; names of objects only where a gauge is about
 * a MultiCassandraCluster.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #queueAdds = this.#counter('workqueue_adds_total', 'Keys added', ['name', 'controller']);
  readonly #queueRetries = this.#counter('workqueue_retries_total', 'Keys added after a failure', [
    'name',
    'controller',
  ]);
  readonly #queueWait = this.#histogram(
    'workqueue_queue_duration_seconds',
    'How long keys wait for their turn',
    ['name', 'controller'],
    queueBuckets,
  );
  readonly #queueWork = this.#histogram(
    'workqueue_work_duration_seconds',
    'How long keys are processed',
    ['name', 'controller'],
    queueBuckets,
  );
  readonly #reconciles = this.#counter('controller_runtime_reconcile_total', 'Reconciles by result', [
    'controller',
    'result',
  ]);
  readonly #reconcileErrors = this.#counter('controller_runtime_reconcile_errors_total', 'Failed reconciles', [
    'controller',
  ]);
  readonly #failuresOfKind = {
    terminal: this.#counter(
      'controller_runtime_terminal_reconcile_errors_total',
      'Failed reconciles that repeating alone does not mend; they are repeated at the longest interval only',
      ['controller'],
    ),
    panic: this.#counter(
      'controller_runtime_reconcile_panics_total',
      'Reconciles that failed by a mistake in this program',
      ['controller'],
    ),
    timeout: this.#counter(
      'controller_runtime_reconcile_timeouts_total',
      'Reconciles given up since no answer came before the deadline',
      ['controller'],
    ),
  } as const;
  readonly #reconcileTime = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'How long reconciles take',
    ['controller'],
    reconcileBuckets,
  );
  readonly #requests = this.#counter('rest_client_requests_total', 'Requests to API servers by status and verb', [
    'code',
    'method',
    'host',
  ]);
  readonly #watchRestarts = this.#counter('ringmaster_region_watch_restarts_total', 'Watches begun again, by cause', [
    'region',
    'cause',
  ]);
  readonly #applies = this.#counter('ringmaster_region_apply_total', 'Writes to a region by what became of them', [
    'region',
    'result',
  ]);
  readonly #requestTime = this.#histogram(
    'rest_client_request_duration_seconds',
    'Time from a request to the headers of its answer; of a watch, until it began',
    ['verb', 'host'],
    requestBuckets,
  );
  readonly #limiterTime = this.#histogram(
    'rest_client_rate_limiter_duration_seconds',
    'How long requests wait for their turn before they are sent',
    ['verb', 'host'],
    requestBuckets,
  );
  /** By region: the labels it was counted under, to be taken away with it. */
  readonly #counted = new Map<string, { applies: Set<string>; restarts: Set<string> }>();
  readonly #registrations = this.#counter(
    'ringmaster_region_registrations_total',
    'What became of registrations of regions',
    ['region', 'event'],
  );
  readonly #events = this.#counter('ringmaster_events_total', 'Events about objects by what became of them', [
    'result',
  ]);
  readonly #leaderSlowPath = this.#counter(
    'leader_election_slowpath_total',
    'How often the Lease had to be read before it was written',
    ['name'],
  );
  readonly #leaders = new Map<string, () => boolean>();
  readonly #queues = new Map<string, () => QueueState>();
  readonly #regions = new Map<string, () => RegionState>();
  #hub: (() => HubState) | undefined;

  constructor() {
    showHub(this.registry, () => this.#hub?.());
    const queues = this.#queues;
    const regions = this.#regions;
    const eachQueue = (gauge: Gauge, read: (state: QueueState) => number): void => {
      for (const [name, state] of queues) gauge.set({ name, controller: name }, read(state()));
    };
    this.#gauge('workqueue_depth', 'Keys that wait for their turn', ['name', 'controller', 'priority'], (gauge) => {
      gauge.reset();
      for (const [name, state] of queues) {
        for (const [priority, count] of state().waiting) gauge.set({ name, controller: name, priority }, count);
      }
    });
    this.#gauge('workqueue_unfinished_work_seconds', 'Sum over the keys in work', ['name', 'controller'], (gauge) =>
      eachQueue(gauge, ({ runningMs }) => runningMs.reduce((sum, each) => sum + each, 0) / 1000),
    );
    this.#gauge(
      'workqueue_longest_running_processor_seconds',
      'How long the oldest key in work has been so',
      ['name', 'controller'],
      (gauge) => eachQueue(gauge, ({ runningMs }) => Math.max(0, ...runningMs) / 1000),
    );
    this.#gauge('controller_runtime_max_concurrent_reconciles', 'Keys in work at most', ['controller'], (gauge) => {
      for (const [controller, state] of queues) gauge.set({ controller }, state().concurrency);
    });
    this.#gauge('controller_runtime_active_workers', 'Keys in work', ['controller'], (gauge) => {
      for (const [controller, state] of queues) gauge.set({ controller }, state().runningMs.length);
    });
    this.#gauge(
      'leader_election_master_status',
      'Whether this process leads (1) or stands by (0)',
      ['name'],
      (gauge) => {
        for (const [name, isLeader] of this.#leaders) gauge.set({ name }, isLeader() ? 1 : 0);
      },
    );
    this.#gauge(
      'ringmaster_region_up',
      "Whether the region's API server answers (1) or not (0)",
      ['region'],
      (gauge) => {
        gauge.reset();
        for (const [region, state] of regions) gauge.set({ region }, state().up ? 1 : 0);
      },
    );
    this.#gauge(
      'ringmaster_region_cache_age_seconds',
      "Time since the region's API server was last heard; bookmarks come once a minute",
      ['region'],
      (gauge) => {
        gauge.reset();
        for (const [region, state] of regions) {
          const { cacheAgeMs } = state();
          if (cacheAgeMs !== undefined) gauge.set({ region }, cacheAgeMs / 1000);
        }
      },
    );
    this.#gauge(
      'ringmaster_region_last_seen_timestamp_seconds',
      "When the region's API server last answered a probe",
      ['region'],
      (gauge) => {
        gauge.reset();
        for (const [region, state] of regions) {
          const { lastSeenMs } = state();
          if (lastSeenMs !== undefined) gauge.set({ region }, lastSeenMs / 1000);
        }
      },
    );
    this.#gauge(
      'ringmaster_region_credentials_end_timestamp_seconds',
      "When the credentials for the region's API server end, where they say so; they are renewed long before",
      ['region'],
      (gauge) => {
        gauge.reset();
        for (const [region, state] of regions) {
          const { credentialsEndMs } = state();
          if (credentialsEndMs !== undefined) gauge.set({ region }, credentialsEndMs / 1000);
        }
      },
    );
  }

  /** Adds the process's own figures: memory, CPU, event loop lag. Holds timers and observers, so not for tests. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.registry });
    // Gauges by the names of counters; each is the sum of one that stays, by type.
    for (const what of ['handles', 'requests', 'resources']) {
      this.registry.removeSingleMetric(`nodejs_active_${what}_total`);
    }
  }

  /** Metrics of the queue `name`, which is also the name of its controller. */
  queue(name: string): QueueMetrics {
    const labels = { name, controller: name };
    for (const result of ['success', 'error', 'requeue', 'requeue_after']) {
      this.#reconciles.inc({ controller: name, result }, 0);
    }
    for (const counter of [this.#reconcileErrors, ...Object.values(this.#failuresOfKind)]) {
      counter.inc({ controller: name }, 0);
    }
    return {
      added: () => this.#queueAdds.inc(labels),
      retried: () => this.#queueRetries.inc(labels),
      started: (waitedMs) => this.#queueWait.observe(labels, waitedMs / 1000),
      finished: (result, workedMs, failure = 'usual') => {
        this.#queueWork.observe(labels, workedMs / 1000);
        this.#reconcileTime.observe({ controller: name }, workedMs / 1000);
        this.#reconciles.inc({ controller: name, result });
        if (result !== 'error') return;
        this.#reconcileErrors.inc({ controller: name });
        if (failure !== 'usual') this.#failuresOfKind[failure].inc({ controller: name });
      },
      observe: (state) => void this.#queues.set(name, state),
    };
  }

  /** Counts the requests to one API server; `host` as in its URL. */
  requests(host: string): { requestFinished(method: string, code: string, tookMs: number): void } {
    return {
      requestFinished: (method, code, tookMs) => {
        this.#requests.inc({ code, method, host });
        this.#requestTime.observe({ verb: method, host }, tookMs / 1000);
      },
    };
  }

  /** A request has waited so many milliseconds for its turn. */
  limited(host: string, method: string, waitedMs: number): void {
    this.#limiterTime.observe({ verb: method, host }, waitedMs / 1000);
  }

  /** Shows a region from now on. Returns what ends that. */
  region(region: string, state: () => RegionState): () => void {
    this.#regions.set(region, state);
    return () => {
      if (this.#regions.get(region) !== state) return;
      this.#regions.delete(region);
      const { applies = [], restarts = [] } = this.#counted.get(region) ?? {};
      for (const result of applies) this.#applies.remove({ region, result });
      for (const cause of restarts) this.#watchRestarts.remove({ region, cause });
      this.#counted.delete(region);
    };
  }

  /** Shows the hub and its MultiCassandraClusters from now on. */
  hub(state: () => HubState): void {
    this.#hub = state;
  }

  /** What became of a write: `success`, or the code of its error. */
  applied(region: string, result: string): void {
    this.#applies.inc({ region, result });
    this.#countedOf(region).applies.add(result);
  }

  /** A registration came, went, or was changed; `region` is undefined where nobody can tell which region's it is. */
  registration(region: string | undefined, event: string): void {
    this.#registrations.inc({ region: region ?? '', event: event.replaceAll(' ', '_') });
  }

  /** An Event was created, was counted on one that is there, could not be written, or was dropped since too many wait. */
  event(result: 'created' | 'counted' | 'failed' | 'dropped'): void {
    this.#events.inc({ result });
  }

  /** Shows whether this process leads by the Lease `name`. */
  leader(name: string, isLeader: () => boolean): void {
    this.#leaderSlowPath.inc({ name }, 0);
    this.#leaders.set(name, isLeader);
  }

  /** Counts a look at the Lease `name` that began by reading it, as all but a leader's usual renewals do. */
  leaderSlowPath(name: string): void {
    this.#leaderSlowPath.inc({ name });
  }

  watchRestarted(region: string, cause: string): void {
    this.#watchRestarts.inc({ region, cause });
    this.#countedOf(region).restarts.add(cause);
  }

  /** All metrics in the text format that Prometheus reads, and its content type. */
  async page(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  #countedOf(region: string): { applies: Set<string>; restarts: Set<string> } {
    let counted = this.#counted.get(region);
    if (!counted) this.#counted.set(region, (counted = { applies: new Set(), restarts: new Set() }));
    return counted;
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => collect(gauge),
    });
  }
}
