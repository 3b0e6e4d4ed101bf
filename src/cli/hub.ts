import { multiCassandraClusters } from '../api/schema.ts';
import type { Clock } from '../edges/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { createKubeClient } from '../kube/http-client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { UndiciTransport } from '../kube/undici-transport.ts';
import { readOnly } from './read-only.ts';
import { openRegionSources, type RegionFlags } from './region-flags.ts';
import { UsageError } from './usage-error.ts';

/** The flags that say where the hub is. */
export type HubFlags = Pick<RegionFlags, 'kubeconfig' | 'context' | 'hub' | 'inCluster'>;

/** The cluster that holds the MultiCassandraClusters, for reading; no other one is connected. */
export interface Hub extends AsyncDisposable {
  readonly name: string;
  /** The one that its context names. */
  readonly namespace: string;
  readonly client: KubeClient;
}

const requestDeadlineMs = 15_000;
const pageSize = 500;

/**
 * Opens the hub that the flags name; nothing is sent yet.
 * @param command whose name stands in the error of any write
 * @throws UsageError naming the flag that is wrong.
 */
export async function openHub(flags: HubFlags, command: string, userAgent: string, clock: Clock): Promise<Hub> {
  const { hub } = await openRegionSources({ ...flags, allow: [] }, process.env, clock);
  const transport = new UndiciTransport(hub.context, clock, readOnly(command));
  return {
    name: hub.name,
    namespace: hub.context.namespace,
    client: createKubeClient({ transport, clock, fieldManager: 'ringmaster', userAgent, requestDeadlineMs }),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/**
 * The MultiCassandraClusters of a namespace, or of all; with a name, that one alone if there is one.
 * @throws UsageError when the hub does not know the kind; KubeError when it cannot be asked.
 */
export async function listFederations(
  { client, name: hub }: Pick<Hub, 'client' | 'name'>,
  selection: { namespace?: string; fieldSelector?: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  let next: string | undefined;
  do {
    const page = { ...selection, limit: pageSize, ...(next !== undefined && { continue: next }) };
    try {
      const { items, metadata } = await client.list(multiCassandraClusters, page, signal);
      found.push(...items);
      next = metadata.continue;
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      throw new UsageError(
        `the hub (context ${hub}) does not know MultiCassandraClusters; is it another one? --hub names it. To install the CRD: ringmaster crds | kubectl --context ${hub} apply --server-side -f -`,
        { cause: error },
      );
    }
  } while (next);
  return found;
}
