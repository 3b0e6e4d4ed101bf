import { sleep } from '../../src/edges/clock.ts';
import { beginDecommission, updateRackAction } from './actions.ts';
import {
  inFirstPodPerRack,
  initialRackStatus,
  nodesPerRack,
  rackLabels,
  racksOf,
  setNextPodPerRack,
  setPhase,
  type RackOfCluster,
  type RackStatus,
} from './cluster.ts';
import { isReady } from './objects.ts';
import { hasNoDisruption, now, type Pass } from './pass.ts';
import { handlePodOperation } from './pod-operations.ts';
import { generateExporterService, generateService } from './services.ts';
import type { StatefulSet } from './statefulset.ts';
import { isResizing } from './storage.ts';
import { resizeStorage } from './storage-resize.ts';
import { ensureStatefulSet } from './write-statefulset.ts';

const dnsLabel = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** The rack's name does not make a DNS label: CassKop stops there and says so in its log alone. */
export class RackNameError extends Error {
  override readonly name = 'RackNameError';
  readonly code = 'RackNameError';
}

/** One rack after the other, in the order of the spec; the next only while the ones before are at rest. */
export async function reconcileRacks(pass: Pass): Promise<void> {
  let hasNewRack = false;
  for (const rack of racksOf(pass.cluster)) {
    const rackStatus = statusOf(pass, rack);
    if (!rackStatus) {
      hasNewRack = true;
      continue;
    }
    if (await deleteClaimsOnDeletion(pass, rack)) continue;
    if (!(await reconcileRack(pass, rack, rackStatus))) return;
  }
  if (!hasNewRack) await releaseDeleted(pass);
}

/** First half of Initializing: every rack gets one pod, one rack after the other, and is cut down to one if it has more. */
export async function reconcileFirstPods(pass: Pass): Promise<void> {
  const { cluster, status } = pass;
  let hasNewRack = false;
  for (const rack of racksOf(cluster)) {
    const rackStatus = statusOf(pass, rack);
    if (!rackStatus) {
      hasNewRack = true;
      continue;
    }
    if (await deleteClaimsOnDeletion(pass, rack)) continue;
    const stored = await pass.objects.findStatefulSet(rack.statefulSetName);
    if (stored && isStatefulSetReady(stored)) {
      const last = (await pass.objects.pods(rackLabels(cluster, rack))).at(-1);
      if (last && isReady(last)) setNextPodPerRack(rackStatus);
    }
    await ensureServices(pass);
    await logged(pass, rack, () => ensureStatefulSet(pass, rack, rackStatus, { firstPodOnly: true }));
    if (inFirstPodPerRack(rackStatus)) return;
  }
  if (hasNewRack) return;
  setNextPodPerRack(status);
  await releaseDeleted(pass);
}

/** Answers whether the next rack may be looked at in this pass. */
async function reconcileRack(pass: Pass, rack: RackOfCluster, rackStatus: RackStatus): Promise<boolean> {
  const { cluster, status, objects } = pass;
  const action = rackStatus.cassandraLastAction;
  const stored = await objects.findStatefulSet(rack.statefulSetName);
  if (stored) {
    await updateRackPhase(pass, rack, rackStatus, stored);
    await updateRackAction(pass, rack, rackStatus, stored);
    if (rackStatus.phase !== 'Initializing') {
      const mustWait = await logged(
        pass,
        rack,
        () => handlePodOperation(pass, rack, rackStatus, isStatefulSetReady(stored)),
        true,
      );
      if (mustWait) return rackStatus.phase === 'Running' && !isAny(rackStatus, 'ToDo', 'Ongoing', 'Continue');
    }
  }
  await ensureServices(pass);
  if (isResizing(rackStatus)) {
    await resizeStorage(pass, rack, rackStatus, stored);
    return false;
  }
  const written = await logged(pass, rack, () => ensureStatefulSet(pass, rack, rackStatus), true);
  delete cluster.spec.unlockNextOperation;
  if (written) {
    if (status.lastClusterAction === 'UpdateSeedList' && status.lastClusterActionStatus === 'Configuring') {
      await waitForDisruption(pass);
    }
    return false;
  }
  return rackStatus.phase === 'Running' && !isAny(rackStatus, 'Ongoing', 'Finalizing');

  function isAny({ cassandraLastAction }: RackStatus, ...statuses: (typeof action.status)[]): boolean {
    return statuses.includes(cassandraLastAction.status);
  }
}

