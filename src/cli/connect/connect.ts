import { type Clock, systemClock } from '../../edges/clock.ts';
import { systemRandom } from '../../edges/random.ts';
import { kubeconfigWith } from '../../regions/kubeconfig-token.ts';
import { UsageError } from '../usage-error.ts';
import { type AdminCluster, currentContext, findContext, kubeconfigFiles, openCluster } from './cluster.ts';
import { type ConnectPlan, makePlan, wantedInHub } from './connect-plan.ts';
import { printDryRun } from './dry-run.ts';
import { ensure, nameOf } from './ensure.ts';
import type { CommandEdges, ConnectFlags } from './flags.ts';
import { inWords, renewAfterPart, sayLifetime } from './lifetime.ts';
import { regionObjects } from './objects.ts';
import { addressProblem, checkHub, checkRights, lookForOperator, rightsInHub, rightsInRegion } from './preflight.ts';
import { checkRegionName, namespacesOf, parseNamespacesOf, readRegistration } from './registration.ts';
import { makeToken, revokeOthers } from './token.ts';
import { keptToken, untilInEffect, whyUnusable } from './try-out.ts';

const clock: Clock = systemClock;

/**
 * `ringmaster connect`: prepares a region and registers it in the hub, with the rights of whoever runs it.
 * @throws UsageError for what a person has to mend; what was made until then stays, and a repetition goes on from there.
 */
export async function connect(flags: ConnectFlags, edges: CommandEdges): Promise<void> {
  const { out, signal, userAgent } = edges;
  const files = kubeconfigFiles(flags.kubeconfig ?? [], edges.env);
  const [namespace = ''] = namespacesOf('--ringmaster-namespace', [flags.ringmasterNamespace]);
  checkRegionName(flags.name ?? flags.context, flags.name === undefined ? '--context' : '--name');
  const asked = namespacesOf('--namespace', flags.namespace ?? ['cassandra']);
  if (flags.allowFrom !== undefined) parseNamespacesOf('--allow-from', flags.allowFrom);
  if (flags.renewAfter !== undefined && flags.renewAfter > (flags.tokenLifetime * 2) / 3) {
    throw new UsageError('--renew-after: leave at least a third of --token-lifetime, for when it fails at first');
  }
  const contexts = [flags.hubContext ?? currentContext(files), flags.context].map((each) => findContext(files, each));
  await using hub = await openCluster(contexts[0]!, userAgent, signal);
  await using region = await openCluster(contexts[1]!, userAgent, signal);
  await checkHub(hub, signal);
  const plan = await makePlan(flags, { hub, region, namespace, asked }, signal);
  await checkRights(region, rightsInRegion(plan.account.namespace, plan.namespaces));
  await checkRights(hub, rightsInHub(namespace));
  const operator = await lookForOperator(region.client, region.context.name, plan.namespaces, signal);
  out.write(`hub     ${hub.context.name}: ${hub.context.server}, Kubernetes ${hub.version}\n`);
  out.write(
    `region  ${plan.region}: ${plan.at.server}, Kubernetes ${region.version}, context ${region.context.name}\n`,
  );
  out.write(`        ${operator.found}\n`);
  if (flags.dryRun) {
    printDryRun(plan, renewAfter(flags, plan, undefined), out);
    return;
  }
  const missing = [...operator.missing];
  try {
    await make(flags, plan, { hub, region, missing }, edges);
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${why}\nWhat is listed above is made and stays; when this is mended, the same command goes on.`,
      {
        cause: error,
      },
    );
  }
  const address = addressProblem(plan.at.server);
  if (address !== undefined) missing.push(address);
  if (missing.length > 0) out.write(`missing:\n${missing.map((each) => `  - ${each}\n`).join('')}`);
  const as = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(plan.region)
    ? `name: ${plan.region}`
    : `name: ..., context: ${plan.region}`;
  out.write(
    `MultiCassandraClusters in namespace ${plan.hubNamespaces} of the hub may name it now: regions: [{${as}}]\n`,
  );
}

interface Where {
  readonly hub: AdminCluster;
  readonly region: AdminCluster;
  /** Added to by what turns out to be missing. */
  readonly missing: string[];
}

async function make(flags: ConnectFlags, plan: ConnectPlan, where: Where, edges: CommandEdges): Promise<void> {
  const { hub, region, missing } = where;
  const { out, signal } = edges;
  const { account, owner, namespace } = plan;
  const force = flags.force ?? false;
  for (const each of regionObjects(account, plan.namespaces, plan.renews, plan.othersNamespaces)) {
    const outcome = await ensure(region.client, each, force, signal);
    out.write(`  ${outcome.padEnd(9)}  ${nameOf(each)} in ${plan.region}\n`);
  }
  await untilInEffect(region, account, signal);
  const kept = await keptToken(plan, flags, edges);
  const lifetimeSeconds = flags.longLivedToken ? undefined : flags.tokenLifetime;
  const wishes = { account, owner, lifetimeSeconds };
  const made =
    kept === undefined ? await makeToken(region.client, wishes, { clock, random: systemRandom }, signal) : undefined;
  const kubeconfig = kubeconfigWith(plan.region, plan.at, kept ?? made?.token ?? '');
  if (made) {
    out.write(`  created    Secret ${namespace}/${made.anchorName} in ${plan.region}, which its token is bound to\n`);
    const problem = await whyUnusable(kubeconfig, region.uid, edges);
    // Another address than the context's need not be one that leads anywhere from here.
    if (problem !== undefined && flags.server === undefined) throw new UsageError(problem);
    if (problem !== undefined) missing.push(`what was registered could not be tried from here: ${problem}`);
    const { lifetimeMs = Infinity } = made;
    if (lifetimeMs < flags.tokenLifetime * 1000 && !flags.longLivedToken) {
      out.write(`             the region grants ${inWords(lifetimeMs / 1000)}, not ${inWords(flags.tokenLifetime)}\n`);
    }
  }
  const renewAfterSeconds = renewAfter(flags, plan, made?.lifetimeMs);
  for (const each of wantedInHub(plan, kubeconfig, renewAfterSeconds)) {
    const outcome = await ensure(hub.client, each, force, signal);
    out.write(`  ${outcome.padEnd(9)}  ${nameOf(each)} in the hub\n`);
    if (each.kind === 'Secret') out.write(`             ${sayLifetime(readRegistration(each.object))}\n`);
  }
  if (made) await revokeOthers(region.client, account.namespace, owner, made.anchorName, out, signal);
}

/** Seconds after which a token is to be renewed; undefined: never. */
function renewAfter(flags: ConnectFlags, plan: ConnectPlan, lifetimeMs: number | undefined): number | undefined {
  if (!plan.renews) return undefined;
  if (flags.renewAfter !== undefined) return flags.renewAfter;
  const before = Number(plan.existing?.renewAfter);
  if (lifetimeMs === undefined && before > 0) return before;
  return Math.floor((lifetimeMs === undefined ? flags.tokenLifetime : lifetimeMs / 1000) * renewAfterPart);
}
