import { readFileSync } from 'node:fs';
import { isKubeError } from '../../kube/errors.ts';
import { resources } from '../../kube/objects.ts';
import type { ServerParts } from '../../regions/kubeconfig-token.ts';
import { UsageError } from '../usage-error.ts';
import type { AdminCluster } from './cluster.ts';
import type { ConnectFlags } from './flags.ts';
import {
  type AnchorOwner,
  hubNamespace,
  hubSecret,
  kinds,
  namespacesIn,
  renewalRole,
  type ServiceAccountRef,
  type Wanted,
} from './objects.ts';
import { type FoundRegistration, isRegistration, readRegistration, secretNameOf } from './registration.ts';

/** Whom the controller is in a region. */
export const regionAccountName = 'ringmaster';

/** Whatever `connect` is to make, before it has made any of it. */
export interface ConnectPlan {
  readonly region: string;
  readonly secretName: string;
  /** Of the Secret in the hub, and of the account in the region. */
  readonly namespace: string;
  readonly namespaces: readonly string[];
  /** Those of other registrations of this cluster: the roles are the same for all. */
  readonly othersNamespaces: readonly string[];
  readonly hubNamespaces: string;
  readonly account: ServiceAccountRef;
  readonly owner: AnchorOwner;
  readonly at: ServerParts;
  /** uid of the region's kube-system. */
  readonly clusterUid: string;
  readonly adminContext: string;
  /** Whom the controller is in the hub. */
  readonly controller: ServiceAccountRef;
  readonly existing: FoundRegistration | undefined;
  readonly renews: boolean;
}

/**
 * Reads what there is and says what is to be; writes nothing.
 * @throws UsageError for what a person has to decide.
 */
export async function makePlan(
  flags: ConnectFlags,
  where: { hub: AdminCluster; region: AdminCluster; namespace: string; asked: readonly string[] },
  signal: AbortSignal,
): Promise<ConnectPlan> {
  const { hub, region, namespace, asked } = where;
  const name = flags.name ?? flags.context;
  const secretName = secretNameOf(name);
  const secrets = await registrationsIn(hub, namespace, signal);
  const existing = secrets.find(({ secret }) => secret.metadata.name === secretName);
  const other = secrets.find((each) => each.region === name && each !== existing && isRegistration(each.secret));
  if (other) {
    throw new UsageError(
      `region ${name} is registered by Secret ${namespace}/${other.secret.metadata.name} already; delete that one, or give another --name`,
    );
  }
  if (existing && !existing.isOurs && !flags.force) {
    throw new UsageError(
      `Secret ${namespace}/${secretName} is there and was not made by ringmaster connect; give another --name, or take it over with --force`,
    );
  }
  if (existing?.isOurs && existing.clusterUid !== undefined && existing.clusterUid !== region.uid && !flags.force) {
    throw new UsageError(
      `region ${name} is another cluster (kube-system uid ${existing.clusterUid}) than context ${flags.context} (${region.uid}); disconnect it first, give another --name, or put this one in its place with --force`,
    );
  }
  const before = existing?.isOurs ? existing : undefined;
  // Who works in a namespace goes on doing so: namespaces are added, and taken away by disconnecting.
  const namespaces = [...new Set([...(before?.regionNamespaces ?? []), ...asked])].sort();
  const [controllerNamespace = '', controllerName = ''] = flags.controller.split('/');
  return {
    region: name,
    secretName,
    namespace,
    namespaces,
    othersNamespaces: (await namespacesInRole(region, signal)).filter((each) => !namespaces.includes(each)),
    hubNamespaces: flags.allowFrom ?? before?.hubNamespaces ?? namespaces.join(','),
    account: { namespace, name: regionAccountName },
    owner: { hubUid: hub.uid, secretName },
    at: await serverParts(flags, region),
    clusterUid: region.uid,
    adminContext: region.context.name,
    controller: { namespace: controllerNamespace, name: controllerName },
    existing: before,
    renews: flags.renew && !flags.longLivedToken,
  };
}

/** The namespaces that the account has been let into before, by whatever hub. */
async function namespacesInRole({ client }: AdminCluster, signal: AbortSignal): Promise<string[]> {
  try {
    return namespacesIn(await client.get(kinds.ClusterRole, { name: 'ringmaster-region' }, signal));
  } catch (error) {
    // Who may not read roles is told so before anything is made.
    if (isKubeError(error, 'NotFound', 'Forbidden')) return [];
    throw error;
  }
}

/** The Secrets of the namespace, those that register no region among them: one of the same name may be in the way. */
export async function registrationsIn(
  hub: AdminCluster,
  namespace: string,
  signal: AbortSignal,
): Promise<FoundRegistration[]> {
  const { items } = await hub.client.list(resources.secrets, { namespace }, signal);
  return items.map(readRegistration);
}

/** Where the controller is to find the region, and by what authority. */
async function serverParts(flags: ConnectFlags, { context }: AdminCluster): Promise<ServerParts> {
  const { tls } = await context.credentials();
  if (tls.rejectUnauthorized === false && flags.certificateAuthority === undefined) {
    throw new UsageError(
      `context ${context.name} does not check who its server is (insecure-skip-tls-verify); give its authority with --certificate-authority FILE`,
    );
  }
  let authority = tls.ca?.toString();
  if (flags.certificateAuthority !== undefined) {
    try {
      authority = readFileSync(flags.certificateAuthority, 'utf8');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(`--certificate-authority: ${why}`, { cause });
    }
  }
  const server = flags.server?.replace(/\/+$/, '') ?? context.server;
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') {
    throw new UsageError(
      `${flags.server === undefined ? `context ${context.name}` : '--server'}: ${server} is no https URL`,
    );
  }
  return {
    server,
    ...(authority !== undefined && { authority }),
    ...(tls.servername !== undefined && { serverName: tls.servername }),
  };
}

/** What is to be in the hub, in the order in which it can be made. */
export function wantedInHub(plan: ConnectPlan, kubeconfig: string, renewAfterSeconds: number | undefined): Wanted[] {
  const { namespace, secretName, namespaces, renews, controller } = plan;
  return [
    hubNamespace(namespace),
    ...(renews ? renewalRole(namespace, secretName, controller) : []),
    hubSecret({ ...plan, kubeconfig, regionNamespaces: namespaces, renewAfterSeconds }),
  ];
}
