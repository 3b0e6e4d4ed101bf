import type { ResourceType } from './objects.ts';

/** `v1` or `apps/v1`: what stands in an object's apiVersion. */
export function apiVersionOf(resource: ResourceType): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * The path of a collection. Without `namespace`, a namespaced kind's path covers all namespaces.
 * @throws TypeError when a cluster-wide kind is given a namespace: a mistake in the program.
 */
export function collectionPath(resource: ResourceType, namespace: string | undefined): string {
  if (namespace !== undefined && !resource.namespaced) {
    throw new TypeError(`${resource.kind} is cluster-wide, but namespace ${namespace} was given`);
  }
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/**
 * The path of one object, or of its subresource.
 * @throws TypeError when the namespace is missing for a namespaced kind, or the name is empty.
 */
export function objectPath(
  resource: ResourceType,
  ref: { namespace?: string; name: string },
  subresource?: string,
): string {
  if (ref.name === '') throw new TypeError(`${resource.kind}: the name is empty`);
  if (resource.namespaced && !ref.namespace) throw new TypeError(`${resource.kind} ${ref.name}: no namespace`);
  const path = `${collectionPath(resource, ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Appends the parameters that are set as a query. */
export function withQuery(path: string, parameters: Record<string, string | number | boolean | undefined>): string {
  const query = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
  return query === '' ? path : `${path}?${query}`;
}
