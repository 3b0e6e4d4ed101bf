import { readFileSync } from 'node:fs';
import { perObject } from '../../edges/per-object.ts';

/**
 * The guard: the content of the ConfigMap that every member names in `configMapName`. CassKop's init container
 * `bootstrap` runs its `pre_run.sh` before and its `post_run.sh` after the script that would let a pod which reaches
 * no seed start a ring of its own. The scripts read the other keys again and again, so a pod that waits learns of a
 * change as soon as the kubelet has brought the new content to the pod (about a minute).
 */
export interface Guard {
  /** Pods that may start without a seed, and the seed address of each. Empty once the ring is founded. */
  ignition: readonly IgnitionPod[];
  /** Pods of all regions that were proven NORMAL in the ring. */
  joined: readonly JoinedPod[];
  /** Seconds a joined pod waits for a live seed before it starts with the data it has. */
  waitSeconds: number;
  /** Pods that may not start at all, since they have left the ring or are not to join it any more; `*` is every pod. */
  closed: readonly string[];
}

export interface IgnitionPod {
  pod: string;
  /** As it stands in the seed list. */
  address: string;
}

export interface JoinedPod {
  pod: string;
  hostId: string;
}

/** Name of the ConfigMap; CassKop watches the name in the member, not the content. */
export function guardName(clusterName: string): string {
  return `${clusterName}-ringmaster`;
}

/** Whether a ConfigMap of this name could be a guard. */
export function isGuardName(name: string): boolean {
  return name.endsWith('-ringmaster');
}

/** What both scripts and `parseGuard` take when `guard_wait_seconds` is not a whole number of up to nine digits. */
export const defaultGuardWaitSeconds = 600;

const preRun = readFileSync(new URL('./pre_run.sh', import.meta.url), 'utf8');
const postRun = readFileSync(new URL('./post_run.sh', import.meta.url), 'utf8');

/**
 * The ConfigMap's data. Equal guards give equal data, whatever the order of their entries. An entry that is empty or
 * holds white space would read as something else, and is left out.
 * @param guard.joined is not looked at again when the same list comes once more, as it does for each region in turn
 * @param guard.userPreRun the user's own `pre_run.sh`, run before the guard's; its failure fails the pod's start
 * @param guard.userPostRun the user's own `post_run.sh`, run before the guard's check
 */
export function guardData(
  guard: Omit<Guard, 'closed'> & {
    closed?: readonly string[];
    userPreRun?: string | undefined;
    userPostRun?: string | undefined;
  },
): Record<string, string> {
  return {
    ignition: lines(guard.ignition.map(({ pod, address }) => [pod, address])),
    joined: joinedLines(guard.joined),
    guard_wait_seconds: String(guard.waitSeconds),
    closed: (guard.closed ?? [])
      .toSorted()
      .map((pod) => `${pod}\n`)
      .join(''),
    'pre_run.sh': preRun,
    'post_run.sh': postRun,
    ...(guard.userPreRun === undefined ? {} : { 'user_pre_run.sh': guard.userPreRun }),
    ...(guard.userPostRun === undefined ? {} : { 'user_post_run.sh': guard.userPostRun }),
  };
}

/** Reads back what `guardData` wrote. Lines and keys that are missing or malformed are skipped, as the scripts do. */
export function parseGuard(data: Readonly<Record<string, string>> | undefined): Guard {
  return {
    ignition: pairs(data?.['ignition']).map(([pod, address]) => ({ pod, address })),
    joined: pairs(data?.['joined']).map(([pod, hostId]) => ({ pod, hostId })),
    waitSeconds: waitSeconds(data?.['guard_wait_seconds']),
    closed: (data?.['closed'] ?? '').split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []),
  };
}

const joinedLines = perObject((joined: readonly JoinedPod[]) => lines(joined.map(({ pod, hostId }) => [pod, hostId])));

function lines(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([name, value]) => `${name} ${value}\n`)
    .filter((line) => /^[^\s\0]+ [^\s\0]+\n$/.test(line))
    .toSorted()
    .join('');
}

function pairs(text: string | undefined): [string, string][] {
  return (text ?? '').split('\n').flatMap((line): [string, string][] => {
    const [name, value] = line.trim().split(/\s+/);
    return name && value ? [[name, value]] : [];
  });
}

function waitSeconds(text: string | undefined): number {
  const trimmed = (text ?? '').trim();
  return /^[0-9]{1,9}$/.test(trimmed) ? Number(trimmed) : defaultGuardWaitSeconds;
}
