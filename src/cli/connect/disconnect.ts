import { multiCassandraClusters } from '../../api/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, resources } from '../../kube/objects.ts';
import type { Output } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { type AdminCluster, currentContext, findContext, kubeconfigFiles, openCluster } from './cluster.ts';
import { registrationsIn, regionAccountName } from './connect-plan.ts';
import { nameOf } from './ensure.ts';
import type { CommandEdges, DisconnectFlags } from './flags.ts';
import { needs } from './in-use.ts';
import { type AnchorOwner, kinds, type MadeKind, renewalRole, type ServiceAccountRef } from './objects.ts';
import { type FoundRegistration, madeByConnect, namespacesOf, secretNameOf } from './registration.ts';
import { findAnchors, remove } from './token.ts';

/**
 * `ringmaster disconnect REGION`: takes back what `connect` has made, the Secret in the hub first; namespaces, members and
 * data stay. It may be repeated, also when it was interrupted.
 * @throws UsageError when the region is still needed, or cannot be reached.
 */
export async function disconnect(region: string, flags: DisconnectFlags, edges: CommandEdges): Promise<void> {
  const { out, signal, userAgent, env } = edges;
  const files = kubeconfigFiles(flags.kubeconfig ?? [], env);
  const [namespace = ''] = namespacesOf('--ringmaster-namespace', [flags.ringmasterNamespace]);
  await using hub = await openCluster(findContext(files, flags.hubContext ?? currentContext(files)), userAgent, signal);
  const found = await findRegistration(hub, namespace, region, flags, signal);
  if (!flags.force) await checkUnused(hub, region, signal);
  const context = flags.context ?? found?.adminContext;
  if (!flags.hubOnly && context === undefined) {
    throw new UsageError(
      `no Secret in namespace ${namespace} of the hub says how an administrator reaches ${region}; name its context with --context, or leave it as it is with --hub-only`,
    );
  }
  const secretName = found?.secret.metadata.name ?? secretNameOf(region);
  const takeBack = async (cluster: AdminCluster | undefined): Promise<void> => {
    await removeFromHub(hub, namespace, secretName, found, out, signal);
    const account = {
      namespace: found?.claims?.namespace ?? namespace,
      name: found?.claims?.name ?? regionAccountName,
    };
    if (cluster) await removeFromRegion(hub, cluster, account, { hubUid: hub.uid, secretName }, out, signal);
    else out.write(`  left       what is in region ${region}: the token there holds until it ends, or is revoked\n`);
  };
  if (flags.hubOnly || context === undefined) {
    await takeBack(undefined);
    return;
  }
  await using cluster = await openRegion(files, context, found, edges);
  await takeBack(cluster);
}

async function findRegistration(
  hub: AdminCluster,
  namespace: string,
  region: string,
  flags: DisconnectFlags,
  signal: AbortSignal,
): Promise<FoundRegistration | undefined> {
  const found = (await registrationsIn(hub, namespace, signal)).find((each) => each.region === region);
  if (!found) {
    if (flags.context !== undefined) return undefined;
    throw new UsageError(
      `no Secret in namespace ${namespace} of the hub (context ${hub.context.name}) registers region ${region}; to take back what is left in the region, name its context with --context`,
    );
  }
  if (found.isOurs || flags.force) return found;
  throw new UsageError(
    `Secret ${namespace}/${found.secret.metadata.name} was not made by ringmaster connect; delete it yourself, or use --force`,
  );
}

/** Opens a region with the rights of its administrator. @throws UsageError when the context leads to another cluster. */
export async function openRegion(
  files: readonly string[],
  context: string,
  found: FoundRegistration | undefined,
  { userAgent, signal }: CommandEdges,
): Promise<AdminCluster> {
  const cluster = await openCluster(findContext(files, context), userAgent, signal);
  const { clusterUid = cluster.uid, region = '' } = found ?? {};
  if (cluster.uid === clusterUid) return cluster;
  await cluster[Symbol.asyncDispose]();
  throw new UsageError(
    `context ${context} is another cluster (kube-system uid ${cluster.uid}) than region ${region} (${clusterUid}); name the right one with --context`,
  );
}

async function checkUnused(hub: AdminCluster, region: string, signal: AbortSignal): Promise<void> {
  const { items } = await hub.client.list(multiCassandraClusters, {}, signal);
  const needing = needs(items, region);
  if (needing.length === 0) return;
  throw new UsageError(
    `region ${region} is still needed:\n${needing.map((each) => `  - ${each}\n`).join('')}` +
      `Take it out of the ring first (state: Removing, or Abandoned if it is lost), or disconnect it all the same with --force: ` +
      `its nodes go on running, and nobody looks after them together with the others`,
  );
}

async function removeFromHub(
  { client }: AdminCluster,
  namespace: string,
  secretName: string,
  found: FoundRegistration | undefined,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  if (found && (await remove(client, resources.secrets, found.secret, signal))) {
    out.write(`  deleted    Secret ${namespace}/${secretName} in the hub\n`);
  }
  const role = renewalRole(namespace, secretName, { namespace: '', name: '' });
  for (const { kind, object } of role.reverse()) await removeOurs(client, kind, object, 'the hub', out, signal);
}

async function removeFromRegion(
  hub: AdminCluster,
  { client, uid, context }: AdminCluster,
  account: ServiceAccountRef,
  owner: AnchorOwner,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const where = `context ${context.name}`;
  const { own, others } = await findAnchors(client, account.namespace, owner, signal);
  for (const each of own) {
    if (!(await remove(client, resources.secrets, each, signal))) continue;
    out.write(`  revoked    the token (Secret ${account.namespace}/${each.metadata.name} in ${where})\n`);
  }
  const name = `ServiceAccount ${account.namespace}/${account.name}`;
  if (others.length > 0 || uid === hub.uid) {
    const why = uid === hub.uid ? 'this cluster is the hub' : 'another registration uses it';
    out.write(`  left       ${name} and its roles in ${where}: ${why}\n`);
    return;
  }
  const labelSelector = Object.entries(madeByConnect)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  for (const kind of ['ClusterRoleBinding', 'RoleBinding', 'ClusterRole', 'Role'] as const) {
    const { items } = await client.list(kinds[kind], { labelSelector }, signal);
    for (const each of items) {
      if (!/^ringmaster-region(-token)?$/.test(each.metadata.name)) continue;
      if (!(await remove(client, kinds[kind], each, signal))) continue;
      out.write(`  deleted    ${nameOf({ kind, object: each })} in ${where}\n`);
    }
  }
  await removeOurs(client, 'ServiceAccount', { metadata: account }, where, out, signal);
}

/** Deletes an object if it is there and we have made it. */
async function removeOurs(
  client: KubeClient,
  kind: MadeKind,
  object: KubeObject,
  where: string,
  out: Output,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = object.metadata;
  const ref = { name, ...(namespace !== undefined && { namespace }) };
  const existing = await client.get(kinds[kind], ref, signal).catch((error: unknown) => {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  });
  if (!existing) return;
  const { labels = {} } = existing.metadata;
  const isOurs = Object.entries(madeByConnect).every(([label, value]) => labels[label] === value);
  if (!isOurs) out.write(`  left       ${nameOf({ kind, object })} in ${where}: somebody else has made it\n`);
  else if (await remove(client, kinds[kind], existing, signal)) {
    out.write(`  deleted    ${nameOf({ kind, object })} in ${where}\n`);
  }
}
