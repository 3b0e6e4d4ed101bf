import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { Transport } from '../edges/transport.ts';
import { restricted } from '../kube/access.ts';
import type { Fence } from '../kube/fence.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { UndiciTransport } from '../kube/undici-transport.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { NamespaceFence } from '../regions/namespace-fence.ts';
import { KubeconfigSecrets } from '../regions/secrets.ts';
import { SourcedRegistry } from '../regions/sourced-registry.ts';
import { accessTo } from '../runtime/access.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RegionSources } from './region-flags.ts';

const requestDeadlineMs = 15_000;

export interface OpenRegistryOptions {
  sources: RegionSources;
  /** What every write has to pass. */
  fence: Fence;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Metrics;
  userAgent: string;
  /** Told of the connections to each cluster, past the limits of the regions' clients: for what no client asks. */
  onConnected?: (region: string, transport: Transport) => void;
}

/** The registry of all regions the flags and the hub's Secrets name. Nothing is connected before it runs. */
export function openRegistry(options: OpenRegistryOptions): SourcedRegistry {
  const { sources, fence, clock, random, logger, metrics, userAgent, onConnected } = options;
  const { hub, secretsNamespace } = sources;
  return new SourcedRegistry({
    hub,
    sources: (client) => [
      ...sources.sources,
      new KubeconfigSecrets({
        client,
        namespace: secretsNamespace,
        clock,
        random,
        logger: logger.child({ context: hub.name, namespace: secretsNamespace }),
        onRestart: (cause) => metrics.watchRestarted(hub.name, cause),
      }),
    ],
    connect: (context) => new UndiciTransport(context, clock, fence),
    makeClient: (region, transport, host) => {
      if (!(transport instanceof NamespaceFence)) onConnected?.(region, transport);
      return restricted(
        createKubeClient({
          transport,
          clock,
          fieldManager: 'ringmaster',
          userAgent,
          requestDeadlineMs,
          metrics: {
            requestFinished: (method, code, tookMs) => metrics.requests(host()).requestFinished(method, code, tookMs),
          },
        }),
        accessTo(region, hub.name, casskop),
      );
    },
    clock,
    random,
    logger,
    onLimited: (host, method, waitedMs) => metrics.limited(host, method, waitedMs),
    onEvent: (region, event) => metrics.registration(region, event),
  });
}
