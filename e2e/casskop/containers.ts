import type { CassandraCluster, ClusterStatus, EnvironmentVariable, RackOfCluster } from './cluster.ts';
import { bootstrapEnvironment, cassandraEnvironment, configBuilderEnvironment } from './container-config.ts';

interface VolumeMount {
  name: string;
  mountPath: string;
}

export interface Container {
  name: string;
  image?: string;
  env?: EnvironmentVariable[];
  volumeMounts?: VolumeMount[];
  [field: string]: unknown;
}

/** The name of the volume that holds the user's ConfigMap. */
export const configMapVolume = 'cassandra-config';

const dataDirectory = '/var/lib/cassandra';
const mounts = {
  config: { name: 'bootstrap', mountPath: '/etc/cassandra' },
  libraries: { name: 'extra-lib', mountPath: '/extra-lib' },
  tools: { name: 'tools', mountPath: '/opt/bin' },
  temporary: { name: 'tmp', mountPath: '/tmp' },
  log: { name: 'log', mountPath: '/var/log/cassandra' },
};

const initResources = (): unknown => ({
  limits: { cpu: '500m', memory: '512Mi' },
  requests: { cpu: '500m', memory: '512Mi' },
});

/** What prepares /etc/cassandra, in the order in which it runs. */
export function initContainersOf(cluster: CassandraCluster, status: ClusterStatus, rack: RackOfCluster): Container[] {
  return [
    baseConfigContainer(cluster),
    configBuilderContainer(cluster, status, rack),
    bootstrapContainer(cluster, status),
  ];
}

function baseConfigContainer({ spec }: CassandraCluster): Container {
  return {
    name: 'base-config-builder',
    image: spec.cassandraImage ?? '',
    imagePullPolicy: spec.imagepullpolicy,
    command: ['/bin/sh'],
    args: ['-c', 'cp -r /etc/cassandra/* /bootstrap/'],
    volumeMounts: [{ name: 'bootstrap', mountPath: '/bootstrap' }],
    resources: initResources(),
  };
}

function configBuilderContainer(cluster: CassandraCluster, status: ClusterStatus, rack: RackOfCluster): Container {
  return {
    name: 'config-builder',
    image: cluster.spec.configBuilderImage ?? '',
    imagePullPolicy: cluster.spec.imagepullpolicy,
    env: configBuilderEnvironment(cluster, status, rack),
    volumeMounts: [{ name: 'bootstrap', mountPath: '/bootstrap' }],
    resources: initResources(),
  };
}

function bootstrapContainer(cluster: CassandraCluster, status: ClusterStatus): Container {
  const configMap = { name: configMapVolume, mountPath: '/configmap' };
  return {
    name: 'bootstrap',
    image: cluster.spec.bootstrapImage ?? '',
    imagePullPolicy: cluster.spec.imagepullpolicy,
    env: bootstrapEnvironment(cluster, status),
    volumeMounts: [mounts.config, mounts.libraries, mounts.tools, ...(cluster.spec.configMapName ? [configMap] : [])],
    resources: initResources(),
  };
}

/** The user's sidecars, cassandra, and the backup sidecar unless disabled; all but cassandra get bootstrap's variables. */
export function containersOf(cluster: CassandraCluster, status: ClusterStatus, rack: RackOfCluster): Container[] {
  const { sidecarConfigs = [], backRestSidecar } = cluster.spec;
  const withSeeds = (container: Container): Container => ({
    ...container,
    env: [...(container.env ?? []), ...bootstrapEnvironment(cluster, status)],
  });
  return [
    ...structuredClone(sidecarConfigs as Container[]).map(withSeeds),
    cassandraContainer(cluster, rack),
    ...(backRestSidecar?.enabled === false ? [] : [withSeeds(backupContainer(cluster))]),
  ];
}

function cassandraContainer(cluster: CassandraCluster, { dc }: RackOfCluster): Container {
  const { spec } = cluster;
  const ownResources = dc.resources.limits ?? dc.resources.requests;
  const port = (name: string, containerPort: number): unknown => ({ name, containerPort, protocol: 'TCP' });
  return {
    name: 'cassandra',
    image: spec.cassandraImage ?? '',
    imagePullPolicy: spec.imagepullpolicy,
    command: spec.debug ? ['sh', '-c', 'tail -f /dev/null'] : ['cassandra', '-f'],
    ports: [
      port('intra-node', 7000),
      port('intra-node-tls', 7001),
      port('jmx-port', 7199),
      port('cql', 9042),
      port('promjmx', 9500),
      port('jolokia', 8778),
    ],
    securityContext: {
      capabilities: { add: ['IPC_LOCK'] },
      procMount: 'Default',
      readOnlyRootFilesystem: spec.readOnlyRootFilesystem,
    },
    env: cassandraEnvironment(cluster),
    readinessProbe: probe(cluster, 'readiness'),
    livenessProbe: probe(cluster, 'liveness'),
    volumeMounts: [
      mounts.config,
      mounts.libraries,
      mounts.tools,
      ...(spec.dataCapacity ? [{ name: 'data', mountPath: dataDirectory }] : []),
      mounts.temporary,
      mounts.log,
      ...(spec.storageConfigs ?? []).map(({ name, mountPath }) => ({ name, mountPath })),
    ],
    resources: ownResources ? dc.resources : spec.resources,
  };
}

function probe({ spec }: CassandraCluster, kind: 'liveness' | 'readiness'): unknown {
  const numbers = {
    initialDelaySeconds: spec[`${kind}InitialDelaySeconds`],
    timeoutSeconds: spec[`${kind}HealthCheckTimeout`],
    periodSeconds: spec[`${kind}HealthCheckPeriod`],
    failureThreshold: spec[`${kind}FailureThreshold`],
    successThreshold: spec[`${kind}SuccessThreshold`],
  };
  return {
    exec: { command: ['/bin/bash', '-c', `/etc/cassandra/${kind}-probe.sh`] },
    // A zero is not stored, so it must not be generated either: the StatefulSet would differ for ever.
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value)),
  };
}

function backupContainer(cluster: CassandraCluster): Container {
  const sidecar = cluster.spec.backRestSidecar ?? {};
  const readinessProbe = {
    httpGet: { port: 4567, path: '/status' },
    initialDelaySeconds: 10,
    timeoutSeconds: 5,
    periodSeconds: 10,
    failureThreshold: 10,
  };
  const resources = { cpu: '500m', memory: '1Gi' };
  return {
    name: 'backrest-sidecar',
    image: sidecar.image ?? '',
    ...(sidecar.imagePullPolicy && { imagePullPolicy: sidecar.imagePullPolicy }),
    ports: [{ name: 'http', containerPort: 4567 }],
    resources: sidecar.resources ?? { limits: resources, requests: resources },
    readinessProbe,
    volumeMounts: [
      ...(sidecar.volumeMount ?? []),
      mounts.config,
      mounts.libraries,
      ...(cluster.spec.dataCapacity ? [{ name: 'data', mountPath: dataDirectory }] : []),
      mounts.temporary,
    ],
  };
}
