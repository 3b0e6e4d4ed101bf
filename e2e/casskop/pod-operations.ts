import { isIP } from 'node:net';
import { sleep } from '../../src/edges/clock.ts';
import { labelTime, rackLabels, type PodOperationName, type RackOfCluster, type RackStatus } from './cluster.ts';
import { copyJson } from './json.ts';
import { continueDecommission, isScalingDown } from './decommission.ts';
import type { Pod } from './objects.ts';
import { nodeOf, now, ringHasJoiningNodes, type Pass } from './pass.ts';
import { save } from './save.ts';

/** An operation that a pod was told to do and that has come to its end. */
interface Finished {
  operation: PodOperationName;
  rackKey: string;
  podName: string;
  error: unknown;
}

/** Operations outlive the pass that began them; a later pass, of any cluster, notes how they went. */
export class RunningOperations {
  readonly #finished: Finished[] = [];

  run(work: Promise<void>, of: Omit<Finished, 'error'>): void {
    void work.then(
      () => this.#finished.push({ ...of, error: undefined }),
      (error: unknown) => this.#finished.push({ ...of, error }),
    );
  }

  /** CassKop counts up while the list gets shorter, so it takes the first half, rounded up. */
  take(): Finished[] {
    return this.#finished.splice(0, Math.ceil(this.#finished.length / 2));
  }
}

type Work = (pass: Pass, pod: Pod) => Promise<void>;

const operations: Partial<Record<PodOperationName, Work>> = { cleanup, rebuild, upgradesstables, remove };
const names = Object.keys(operations) as PodOperationName[];

/**
 * What pods have to do before the rack's StatefulSet may change: the decommission when it shrinks, else waiting for
 * joining nodes; and, while the cluster is at rest, what labels ask of single pods.
 * @returns whether the StatefulSet has to wait.
 * @throws Error when no node answers: it has to wait then, too.
 */
export async function handlePodOperation(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  statefulSetIsReady: boolean,
): Promise<boolean> {
  if (isScalingDown(rackStatus)) return continueDecommission(pass, rack, rackStatus, statefulSetIsReady);
  if (await ringHasJoiningNodes(pass)) {
    pass.log(`${rack.key}: some nodes are joining`);
    return true;
  }
  if (pass.status.lastClusterActionStatus === 'Done') {
    for (const finished of pass.running.take()) await noteEnd(pass, finished);
    // One kind of operation per pass, drawn at random.
    const name = names[Math.floor(pass.random.next() * names.length)] ?? 'cleanup';
    await startOperations(pass, rack, rackStatus, name);
  }
  return false;
}

async function startOperations(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  name: PodOperationName,
): Promise<void> {
  const { cluster, objects } = pass;
  const asked = { 'operation-name': name, 'operation-status': 'ToDo' };
  const pods = await objects.pods({ ...rackLabels(cluster, rack), ...asked });
  const last = rackStatus.podLastOperation;
  if (pods.length === 0) {
    if (last.name !== name || last.status !== 'Ongoing' || last.pods?.length) return;
    last.status = 'Done';
    last.endTime = now(pass);
    await save(pass);
    return;
  }
  if (last.status !== 'Ongoing') {
    const { operatorName } = last;
    rackStatus.podLastOperation = {
      name,
      status: 'Ongoing',
      startTime: now(pass),
      ...(operatorName !== undefined && { operatorName }),
    };
    await save(pass);
  }
  for (const pod of pods) {
    if (pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp)
      await startOperation(pass, rack, rackStatus, name, pod);
  }
}

async function startOperation(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  operation: PodOperationName,
  pod: Pod,
): Promise<void> {
  const podName = pod.metadata.name;
  const last = rackStatus.podLastOperation;
  last.operatorName = pass.operatorName;
  const labels = {
    'operation-status': 'Ongoing',
    'operation-start': labelTime(pass.clock.now()),
    'operation-end': '',
  };
  try {
    await pass.objects.labelPod(podName, labels);
  } catch (error) {
    pass.log(`${podName} could not be labelled`, error);
    return;
  }
  const others = (list: string[] | undefined): string[] => (list ?? []).filter((each) => each !== podName);
  last.pods = [...(last.pods ?? []), podName];
  last.podsOK = others(last.podsOK);
  last.podsKO = others(last.podsKO);
  await save(pass);
  const work = operations[operation];
  if (work) pass.running.run(work(pass, pod), { operation, rackKey: rack.key, podName });
}

