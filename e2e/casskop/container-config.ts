import type { CassandraCluster, ClusterStatus, EnvironmentVariable, RackOfCluster, Resources } from './cluster.ts';
import { quantityValue } from './quantity.ts';

type Json = Record<string, unknown>;

const fromField = (name: string, fieldPath: string): EnvironmentVariable => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});
const rackLabel = "metadata.labels['cassandraclusters.db.orange.com.rack']";
const datacenterLabel = "metadata.labels['cassandraclusters.db.orange.com.dc']";

/** Environment of the init container `config-builder`: CONFIG_FILE_DATA is all of Cassandra's configuration as JSON. */
export function configBuilderEnvironment(
  cluster: CassandraCluster,
  status: ClusterStatus,
  rack: RackOfCluster,
): EnvironmentVariable[] {
  const image = (cluster.spec.cassandraImage ?? '').split(':');
  const serverVersion = cluster.spec.serverVersion || versionOfTag(image.length > 1 ? image.at(-1) : undefined);
  const serverType = cluster.spec.serverType || (image[0]?.includes('dse') ? 'dse' : 'cassandra');
  return [
    { name: 'CONFIG_FILE_DATA', value: goJson(configuration(cluster, status, rack, serverVersion)) },
    { name: 'CONFIG_OUTPUT_DIRECTORY', value: '/bootstrap' },
    fromField('RACK_NAME', rackLabel),
    { name: 'PRODUCT_NAME', value: serverType },
    { name: 'PRODUCT_VERSION', value: serverVersion },
    fromField('POD_IP', 'status.podIP'),
    fromField('HOST_IP', 'status.hostIP'),
  ].map(dropEmptyValue);
}

/** Environment of the init container `bootstrap`. The sidecar's own variables win, even while it is disabled. */
export function bootstrapEnvironment(cluster: CassandraCluster, status: ClusterStatus): EnvironmentVariable[] {
  return merged(
    [
      { name: 'CASSANDRA_CLUSTER_NAME', value: cluster.metadata.name },
      { name: 'CASSANDRA_SEEDS', value: (status.seedlist ?? []).join(',') },
      fromField('CASSANDRA_DC', datacenterLabel),
      fromField('CASSANDRA_RACK', rackLabel),
    ],
    commonEnvironment(cluster),
    cluster.spec.backRestSidecar?.envVars ?? [],
  );
}

/** Environment of the container `cassandra`; the user's variables win. */
export function cassandraEnvironment(cluster: CassandraCluster): EnvironmentVariable[] {
  const jvmOptions = jmxOptions(cluster);
  return merged(
    commonEnvironment(cluster),
    [{ name: 'JAVA_TOOL_OPTIONS', value: '-Dcom.sun.jndi.rmiURLParsing=legacy' }],
    jvmOptions ? [{ name: 'JVM_OPTS', value: jvmOptions }] : [],
    cluster.spec.envVars ?? [],
  );
}

function commonEnvironment({ spec }: CassandraCluster): EnvironmentVariable[] {
  const variables = [fromField('POD_IP', 'status.podIP'), { name: 'CASSANDRA_LOG_DIR', value: '/var/log/cassandra' }];
  const secret = spec.imageJolokiaSecret;
  if (!secret.name) return variables;
  return [
    ...variables,
    { name: 'JOLOKIA_USER', valueFrom: { secretKeyRef: { ...secret, key: 'username' } } },
    { name: 'JOLOKIA_PASSWORD', valueFrom: { secretKeyRef: { ...secret, key: 'password' } } },
    { name: 'CASSANDRA_AUTH_JOLOKIA', value: 'true' },
  ];
}

