import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ApiObject } from '../harness/api-server.ts';
import type { CassandraCluster, ClusterStatus } from './cluster.ts';
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
const alwaysWritten: Readonly<Record<string, object | undefined>> = {
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

/** Makes of a value what is left of it after decoding; undefined when nothing is. */
type Decoder = (value: unknown) => unknown;

interface Field {
  name: string;
  decode: Decoder;
  keepsZero: boolean;
  /** Takes the place of a value that is not there or not kept; undefined: none does. */
  whenAbsent: (() => unknown) | undefined;
  isRequired: boolean;
}

const decodeSpec = structDecoder(schemas.spec, '');
const decodeStatusFields = structDecoder(schemas.status, 'status');
const decodeResources = decoderOf(schemas.spec.properties?.['resources'] ?? {}, '');

/**
 * What is left of a CassandraCluster after CassKop has decoded it into its Go types: unknown fields are gone, a false,
 * 0, "", [] or {} too unless its type keeps them, empty structs appear, quantities are canonical. CassKop always PUTs
 * the whole object in this form. Of sidecarConfigs and storageConfigs[].pvcSpec only the resources are looked at.
 * What it has no types for is shared with `object`; everything that the operator changes is its own.
 */
export function decodeCluster({ apiVersion, kind, metadata, spec, status }: ApiObject): CassandraCluster {
  const decoded = {
    ...(kind !== undefined && { kind }),
    ...(apiVersion !== undefined && { apiVersion }),
    metadata: { ...metadata },
    spec: decodeSpec(spec ?? {}),
    status: decodeStatus(status ?? {}),
  } as unknown as CassandraCluster;
  const { sidecarConfigs, storageConfigs } = decoded.spec;
  if (sidecarConfigs) decoded.spec.sidecarConfigs = sidecarConfigs.map(withDecodedResources);
  if (storageConfigs) {
    decoded.spec.storageConfigs = storageConfigs.map((storage) => ({
      ...storage,
      pvcSpec: withDecodedResources(storage.pvcSpec as object),
    }));
  }
  return decoded;
}

/** The status alone, as `decodeCluster` decodes it. */
export function decodeStatus(status: ClusterStatus): ClusterStatus {
  const decoded = decodeStatusFields(status) as ClusterStatus;
  for (const rack of Object.keys(status.cassandraRackStatus ?? {})) {
    const rackStatus = (decoded.cassandraRackStatus ??= {});
    rackStatus[rack] = { ...rackStatus[rack], cassandraLastAction: {}, podLastOperation: {}, ...rackStatus[rack] };
  }
  return decoded;
}

function withDecodedResources<T extends object>(part: T): T {
  return { ...part, resources: decodeResources((part as { resources?: unknown }).resources) ?? {} };
}

function structDecoder(schema: Schema, path: string): (value: unknown) => Record<string, unknown> {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]): Field => {
    const fieldPath = path === '' ? name : `${path}.${name}`;
    const isFreeForm = field['x-kubernetes-preserve-unknown-fields'] ?? false;
    const empty = alwaysWritten[fieldPath];
    return {
      name,
      decode: decoderOf(field, fieldPath),
      keepsZero: pointers.has(fieldPath) || pointers.has(name) || field.properties !== undefined || isFreeForm,
      whenAbsent: empty === undefined ? undefined : () => ({ ...empty }),
      isRequired: schema.required?.includes(name) ?? false,
    };
  });
  return (value) => {
    const source = value as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const { name, decode, keepsZero, whenAbsent, isRequired } of fields) {
      const before = source[name];
      const decoded = before === undefined ? undefined : decode(before);
      if (decoded !== undefined && (keepsZero || !isZero(decoded))) result[name] = decoded;
      else if (whenAbsent) result[name] = whenAbsent();
      else if (isRequired) result[name] = decoded ?? '';
    }
    return result;
  };
}

function decoderOf(schema: Schema, path: string): Decoder {
  const decode = presentDecoder(schema, path);
  return (value) => (value === undefined || value === null ? undefined : decode(value));
}

function presentDecoder(schema: Schema, path: string): Decoder {
  if (schema['x-kubernetes-int-or-string']) return (value) => canonicalQuantity(value as string | number);
  if (schema.properties && !schema['x-kubernetes-preserve-unknown-fields']) {
    const struct = structDecoder(schema, path);
    const empty = alwaysWritten[path];
    return empty === undefined ? struct : (value) => ({ ...empty, ...struct(value) });
  }
  if (schema.items) {
    const decode = decoderOf(schema.items, path);
    return (value) => (value as unknown[]).map(decode);
  }
  if (schema.additionalProperties) {
    const decode = decoderOf(schema.additionalProperties, path);
    return (value) =>
      Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, decode(item) ?? '']));
  }
  return (value) => value;
}

function isZero(value: unknown): boolean {
  if (value === false || value === 0 || value === '') return true;
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}
