import { multiCassandraClusters } from '../api/schema.ts';
import { type Clock, sleep, systemClock } from '../edges/clock.ts';
import { systemRandom } from '../edges/random.ts';
import type { KubeClient } from '../kube/client.ts';
import { ContextError, loadContexts } from '../kube/contexts.ts';
import { isKubeError } from '../kube/errors.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { UndiciTransport } from '../kube/undici-transport.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { Controller } from '../runtime/controller.ts';
import { serveHealth } from '../runtime/health-server.ts';
import { createLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UsageError } from './usage-error.ts';

export interface RunFlags {
  kubeconfig: string[];
  context: string[];
  hub?: string;
  host: string;
  port: number;
  logLevel: LogLevel;
}

const requestDeadlineMs = 15_000;
const hubRetryMs = 2_000;

/**
 * `ringmaster run`: runs the controller until `signal` aborts, then drains.
 * @throws UsageError for what a person has to mend before it can start: an unreadable kubeconfig, an unknown context, a hub
 *   without the CRD. A region that does not answer is none of these.
 */
export async function run(flags: RunFlags, userAgent: string, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const logger = createLogger({ level: flags.logLevel, clock });
  const metrics = new Metrics();
  metrics.collectProcess();
  const transports: UndiciTransport[] = [];
  const clients = new Map<string, KubeClient>();
  for (const context of contextsOf(flags)) {
    const transport = new UndiciTransport(context, clock);
    transports.push(transport);
    clients.set(
      context.name,
      createKubeClient({
        transport,
        clock,
        fieldManager: 'ringmaster',
        userAgent,
        requestDeadlineMs,
        metrics: metrics.requests(new URL(context.server).host),
      }),
    );
  }
  const hub = flags.hub ?? flags.context[0] ?? [...clients.keys()][0] ?? '';
  const hubClient = clients.get(hub);
  if (!hubClient) {
    throw new UsageError(`--hub ${hub} is not among the contexts: ${[...clients.keys()].join(', ')}`);
  }

  const controller = new Controller({ hub, clients, operator: casskop, clock, random: systemRandom, logger, metrics });
  const health = await serveHealth({
    host: flags.host,
    port: flags.port,
    ready: () => controller.ready,
    metrics: () => metrics.page(),
  }).catch((error: unknown) => {
    throw new UsageError(`cannot listen on ${flags.host}:${flags.port}: ${messageOf(error)}; choose another --port`);
  });
  try {
    await hubHasCrd(hubClient, hub, clock, logger, signal);
    logger.info('ringmaster runs', { hub, contexts: [...clients.keys()], port: health.port });
    await controller.run(signal);
    logger.info('ringmaster has stopped');
  } finally {
    await health.close();
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

function contextsOf(flags: RunFlags): ReturnType<typeof loadContexts> {
  const names = flags.hub !== undefined && flags.context.length > 0 ? [...flags.context, flags.hub] : flags.context;
  try {
    return loadContexts(flags.kubeconfig, names.length > 0 ? [...new Set(names)] : undefined);
  } catch (error) {
    if (error instanceof ContextError) throw new UsageError(error.message, { cause: error });
    throw error;
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