function jmxOptions({ spec: { jmxConfiguration: jmx } }: CassandraCluster): string {
  const option = (name: string, value: boolean | number | undefined): string =>
    value === undefined ? '' : `-Dcom.sun.management.jmxremote${name}=${value} `;
  return [
    option('', jmx?.jmxRemoteEnable),
    option('.ssl', jmx?.jmxRemoteSSL),
    option('.authenticate', jmx?.jmxRemoteAuthenticate),
    option('.port', jmx?.jmxRemotePort || undefined),
    option('.rmi.port', jmx?.jmxRemoteRmiPort || undefined),
  ].join('');
}

/** Later lists win; sorted by name, so that the same variables always give the same container. */
function merged(...lists: EnvironmentVariable[][]): EnvironmentVariable[] {
  const byName = new Map(lists.flat().map((variable) => [variable.name, variable]));
  return [...byName.values()].map(dropEmptyValue).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dropEmptyValue(variable: EnvironmentVariable): EnvironmentVariable {
  const { value, ...rest } = variable;
  return value ? variable : rest;
}

/** `4.0.3` of 4.0.3, `3.11.0` of 3.11-focal. */
function versionOfTag(tag = ''): string {
  const [version = '', ...suffix] = tag.split('-');
  return suffix.length > 0 ? `${version}.0` : version;
}

function configuration(
  cluster: CassandraCluster,
  status: ClusterStatus,
  { dc, rack }: RackOfCluster,
  serverVersion: string,
): Json {
  const result: Json = {
    'cluster-info': { name: cluster.metadata.name, seeds: (status.seedlist ?? []).join(',') },
    'datacenter-info': { name: dc.name },
  };
  for (const layer of [cluster.spec.config, dc.config, rack.config]) {
    if (layer) mergeInto(result, forVersion(layer as Json, serverVersion));
  }
  const jvmOptions = cluster.spec.serverVersion?.startsWith('4') ? 'jvm-server-options' : 'jvm-options';
  const heap = heapSizes(cluster.spec.resources);
  const defaults: Record<string, Json> = {
    'cassandra-yaml': {
      read_request_timeout_in_ms: 5000,
      write_request_timeout_in_ms: 5000,
      counter_write_request_timeout_in_ms: 5000,
    },
    'logback-xml': { 'debuglog-enabled': false },
    [jvmOptions]: {
      initial_heap_size: heap.initial,
      max_heap_size: heap.maximum,
      cassandra_ring_delay_ms: 30000,
      'jmx-connection-type': 'remote-no-auth',
    },
  };
  for (const [section, values] of Object.entries(defaults)) {
    result[section] = { ...values, ...withoutNulls(result[section]) };
  }
  return result;
}

/** From Cassandra 4 on the builder wants the section jvm-options under another name. */
function forVersion(layer: Json, serverVersion: string): Json {
  const { 'jvm-options': jvmOptions, ...rest } = layer;
  if (!serverVersion.startsWith('4') || jvmOptions === undefined) return layer;
  return { ...rest, 'jvm-server-options': jvmOptions };
}

function mergeInto(target: Json, source: Json): void {
  for (const [key, value] of Object.entries(source)) {
    const existing = target[key];
    if (isObject(existing) && isObject(value)) mergeInto(existing, value);
    else target[key] = structuredClone(value);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutNulls(section: unknown): Json {
  return Object.fromEntries(Object.entries((section ?? {}) as Json).filter(([, value]) => value !== null));
}

/** A quarter of the memory limit, and a quarter of that to start with; 2048M and 512M without a limit. */
function heapSizes(resources: Resources): { maximum: string; initial: string } {
  const bytes = quantityValue(resources.limits?.['memory'] ?? '0');
  if (bytes === 0) return { maximum: '2048M', initial: '512M' };
  const megabytes = Math.floor(bytes / 4 / 1024 ** 2);
  return { maximum: `${megabytes}M`, initial: `${Math.floor(megabytes / 4)}M` };
}

/** JSON as Go's encoding/json prints it: keys sorted, no spaces, `<`, `>` and `&` escaped. */
function goJson(value: unknown): string {
  const sorted = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(sorted);
    if (!isObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, sorted(item)]),
    );
  };
  return JSON.stringify(sorted(value)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
