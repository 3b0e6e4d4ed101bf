import { sleep, systemClock } from '../../edges/clock.ts';
import { kubeconfigWith } from '../../regions/kubeconfig-token.ts';
import { readSecretKubeconfig } from '../../regions/secret-kubeconfig.ts';
import { UsageError } from '../usage-error.ts';
import { type AdminCluster, openCluster } from './cluster.ts';
import type { ConnectPlan } from './connect-plan.ts';
import type { CommandEdges, ConnectFlags } from './flags.ts';
import type { ServiceAccountRef } from './objects.ts';

const clock = systemClock;
const rightsTakeEffectMs = 10_000;

/**
 * The roles count a moment after they are written; until then a token looks as if it were no good.
 * @throws UsageError when they do not.
 */
export async function untilInEffect(
  region: AdminCluster,
  account: ServiceAccountRef,
  signal: AbortSignal,
): Promise<void> {
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  const right = { verb: 'get', group: '', resource: 'namespaces', name: 'kube-system' };
  const until = clock.monotonic() + rightsTakeEffectMs;
  while (!(await region.isAllowed(right, user))) {
    if (clock.monotonic() > until) {
      throw new UsageError(`the roles of ${user} are written, and still it may not get namespace kube-system`);
    }
    await sleep(clock, 50, signal);
  }
}

/** The token that is registered already, if it still is of use and lives for a good while yet. */
export async function keptToken(
  { existing, region, at, account, clusterUid }: ConnectPlan,
  flags: Pick<ConnectFlags, 'longLivedToken' | 'server'>,
  edges: CommandEdges,
): Promise<string | undefined> {
  const { token, claims } = existing ?? {};
  if (token === undefined || claims?.namespace !== account.namespace || claims.name !== account.name) return undefined;
  const { issuedAtMs = 0, expiresAtMs } = claims;
  if ((expiresAtMs === undefined) !== (flags.longLivedToken ?? false)) return undefined;
  if (expiresAtMs !== undefined && expiresAtMs - clock.now() < (expiresAtMs - issuedAtMs) / 2) return undefined;
  if (existing?.clusterUid !== clusterUid) return undefined;
  const problem = await whyUnusable(kubeconfigWith(region, at, token), clusterUid, edges);
  // Another address than the context's need not be one that leads anywhere from here.
  return problem === undefined || flags.server !== undefined ? token : undefined;
}

/** Tries a kubeconfig as the controller will use it. Resolves with what is wrong with it. */
export async function whyUnusable(
  kubeconfig: string,
  clusterUid: string | undefined,
  { userAgent, signal }: CommandEdges,
): Promise<string | undefined> {
  try {
    const { context } = readSecretKubeconfig(kubeconfig, 'the new kubeconfig');
    await using tried = await openCluster(context, userAgent, signal);
    if (clusterUid === undefined || tried.uid === clusterUid) return undefined;
    return `${context.server} is another cluster (kube-system uid ${tried.uid}) than the context's (${clusterUid})`;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
