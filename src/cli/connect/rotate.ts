import { sleep, systemClock } from '../../edges/clock.ts';
import { systemRandom } from '../../edges/random.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, resources } from '../../kube/objects.ts';
import { withToken } from '../../regions/kubeconfig-token.ts';
import { kubeconfigKey, registrationAnnotations } from '../../regions/secrets.ts';
import { UsageError } from '../usage-error.ts';
import { type AdminCluster, currentContext, findContext, kubeconfigFiles, openCluster } from './cluster.ts';
import { registrationsIn, regionAccountName } from './connect-plan.ts';
import { openRegion } from './disconnect.ts';
import type { CommandEdges, RotateFlags } from './flags.ts';
import { renewAfterPart, sayLifetime } from './lifetime.ts';
import { type FoundRegistration, isRegistration, namespacesOf, readRegistration } from './registration.ts';
import { type MadeToken, makeToken, revokeOthers } from './token.ts';
import { whyUnusable } from './try-out.ts';

/** What a token lives where nothing says how long the one of before did: 90 days, in seconds. */
export const defaultLifetimeSeconds = 90 * 86_400;
/** How often a Secret that others write too is written before it is given up. */
const attempts = 3;

/**
 * `ringmaster rotate [REGION]`: registers a new token for a region, or with `all` for each that `connect` has registered, and revokes
 * the ones of before.
 * @throws UsageError when one of them could not be rotated; the others are all the same.
 */
export async function rotate(region: string | undefined, flags: RotateFlags, edges: CommandEdges): Promise<void> {
  const { out, signal, userAgent, env } = edges;
  if ((region === undefined) === !flags.all) throw new UsageError('name a region, or --all of them');
  if (flags.all && flags.context !== undefined)
    throw new UsageError('--context is of one region, and --all means each');
  const files = kubeconfigFiles(flags.kubeconfig ?? [], env);
  const [namespace = ''] = namespacesOf('--ringmaster-namespace', [flags.ringmasterNamespace]);
  await using hub = await openCluster(findContext(files, flags.hubContext ?? currentContext(files)), userAgent, signal);
  const registrations = (await registrationsIn(hub, namespace, signal)).filter(({ secret }) => isRegistration(secret));
  const wanted = registrations.filter((each) => (flags.all ? each.isOurs : each.region === region));
  if (wanted.length === 0) {
    const known = registrations.map((each) => each.region).join(', ') || 'none';
    const what = flags.all ? 'a region that ringmaster connect has connected' : `region ${region}`;
    throw new UsageError(`no Secret in namespace ${namespace} of the hub registers ${what}; there are: ${known}`);
  }
  const failed: string[] = [];
  for (const each of wanted) {
    try {
      await rotateOne(each, { hub, namespace, files }, flags, edges);
    } catch (error) {
      if (signal.aborted) throw error;
      failed.push(`${each.region}: ${error instanceof Error ? error.message : String(error)}`);
      if (flags.all) out.write(`  failed     ${failed.at(-1)}\n`);
    }
  }
  if (failed.length > 0) throw new UsageError(flags.all ? `not rotated: ${failed.length}` : failed.join('\n'));
}

async function rotateOne(
  found: FoundRegistration,
  where: { hub: AdminCluster; namespace: string; files: readonly string[] },
  flags: RotateFlags,
  edges: CommandEdges,
): Promise<void> {
  const { hub, namespace, files } = where;
  const { out, signal } = edges;
  const { region, secret, claims, kubeconfig } = found;
  const secretName = secret.metadata.name;
  const context = flags.context ?? found.adminContext;
  if (!found.isOurs || kubeconfig === undefined) {
    throw new UsageError(
      `Secret ${namespace}/${secretName} was not made by ringmaster connect; connect the region first`,
    );
  }
  if (context === undefined) throw new UsageError('nothing says how an administrator reaches it; use --context');
  await using cluster = await openRegion(files, context, found, edges);
  const account = { namespace: claims?.namespace ?? namespace, name: claims?.name ?? regionAccountName };
  const owner = { hubUid: hub.uid, secretName };
  const isLongLived = claims !== undefined && claims.expiresAtMs === undefined;
  const { issuedAtMs, expiresAtMs } = claims ?? {};
  const before =
    issuedAtMs === undefined || expiresAtMs === undefined ? undefined : Math.round((expiresAtMs - issuedAtMs) / 1000);
  const lifetimeSeconds = flags.tokenLifetime ?? (isLongLived ? undefined : (before ?? defaultLifetimeSeconds));
  const wishes = { account, owner, lifetimeSeconds };
  const made = await makeToken(cluster.client, wishes, { clock: systemClock, random: systemRandom }, signal);
  out.write(
    `  created    Secret ${account.namespace}/${made.anchorName} in ${region}, which the new token is bound to\n`,
  );
  const text = withToken(kubeconfig, made.token, `Secret ${namespace}/${secretName}`);
  const problem = await whyUnusable(text, cluster.uid, edges);
  if (problem !== undefined) {
    // The address that is registered may lead nowhere from here; that the token is good can be seen at another one.
    if (text.includes(cluster.context.server)) throw new UsageError(problem);
    out.write(`             it could not be tried from here: ${problem}\n`);
  }
  const written = await register(hub, found, made, signal);
  out.write(`  changed    Secret ${namespace}/${secretName} in the hub\n`);
  out.write(`             ${sayLifetime(readRegistration(written))}\n`);
  await sleep(systemClock, flags.revokeAfter * 1000, signal);
  await revokeOthers(cluster.client, account.namespace, owner, made.anchorName, out, signal);
}

/** Puts a token into the Secret of the hub, as that is by now: the controller may have renewed the one of before a moment ago. */
async function register(
  { client }: AdminCluster,
  found: FoundRegistration,
  { token, lifetimeMs }: MadeToken,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace = '', name } = found.secret.metadata;
  let { secret, kubeconfig = '' } = found;
  for (let attempt = 1; ; attempt++) {
    const text = withToken(kubeconfig, token, `Secret ${namespace}/${name}`);
    const encoded = Buffer.from(text).toString('base64');
    const data = { ...(secret['data'] as Record<string, string>), [kubeconfigKey]: encoded };
    const annotations = { ...secret.metadata.annotations };
    if (found.renewAfter !== undefined && lifetimeMs !== undefined) {
      const latest = Math.floor((lifetimeMs / 1000) * renewAfterPart);
      if (Number(found.renewAfter) > latest) annotations[registrationAnnotations.renewTokenAfter] = String(latest);
    }
    try {
      return await client.replace(
        resources.secrets,
        { ...secret, metadata: { ...secret.metadata, annotations }, data },
        signal,
      );
    } catch (error) {
      if (!isKubeError(error, 'Conflict') || attempt === attempts) throw error;
      ({ secret, kubeconfig = '' } = readRegistration(
        await client.get(resources.secrets, { namespace, name }, signal),
      ));
    }
  }
}
