import type { ApiObject } from '../harness/api-server.ts';

export interface Resources {
  limits?: Record<string, string>;
  requests?: Record<string, string>;
}

export interface Rack {
  name: string;
  labels?: Record<string, string>;
  config?: unknown;
  rollingRestart?: boolean;
  rollingPartition?: number;
}

export interface Datacenter {
  name: string;
  labels?: Record<string, string>;
  config?: unknown;
  rack?: Rack[];
  nodesPerRacks?: number;
  dataCapacity?: string;
  dataStorageClass?: string;
  resources: Resources;
}

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/** What the operator reads of `spec`; everything else in it is carried along as it is. */
export interface ClusterSpec {
  nodesPerRacks?: number;
  cassandraImage?: string;
  imagepullpolicy?: string;
  envVars?: EnvironmentVariable[];
  bootstrapImage?: string;
  configBuilderImage?: string;
  runAsUser?: number;
  fsGroup?: number;
  readOnlyRootFilesystem?: boolean;
  resources: Resources;
  hardAntiAffinity?: boolean;
  pod?: { annotations?: Record<string, string>; tolerations?: unknown[] };
  service?: { annotations?: Record<string, string> };
  deletePVC?: boolean;
  debug?: boolean;
  autoPilot?: boolean;
  noCheckStsAreEqual?: boolean;
  autoUpdateSeedList?: boolean;
  maxPodUnavailable?: number;
  restartCountBeforePodDeletion?: number;
  unlockNextOperation?: boolean;
  dataCapacity?: string;
  dataStorageClass?: string;
  storageConfigs?: { name: string; mountPath: string; pvcSpec?: unknown }[];
  sidecarConfigs?: { name: string; [field: string]: unknown }[];
  configMapName?: string;
  serverVersion?: string;
  serverType?: string;
  config?: unknown;
  imagePullSecret: { name?: string };
  imageJolokiaSecret: { name?: string };
  keyspaceCleanupThreads?: number;
  topology: { dc?: Datacenter[] };
  livenessInitialDelaySeconds?: number;
  livenessHealthCheckTimeout?: number;
  livenessHealthCheckPeriod?: number;
  livenessFailureThreshold?: number;
  livenessSuccessThreshold?: number;
  readinessInitialDelaySeconds?: number;
  readinessHealthCheckTimeout?: number;
  readinessHealthCheckPeriod?: number;
  readinessFailureThreshold?: number;
  readinessSuccessThreshold?: number;
  shareProcessNamespace?: boolean;
  backRestSidecar?: {
    enabled?: boolean;
    image?: string;
    imagePullPolicy?: string;
    envVars?: EnvironmentVariable[];
    resources?: Resources;
    volumeMount?: { name: string; mountPath: string }[];
  };
  serviceAccountName?: string;
  jmxConfiguration?: {
    jmxRemoteEnable?: boolean;
    jmxRemotePort?: number;
    jmxRemoteRmiPort?: number;
    jmxRemoteSSL?: boolean;
    jmxRemoteAuthenticate?: boolean;
  };
}

export interface Phase {
  phase?: 'Initializing' | 'Running' | 'Pending';
  initializingSubPhase?: 'FirstPodPerRack' | 'NextPodPerRack';
}

export type ActionName =
  | 'Initializing'
  | 'UpdateConfigMap'
  | 'UpdateDockerImage'
  | 'UpdateSeedList'
  | 'RollingRestart'
  | 'UpdateResources'
  | 'UpdateStatefulSet'
  | 'ScaleUp'
  | 'ScaleDown'
  | 'StorageUpsize'
  | 'ActionDeleteDC'
  | 'CorrectCRDConfig';

export type ActionStatus = 'ToDo' | 'Configuring' | 'Ongoing' | 'Finalizing' | 'Continue' | 'Done';

export type PodOperationName = 'decommission' | 'cleanup' | 'rebuild' | 'upgradesstables' | 'remove';

export interface LastAction {
  name?: ActionName;
  status?: ActionStatus;
  /** RFC 3339, whole seconds once stored. */
  startTime?: string;
  endTime?: string;
}

export interface PodLastOperation {
  name?: PodOperationName;
  status?: ActionStatus;
  startTime?: string;
  endTime?: string;
  pods?: string[];
  podsOK?: string[];
  podsKO?: string[];
  operatorName?: string;
}

