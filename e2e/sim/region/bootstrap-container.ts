import { bootstrapName } from './pod-status.ts';
import type { Container, Pod } from './workload-objects.ts';

/** What CassKop's pod template tells its containers, as far as the ring depends on it. */
export interface PodSettings {
  /** CASSANDRA_SEEDS of init container `bootstrap`. */
  readonly seeds: string;
  /** CASSANDRA_CLUSTER_NAME, which the guard compares seeds with. */
  readonly clusterName: string;
  /** cluster_name in cassandra.yaml, from the config builder's CONFIG_FILE_DATA: spec.config may set another one. */
  readonly configuredName: string;
  /** The ConfigMap that `bootstrap` mounts at /configmap. */
  readonly configMap: { name: string; optional: boolean } | undefined;
  readonly datacenter: string;
  readonly rack: string;
}

const datacenterLabel = 'cassandraclusters.db.orange.com.dc';
const rackLabel = 'cassandraclusters.db.orange.com.rack';
const configMapPath = '/configmap';

/** Undefined for a pod that is none of CassKop's. */
export function settingsOf({ spec, metadata: { labels } }: Pod): PodSettings | undefined {
  const bootstrap = spec.initContainers?.find(({ name }) => name === bootstrapName);
  const datacenter = labels?.[datacenterLabel];
  if (!bootstrap || datacenter === undefined) return undefined;
  const clusterName = valueOf(bootstrap, 'CASSANDRA_CLUSTER_NAME');
  const builder = spec.initContainers?.find(({ name }) => name === 'config-builder');
  const configured = /"cluster-info":\{"name":"([^"\\]*)"/.exec(
    builder ? valueOf(builder, 'CONFIG_FILE_DATA') : '',
  )?.[1];
  const mount = bootstrap.volumeMounts?.find(({ mountPath }) => mountPath === configMapPath);
  const source = spec.volumes?.find(({ name }) => name === mount?.name)?.configMap;
  return {
    seeds: valueOf(bootstrap, 'CASSANDRA_SEEDS'),
    clusterName,
    configuredName: configured ?? clusterName,
    configMap: source && { name: source.name, optional: source.optional ?? false },
    datacenter,
    rack: labels?.[rackLabel] ?? 'rack1',
  };
}

function valueOf({ env }: Container, name: string): string {
  return env?.find((variable) => variable.name === name)?.value ?? '';
}
