import { at, isSameJson } from '../../api/json.ts';
import { parsePointer } from '../../api/merge.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Change } from '../operator.ts';
import { difference, isObject, type JsonObject, normalise } from './normalise.ts';

/** What CassKop 2.3 writes into the spec by itself: a value, or how one looks that changes with its version. */
const writtenByCassKop: Readonly<Record<string, unknown>> = {
  '/cassandraImage': 'cassandra:3.11.10',
  '/imagepullpolicy': 'Always',
  '/bootstrapImage': /\/casskop-bootstrap:/,
  '/configBuilderImage': /\/cass-config-builder:/,
  '/serviceAccountName': 'cassandra-cluster-node',
  '/readOnlyRootFilesystem': true,
  '/runAsUser': 999,
  '/fsGroup': 1,
  '/serverType': 'cassandra',
  '/maxPodUnavailable': 1,
  '/backRestSidecar/enabled': true,
  '/backRestSidecar/image': /(icarus|cassandra-sidecar):/,
  '/livenessInitialDelaySeconds': 120,
  '/livenessHealthCheckTimeout': 20,
  '/livenessHealthCheckPeriod': 10,
  '/readinessInitialDelaySeconds': 60,
  '/readinessHealthCheckTimeout': 10,
  '/readinessHealthCheckPeriod': 10,
};

/**
 * What a CassandraCluster holds that `wanted` does not ask for, and CassKop has not put there. Fields that `wanted` sets otherwise are not
 * among it: those are changes.
 */
export function beyondWanted(wanted: KubeObject, live: KubeObject): readonly Change[] {
  const spec = normalise(wanted['spec']) as JsonObject;
  const { topology, nodesPerRacks: _, ...there } = normalise(live['spec']) as JsonObject;
  const fields = difference(there, spec)
    .filter((path) => valueAt(spec, path) === undefined && !isExplained(path, there))
    .map((path) => ({ path: `/spec${path}`, from: valueAt(there, path) }));
  const datacenters = listOf(topology, 'dc').flatMap((datacenter, index) => {
    const { rack: __, ...rest } = datacenter;
    const beside = listOf(spec['topology'], 'dc')[index];
    const place = `/spec/topology/dc/${index}`;
    const racks = listOf(datacenter, 'rack').flatMap((rack, number) =>
      missingFrom(listOf(beside, 'rack')[number], rack, `${place}/rack/${number}`),
    );
    return [...missingFrom(beside, rest, place), ...racks];
  });
  const message =
    'The member has it, and the spec does not ask for it. Put it into the spec, or take it out of the member.';
  return [...fields, ...datacenters].map((each) => ({ ...each, kind: 'forbidden', to: undefined, message }));
}

function missingFrom(
  wanted: JsonObject | undefined,
  live: JsonObject,
  place: string,
): { path: string; from: unknown }[] {
  return difference(live, wanted)
    .filter((path) => valueAt(wanted, path) === undefined)
    .map((path) => ({ path: `${place}${path}`, from: valueAt(live, path) }));
}

function isExplained(path: string, live: JsonObject): boolean {
  const value = valueAt(live, path);
  if (path.startsWith('/resources/limits/')) {
    return isSameJson(value, valueAt(live, path.replace('/limits/', '/requests/')));
  }
  const written = writtenByCassKop[path];
  return written instanceof RegExp
    ? typeof value === 'string' && written.test(value)
    : written !== undefined && written === value;
}

function listOf(value: unknown, field: string): JsonObject[] {
  const list = at(value, [field]);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function valueAt(value: unknown, pointer: string): unknown {
  return at(value, parsePointer(pointer) ?? []);
}
