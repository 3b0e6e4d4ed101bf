/** Why a spec is not accepted: it is wrong, or it asks for what this version does not do yet. */
export type ProblemReason = 'Invalid' | 'NotYetSupported';

/** One thing in a MultiCassandraCluster that a person has to change. */
export interface Problem {
  /** Where, e.g. `spec.regions[1].datacenters[0].name`; keys that are not plain words stand as `["a/b"]`. */
  path: string;
  reason: ProblemReason;
  /** Full sentences: what is wrong, and what to do. */
  message: string;
}

/** Steps from the root of the object: field names and list positions. */
export type FieldPath = readonly (string | number)[];

export function invalid(path: FieldPath, message: string): Problem {
  return { path: formatPath(path), reason: 'Invalid', message };
}

export function notYetSupported(path: FieldPath, message: string): Problem {
  return { path: formatPath(path), reason: 'NotYetSupported', message };
}

/** The problems without those that say the same of the same field, first ones first. */
export function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()];
}

export function formatPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** What formatPath was given. */
export function parsePath(text: string): (string | number)[] {
  const steps = text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\.?([A-Za-z_][\w-]*)/g);
  return [...steps].map(([, index, quoted, word]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (word ?? '') : (JSON.parse(quoted) as string);
  });
}
