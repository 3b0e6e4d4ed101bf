import {
  nodesPerRack,
  rackLabels,
  setPhase,
  type ActionName,
  type ActionStatus,
  type RackOfCluster,
  type RackStatus,
} from './cluster.ts';
import { defaultSeedList } from './defaults.ts';
import { isReady } from './objects.ts';
import { hasNoDisruption, now, ringHasJoiningNodes, type Pass } from './pass.ts';
import { configMapVolume } from './containers.ts';
import type { StatefulSet } from './statefulset.ts';
import { storageNeedsResize } from './storage.ts';
import { storedSeeds } from './write-statefulset.ts';

/**
 * Looks whether the rack's action is over, else whether the spec asks for a new one: one thing per pass, and nothing
 * at all for a while after an action began.
 */
export async function updateRackAction(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  stored: StatefulSet,
): Promise<void> {
  const action = rackStatus.cassandraLastAction;
  if (action.startTime && Date.parse(action.startTime) + pass.pace.blindMs > pass.clock.now()) return;
  if (await endAction(pass, rack, rackStatus, stored)) return;

  const isUnlocked = pass.cluster.spec.unlockNextOperation === true && (await hasStuckPod(pass, rack));
  if (rackStatus.phase === 'Initializing') {
    if (!isUnlocked) return;
    setPhase(rackStatus, 'Pending');
  }
  const isBusy = action.status !== undefined && ['Ongoing', 'ToDo', 'Finalizing'].includes(action.status);
  if (isUnlocked || (hasNoDisruption(pass) && !isBusy)) {
    if (beginAction(pass, rack, rackStatus, stored)) return;
  }
  if (action.status === 'ToDo' && action.name === 'UpdateResources') {
    action.startTime = now(pass);
    action.status = 'Ongoing';
  }
}

/** Answers whether the action was Ongoing (or Continue) and is Done now. */
async function endAction(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  stored: StatefulSet,
): Promise<boolean> {
  const action = rackStatus.cassandraLastAction;
  if (action.status !== 'Ongoing' && action.status !== 'Continue') return false;
  if (!(await isOver(pass, rack, action.name, stored))) return false;
  if (action.name === 'ScaleUp') await askForCleanup(pass, rack);
  action.status = 'Done';
  action.endTime = now(pass);
  return true;
}

async function isOver(
  pass: Pass,
  rack: RackOfCluster,
  name: ActionName | undefined,
  { status }: StatefulSet,
): Promise<boolean> {
  if (name === 'Initializing' || name === 'StorageUpsize') return false;
  const hasWantedReplicas = nodesPerRack(pass.cluster, rack.dc) === (status?.replicas ?? 0);
  if (name === 'ScaleUp') return hasWantedReplicas && lastNodeHasJoined(pass, rack);
  if (name === 'ScaleDown') {
    const operation = pass.cluster.status.cassandraRackStatus?.[rack.key]?.podLastOperation;
    return hasWantedReplicas && operation?.name === 'decommission' && operation.status === 'Done';
  }
  return status?.currentRevision === status?.updateRevision;
}

async function lastNodeHasJoined(pass: Pass, rack: RackOfCluster): Promise<boolean> {
  const pods = await pass.objects.pods(rackLabels(pass.cluster, rack));
  const last = pods[nodesPerRack(pass.cluster, rack.dc) - 1];
  if (!last || !isReady(last)) return false;
  try {
    return !(await ringHasJoiningNodes(pass));
  } catch (error) {
    pass.log(`${rack.key}: cannot tell whether nodes are joining`, error);
    return false;
  }
}

/** After a rack has grown, its nodes hold data of ranges they no longer own. */
async function askForCleanup(pass: Pass, rack: RackOfCluster): Promise<void> {
  const labels = {
    'operation-name': 'cleanup',
    'operation-status': pass.cluster.spec.autoPilot ? 'ToDo' : 'Manual',
  };
  for (const { metadata, status } of await pass.objects.pods(rackLabels(pass.cluster, rack))) {
    if (status?.phase !== 'Running' || metadata.deletionTimestamp) continue;
    await pass.objects.labelPod(metadata.name, labels).catch((error: unknown) => {
      pass.log(`${metadata.name} could not be labelled`, error);
    });
  }
}

