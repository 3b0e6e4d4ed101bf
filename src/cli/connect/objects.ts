import { type KubeObject, resources, type ResourceType } from '../../kube/objects.ts';
import { casskop, nodeServiceAccount } from '../../operators/casskop/casskop.ts';
import { kubeconfigKey, kubeconfigLabels, registrationAnnotations as registered } from '../../regions/secrets.ts';
import { regionAccess } from '../../runtime/access.ts';
import { rbacObjects } from '../rbac.ts';
import { connectAnnotations, madeByConnect } from './registration.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

/** The kinds that the commands write, by kind. */
export const kinds = {
  Namespace: resources.namespaces,
  ServiceAccount: resources.serviceAccounts,
  Secret: resources.secrets,
  Role: { ...rbac, plural: 'roles', kind: 'Role', namespaced: true },
  RoleBinding: { ...rbac, plural: 'rolebindings', kind: 'RoleBinding', namespaced: true },
  ClusterRole: { ...rbac, plural: 'clusterroles', kind: 'ClusterRole', namespaced: false },
  ClusterRoleBinding: { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', namespaced: false },
} as const satisfies Record<string, ResourceType>;

export type MadeKind = keyof typeof kinds;

/** An object that is to be there. */
export interface Wanted {
  readonly kind: MadeKind;
  readonly object: KubeObject;
}

export interface ServiceAccountRef {
  readonly namespace: string;
  readonly name: string;
}

function wanted(object: KubeObject): Wanted {
  const { metadata } = object;
  const labels = { ...metadata.labels, ...madeByConnect };
  return { kind: object.kind as MadeKind, object: { ...object, metadata: { ...metadata, labels } } };
}

/**
 * What a region needs, in the order in which it can be made: the members' namespaces and the ServiceAccount of their
 * pods, and the account that Ringmaster uses, with exactly the roles that `ringmaster rbac region` prints. With `renews`, the account may
 * renew its token as well. Namespaces of others stay in the one role that is for the whole cluster.
 */
export function regionObjects(
  account: ServiceAccountRef,
  namespaces: readonly string[],
  renews: boolean,
  othersNamespaces: readonly string[] = [],
): Wanted[] {
  const members = namespaces.flatMap((namespace): KubeObject[] => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: nodeServiceAccount } },
  ]);
  const all = [...namespaces, ...othersNamespaces].sort();
  const options = { place: 'region', rules: regionAccess(casskop), namespaces: all, serviceAccount: account } as const;
  const roles = rbacObjects(options).filter(({ metadata }) => !othersNamespaces.includes(metadata.namespace ?? ''));
  return [...[...members, ...roles].map(wanted), ...(renews ? tokenRole(account) : [])];
}

/** The namespaces of members that the role for the whole cluster names. */
export function namespacesIn(clusterRole: KubeObject): string[] {
  const { rules = [] } = clusterRole as { rules?: { resources?: string[]; resourceNames?: string[] }[] };
  const names = rules
    .filter((each) => each.resources?.includes('namespaces'))
    .flatMap((each) => each.resourceNames ?? []);
  return names.filter((each) => each !== 'kube-system');
}

/** What lets the account make tokens of its own, and of no other one. */
function tokenRole(account: ServiceAccountRef): Wanted[] {
  const rule = {
    apiGroups: [''],
    resources: ['serviceaccounts/token'],
    resourceNames: [account.name],
    verbs: ['create'],
  };
  return role(account.namespace, 'ringmaster-region-token', rule, account);
}

/** A Role of one rule, and whom it is for. */
function role(namespace: string, name: string, rule: Record<string, unknown>, account: ServiceAccountRef): Wanted[] {
  const apiVersion = `${rbac.group}/${rbac.version}`;
  const metadata = { name, namespace };
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  const roleRef = { apiGroup: rbac.group, kind: 'Role', name };
  return [
    wanted({ apiVersion, kind: 'Role', metadata, rules: [rule] }),
    wanted({ apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef }),
  ];
}

export interface HubSecretOptions {
  readonly region: string;
  readonly secretName: string;
  readonly namespace: string;
  readonly kubeconfig: string;
  /** As the annotation has it: names with commas, or `*`. */
  readonly hubNamespaces: string;
  readonly regionNamespaces: readonly string[];
  readonly clusterUid: string;
  readonly adminContext: string;
  readonly renewAfterSeconds: number | undefined;
}

/** The Secret that registers the region in the hub. */
export function hubSecret(options: HubSecretOptions): Wanted {
  const { region, secretName, namespace, kubeconfig, renewAfterSeconds } = options;
  return wanted({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName,
      namespace,
      labels: { [kubeconfigLabels[0]]: 'true' },
      annotations: {
        ...(region !== secretName && { [registered.region]: region }),
        [registered.hubNamespaces]: options.hubNamespaces,
        [registered.regionNamespaces]: options.regionNamespaces.join(','),
        ...(renewAfterSeconds !== undefined && { [registered.renewTokenAfter]: String(renewAfterSeconds) }),
        [connectAnnotations.clusterUid]: options.clusterUid,
        [connectAnnotations.adminContext]: options.adminContext,
      },
    },
    type: 'Opaque',
    data: { [kubeconfigKey]: Buffer.from(kubeconfig).toString('base64') },
  });
}

/** The namespace of the Secrets in the hub. */
export function hubNamespace(name: string): Wanted {
  return wanted({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** What lets the controller put a renewed token into this one Secret, and into no other. */
export function renewalRole(namespace: string, secretName: string, controller: ServiceAccountRef): Wanted[] {
  const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: [secretName], verbs: ['patch'] };
  return role(namespace, `ringmaster-renew-${secretName}`, rule, controller);
}

/** Whose tokens an anchor holds: which Secret of which hub. */
export interface AnchorOwner {
  /** uid of the hub's kube-system. */
  readonly hubUid: string;
  readonly secretName: string;
}

const anchorLabels = { hub: 'ringmaster.dev/hub', registration: 'ringmaster.dev/registration' } as const;

/**
 * An empty Secret beside the account in the region: tokens are bound to it, so that deleting it revokes them and no other
 * ones. With `longLived`, Kubernetes puts a token into it that holds for as long as it is there.
 */
export function anchor(
  { namespace, name: account }: ServiceAccountRef,
  suffix: string,
  { hubUid, secretName }: AnchorOwner,
  longLived: boolean,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: `${account}-token-${suffix}`,
      labels: { ...madeByConnect, [anchorLabels.hub]: hubUid },
      // A label's value is too short for the name of a Secret.
      annotations: {
        [anchorLabels.registration]: secretName,
        ...(longLived && { 'kubernetes.io/service-account.name': account }),
      },
    },
    type: longLived ? 'kubernetes.io/service-account-token' : 'Opaque',
  };
}

/** Finds anchors, whoever's they are. */
export const anchorSelector = `${Object.entries(madeByConnect)
  .map(([label, value]) => `${label}=${value}`)
  .join(',')},${anchorLabels.hub}`;

export function isAnchorOf({ metadata }: KubeObject, { hubUid, secretName }: AnchorOwner): boolean {
  return (
    metadata.labels?.[anchorLabels.hub] === hubUid && metadata.annotations?.[anchorLabels.registration] === secretName
  );
}