/**
 * Labels the pod with the outcome and writes the status at once, from a copy of the object: what this pass writes at
 * its own end then meets a conflict, and the next pass goes on from here.
 */
async function noteEnd(pass: Pass, { rackKey, podName, error }: Finished): Promise<void> {
  if (error !== undefined) pass.log(`${podName}: the operation failed`, error);
  const copy = copyJson(pass.cluster);
  const status = pass.cluster.status;
  const last = status.cassandraRackStatus?.[rackKey]?.podLastOperation;
  if (last) {
    const list = error === undefined ? 'podsOK' : 'podsKO';
    last[list] = [...(last[list] ?? []), podName];
    last.pods = (last.pods ?? []).filter((each) => each !== podName);
  }
  const labels = {
    'operation-status': error === undefined ? 'Done' : 'Error',
    'operation-end': labelTime(pass.clock.now()),
  };
  await pass.objects.labelPod(podName, labels).catch((labelError: unknown) => {
    pass.log(`${podName} could not be labelled`, labelError);
  });
  // What has come of it must not be lost to a conflict.
  while (!(await save(pass, copy, status))) {
    const fresh = await pass.objects.findCluster(copy.metadata.name);
    if (!fresh) return;
    copy.metadata = fresh.metadata;
    copy.spec = fresh.spec;
    copy.status = fresh.status;
  }
}

async function cleanup(pass: Pass, pod: Pod): Promise<void> {
  const node = await nodeOf(pass, pod);
  const threads = pass.cluster.spec.keyspaceCleanupThreads ?? 0;
  for (const keyspace of await node.keyspaces()) {
    if (['system', 'system_schema'].includes(keyspace)) continue;
    await node.execute('forceKeyspaceCleanup(int,java.lang.String,[Ljava.lang.String;)', [threads, keyspace, []]);
  }
}

async function upgradesstables(pass: Pass, pod: Pod): Promise<void> {
  const node = await nodeOf(pass, pod);
  for (const keyspace of await node.keyspaces()) {
    const operation = 'upgradeSSTables(java.lang.String,boolean,int,[Ljava.lang.String;)';
    await node.execute(operation, [keyspace, true, 0, []]);
  }
}

async function rebuild(pass: Pass, pod: Pod): Promise<void> {
  const source = pod.metadata.labels?.['operation-argument'];
  if (source === undefined) throw new Error('operation-argument must name the datacenter to rebuild from');
  const node = await nodeOf(pass, pod);
  if ((await node.keyspacesIn(source)).length === 0) throw new Error(`${source} has no keyspace to rebuild from`);
  await node.execute('rebuild(java.lang.String)', [source]);
}

/** Removes a dead node, named `<pod>`, `<pod>_<ip>` or `_<ip>`, from the ring, then its claim and its pod. */
async function remove(pass: Pass, pod: Pod): Promise<void> {
  const { objects, clock, pace, signal } = pass;
  const [podName = '', address = ''] = (pod.metadata.labels?.['operation-argument'] ?? '').split('_');
  if (!podName && !address) throw new Error('operation-argument must be [<pod>][_<ip>]');
  if (address && isIP(address) === 0) throw new Error(`${address} is no IP address`);
  const lost = podName ? await objects.findPod(podName) : undefined;
  const lostAddress = address || lost?.status?.podIP;
  if (!lostAddress) throw new Error(`${podName} has no address`);

  const node = await nodeOf(pass, pod);
  const hostId = (await node.hostIds())[lostAddress];
  if (hostId === undefined) throw new Error(`${lostAddress} is not in the ring`);
  await node.execute('removeNode', [hostId]);
  if (!podName) return;

  const claim = `data-${podName}`;
  await objects.deleteClaim(claim);
  for (let waited = 0; waited < pace.claimWaitMs && (await objects.findClaim(claim)); waited += pace.claimPollMs) {
    await sleep(clock, pace.claimPollMs, signal);
  }
  if (!lost) throw new Error(`${podName} is gone already`);
  await objects.deletePod(podName, { gracePeriodSeconds: 0 });
}
