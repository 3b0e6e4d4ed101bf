import type { StatefulSet } from './workload-objects.ts';

const revisions = new WeakMap<object, string>();

/** The name of the ControllerRevision of the StatefulSet's present pod template: equal templates have equal names. */
export function revisionOf({ metadata, spec: { template } }: StatefulSet): string {
  let hash = revisions.get(template);
  if (hash === undefined) revisions.set(template, (hash = hashOf(JSON.stringify(template))));
  return `${metadata.name}-${hash}`;
}

/** FNV-1a, in the letters that Kubernetes uses for such names. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  let name = '';
  for (let rest = hash >>> 0; name.length < 9; rest = Math.floor(rest / letters.length)) {
    name += letters[rest % letters.length];
  }
  return name;
}
