import { labelTime, rackLabels, type RackOfCluster, type RackStatus } from './cluster.ts';
import type { Pod } from './objects.ts';
import { nodeOf, now, type Pass } from './pass.ts';
import { save } from './save.ts';

/** True while the rack is shrinking: then only the decommission decides whether its StatefulSet may be written. */
export function isScalingDown({ cassandraLastAction: { name, status } }: RackStatus): boolean {
  return name === 'ScaleDown' && (status === 'ToDo' || status === 'Ongoing' || status === 'Continue');
}

/**
 * Brings the decommission of the rack's last node one step further: told, over, pod gone and claim deleted, done.
 * @returns whether the StatefulSet has to wait.
 * @throws JolokiaError and others: then it has to wait too.
 */
export async function continueDecommission(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  statefulSetIsReady: boolean,
): Promise<boolean> {
  const operation = rackStatus.podLastOperation;
  if (operation.name !== 'decommission') return false;
  const { status } = operation;
  if (status === 'ToDo' || status === 'Continue') return startDecommission(pass, rack, rackStatus);
  if (status === 'Done') {
    if (!operation.podsOK?.length) throw new Error(`${rack.key}: a decommission done without a pod`);
    rackStatus.cassandraLastAction.status = 'Continue';
    return true;
  }
  if (status !== 'Ongoing' && status !== 'Finalizing') return false;
  const [podName] = operation.pods ?? [];
  if (podName === undefined) throw new Error(`${rack.key}: a decommission without a pod`);
  if (status === 'Ongoing') return followDecommission(pass, rackStatus, podName);
  if (await pass.objects.findPod(podName)) return true;
  return finishDecommission(pass, rackStatus, podName, statefulSetIsReady);
}

async function startDecommission(pass: Pass, rack: RackOfCluster, rackStatus: RackStatus): Promise<boolean> {
  const { objects, cluster, log } = pass;
  const last = (await objects.pods(rackLabels(cluster, rack))).at(-1);
  if (!last) throw new Error(`${rack.key}: no pod to decommission`);
  const { name } = last.metadata;
  if (last.status?.phase === 'Pending' && last.status.conditions?.[0]?.reason === 'Unschedulable') {
    Object.assign(rackStatus.podLastOperation, { status: 'Finalizing', pods: [name], podsOK: [], podsKO: [] });
    rackStatus.cassandraLastAction.status = 'Continue';
    return false;
  }
  if (last.status?.phase !== 'Running' || last.metadata.deletionTimestamp) throw new Error(`${name} is not running`);

  const node = await nodeOf(pass, last);
  const mode = await node.operationMode();
  if (['DECOMMISSIONED', 'UNKNOWN', 'LEAVING'].includes(mode)) {
    log(`${name} is ${mode} already`);
    return true;
  }
  await label(pass, last);
  Object.assign(rackStatus.podLastOperation, { status: 'Ongoing', pods: [name], podsOK: [], podsKO: [] });
  // From 4.0 on the operation has an argument; the version is compared as text, so 10 would be less than 4.
  const force = (cluster.spec.serverVersion ?? '') >= '4.0' ? [true] : [];
  void node.execute('decommission', force).catch((error: unknown) => log(`${name}: decommission failed`, error));
  return true;
}

async function label({ objects, clock, log }: Pass, { metadata: { name } }: Pod): Promise<void> {
  const labels = {
    'operation-name': 'decommission',
    'operation-status': 'Ongoing',
    'operation-start': labelTime(clock.now()),
  };
  await objects.labelPod(name, labels).catch((error: unknown) => log(`${name} could not be labelled`, error));
}

async function followDecommission(pass: Pass, rackStatus: RackStatus, podName: string): Promise<boolean> {
  const { objects, clock, pace, log } = pass;
  const pod = await objects.findPod(podName);
  if (!pod) throw new Error(`${podName}: the pod to decommission is gone`);
  const mode = await (await nodeOf(pass, pod)).operationMode();
  const operation = rackStatus.podLastOperation;
  if (mode === 'NORMAL') {
    const since = clock.now() - parseLabelTime(pod.metadata.labels?.['operation-start']);
    if (since < pace.decommissionRetryMs) return true;
    log(`${podName} is still NORMAL: it is told again`);
    operation.status = 'ToDo';
    return true;
  }
  if (mode !== 'DECOMMISSIONED' && mode !== 'UNKNOWN') return true;
  operation.status = 'Finalizing';
  await save(pass);
  return false;
}

/** The pod is gone, so its claim goes too, whatever deletePVC says. */
async function finishDecommission(
  { objects, clock }: Pass,
  rackStatus: RackStatus,
  podName: string,
  statefulSetIsReady: boolean,
): Promise<boolean> {
  await objects.deleteClaim(`data-${podName}`);
  Object.assign(rackStatus.podLastOperation, {
    status: statefulSetIsReady ? 'Done' : 'Continue',
    podsOK: [podName],
    pods: [],
    endTime: now({ clock }),
  });
  return true;
}

/** Milliseconds since 1970; 0 for anything that is no label time. */
function parseLabelTime(text = ''): number {
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!time) return 0;
  const [year = 0, month = 1, ...rest] = time.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}
