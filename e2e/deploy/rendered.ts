import { parseAllDocuments } from 'yaml';
import type { ApiObject } from '../harness/api-server.ts';

/** Kubernetes objects of some YAML by `Kind namespace/name`, or `Kind name` for those of no namespace. */
export type Rendered = ReadonlyMap<string, ApiObject>;

/** @throws TypeError for a document that is no object, or is there twice. */
export function readObjects(yaml: string): Rendered {
  const objects = new Map<string, ApiObject>();
  for (const document of parseAllDocuments(yaml)) {
    if (document.errors[0]) throw document.errors[0];
    const object = document.toJS() as (ApiObject & { kind?: string }) | null;
    if (object === null) continue;
    const { kind, metadata } = object;
    if (kind === undefined) throw new TypeError(`a document without a kind:\n${String(document)}`);
    const key = `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
    if (objects.has(key)) throw new TypeError(`${key} is there twice`);
    objects.set(key, object);
  }
  return objects;
}

/** The same without the labels that only say which tool made them. */
export function withoutMaker(objects: Rendered): Record<string, unknown> {
  const text = JSON.stringify(Object.fromEntries([...objects].sort(([one], [other]) => (one < other ? -1 : 1))));
  return JSON.parse(text, (key, value: unknown) =>
    ['app.kubernetes.io/managed-by', 'helm.sh/chart'].includes(key) ? undefined : value,
  ) as Record<string, unknown>;
}
