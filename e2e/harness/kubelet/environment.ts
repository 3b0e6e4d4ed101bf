import type { ApiServer } from '../api-server.ts';
import type { ConfigMap, Container, Pod } from './objects.ts';

/** What the kubelet has given a pod, beyond its object. */
export interface Placement {
  readonly podAddress: string;
  readonly hostAddress: string;
}

/** A container cannot be made because something it refers to is missing: CreateContainerConfigError in its status. */
export class MissingReferenceError extends Error {
  override readonly name = 'MissingReferenceError';
  readonly code = 'CreateContainerConfigError';
}

/**
 * A container's environment with every valueFrom resolved.
 * @throws MissingReferenceError when a ConfigMap, a Secret or a key that is not optional does not exist.
 */
export async function resolveEnvironment(
  api: ApiServer,
  pod: Pod,
  container: Container,
  placement: Placement,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const environment: Record<string, string> = {};
  const path = `/api/v1/namespaces/${pod.metadata.namespace}`;
  for (const { name, value, valueFrom } of container.env ?? []) {
    const reference = valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef;
    if (reference) {
      const kind = valueFrom?.secretKeyRef ? 'secrets' : 'configmaps';
      const { data } = (await api.find<ConfigMap>(`${path}/${kind}/${reference.name}`, signal)) ?? {};
      const found = data?.[reference.key];
      if (found !== undefined) environment[name] = kind === 'secrets' ? Buffer.from(found, 'base64').toString() : found;
      else if (!reference.optional)
        throw new MissingReferenceError(`${kind} ${reference.name} has no key ${reference.key}`);
    } else if (valueFrom?.fieldRef) environment[name] = readField(pod, valueFrom.fieldRef.fieldPath, placement);
    else environment[name] = value ?? '';
  }
  return environment;
}

/** The downward API's fields: kubernetes.io/docs/concepts/workloads/pods/downward-api. */
function readField({ metadata, spec }: Pod, fieldPath: string, placement: Placement): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (keyed) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] as string] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.podIP': placement.podAddress,
    'status.podIPs': placement.podAddress,
    'status.hostIP': placement.hostAddress,
    'status.hostIPs': placement.hostAddress,
  };
  return fields[fieldPath] ?? '';
}
