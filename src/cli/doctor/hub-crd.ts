import { customResourceDefinition } from '../../api/crd.ts';
import { isObject } from '../../api/json.ts';
import type { Cluster } from './cluster.ts';
import type { Finding, Tell } from './finding.ts';

/** Looks at the CustomResourceDefinition of MultiCassandraCluster in the hub. */
export async function hubCrdFinding(tell: Tell, hub: Cluster, context: string, signal: AbortSignal): Promise<Finding> {
  const wanted = customResourceDefinition();
  const { name } = wanted['metadata'] as { name: string };
  const found = await hub.find(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, signal);
  return judgeCrd(tell, wanted, found, context);
}

/** Pure. What an API server adds to a definition does not count. */
export function judgeCrd(
  tell: Tell,
  wanted: Record<string, unknown>,
  found: Awaited<ReturnType<Cluster['find']>>,
  context: string,
): Finding {
  const apply = `ringmaster crds | kubectl --context ${context} apply --server-side -f -`;
  const { name } = wanted['metadata'] as { name: string };
  if ('absent' in found) return tell('crd', 'failure', `the CustomResourceDefinition ${name} is missing`, apply);
  if ('why' in found) return tell('crd', 'unseen', `the CustomResourceDefinition ${name} cannot be read: ${found.why}`);
  if (isWithin(wanted['spec'], (found.object as { spec?: unknown }).spec)) {
    return tell('crd', 'ok', `${name} is the one of this version`);
  }
  return tell('crd', 'warning', `${name} is the one of another version than this ringmaster`, apply);
}

/** Whether all that `wanted` says stands in `found`, too. */
function isWithin(wanted: unknown, found: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(found) && wanted.length === found.length && wanted.every((each, at) => isWithin(each, found[at]))
    );
  }
  if (!isObject(wanted)) return wanted === found;
  return isObject(found) && Object.entries(wanted).every(([key, value]) => isWithin(value, found[key]));
}
