import { isDeepStrictEqual } from 'node:util';
import { nodesPerRack, racksOf, rackLabels, storageOf, type CassandraCluster, type Datacenter } from './cluster.ts';
import { nodeOf, now, type Pass } from './pass.ts';
import { compareQuantities } from './quantity.ts';

/**
 * Compares the spec with `before`, what was last accepted. A change that is not allowed is put back and noted as
 * CorrectCRDConfig; the removal of an empty datacenter is carried out; a change of resources becomes an action of every
 * rack.
 * @returns whether the pass ends here.
 */
export async function refuseOrAccept(pass: Pass, before: CassandraCluster | undefined): Promise<boolean> {
  const { cluster, status } = pass;
  if (!before) return false;
  const restored = [restoreCounts(cluster, before), restoreStorage(cluster, before)];
  if (restored.includes(true)) {
    status.lastClusterAction = 'CorrectCRDConfig';
    return true;
  }
  const change = topologyChange(cluster, before);
  if (change === 'refused' || (await isRefusedScaleToZero(pass))) {
    pass.log('the change of the topology is refused');
    cluster.spec.topology = before.spec.topology;
    status.lastClusterAction = 'CorrectCRDConfig';
    return true;
  }
  if (change === 'removed') {
    await deleteRemovedRacks(pass);
    status.lastClusterAction = 'ActionDeleteDC';
    return true;
  }
  if (!isDeepStrictEqual(cluster.spec.resources, before.spec.resources)) {
    for (const { key } of racksOf(cluster)) {
      const rackStatus = status.cassandraRackStatus?.[key];
      if (rackStatus)
        rackStatus.cassandraLastAction = { name: 'UpdateResources', status: 'ToDo', startTime: now(pass) };
    }
  }
  return false;
}

function restoreCounts(cluster: CassandraCluster, before: CassandraCluster): boolean {
  if (cluster.spec.nodesPerRacks) return false;
  if (before.spec.nodesPerRacks !== undefined) cluster.spec.nodesPerRacks = before.spec.nodesPerRacks;
  return true;
}

function restoreStorage(cluster: CassandraCluster, before: CassandraCluster): boolean {
  let restored = false;
  for (const [index, dc] of (cluster.spec.topology.dc ?? []).entries()) {
    const old = before.spec.topology.dc?.find(({ name }) => name === dc.name);
    const oldStorage = storageOf(before, old ?? { name: dc.name, resources: {} });
    const storage = storageOf(cluster, dc);
    const restore = (field: 'dataCapacity' | 'dataStorageClass'): void => {
      put(cluster.spec, field, before.spec[field]);
      put(dc, field, before.spec.topology.dc?.[index]?.[field]);
      restored = true;
    };
    if (compareQuantities(storage.capacity || '0', oldStorage.capacity || '0') < 0) restore('dataCapacity');
    if (storage.storageClass !== oldStorage.storageClass) restore('dataStorageClass');
  }
  return restored;
}

function put(
  target: { dataCapacity?: string; dataStorageClass?: string },
  field: 'dataCapacity' | 'dataStorageClass',
  value: string | undefined,
): void {
  if (value === undefined) delete target[field];
  else target[field] = value;
}

/** A datacenter may be appended, or one without nodes removed; racks and the order of datacenters never change. */
function topologyChange(cluster: CassandraCluster, before: CassandraCluster): 'none' | 'refused' | 'removed' {
  const old = before.spec.topology.dc ?? [];
  const wanted = cluster.spec.topology.dc ?? [];
  const racks = (dc: Datacenter): string => (dc.rack ?? []).map(({ name }) => name).join();
  const isSame = (a: Datacenter | undefined, b: Datacenter | undefined): boolean =>
    a?.name === b?.name && (!a || !b || racks(a) === racks(b));
  if (wanted.length >= old.length) return old.every((dc, i) => isSame(dc, wanted[i])) ? 'none' : 'refused';

  const removed = old.find((dc, i) => dc.name !== wanted[i]?.name);
  const kept = old.filter((dc) => dc !== removed);
  if (kept.length !== wanted.length || !kept.every((dc, i) => isSame(dc, wanted[i]))) return 'refused';
  const { lastClusterAction, lastClusterActionStatus } = cluster.status;
  if (lastClusterAction === 'ScaleDown' && lastClusterActionStatus !== 'Done') return 'refused';
  return removed && nodesPerRack(before, removed) > 0 ? 'refused' : 'removed';
}

/** Deletes what belongs to racks that are no longer in the topology. */
async function deleteRemovedRacks({ cluster, status, objects }: Pass): Promise<void> {
  const present = new Set(racksOf(cluster).map(({ key }) => key));
  const { name } = cluster.metadata;
  for (const key of Object.keys(status.cassandraRackStatus ?? {})) {
    if (present.has(key)) continue;
    delete status.cassandraRackStatus?.[key];
    await objects.deleteStatefulSet(`${name}-${key}`);
    const [dc = ''] = key.split('-');
    for (const service of [dc, key, `${dc}-exporter-jmx`]) await objects.deleteService(`${name}-${service}`);
  }
}

/** The first datacenter with no nodes wanted, and only that: no keyspace may have data in it while it has pods. */
async function isRefusedScaleToZero(pass: Pass): Promise<boolean> {
  const { cluster, objects } = pass;
  const rack = racksOf(cluster).find(({ dc }) => dc === cluster.spec.topology.dc?.find(hasNoNodes));
  if (!rack) return false;
  const pods = await objects.pods(rackLabels(cluster, rack));
  const first = pods.find(({ status, metadata }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
  if (!first) return false;
  try {
    const keyspaces = await (await nodeOf(pass, first)).keyspacesIn(rack.dc.name);
    if (keyspaces.length > 0) pass.log(`${rack.dc.name} still has data of ${keyspaces.join(', ')}`);
    return keyspaces.length > 0;
  } catch (error) {
    pass.log(`cannot tell which keyspaces have data in ${rack.dc.name}`, error);
    return true;
  }

  function hasNoNodes(dc: Datacenter): boolean {
    return nodesPerRack(cluster, dc) === 0;
  }
}
