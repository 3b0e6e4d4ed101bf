import { isObject } from '../../api/json.ts';
import { kind, multiCassandraClusters } from '../../api/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { type KubeObject, resources, type ResourceType } from '../../kube/objects.ts';
import type { Right } from '../../kube/access-review.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import { UsageError } from '../usage-error.ts';
import type { AdminCluster } from './cluster.ts';
import { kinds } from './objects.ts';

const deployments: ResourceType = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};

/** The hub is the cluster that knows our kind. @throws UsageError when it does not. */
export async function checkHub({ client, context }: AdminCluster, signal: AbortSignal): Promise<void> {
  try {
    await client.list(multiCassandraClusters, { limit: 1 }, signal);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    throw new UsageError(
      `the hub (context ${context.name}) does not know ${kind}; is it the right one? If so, install the CRD first: ringmaster crds | kubectl --context ${context.name} apply --server-side -f -`,
      { cause: error },
    );
  }
}

/** @throws UsageError naming what the person may not do, before anything is done. */
export async function checkRights(cluster: AdminCluster, rights: readonly Right[]): Promise<void> {
  const asked = await Promise.all(rights.map(async (right) => ((await cluster.isAllowed(right)) ? [] : [right])));
  const missing = asked.flat().map(({ verb, resource, namespace }) => {
    return `${verb} ${resource}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
  });
  if (missing.length === 0) return;
  throw new UsageError(
    `context ${cluster.context.name} may not ${missing.join(', ')}; an administrator of that cluster has to run this, and nothing was done`,
  );
}

/** The rights to make what `connect` makes in a region. */
export function rightsInRegion(account: string, namespaces: readonly string[]): Right[] {
  const to = (verb: string, { group, plural }: ResourceType, namespace?: string): Right => {
    return { verb, group, resource: plural, ...(namespace !== undefined && { namespace }) };
  };
  return [
    to('create', kinds.ClusterRole),
    to('create', kinds.ClusterRoleBinding),
    to('create', kinds.ServiceAccount, account),
    { ...to('create', kinds.ServiceAccount, account), resource: 'serviceaccounts/token' },
    to('create', kinds.Secret, account),
    to('create', kinds.Role, account),
    ...namespaces.flatMap((each) => [to('create', kinds.Role, each), to('create', kinds.RoleBinding, each)]),
  ];
}

/** The rights to register a region in the hub. */
export function rightsInHub(namespace: string): Right[] {
  return (['list', 'create', 'update'] as const).map((verb) => ({ verb, group: '', resource: 'secrets', namespace }));
}

/** What is known of the regional operator, and what a person has to do about it, in sentences. */
export interface OperatorView {
  readonly found: string;
  readonly missing: readonly string[];
}

/** Looks for CassKop in the region: its CRD, and a Deployment that runs it. */
export async function lookForOperator(
  client: Pick<KubeClient, 'get' | 'list'>,
  contextName: string,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<OperatorView> {
  const crd = await client
    .get(resources.customResourceDefinitions, { name: casskop.crdName }, signal)
    .catch((error: unknown) => {
      if (isKubeError(error, 'NotFound')) return undefined;
      throw error;
    });
  const { version } = casskop.member;
  const isServed = crd !== undefined && 'type' in casskop.capabilities(crd).schema;
  const missing = isServed
    ? []
    : [
        `${casskop.member.kind} ${version} (CRD ${casskop.crdName}): install ${casskop.name} in context ${contextName} by its chart, which also makes the ServiceAccount of its pods: https://github.com/cscetbon/casskop`,
      ];
  const crdSays = isServed ? `${casskop.member.kind} ${version} is served` : `no ${casskop.member.kind} ${version}`;
  let running: readonly KubeObject[];
  try {
    running = (await client.list(deployments, {}, signal)).items;
  } catch (error) {
    if (!isKubeError(error, 'Forbidden', 'NotFound')) throw error;
    return { found: `${crdSays}; whether it runs cannot be seen with these rights`, missing };
  }
  const operators = running.flatMap(operatorIn);
  if (operators.length === 0) {
    const what = `${casskop.name} does not run: no Deployment in any namespace has an image called casskop`;
    return { found: `${crdSays}; ${casskop.name} does not run`, missing: isServed ? [...missing, what] : missing };
  }
  const unseen = namespaces.filter((each) => !operators.some(({ watches }) => !watches || watches.includes(each)));
  return {
    found: `${crdSays}; ${operators.map(({ name, image }) => `${image} in ${name}`).join(', ')}`,
    missing: [
      ...missing,
      ...unseen.map((each) => `no ${casskop.name} watches namespace ${each}: set WATCH_NAMESPACE of its Deployment`),
    ],
  };
}

/** CassKop, if this Deployment runs it; `watches` is undefined where it looks after all namespaces, or nobody can tell. */
function operatorIn(deployment: KubeObject): { name: string; image: string; watches?: string[] }[] {
  const spec: unknown = deployment['spec'];
  const template = isObject(spec) && isObject(spec['template']) ? spec['template']['spec'] : undefined;
  const containers =
    isObject(template) && Array.isArray(template['containers']) ? (template['containers'] as unknown[]) : [];
  return containers.filter(isObject).flatMap(({ image, env }) => {
    if (typeof image !== 'string' || !/casskop[^/]*$/.test(image) || /multi-?casskop/.test(image)) return [];
    const { namespace = '', name } = deployment.metadata;
    const variables = Array.isArray(env) ? (env as unknown[]).filter(isObject) : [];
    const watch = variables.find((each) => each['name'] === 'WATCH_NAMESPACE');
    const fromField = watch !== undefined && isObject(watch['valueFrom']);
    const value = typeof watch?.['value'] === 'string' ? watch['value'] : '';
    const watches = fromField ? [namespace] : value.split(',').filter((each) => each !== '');
    return [{ name: `${namespace}/${name}`, image, ...(watches.length > 0 && { watches }) }];
  });
}

/** Why the controller in the hub may not get to this address; undefined where nothing speaks against it. */
export function addressProblem(server: string): string | undefined {
  const { hostname } = new URL(server);
  if (!/^(localhost|127\.|\[::1\]|0\.0\.0\.0)/.test(hostname)) return undefined;
  return `${server} leads to this machine and to nothing else; give the address that the hub's pods reach with --server`;
}