/** Initializing until all pods are there and the last is ready; from then on Running or Pending as pods come and go. */
async function updateRackPhase(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  stored: StatefulSet,
): Promise<void> {
  const { cluster } = pass;
  if (rackStatus.phase === 'Initializing') {
    const wanted = nodesPerRack(cluster, rack.dc);
    if (wanted <= 0) {
      beginDecommission(pass, rackStatus);
      return;
    }
    if (!isStatefulSetReady(stored)) return;
    const pods = await pass.objects.pods(rackLabels(cluster, rack));
    const last = pods[wanted - 1];
    if (!last) return;
    if (isReady(last)) {
      setPhase(rackStatus, 'Running');
      rackStatus.cassandraLastAction.endTime = now(pass);
      rackStatus.cassandraLastAction.status = 'Done';
    }
  }
  setPhase(rackStatus, isStatefulSetReady(stored) ? 'Running' : 'Pending');
}

function isStatefulSetReady({ spec, status }: StatefulSet): boolean {
  return (status?.readyReplicas ?? 0) === spec.replicas;
}

/** The rack's status; a rack that is new gets one, and undefined is answered: it waits for the next pass. */
function statusOf({ status }: Pass, { key }: RackOfCluster): RackStatus | undefined {
  if (!dnsLabel.test(key)) throw new RackNameError(`${key} is no DNS label`);
  const racks = (status.cassandraRackStatus ??= {});
  const rackStatus = racks[key];
  if (!rackStatus) {
    racks[key] = initialRackStatus();
    return undefined;
  }
  if (rackStatus.phase === 'Initializing' && !rackStatus.initializingSubPhase) {
    rackStatus.initializingSubPhase = 'FirstPodPerRack';
    return undefined;
  }
  return rackStatus;
}

async function ensureServices({ cluster, objects }: Pass): Promise<void> {
  await objects.createService(generateService(cluster));
  await objects.createService(generateExporterService(cluster));
}

/** A cluster with deletePVC that is being deleted loses its claims before its finalizer. */
async function deleteClaimsOnDeletion({ cluster, objects }: Pass, rack: RackOfCluster): Promise<boolean> {
  if (!cluster.metadata.deletionTimestamp || !cluster.spec.deletePVC) return false;
  for (const { metadata } of await objects.claims(rackLabels(cluster, rack))) await objects.deleteClaim(metadata.name);
  return true;
}

async function releaseDeleted({ cluster, objects }: Pass): Promise<void> {
  if (!cluster.metadata.deletionTimestamp || !cluster.spec.deletePVC) return;
  cluster.metadata.finalizers = [];
  await objects.putCluster(cluster);
}

/** Stands still until the first pod is going, so that the next pass does not find everything as it was. */
async function waitForDisruption(pass: Pass): Promise<void> {
  const { clock, pace, signal, objects, cluster } = pass;
  for (let waited = 0; waited < pace.disruptionWaitMs; waited += pace.disruptionPollMs) {
    await sleep(clock, pace.disruptionPollMs, signal);
    pass.budget = await objects.findBudget(cluster.metadata.name);
    if (!hasNoDisruption(pass)) return;
  }
}

/** A rack's failure is logged and the pass goes on; what it answers then is `onError`. */
async function logged(
  pass: Pass,
  { key }: RackOfCluster,
  attempt: () => Promise<boolean>,
  onError = false,
): Promise<boolean> {
  try {
    return await attempt();
  } catch (error) {
    pass.signal.throwIfAborted();
    pass.log(key, error);
    return onError;
  }
}
