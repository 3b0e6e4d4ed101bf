import type { EffectiveDatacenter } from '../../api/effective.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { RenderInput } from '../operator.ts';
import { isObject, normalise, type JsonObject } from './normalise.ts';

export const seedsVariable = 'CASSANDRA_SEEDS';

/**
 * The CassandraCluster for one region. While `injecting`, the seeds stand in the spec in the two places that CassKop
 * 2.3.4 copies into the pod template ahead of its own list (bootstrap's CASSANDRA_SEEDS and the config builder's
 * cluster-info), so that the StatefulSet is generated once and right, however late the PATCH of status.seedlist
 * comes. With the list in status the same StatefulSet comes out without them.
 */
export function renderMember({ federation, region, guardName, seeds, injecting }: RenderInput): KubeObject {
  // Every datacenter has a size of its own; a second place for it would make two changes of one.
  const { nodesPerRacks: _, ...memberSpec } = region.memberSpec;
  const spec: JsonObject = {
    ...memberSpec,
    ...(guardName !== undefined && { configMapName: guardName }),
    topology: { dc: region.datacenters.map(renderDatacenter) },
  };
  if (injecting) {
    const list = seeds.join(',');
    const sidecar = isObject(spec['backRestSidecar']) ? spec['backRestSidecar'] : {};
    const variables = Array.isArray(sidecar['envVars']) ? (sidecar['envVars'] as unknown[]) : [];
    spec['backRestSidecar'] = { ...sidecar, envVars: [...variables, { name: seedsVariable, value: list }] };
    const config = isObject(spec['config']) ? spec['config'] : {};
    spec['config'] = { ...config, 'cluster-info': { name: federation.clusterName, seeds: list } };
  }
  return {
    apiVersion: 'db.orange.com/v2',
    kind: 'CassandraCluster',
    metadata: {
      name: federation.clusterName,
      namespace: region.namespace,
      ...(Object.keys(region.labels).length > 0 && { labels: region.labels }),
      annotations: { ...region.annotations },
    },
    spec: withoutEmptied(normalise(spec)),
  };
}

/**
 * Without objects that hold nothing: a server-side apply that empties an object it wrote to before is refused, since
 * the server makes it null. Leaving it out removes it. Lists keep their items as they are.
 */
function withoutEmptied(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([field, child]) => [field, withoutEmptied(child)] as const)
      .filter(([, child]) => !(isObject(child) && Object.keys(child).length === 0)),
  );
}

/**
 * CassKop writes these as empty objects into every member. An apply that takes the name out, the one field in there, leaves an object that
 * nobody has written a field of; the server makes it null, and its own schema refuses that.
 */
const alwaysThere = ['imagePullSecret', 'imageJolokiaSecret'];

/** `member` with an empty name where it names no Secret and the live one has a name. */
export function withEmptiedSecrets(member: KubeObject, live: KubeObject): KubeObject {
  const spec = member['spec'] as JsonObject;
  const emptied = alwaysThere.filter((field) => {
    const there = isObject(live['spec']) ? live['spec'][field] : undefined;
    return spec[field] === undefined && isObject(there) && there['name'] !== undefined;
  });
  if (emptied.length === 0) return member;
  return { ...member, spec: { ...spec, ...Object.fromEntries(emptied.map((field) => [field, { name: '' }])) } };
}

function renderDatacenter(datacenter: EffectiveDatacenter): JsonObject {
  return {
    ...datacenter.overrides,
    name: datacenter.name,
    nodesPerRacks: datacenter.nodesPerRacks,
    ...(Object.keys(datacenter.labels).length > 0 && { labels: datacenter.labels }),
    rack: datacenter.racks.map((rack) => ({
      name: rack.name,
      ...(Object.keys(rack.labels).length > 0 && { labels: rack.labels }),
    })),
  };
}

/** True while the overrides that `renderMember` adds when injecting are still in the member's spec. */
export function isInjecting(member: KubeObject): boolean {
  const spec = isObject(member['spec']) ? member['spec'] : {};
  const sidecar = isObject(spec['backRestSidecar']) ? spec['backRestSidecar'] : {};
  const variables = Array.isArray(sidecar['envVars']) ? (sidecar['envVars'] as unknown[]) : [];
  const config = isObject(spec['config']) ? spec['config'] : {};
  return (
    variables.some((variable) => isObject(variable) && variable['name'] === seedsVariable) ||
    config['cluster-info'] !== undefined
  );
}
