import { resources } from '../../../src/kube/objects.ts';
import type { Collection, Entry } from './collection.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';
import type { Author, Storage } from './storage.ts';
import { isRecord, type Json } from './values.ts';

const binding = { ...resources.pods, plural: 'pods/binding' };

/** POST of `pods/binding`: the scheduler puts a pod on a node. */
export function bind(storage: Storage, pods: Collection, entry: Entry, body: unknown, author: Author): ApiResponse {
  const target = isRecord(body) && isRecord(body['target']) ? body['target'] : {};
  const { object, name } = entry;
  const spec = object['spec'] as Json;
  if (object.metadata.deletionTimestamp !== undefined) {
    return status.conflict(binding, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (spec['nodeName']) {
    return status.conflict(binding, name, `pod ${name} is already assigned to node "${spec['nodeName'] as string}"`);
  }
  const before = object['status'] as Json | undefined;
  const others = ((before?.['conditions'] ?? []) as Json[]).filter(({ type }) => type !== 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: storage.timestamp(),
  };
  const next = {
    ...object,
    spec: { ...spec, nodeName: target['name'] },
    status: { ...before, conditions: [...others, scheduled] },
  };
  storage.update(pods, entry, next, entry.owners, author);
  return status.bound;
}
