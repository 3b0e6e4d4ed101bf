import { storageOf, type CassandraCluster, type Datacenter, type RackStatus } from './cluster.ts';
import { compareQuantities } from './quantity.ts';
import type { StatefulSet, VolumeClaimTemplate } from './statefulset.ts';

function dataTemplate({ spec }: StatefulSet): VolumeClaimTemplate | undefined {
  return spec.volumeClaimTemplates?.find(({ metadata }) => metadata.name === 'data');
}

/** The capacity of the data volume in a StatefulSet, undefined without one. */
export function dataCapacityOf(statefulSet: StatefulSet): string | undefined {
  return dataTemplate(statefulSet)?.spec.resources?.requests?.['storage'];
}

export function setDataCapacity(statefulSet: StatefulSet, storage: string): void {
  const template = dataTemplate(statefulSet);
  if (template) template.spec.resources = { ...template.spec.resources, requests: { storage } };
}

/** Whether the datacenter's capacity and that of the stored StatefulSet differ. */
export function storageNeedsResize(cluster: CassandraCluster, dc: Datacenter, stored: StatefulSet): boolean {
  return compareQuantities(storageOf(cluster, dc).capacity || '0', dataCapacityOf(stored) ?? '0') !== 0;
}

/** Claim templates cannot be changed in place, so outside of StorageUpsize the stored capacity stays. */
export function keepStoredCapacity(rackStatus: RackStatus, generated: StatefulSet, stored: StatefulSet): void {
  const capacity = dataCapacityOf(stored);
  if (isResizing(rackStatus) || capacity === undefined) return;
  if (compareQuantities(capacity, dataCapacityOf(generated) ?? '0') !== 0) setDataCapacity(generated, capacity);
}

/** True from the moment the rack's volumes have to grow until they have. */
export function isResizing({ cassandraLastAction: { name, status } }: RackStatus): boolean {
  return name === 'StorageUpsize' && status !== 'Done';
}