/** A pod of the rack that cannot be scheduled, whose image cannot be pulled, or whose containers are not ready. */
async function hasStuckPod(pass: Pass, rack: RackOfCluster): Promise<boolean> {
  const pods = await pass.objects.pods(rackLabels(pass.cluster, rack));
  return pods.some(({ status }) => {
    if (!status?.conditions || status.phase === 'Running') return false;
    return (
      status.containerStatuses?.some(({ ready, state }) => !ready && state?.waiting?.reason === 'ImagePullBackOff') ===
        true ||
      status.conditions.some(
        ({ type, status: value, reason }) =>
          reason === 'Unschedulable' || (type === 'Ready' && value === 'False' && reason === 'ContainersNotReady'),
      )
    );
  });
}

/** Answers whether a difference between spec and StatefulSet, in this order of importance, has become an action. */
function beginAction(pass: Pass, rack: RackOfCluster, rackStatus: RackStatus, stored: StatefulSet): boolean {
  const { cluster, status } = pass;
  const { template, replicas } = stored.spec;
  const begin = (name: ActionName, actionStatus: ActionStatus = 'ToDo'): true => {
    rackStatus.cassandraLastAction = { name, status: actionStatus };
    return true;
  };

  const configMap = template.spec.volumes?.find(({ name }) => name === configMapVolume);
  if ((configMap?.configMap?.name ?? '') !== (cluster.spec.configMapName ?? '')) return begin('UpdateConfigMap');

  const image = template.spec.containers.find(({ name }) => name === 'cassandra')?.image;
  if (image !== cluster.spec.cassandraImage) return begin('UpdateDockerImage');

  if (storageNeedsResize(cluster, rack.dc, stored)) {
    rackStatus.phase = 'Pending';
    begin('StorageUpsize', 'Ongoing');
    rackStatus.cassandraLastAction.startTime = now(pass);
    return true;
  }

  const wantedReplicas = nodesPerRack(cluster, rack.dc);
  if (wantedReplicas > replicas) return begin('ScaleUp');
  if (wantedReplicas < replicas) {
    beginDecommission(pass, rackStatus);
    return begin('ScaleDown');
  }

  const seeds = storedSeeds(stored);
  if (cluster.spec.autoUpdateSeedList) followLocalSeeds(pass, seeds);
  if (!sameList(status.seedlist ?? [], seeds)) return begin('UpdateSeedList', 'Configuring');

  if (rack.rack.rollingRestart) {
    delete rack.rack.rollingRestart;
    return begin('RollingRestart');
  }

  if (stored.status?.currentRevision !== stored.status?.updateRevision) {
    begin('UpdateStatefulSet', 'Ongoing');
    rackStatus.cassandraLastAction.startTime = now(pass);
    return true;
  }
  return false;
}

/** With autoUpdateSeedList, seeds that are not this cluster's own disappear: the federation's, that is. */
function followLocalSeeds(pass: Pass, stored: string[]): void {
  const local = defaultSeedList(pass.cluster);
  if (local.length === stored.length && local.every((seed) => stored.includes(seed))) return;
  const kept = stored.filter((seed) => local.includes(seed));
  pass.status.seedlist = [...kept, ...local.filter((seed) => !stored.includes(seed))];
}

/** Notes that the rack's last pod has to leave the ring before its StatefulSet may shrink. */
export function beginDecommission(pass: Pass, rackStatus: RackStatus): void {
  setPhase(rackStatus, 'Pending');
  Object.assign(rackStatus.cassandraLastAction, { name: 'ScaleDown', status: 'ToDo', startTime: now(pass) });
  const { operatorName } = rackStatus.podLastOperation;
  rackStatus.podLastOperation = {
    name: 'decommission',
    status: 'ToDo',
    startTime: now(pass),
    ...(operatorName !== undefined && { operatorName }),
  };
}

function sameList(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
