import { multiCassandraClusters } from '../api/schema.ts';
import { type AccessRule, eachNamespace } from '../kube/access.ts';
import type { RegionalOperator } from '../operators/operator.ts';

const mcc = { group: multiCassandraClusters.group, resource: multiCassandraClusters.plural };
const alive: readonly AccessRule[] = [
  { scope: 'cluster', path: '/readyz', why: 'whether the API server answers' },
  { scope: 'cluster', path: '/healthz', why: 'the same, where there is no /readyz' },
];

/**
 * All that the controller does in the hub. `namespace` stands for those of MultiCassandraClusters that name ConfigMaps or Secrets: it
 * reads these one by one, by their names.
 */
export const hubAccess: readonly AccessRule[] = [
  ...alive,
  {
    scope: 'cluster',
    group: '',
    resource: 'namespaces',
    names: ['kube-system'],
    verbs: ['get'],
    why: 'which cluster this is, before other credentials for it are used',
  },
  {
    scope: 'cluster',
    ...mcc,
    verbs: ['get', 'list', 'watch', 'patch'],
    why: 'what it works for, in every namespace; only its finalizer is written',
  },
  { scope: 'cluster', ...mcc, resource: `${mcc.resource}/status`, verbs: ['patch'], why: 'what it has to say' },
  {
    scope: 'cluster',
    group: 'events.k8s.io',
    resource: 'events',
    verbs: ['create', 'patch'],
    why: 'what it tells of them in kubectl describe',
  },
  {
    scope: 'own',
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['get', 'create', 'update'],
    why: 'one of several replicas leads',
  },
  { scope: 'own', group: '', resource: 'secrets', verbs: ['get', 'list', 'watch'], why: 'kubeconfigs of regions' },
  {
    scope: 'namespace',
    group: '',
    resource: 'configmaps',
    verbs: ['get', 'list', 'watch'],
    why: 'scripts of the user that the guard calls, and what members name',
  },
  {
    scope: 'namespace',
    group: '',
    resource: 'secrets',
    verbs: ['get', 'list', 'watch'],
    why: 'what members name, to be copied to the regions',
  },
];

/**
 * What it does beside that, where `ringmaster connect` has let it: it makes a token of its own account in a region, and puts it into the
 * Secret of the hub that the one of before is in. The roles for it name that account and that Secret, so they are made
 * together with these, and are not among those that are printed for every cluster.
 */
const renewalAccess: Readonly<Record<'hub' | 'region', AccessRule>> = {
  hub: { scope: 'own', group: '', resource: 'secrets', verbs: ['patch'], why: 'the token of a region, renewed' },
  region: {
    scope: 'own',
    group: '',
    resource: 'serviceaccounts/token',
    verbs: ['create'],
    why: 'its own token, renewed before it ends',
  },
};

/** All that the controller does in a region whose members `operator` looks after; `namespace` stands for those of the members. */
export function regionAccess({ name, member, crdName }: RegionalOperator): readonly AccessRule[] {
  return [
    ...alive,
    {
      scope: 'cluster',
      group: '',
      resource: 'namespaces',
      names: ['kube-system', eachNamespace],
      verbs: ['get'],
      why: 'which cluster this is, and whether the namespace is there',
    },
    {
      scope: 'cluster',
      group: 'apiextensions.k8s.io',
      resource: 'customresourcedefinitions',
      names: [crdName],
      verbs: ['get'],
      why: `what this ${name} understands`,
    },
    {
      scope: 'namespace',
      group: member.group,
      resource: member.plural,
      verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      why: 'the member; it is deleted once its region has left the ring',
    },
    {
      scope: 'namespace',
      group: member.group,
      resource: `${member.plural}/status`,
      verbs: ['patch'],
      why: `the seeds, which ${name} keeps in its status`,
    },
    {
      scope: 'namespace',
      group: '',
      resource: 'configmaps',
      verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      why: 'the guard, and copies of what the member names',
    },
    {
      scope: 'namespace',
      group: '',
      resource: 'secrets',
      verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      why: 'copies of what the member names; of others none but those of the same names are read',
    },
    { scope: 'namespace', group: 'apps', resource: 'statefulsets', verbs: ['list', 'watch'], why: 'racks' },
    { scope: 'namespace', group: '', resource: 'persistentvolumeclaims', verbs: ['list', 'watch'], why: 'disks' },
    {
      scope: 'namespace',
      group: '',
      resource: 'pods',
      verbs: ['get', 'list', 'watch', 'patch', 'delete'],
      why: 'nodes: labelled to clean up and the like; one that can never get ready is removed once its member was corrected',
    },
    {
      scope: 'namespace',
      group: '',
      resource: 'pods/proxy',
      verbs: ['get'],
      why: 'what nodes say over Jolokia, and are told when they are to leave the ring',
    },
    {
      scope: 'namespace',
      group: '',
      resource: 'serviceaccounts',
      verbs: ['list'],
      why: 'whether the pods will be let run',
    },
  ];
}

/** All that it does in the cluster of this name. */
export function accessTo(cluster: string, hub: string, operator: RegionalOperator): readonly AccessRule[] {
  const region = [...regionAccess(operator), renewalAccess.region];
  return cluster === hub ? [...hubAccess, renewalAccess.hub, ...region] : region;
}
