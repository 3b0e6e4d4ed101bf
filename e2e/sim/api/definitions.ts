import { type KubeObject, resources } from '../../../src/kube/objects.ts';
import type { Collection } from './collection.ts';
import { remove } from './deletion.ts';
import type { Kinds } from './kinds.ts';
import type { ApiResponse } from './request.ts';
import * as status from './status.ts';
import type { Author, Storage } from './storage.ts';

const finalizer = 'customresourcecleanup.apiextensions.k8s.io';
const author: Author = { user: 'apiextensions', request: undefined };

/**
 * A CustomResourceDefinition was written: its kind is served from now on. A real server needs a moment for that, and
 * for saying so in the status.
 */
export function definitionWritten(storage: Storage, kinds: Kinds, name: string): void {
  const definitions = kinds.find(resources.customResourceDefinitions);
  const entry = definitions?.find(undefined, name);
  if (!definitions || !entry) return;
  kinds.define(entry.object, storage.version);
  if (entry.object['status'] !== undefined) return;
  const spec = entry.object['spec'] as { names: object; versions: { name: string; storage: boolean }[] };
  const condition = (type: string, reason: string, message: string): object => ({
    type,
    status: 'True',
    lastTransitionTime: storage.timestamp(),
    reason,
    message,
  });
  const next = {
    ...entry.object,
    status: {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: spec.names,
      storedVersions: spec.versions.filter((each) => each.storage).map((each) => each.name),
    },
  };
  storage.update(definitions, entry, next, entry.owners, author);
}

/**
 * Deletes a CustomResourceDefinition: first every object of its kind, then, when none is held by finalizers, the kind
 * and the definition. A real server takes some seconds for it.
 */
export function removeDefinition(storage: Storage, kinds: Kinds, name: string, body: unknown, by: Author): ApiResponse {
  const definitions = kinds.find(resources.customResourceDefinitions);
  const entry = definitions?.find(undefined, name);
  if (!definitions || !entry) return status.notFound(resources.customResourceDefinitions, name);
  const { finalizers = [], ...metadata } = entry.object.metadata;
  if (!finalizers.includes(finalizer)) {
    const before = entry.object['status'] as { conditions?: object[] } | undefined;
    const terminating = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: storage.timestamp(),
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    };
    const held = {
      ...entry.object,
      metadata: { ...metadata, finalizers: [...finalizers, finalizer] },
      status: { ...before, conditions: [...(before?.conditions ?? []), terminating] },
    };
    storage.update(definitions, entry, held, entry.owners, author);
  }
  const answer = remove(storage, definitions, entry, body, by);
  if (answer.status !== 200) return answer;
  const collection = kinds.find(kindOf(entry.object));
  for (const instance of collection?.sorted() ?? []) remove(storage, collection as Collection, instance, {}, author);
  finishDefinition(storage, kinds, name);
  return answer;
}

/** Why no object of a kind can be created: its definition is being deleted. */
export function refusedKind(kinds: Kinds, { resource, isCustom }: Collection, name: string): ApiResponse | undefined {
  if (!isCustom) return undefined;
  const definitions = kinds.find(resources.customResourceDefinitions);
  const definition = definitions?.find(undefined, `${resource.plural}.${resource.group}`);
  if (definition?.object.metadata.deletionTimestamp === undefined) return undefined;
  return status.forbidden(resource, name, 'create not allowed while custom resource definition is terminating');
}

/** Ends a kind whose definition is being deleted and whose last object is gone. */
export function finishDefinition(storage: Storage, kinds: Kinds, name: string): void {
  const definitions = kinds.find(resources.customResourceDefinitions);
  const entry = definitions?.find(undefined, name);
  if (!definitions || entry?.object.metadata.deletionTimestamp === undefined) return;
  const collection = kinds.find(kindOf(entry.object));
  if (collection && collection.size > 0) return;
  const finalizers = (entry.object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  if (finalizers.length > 0) {
    const next = { ...entry.object, metadata: { ...entry.object.metadata, finalizers } };
    storage.update(definitions, entry, next, entry.owners, author);
    return;
  }
  storage.remove(definitions, entry, author);
  if (!collection) return;
  kinds.forget(collection);
  for (const watcher of collection.watchers) watcher.end();
}

function kindOf(definition: KubeObject): { group: string; plural: string } {
  const { group, names } = definition['spec'] as { group: string; names: { plural: string } };
  return { group, plural: names.plural };
}
