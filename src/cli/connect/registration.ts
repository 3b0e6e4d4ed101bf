import { createHash } from 'node:crypto';
import { isObject } from '../../api/json.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { readServiceAccountToken, type ServiceAccountToken } from '../../kube/service-account-token.ts';
import { tokenIn } from '../../regions/kubeconfig-token.ts';
import {
  kubeconfigKey,
  kubeconfigLabels,
  registrationAnnotations as registered,
  regionName,
} from '../../regions/secrets.ts';
import { parseNamespaces } from '../../regions/tenancy.ts';
import { UsageError } from '../usage-error.ts';

/** On everything that `ringmaster connect` has made; what does not carry it belongs to somebody else. */
export const madeByConnect = { 'app.kubernetes.io/managed-by': 'ringmaster-connect' } as const;

/** What `ringmaster connect` notes on a Secret that registers a region, for disconnect and rotate. */
export const connectAnnotations = {
  /** uid of the region's kube-system. */
  clusterUid: 'ringmaster.dev/cluster-uid',
  /** The context of whoever connected it. */
  adminContext: 'ringmaster.dev/admin-context',
} as const;

/** A Secret of the hub that registers a region, as far as the commands look at it. */
export interface FoundRegistration {
  readonly region: string;
  readonly secret: KubeObject;
  readonly isOurs: boolean;
  readonly clusterUid: string | undefined;
  readonly adminContext: string | undefined;
  /** Empty where the Secret names none, or all. */
  readonly regionNamespaces: readonly string[];
  readonly hubNamespaces: string | undefined;
  readonly renewAfter: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly token: string | undefined;
  readonly claims: ServiceAccountToken | undefined;
}

/** Reads a Secret that registers a region, or should; what is wrong with it is left out. */
export function readRegistration(secret: KubeObject): FoundRegistration {
  const { name, labels = {}, annotations = {} } = secret.metadata;
  const data: unknown = isObject(secret['data']) ? secret['data'][kubeconfigKey] : undefined;
  const kubeconfig = typeof data === 'string' ? Buffer.from(data, 'base64').toString('utf8') : undefined;
  let token: string | undefined;
  let namespaces: ReturnType<typeof parseNamespaces> = 'all';
  try {
    namespaces = parseNamespaces(annotations[registered.regionNamespaces] ?? '*');
    token = kubeconfig === undefined ? undefined : tokenIn(kubeconfig, name);
  } catch {
    // It is replaced as a whole, or refused because it is not ours.
  }
  return {
    region: annotations[registered.region] ?? name,
    secret,
    isOurs: Object.entries(madeByConnect).every(([label, value]) => labels[label] === value),
    clusterUid: annotations[connectAnnotations.clusterUid],
    adminContext: annotations[connectAnnotations.adminContext],
    regionNamespaces: namespaces === 'all' ? [] : [...namespaces],
    hubNamespaces: annotations[registered.hubNamespaces],
    renewAfter: annotations[registered.renewTokenAfter],
    kubeconfig,
    token,
    claims: token === undefined ? undefined : readServiceAccountToken(token),
  };
}

/** Whether a Secret registers a region by its labels, whoever made it. */
export function isRegistration({ metadata: { labels = {} } }: KubeObject): boolean {
  return kubeconfigLabels.some((label) => labels[label] === 'true');
}

/**
 * The name of the Secret for a region. A region's name may have characters that no Secret's can, such as an EKS cluster's
 * ARN: those are replaced, and what is left of the name gets a few letters that keep two of them apart.
 */
export function secretNameOf(region: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/.test(region) && !/\.[.-]|-\./.test(region)) return region;
  const readable = region
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(-100);
  const rest = createHash('sha256').update(region).digest('hex').slice(0, 8);
  return `${readable}-${rest}`.replace(/^-+/, '');
}

/** @throws UsageError for a name that no region can have. */
export function checkRegionName(region: string, flag: string): void {
  if (regionName.test(region)) return;
  throw new UsageError(
    `${flag} ${JSON.stringify(region)} is no name for a region: letters, digits and . _ : @ / - inside; give another one with --name`,
  );
}

/**
 * Reads namespaces by name, each flag one or several with commas.
 * @throws UsageError for none, all, or a name that no namespace can have.
 */
export function namespacesOf(flag: string, lists: readonly string[]): string[] {
  const found = parseNamespacesOf(flag, lists.join(','));
  if (found === 'all') throw new UsageError(`${flag} *: name the namespaces; each gets a role of its own`);
  if (found.size === 0) throw new UsageError(`${flag}: name at least one namespace`);
  return [...found];
}

/** @throws UsageError for a name that no namespace can have. */
export function parseNamespacesOf(flag: string, list: string): ReturnType<typeof parseNamespaces> {
  try {
    return parseNamespaces(list);
  } catch (cause) {
    throw new UsageError(`${flag}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
