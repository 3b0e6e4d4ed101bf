import type { KubeObject, ResourceType } from '../../../src/kube/objects.ts';
import type { ApiResponse } from './request.ts';
import { invalid } from './status.ts';
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

/** Why an update is refused by the rules of its kind, of which only those are here that somebody runs into. */
export function refusedChange(
  resource: ResourceType,
  before: KubeObject,
  after: KubeObject,
  parts: readonly string[],
): ApiResponse | undefined {
  const { name, deletionTimestamp, finalizers: had = [] } = before.metadata;
  const added = (after.metadata.finalizers ?? []).filter((finalizer) => !had.includes(finalizer));
  if (deletionTimestamp !== undefined && added.length > 0) {
    const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    const cause = { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' };
    return invalid(resource, name, cause, cause);
  }
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
