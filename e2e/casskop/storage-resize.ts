import type { ApiObject } from '../harness/api-server.ts';
import { rackLabels, storageOf, type RackOfCluster, type RackStatus } from './cluster.ts';
import { isReady } from './objects.ts';
import { now, type Pass } from './pass.ts';
import { canonicalQuantity, compareQuantities } from './quantity.ts';
import { rememberGenerated } from './same-statefulset.ts';
import type { StatefulSet } from './statefulset.ts';
import { dataCapacityOf, setDataCapacity } from './storage.ts';

interface Claim extends ApiObject {
  spec: { resources?: { requests?: Record<string, string> } };
  status?: { capacity?: Record<string, string> };
}

/**
 * One step of growing a rack's volumes: note the StatefulSet, delete it without its pods, make it anew with the larger
 * claim template, then enlarge the claims themselves and wait for the volumes and the pods.
 * @throws Error while claims are missing, ApiError when a write is refused.
 */
export async function resizeStorage(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  stored: StatefulSet | undefined,
): Promise<void> {
  const { cluster, objects } = pass;
  rackStatus.phase = 'Pending';
  const snapshot = rackStatus.statefulSetSnapshotBeforeStorageResize;
  if (!snapshot) {
    if (!stored) throw new Error(`${rack.statefulSetName} is gone, and no copy was taken`);
    rackStatus.statefulSetSnapshotBeforeStorageResize = JSON.stringify(withoutServerFields(stored));
    return;
  }
  const capacity = canonicalQuantity(storageOf(cluster, rack.dc).capacity || '0');
  if (!stored) {
    const anew = JSON.parse(snapshot) as StatefulSet;
    setDataCapacity(anew, capacity);
    rememberGenerated(anew);
    await objects.createStatefulSet(anew);
    return;
  }
  // The cluster's capacity and not the datacenter's own: with one of its own this goes round for ever.
  if (compareQuantities(dataCapacityOf(stored) ?? '0', cluster.spec.dataCapacity || '0') !== 0) {
    await objects.deleteStatefulSet(rack.statefulSetName, 'Orphan');
    return;
  }
  const claims = await claimsOf(pass, rack, stored);
  const small = claims.filter(({ spec }) => spec.resources?.requests?.['storage'] !== capacity);
  for (const claim of small) {
    const resources = { ...claim.spec.resources, requests: { storage: capacity } };
    await objects.putClaim({ ...claim, spec: { ...claim.spec, resources } });
  }
  const isGrown = ({ status }: Claim): boolean =>
    compareQuantities(status?.capacity?.['storage'] ?? '0', capacity) === 0;
  if (small.length > 0 || !claims.every(isGrown)) return;
  if ((stored.status?.readyReplicas ?? 0) !== stored.spec.replicas) return;
  if (!(await objects.pods(rackLabels(cluster, rack))).every(isReady)) return;
  Object.assign(rackStatus.cassandraLastAction, { status: 'Done', endTime: now(pass) });
  delete rackStatus.statefulSetSnapshotBeforeStorageResize;
}

function withoutServerFields({ metadata, spec }: StatefulSet): unknown {
  const { name, namespace, labels, annotations, ownerReferences } = metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace, labels, annotations, ownerReferences },
    spec,
  };
}

async function claimsOf({ cluster, objects }: Pass, rack: RackOfCluster, stored: StatefulSet): Promise<Claim[]> {
  const claims = (await objects.claims(rackLabels(cluster, rack))) as Claim[];
  const data = claims.filter(({ metadata }) => metadata.name.startsWith(`data-${rack.statefulSetName}`));
  if (data.length !== stored.spec.replicas) {
    throw new Error(`${rack.statefulSetName}: ${data.length} claims for ${stored.spec.replicas} replicas`);
  }
  return data;
}
