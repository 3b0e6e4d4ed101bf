import {
  inFirstPodPerRack,
  racksOf,
  setPhase,
  type CassandraCluster,
  type ClusterStatus,
  type LastAction,
} from './cluster.ts';
import { initialise, setDefaults } from './defaults.ts';
import { copyJson } from './json.ts';
import { isReady, type Objects } from './objects.ts';
import { nodeOf, podsOfCluster, type Pass } from './pass.ts';
import { reconcileFirstPods, reconcileRacks } from './racks.ts';
import { refuseOrAccept } from './refusals.ts';
import { previouslyApplied, save } from './save.ts';
import { generateDisruptionBudget } from './services.ts';

/** When to look again: after so many milliseconds; as after an error, soon and then ever later; or on a change only. */
export type Outcome = { afterMs: number } | 'retry' | 'onChange';

const claimFinalizer = 'kubernetes.io/pvc-to-delete';
const withoutFirstPods = 'cassandraclusters.db.orange.com/disable-first-pod-per-rack-init-flow';

/**
 * One look at one CassandraCluster.
 * @throws ApiError when it can be neither read nor initialised.
 */
export async function reconcile(
  environment: Omit<Pass, 'cluster' | 'status' | 'budget'>,
  name: string,
): Promise<Outcome> {
  const { objects, pace, signal, log } = environment;
  const cluster = await objects.findCluster(name);
  if (!cluster) return 'onChange';
  const { phase, initializingSubPhase } = cluster.status;
  const isNew = !phase || (phase === 'Initializing' && !initializingSubPhase);
  if (isNew && initialise(cluster)) {
    await writeInitial(objects, cluster);
    return 'retry';
  }
  setDefaults(cluster);
  const before = previouslyApplied(cluster);
  await followDeletePolicy(objects, cluster, before);
  const pass: Pass = { ...environment, cluster, status: copyJson(cluster.status), budget: undefined };
  try {
    if (await refuseOrAccept(pass, before)) return { afterMs: pace.refusedResyncMs };
    await ensureDisruptionBudget(pass);
    await noteHostIds(pass);
    await reconcileAll(pass);
    return { afterMs: pace.resyncMs };
  } catch (error) {
    signal.throwIfAborted();
    log(name, error);
    return 'retry';
  } finally {
    if (!signal.aborted) await save(pass);
  }
}

/** The object first, then its status: whoever writes the status in between wins, for the second write meets a conflict. */
async function writeInitial(objects: Objects, cluster: CassandraCluster): Promise<void> {
  setFinalizers(cluster);
  cluster.metadata = await objects.putCluster(cluster);
  await objects.putClusterStatus(cluster);
}

/** Wipes everybody's finalizers when claims shall be kept; adds its own, when they shall go, only if there is none. */
function setFinalizers({ metadata, spec }: CassandraCluster): void {
  if (!spec.deletePVC) delete metadata.finalizers;
  else if (!metadata.finalizers?.length) metadata.finalizers = [claimFinalizer];
}

async function followDeletePolicy(
  objects: Objects,
  cluster: CassandraCluster,
  before: CassandraCluster | undefined,
): Promise<void> {
  if (!before || before.spec.deletePVC === cluster.spec.deletePVC) return;
  setFinalizers(cluster);
  cluster.metadata = await objects.putCluster(cluster);
}

/** A budget with another number is deleted and made anew. */
async function ensureDisruptionBudget(pass: Pass): Promise<void> {
  const { cluster, objects, log } = pass;
  const wanted = generateDisruptionBudget(cluster);
  try {
    pass.budget = await objects.findBudget(wanted.metadata.name);
    if (pass.budget?.spec.maxUnavailable === wanted.spec.maxUnavailable) return;
    if (pass.budget) await objects.deleteBudget(wanted.metadata.name);
    await objects.createBudget(wanted);
  } catch (error) {
    log('the disruption budget could not be written', error);
  }
}

