import type { Random } from '../../../src/edges/random.ts';
import { restricted } from '../../../src/kube/access.ts';
import { createKubeClient } from '../../../src/kube/http-client.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { StaticRegistry } from '../../../src/regions/static-registry.ts';
import { accessTo } from '../../../src/runtime/access.ts';
import { Controller } from '../../../src/runtime/controller.ts';
import { LeaderElection } from '../../../src/runtime/leader-election.ts';
import type { Logger, LogFields } from '../../../src/telemetry/logger.ts';
import { installAbortSignals } from './abort-signals.ts';
import type { SimulationClock } from './clock.ts';
import type { CassandraNetwork } from '../region/cassandra/network.ts';
import { simulatedCql } from './cql.ts';
import type { Network } from './network.ts';
import { ProcessClock } from './process-clock.ts';
import type { Timeline } from './timeline.ts';
import { SimulatedTransport, type Cluster, type Overseer, type WatchStream } from './transport.ts';

/** Whoever makes a mistake that needs more rights gives himself those, too. */
const isMutant = import.meta.url.includes('?mutant=');

export interface ControllerProcessOptions {
  name: string;
  hub: string;
  clusters: readonly Cluster[];
  clock: SimulationClock;
  random: Random;
  network: Network;
  overseer: Overseer;
  ring: CassandraNetwork;
  timeline: Timeline;
  /** Told of every line at level error: a mistake in the program. */
  onError: (message: string) => void;
  /** Told of every intent before it is sent. */
  onIntent: (region: string, why: string) => void;
}

installAbortSignals();

/** A namespace that every cluster has. */
const leaseNamespace = 'kube-system';

const noMetrics = {
  queue: () => ({
    added: () => undefined,
    retried: () => undefined,
    started: () => undefined,
    finished: () => undefined,
    observe: () => undefined,
  }),
  hub: () => undefined,
  region: () => () => undefined,
  watchRestarted: () => undefined,
  leader: () => undefined,
  leaderSlowPath: () => undefined,
  applied: () => undefined,
  registration: () => undefined,
};

/** One run of the real controller, from its start to its death. */
export class ControllerProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly #transports: SimulatedTransport[];
  readonly #regions: StaticRegistry;
  readonly #controller: Controller;
  readonly #stop = new AbortController();
  #requests = 0;

  constructor(options: ControllerProcessOptions) {
    this.name = options.name;
    this.clock = new ProcessClock(options.clock);
    const { clock } = this;
    const process = { name: options.name, clock, nextNumber: () => ++this.#requests };
    const { hub, clusters, random } = options;
    const logger = loggerOf(options);
    const leadership = new LeaderElection({
      client: () => this.#regions.hub.client,
      clock,
      random,
      logger,
      metrics: noMetrics,
      namespace: leaseNamespace,
      name: 'ringmaster',
      identity: options.name,
    });
    this.#transports = clusters.map(
      (cluster) => new SimulatedTransport(process, cluster, options.network, options.overseer, leadership),
    );
    const transports = new Map(clusters.map(({ name }, index) => [name, this.#transports[index]!]));
    this.#regions = new StaticRegistry(
      hub,
      transports,
      (region, transport) => {
        const client = createKubeClient({
          transport,
          clock,
          fieldManager: 'ringmaster',
          userAgent: options.name,
          requestDeadlineMs: 15_000,
        });
        return isMutant ? client : restricted(client, accessTo(region, hub, casskop));
      },
      { clock, random },
    );
    this.#controller = new Controller({
      regions: this.#regions,
      operator: casskop,
      leadership,
      openCql: simulatedCql({ process, ring: options.ring, network: options.network, overseer: options.overseer }),
      clock,
      random,
      logger,
      metrics: noMetrics,
    });
  }

  /** Requests sent so far. */
  get requests(): number {
    return this.#requests;
  }

  get isAlive(): boolean {
    return !this.clock.isDead;
  }

  get streams(): WatchStream[] {
    return this.#transports.flatMap((transport) => [...transport.streams]);
  }

  start(): void {
    this.clock.world.wakePromises();
    void this.#controller.run(this.#stop.signal);
  }

  /** Ends at once, in the middle of whatever it does; nothing of it happens afterwards. */
  kill(): void {
    this.clock.kill();
    for (const transport of this.#transports) transport.close();
  }

  /** Asks it to end in good order. */
  stop(): void {
    this.clock.world.wakePromises();
    this.#stop.abort(new DOMException('asked to stop', 'AbortError'));
  }

  /** Takes the registration of a region away from it, or gives it back. */
  register(region: string, isThere: boolean): void {
    this.clock.world.wakePromises();
    this.clock.do(() => (isThere ? this.#regions.add(region) : this.#regions.remove(region)));
  }

  /** Breaks one of its watches as a reset connection does. */
  resetWatch(stream: WatchStream, inLine: boolean): void {
    for (const transport of this.#transports) if (transport.streams.has(stream)) transport.reset(stream, inLine);
  }
}

function loggerOf({ name, timeline, onError, onIntent }: ControllerProcessOptions): Logger {
  const say = (level: string, message: string, fields?: LogFields): void => {
    timeline.note(name, () => `${level}: ${message} ${describe(fields)}`);
  };
  const logger: Logger = {
    debug: () => undefined,
    info: (message, fields) => {
      if (typeof fields?.['verb'] === 'string') onIntent(String(fields['region']), message);
      say('info', message, fields);
    },
    warn: (message, fields) => {
      say('warn', message, fields);
      // The queue repeats whatever failed; a mistake in the program fails every time.
      const { error } = fields ?? {};
      if (error instanceof TypeError || error instanceof ReferenceError) onError(`${message} ${describe(fields)}`);
    },
    error: (message, fields) => {
      say('error', message, fields);
      onError(`${message} ${describe(fields)}`);
    },
    child: () => logger,
  };
  return logger;
}

function describe(fields: LogFields | undefined): string {
  return Object.entries(fields ?? {})
    .map(([name, value]) => {
      const text = value instanceof Error ? value.message : (JSON.stringify(value) ?? '');
      return `${name}=${text.slice(0, 300)}`;
    })
    .join(' ');
}
