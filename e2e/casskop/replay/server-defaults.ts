import type { ApiObject } from '../../harness/api-server.ts';
import type { CassandraCluster } from '../cluster.ts';
import type { Container } from '../containers.ts';
import type { StatefulSet } from '../statefulset.ts';

type Json = Record<string, unknown>;

/** What an API server adds to an object of these kinds when it stores it, as far as the operator's own objects need it. */
export function withServerDefaults(plural: string, object: ApiObject): ApiObject {
  const result = structuredClone(object);
  if (plural === 'statefulsets') defaultStatefulSet(result as StatefulSet);
  if (plural === 'cassandraclusters') defaultCluster(result as CassandraCluster);
  if (plural === 'services') defaultService(result['spec'] as Json & { ports: Json[] });
  return result;
}

function defaultCluster({ spec }: CassandraCluster): void {
  for (const secret of [spec.imagePullSecret, spec.imageJolokiaSecret]) secret.name ??= '';
}

function defaultStatefulSet({ spec }: StatefulSet): void {
  const pod = spec.template.spec;
  for (const container of [...pod.initContainers, ...pod.containers]) defaultContainer(container);
  addMissing(pod, {
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    serviceAccount: pod['serviceAccountName'],
  });
  for (const claim of spec.volumeClaimTemplates ?? []) {
    addMissing(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', status: { phase: 'Pending' } });
    addMissing(claim.spec, { volumeMode: 'Filesystem' });
  }
  addMissing(spec, {
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
  });
}

function defaultContainer(container: Container): void {
  addMissing(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  });
  for (const port of (container['ports'] ?? []) as Json[]) addMissing(port, { protocol: 'TCP' });
  for (const { valueFrom } of container.env ?? []) {
    const { fieldRef } = (valueFrom ?? {}) as { fieldRef?: Json };
    if (fieldRef) addMissing(fieldRef, { apiVersion: 'v1' });
  }
  for (const kind of ['livenessProbe', 'readinessProbe']) {
    const probe = container[kind] as (Json & { httpGet?: Json }) | undefined;
    if (probe) addMissing(probe, { successThreshold: 1, failureThreshold: 3 });
    if (probe?.httpGet) addMissing(probe.httpGet, { scheme: 'HTTP' });
  }
}

function defaultService(spec: Json & { ports: Json[] }): void {
  for (const port of spec.ports) addMissing(port, { targetPort: port['port'] });
  addMissing(spec, {
    clusterIPs: [spec['clusterIP']],
    sessionAffinity: 'None',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  });
}

function addMissing(target: object, defaults: Json): void {
  Object.assign(target, { ...defaults, ...target });
}
