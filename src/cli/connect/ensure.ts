import { isObject, isSameJson } from '../../api/json.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { UsageError } from '../usage-error.ts';
import { kinds, type Wanted } from './objects.ts';
import { madeByConnect } from './registration.ts';

/** What became of an object; `found`: it is somebody else's, and is used as it is. */
export type Outcome = 'created' | 'changed' | 'unchanged' | 'found';

/** Kinds of which the name is all that counts: whoever has made one has made the right one. */
const countsByName: readonly string[] = ['Namespace', 'ServiceAccount'];

/**
 * Makes an object be there as it is wanted. What carries our label is brought up to date; what does not is used if it says
 * the same, and taken over only with `force`.
 * @throws UsageError for an object of somebody else that says something else; KubeError.
 */
export async function ensure(
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>,
  { kind, object }: Wanted,
  force: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const resource = kinds[kind];
  const { namespace, name } = object.metadata;
  const ref = { name, ...(namespace !== undefined && { namespace }) };
  const existing = await client.get(resource, ref, signal).catch((error: unknown) => {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  });
  if (!existing) {
    await client.create(resource, object, signal);
    return 'created';
  }
  const next = decide({ kind, object }, existing, force);
  if (typeof next === 'string') return next;
  await client.replace(resource, next, signal);
  return 'changed';
}

/** What to put in the place of `existing`, or why it stays. @throws UsageError as {@link ensure} does. */
export function decide({ kind, object }: Wanted, existing: KubeObject, force: boolean): KubeObject | Outcome {
  const { labels = {}, annotations = {}, deletionTimestamp } = existing.metadata;
  const { metadata, ...content } = object;
  const what = nameOf({ kind, object });
  if (deletionTimestamp !== undefined) throw new UsageError(`${what} is being deleted; wait until it is gone`);
  const isOurs = Object.entries(madeByConnect).every(([label, value]) => labels[label] === value);
  if (!isOurs && countsByName.includes(kind)) return 'found';
  // What is ours to say and is not said any more counts no longer.
  const foreign = Object.entries(annotations).filter(([key]) => !key.startsWith('ringmaster.dev/'));
  const merged = { ...Object.fromEntries(foreign), ...metadata.annotations };
  const isSame =
    has(labels, isOurs ? metadata.labels : undefined) &&
    isSameJson(annotations, merged) &&
    Object.entries(content).every(([field, value]) => isSameJson(existing[field], value));
  if (isSame) return isOurs ? 'unchanged' : 'found';
  if (!isOurs && !force) {
    throw new UsageError(
      `${what} is there, was not made by ringmaster connect, and says something else; --force takes it over`,
    );
  }
  if (kind.endsWith('Binding') && !force && !isSameJson(existing['subjects'], content['subjects'])) {
    throw new UsageError(
      `${what} is for another account, ${subjectsOf(existing)}; connect with --ringmaster-namespace of that one, or give its rights to this one with --force`,
    );
  }
  return {
    ...existing,
    ...content,
    metadata: {
      ...existing.metadata,
      labels: { ...labels, ...metadata.labels },
      annotations: merged,
    },
  };
}

/** `Secret ringmaster-system/us`. */
export function nameOf({ kind, object }: Wanted): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function has(there: Record<string, string>, wanted: Record<string, string> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => there[key] === value);
}

function subjectsOf(binding: KubeObject): string {
  const subjects: unknown = binding['subjects'];
  if (!Array.isArray(subjects)) return 'nobody';
  return (subjects as unknown[])
    .filter(isObject)
    .map(({ namespace, name }) => [namespace, name].filter((each) => typeof each === 'string').join('/'))
    .join(', ');
}