/** Fills status.cassandraNodeStatus where the nodes still have HostIdMap, and deletes pods that restart too often. */
async function noteHostIds(pass: Pass): Promise<void> {
  const { cluster, status, objects, log } = pass;
  const pods = await podsOfCluster(pass);
  const first = pods.find(isReady);
  if (!first) return;
  let hostIds: Record<string, string>;
  try {
    hostIds = await (await nodeOf(pass, first)).hostIds();
  } catch (error) {
    log('the host IDs could not be read', error);
    return;
  }
  const limit = cluster.spec.restartCountBeforePodDeletion ?? 0;
  for (const pod of pods) {
    const { name } = pod.metadata;
    const nodeIp = pod.status?.podIP ?? '';
    const hostId = hostIds[nodeIp];
    const restarts = pod.status?.containerStatuses?.find((container) => container.name === 'cassandra')?.restartCount;
    if (limit > 0 && (restarts ?? 0) > limit) {
      const isForeign = hostId !== undefined && status.cassandraNodeStatus?.[name]?.hostId !== hostId;
      if (isForeign) await objects.deletePod(name);
      return;
    }
    if (hostId !== undefined && isReady(pod)) (status.cassandraNodeStatus ??= {})[name] = { hostId, nodeIp };
  }
}

async function reconcileAll(pass: Pass): Promise<void> {
  const { cluster, status } = pass;
  const isSkipped = cluster.metadata.annotations?.[withoutFirstPods]?.toLowerCase() === 'true';
  if (!isSkipped && inFirstPodPerRack(status)) {
    await reconcileFirstPods(pass);
    noteUnfinishedActions(pass);
    return;
  }
  await reconcileRacks(pass);
  scheduleSeedLists(pass);
  updateClusterPhase(pass);
}

/** The cluster's action is that of the last rack that has not finished. */
function noteUnfinishedActions({ cluster, status }: Pass): void {
  for (const { key } of racksOf(cluster)) {
    const action = status.cassandraRackStatus?.[key]?.cassandraLastAction;
    if (action && action.status !== 'Done') copyAction(status, action);
  }
}

function copyAction(status: ClusterStatus, action: LastAction): void {
  if (action.name) status.lastClusterAction = action.name;
  if (action.status) status.lastClusterActionStatus = action.status;
}

/** When every rack waits for its new seeds, all may start. */
function scheduleSeedLists({ cluster, status }: Pass): void {
  if (status.lastClusterAction !== 'UpdateSeedList' || status.lastClusterActionStatus !== 'Configuring') return;
  const racks = racksOf(cluster).flatMap(({ key }) => status.cassandraRackStatus?.[key] ?? []);
  const isWaiting = ({ cassandraLastAction: { name, status } }: (typeof racks)[0]): boolean =>
    name === 'UpdateSeedList' && status === 'Configuring';
  const firstOther = racks.find((rack) => !isWaiting(rack));
  if (firstOther && firstOther.cassandraLastAction.name !== 'Initializing') return;
  for (const rack of racks) {
    if (rack.phase !== 'Initializing')
      Object.assign(rack.cassandraLastAction, { name: 'UpdateSeedList', status: 'ToDo' });
  }
}

/** The cluster is in the phase of its first rack that is not Running, and Done when no rack has an action left. */
function updateClusterPhase({ cluster, status }: Pass): void {
  let isBusy = false;
  for (const { key } of racksOf(cluster)) {
    const rack = status.cassandraRackStatus?.[key];
    if (!rack) continue;
    if (rack.cassandraLastAction.status !== 'Done') {
      copyAction(status, rack.cassandraLastAction);
      isBusy = true;
    }
    if (rack.phase !== 'Running') {
      delete status.initializingSubPhase;
      if (rack.phase) status.phase = rack.phase;
      if (rack.initializingSubPhase) status.initializingSubPhase = rack.initializingSubPhase;
      return;
    }
  }
  if (!isBusy) status.lastClusterActionStatus = 'Done';
  if (status.lastClusterActionStatus === 'Done') setPhase(status, 'Running');
}