export interface RackStatus extends Phase {
  cassandraLastAction: LastAction;
  podLastOperation: PodLastOperation;
  statefulSetSnapshotBeforeStorageResize?: string;
}

export interface ClusterStatus extends Phase {
  lastClusterAction?: ActionName;
  lastClusterActionStatus?: ActionStatus;
  seedlist?: string[];
  cassandraNodeStatus?: Record<string, { hostId: string; nodeIp: string }>;
  cassandraRackStatus?: Record<string, RackStatus>;
}

/** A CassandraCluster after the operator's decoding: see typed.ts. */
export interface CassandraCluster extends ApiObject {
  spec: ClusterSpec;
  status: ClusterStatus;
}

/** One rack of the topology with the names derived from it. */
export interface RackOfCluster {
  dc: Datacenter;
  rack: Rack;
  /** `<dc>-<rack>`: the key in status.cassandraRackStatus. */
  key: string;
  /** `<cluster>-<dc>-<rack>`. */
  statefulSetName: string;
}

/** The racks in the order of the spec; a datacenter without racks has none. */
export function racksOf(cluster: CassandraCluster): RackOfCluster[] {
  return (cluster.spec.topology.dc ?? []).flatMap((dc) =>
    (dc.rack ?? []).map((rack) => {
      const key = `${dc.name}-${rack.name}`;
      return { dc, rack, key, statefulSetName: `${cluster.metadata.name}-${key}` };
    }),
  );
}

/** How many nodes each rack of `dc` shall have. */
export function nodesPerRack(cluster: CassandraCluster, dc: Datacenter): number {
  return dc.nodesPerRacks ?? cluster.spec.nodesPerRacks ?? 0;
}

/** A datacenter's own capacity and class, else the cluster's; its class counts only beside a capacity of its own. */
export function storageOf(cluster: CassandraCluster, dc: Datacenter): { capacity: string; storageClass: string } {
  const own = dc.dataCapacity ? dc : cluster.spec;
  return { capacity: own.dataCapacity ?? '', storageClass: own.dataStorageClass ?? '' };
}

/** Labels that select everything of the cluster: its own labels and two fixed ones. */
export function clusterLabels(cluster: CassandraCluster): Record<string, string> {
  return { ...cluster.metadata.labels, app: 'cassandracluster', cassandracluster: cluster.metadata.name };
}

/** Labels that select the objects of one rack. */
export function rackLabels(cluster: CassandraCluster, { dc, rack, key }: RackOfCluster): Record<string, string> {
  return {
    ...clusterLabels(cluster),
    'dc-rack': key,
    'cassandraclusters.db.orange.com.dc': dc.name,
    'cassandraclusters.db.orange.com.rack': rack.name,
  };
}

export function ownerReference(cluster: CassandraCluster): NonNullable<ApiObject['metadata']['ownerReferences']>[0] {
  return {
    apiVersion: 'db.orange.com/v2',
    kind: 'CassandraCluster',
    name: cluster.metadata.name,
    uid: cluster.metadata.uid ?? '',
    controller: true,
  };
}

/** The status a rack starts with. */
export function initialRackStatus(): RackStatus {
  return {
    phase: 'Initializing',
    initializingSubPhase: 'FirstPodPerRack',
    cassandraLastAction: { name: 'Initializing', status: 'Ongoing' },
    podLastOperation: {},
  };
}

/** Puts `target` into phase Running or Pending, which have no sub-phase. */
export function setPhase(target: Phase, phase: 'Running' | 'Pending'): void {
  target.phase = phase;
  delete target.initializingSubPhase;
}

/** Puts `target` into the second half of Initializing: every rack has its first pod. */
export function setNextPodPerRack(target: Phase): void {
  target.phase = 'Initializing';
  target.initializingSubPhase = 'NextPodPerRack';
}

export function inFirstPodPerRack(target: Phase): boolean {
  return target.phase === 'Initializing' && target.initializingSubPhase === 'FirstPodPerRack';
}

/** RFC 3339 with whole seconds, as Kubernetes writes times. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A time as a label value can hold it: YYYYMMDDThhmmss. */
export function labelTime(milliseconds: number): string {
  return timestamp(milliseconds).replaceAll(/[-:Z]/g, '');
}
