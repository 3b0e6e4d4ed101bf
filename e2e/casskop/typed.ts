import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ApiObject } from '../harness/api-server.ts';
import type { CassandraCluster } from './cluster.ts';
import { canonicalQuantity } from './quantity.ts';

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
  required?: string[];
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
}

/** Fields that are pointers in CassKop's types: a false, 0 or {} in them is kept. */
const pointers = new Set([
  'readOnlyRootFilesystem',
  'shareProcessNamespace',
  'tolerationSeconds',
  'backRestSidecar.enabled',
  'topology.dc.nodesPerRacks',
  'jmxConfiguration.jmxRemoteEnable',
  'jmxConfiguration.jmxRemoteSSL',
  'jmxConfiguration.jmxRemoteAuthenticate',
  ...['liveness', 'readiness'].flatMap((probe) =>
    ['InitialDelaySeconds', 'HealthCheckTimeout', 'HealthCheckPeriod', 'FailureThreshold', 'SuccessThreshold'].map(
      (field) => probe + field,
    ),
  ),
]);

/** Structs that are no pointers: they appear, empty, in everything CassKop writes. */
const alwaysWritten: Record<string, unknown> = {
  resources: {},
  'topology.dc.resources': {},
  topology: {},
  imagePullSecret: {},
  imageJolokiaSecret: {},
};

const schemas = (() => {
  const file = new URL('crds/cassandraclusters.yaml', import.meta.url);
  const crd = parse(readFileSync(file, 'utf8')) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema; status: Schema } } } }[] };
  };
  const properties = crd.spec.versions[0]?.schema.openAPIV3Schema.properties;
  if (!properties) throw new Error(`${file.pathname}: no schema`);
  return properties;
})();

const resourcesSchema = schemas.spec.properties?.['resources'] ?? {};

/**
 * What is left of a CassandraCluster after CassKop has decoded it into its Go types: unknown fields are gone, a false,
 * 0, "", [] or {} too unless its type keeps them, empty structs appear, quantities are canonical. CassKop always PUTs
 * the whole object in this form. Of sidecarConfigs and storageConfigs[].pvcSpec only the resources are looked at.
 */
export function decodeCluster(object: ApiObject): CassandraCluster {
  const { apiVersion, kind, metadata, spec, status } = structuredClone(object);
  const racks = (status as CassandraCluster['status'] | undefined)?.cassandraRackStatus ?? {};
  const decoded = {
    ...(kind !== undefined && { kind }),
    ...(apiVersion !== undefined && { apiVersion }),
    metadata,
    spec: struct(spec ?? {}, schemas.spec, ''),
    status: struct(status ?? {}, schemas.status, 'status'),
  } as unknown as CassandraCluster;
  const parts = [...(decoded.spec.sidecarConfigs ?? []), ...(decoded.spec.storageConfigs ?? []).map(claimSpec)];
  for (const part of parts) part['resources'] = decode(part['resources'], resourcesSchema, '') ?? {};
  for (const rack of Object.keys(racks)) {
    const rackStatus = (decoded.status.cassandraRackStatus ??= {});
    rackStatus[rack] = { ...rackStatus[rack], cassandraLastAction: {}, podLastOperation: {}, ...rackStatus[rack] };
  }
  return decoded;
}

function claimSpec(storage: { pvcSpec?: unknown }): Record<string, unknown> {
  return storage.pvcSpec as Record<string, unknown>;
}

function struct(value: unknown, schema: Schema, path: string): Record<string, unknown> {
  const source = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const fieldPath = path === '' ? name : `${path}.${name}`;
    const decoded = decode(source[name], field, fieldPath);
    const isFreeForm = field['x-kubernetes-preserve-unknown-fields'] ?? false;
    const keepsZero = pointers.has(fieldPath) || pointers.has(name) || field.properties !== undefined || isFreeForm;
    if (decoded !== undefined && (keepsZero || !isZero(decoded))) result[name] = decoded;
    else if (fieldPath in alwaysWritten) result[name] = structuredClone(alwaysWritten[fieldPath]);
    else if (schema.required?.includes(name)) result[name] = decoded ?? '';
  }
  return result;
}

function decode(value: unknown, schema: Schema, path: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema['x-kubernetes-int-or-string']) return canonicalQuantity(value as string | number);
  if (schema.properties && !schema['x-kubernetes-preserve-unknown-fields']) {
    return { ...(alwaysWritten[path] as object | undefined), ...struct(value, schema, path) };
  }
  if (schema.items) {
    const items = schema.items;
    return (value as unknown[]).map((item) => decode(item, items, path));
  }
  if (schema.additionalProperties) {
    const values = schema.additionalProperties;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item, values, path) ?? '']));
  }
  return value;
}

function isZero(value: unknown): boolean {
  if (value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
