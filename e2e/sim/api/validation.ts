import type { KubeObject, ObjectMeta, ResourceType } from '../../../src/kube/objects.ts';
import type { ApiResponse } from './request.ts';
import { invalid, type Cause } from './status.ts';
import { isRecord, sameValue } from './values.ts';

/** What may change in a StatefulSet's spec. */
const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

/**
 * What is wrong with an update by the rules of all objects: finalizers do not come while an object goes, and what the server
 * sets nobody else does. The server checks them twice, and says so twice.
 */
export function wrongMetadata(before: ObjectMeta, sent: ObjectMeta): Cause[] {
  const { uid, deletionTimestamp, finalizers: had = [] } = before;
  const causes: Cause[] = [];
  const added = (sent.finalizers ?? []).filter((finalizer) => !had.includes(finalizer)).sort();
  if (deletionTimestamp !== undefined && added.length > 0) {
    const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
    const words = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${words}`, field: 'metadata.finalizers' });
  }
  if (sent.uid && sent.uid !== uid) causes.push(immutable('metadata.uid', sent.uid));
  if (sent.deletionTimestamp && sent.deletionTimestamp !== deletionTimestamp) {
    causes.push(immutable('metadata.deletionTimestamp', sent.deletionTimestamp));
  }
  return [...causes, ...causes];
}

function immutable(field: string, value: string): Cause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: field is immutable`, field };
}

/** Why an update is refused by the rules of its kind, of which only those are here that somebody runs into. */
export function refusedChange(
  resource: ResourceType,
  before: KubeObject,
  after: KubeObject,
  parts: readonly string[],
): ApiResponse | undefined {
  if (resource.plural === 'statefulsets' && parts.includes('spec')) return refusedStatefulSet(resource, before, after);
  return undefined;
}

function refusedStatefulSet(resource: ResourceType, before: KubeObject, after: KubeObject): ApiResponse | undefined {
  const [was, is] = [before['spec'], after['spec']];
  if (!isRecord(was) || !isRecord(is)) return undefined;
  const fields = new Set([...Object.keys(was), ...Object.keys(is)]);
  const isRefused = [...fields].some((field) => !changeable.includes(field) && !sameValue(was[field], is[field]));
  if (!isRefused) return undefined;
  const quoted = changeable.map((field) => `'${field}'`);
  const list = `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
  const message = `Forbidden: updates to statefulset spec for fields other than ${list} are forbidden`;
  return invalid(resource, before.metadata.name, { reason: 'FieldValueForbidden', field: 'spec', message });
}
