import { multiCassandraClusters } from '../api/schema.ts';
import { type Clock, sleep, systemClock } from '../edges/clock.ts';
import { processIdentity } from '../edges/identity.ts';
import { systemRandom } from '../edges/random.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { openCql } from '../ring/cql-driver.ts';
import { Controller } from '../runtime/controller.ts';
import { Events } from '../runtime/events.ts';
import { serveHealth } from '../runtime/health-server.ts';
import { LeaderElection } from '../runtime/leader-election.ts';
import { type Leadership, LeadershipWithoutElection } from '../runtime/leadership.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Site } from '../ui/site.ts';
import { openRegistry } from './open-registry.ts';
import { openRegionSources, type RegionFlags } from './region-flags.ts';
import { UsageError } from './usage-error.ts';

export interface RunFlags extends RegionFlags {
  host: string;
  port: number;
  /** Whether the status page is served. */
  ui: boolean;
  logLevel: LogLevel;
  leaderElect: boolean;
  leaseName: string;
  leaseNamespace?: string;
}

const hubRetryMs = 2_000;

/**
 * `ringmaster run`: runs the controller until `signal` aborts, then drains.
 * @throws UsageError for what a person has to mend before it can start: a flag that cannot be, a hub that no
 *   kubeconfig names, a hub without the CRD. A region that cannot be used is none of these.
 */
export async function run(flags: RunFlags, userAgent: string, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({ level: flags.logLevel, clock });
  const metrics = new Metrics();
  metrics.collectProcess();
  const sources = await openRegionSources(flags, process.env, clock);
  const { hub } = sources;
  const random = systemRandom;
  const identity = processIdentity();
  const leadership: Leadership = flags.leaderElect
    ? new LeaderElection({
        client: () => regions.hub.client,
        clock,
        random,
        logger,
        metrics,
        namespace: flags.leaseNamespace ?? hub.context.namespace,
        name: flags.leaseName,
        identity,
      })
    : new LeadershipWithoutElection();
  const regions = openRegistry({ sources, fence: leadership, clock, random, logger, metrics, userAgent });
  const events = new Events({
    client: regions.hub.client,
    clock,
    logger,
    metrics,
    reportingInstance: identity,
    enabled: () => leadership.term !== undefined,
  });
  const controller = new Controller({
    regions,
    operator: casskop,
    leadership,
    openCql,
    clock,
    random,
    logger,
    metrics,
    events,
  });
  const site = new Site({
    operator: casskop,
    clock,
    federations: () => controller.federations(),
    leader: () => ({ isThis: leadership.term !== undefined, name: leadership.leader }),
  });
  const health = await serveHealth({
    host: flags.host,
    port: flags.port,
    ready: () => controller.ready && !signal.aborted,
    metrics: () => metrics.page(),
    ...(flags.ui && { site }),
  }).catch((error: unknown) => {
    throw new UsageError(`cannot listen on ${flags.host}:${flags.port}: ${messageOf(error)}; choose another --port`);
  });
  // The connections outlive the signal: the controller still finishes what is under way.
  const disconnect = new AbortController();
  let following: Promise<void> = Promise.resolve();
  try {
    following = Promise.all([regions.run(disconnect.signal), events.run(disconnect.signal)]).then(() => undefined);
    await hubHasCrd(regions.hub.client, hub.name, clock, logger, signal);
    logger.info('ringmaster runs', { hub: hub.name, contexts: regions.names(), port: health.port });
    await controller.run(signal);
    logger.info('ringmaster has stopped');
  } finally {
    await health.close();
    disconnect.abort();
    await following;
  }
}

/** Waits for the hub to answer; it is the one cluster nothing works without. */
async function hubHasCrd(
  client: KubeClient,
  hub: string,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.list(multiCassandraClusters, { limit: 1 }, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (isKubeError(error, 'NotFound')) {
        throw new UsageError(
          `the hub (context ${hub}) does not know MultiCassandraClusters; install the CRD first: ringmaster crds | kubectl --context ${hub} apply --server-side -f -`,
          { cause: error },
        );
      }
      logger.warn('the hub does not answer yet', { hub, error });
      await sleep(clock, hubRetryMs, signal).catch(() => undefined);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
