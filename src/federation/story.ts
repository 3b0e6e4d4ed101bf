import type { Condition, Status } from '../api/schema.ts';
import { resources } from '../kube/objects.ts';
import { linesOfRegion } from './region-story.ts';
import { isNote } from './member-writes.ts';
import { isGuardWrite } from './guard-writes.ts';
import type { Intent } from './intents.ts';

/** One line of what `kubectl describe` tells of a MultiCassandraCluster, in the terms of events.k8s.io/v1. */
export interface Line {
  readonly type: 'Normal' | 'Warning';
  /** Why it was told, one CamelCase word. */
  readonly reason: string;
  /** What was done or noticed, one CamelCase word. */
  readonly action: string;
  readonly note: string;
}

/** Conditions whose reasons tell a story; of the others only True and False do. */
const told = new Set(['Accepted', 'Ready', 'Stalled', 'OperationsDone', 'Reconciling']);

/** Conditions of which the way from one good reason to another is news, too. */
const turns = new Set(['Ready', 'Reconciling']);

/** What a person wants to hear of when the status changes from one to the other. The first status of an object tells of what is wrong only. */
export function linesOfStatus(before: Status | undefined, after: Status): Line[] {
  const ofWhole = ['Accepted', 'Ready', 'Reconciling', 'Stalled', 'RingIntact', 'OperationsDone'];
  const stalled = after.conditions?.find(({ type, status }) => type === 'Stalled' && status === 'True')?.message;
  return [
    ...linesOf(before?.conditions, after.conditions, ofWhole, ''),
    ...hostsGivenUp(before, after),
    ...(after.regions ?? []).flatMap((region) => {
      const was = before?.regions?.find((each) => each.name === region.name);
      return [
        ...linesOf(was?.conditions, region.conditions, ['Reachable'], `region ${region.name}: `),
        ...linesOfRegion(was, region, stalled),
      ];
    }),
  ];
}

function hostsGivenUp(before: Status | undefined, after: Status): Line[] {
  const known = new Set(before?.ring?.abandonedHosts);
  const hosts = (after.ring?.abandonedHosts ?? []).filter((host) => !known.has(host));
  if (before?.conditions === undefined || hosts.length === 0) return [];
  const note = `given up for good, and never to come back: ${hosts.map((host) => `host ${host}`).join(', ')}`;
  return [{ type: 'Normal', reason: 'HostsAbandoned', action: 'AbandonRegion', note }];
}

function linesOf(
  before: readonly Condition[] | undefined,
  after: readonly Condition[] | undefined,
  types: readonly string[],
  whose: string,
): Line[] {
  return types.flatMap((type) => {
    const [was, is] = [before, after].map((list) => list?.find((each) => each.type === type));
    if (!is || (was && !isNews(was, is))) return [];
    const bad = isBad(is);
    // That all is well, or not known yet, is no news of something new.
    if (!bad && (was === undefined || (!isBad(was) && was.status === is.status && !turns.has(type)))) return [];
    return [{ type: bad ? 'Warning' : 'Normal', reason: is.reason, action: type, note: whose + is.message }];
  });
}

/** Whether it says something else than before, and not only in other words. */
function isNews(was: Condition, is: Condition): boolean {
  // That a ring is formed and changed the regions tell.
  if (is.type === 'Reconciling') return is.reason === 'Paused' && was.reason !== 'Paused';
  // Another edit that is refused for the like is refused for itself.
  if (is.type === 'Accepted' && is.status === 'False' && was.observedGeneration !== is.observedGeneration) {
    return was.message !== is.message || was.reason !== is.reason;
  }
  return was.status !== is.status || (was.reason !== is.reason && (told.has(is.type) || isBad(is) !== isBad(was)));
}

/** Whether a person has to do something about it, or might. That a ring is formed or changed is no trouble. */
function isBad({ type, status, reason }: Condition): boolean {
  if (type === 'Stalled') return status === 'True';
  if (type === 'Ready') return status === 'Unknown' || reason === 'NotAccepted' || reason === 'RingNotIntact';
  if (type === 'OperationsDone') return reason === 'Failed';
  if (type === 'Reconciling') return false;
  return status === 'False' || reason === 'CredentialsExpireSoon';
}

/** What a write to the member, or to a pod, is told as: reason and action. */
const words = {
  create: ['MemberCreated', 'CreateMember'],
  update: ['MemberChanged', 'UpdateMember'],
  removeFields: ['MemberChanged', 'UpdateMember'],
  patchStatus: ['SeedsGiven', 'GiveSeeds'],
  delete: ['PodDeleted', 'DeletePod'],
  order: ['NodeTold', 'OrderNode'],
  label: ['NodeTold', 'OrderOperation'],
  cql: ['NodeTold', 'AlterKeyspaces'],
} as const;

const copied: ReadonlySet<string> = new Set([resources.secrets.plural, resources.configMaps.plural]);

/** What is told of a write that was carried out: not the guards' upkeep, nor what Ringmaster notes for itself. */
export function lineOfWrite({ why, write }: Intent): Line | undefined {
  if (isGuardWrite(write) || isNote(write)) return undefined;
  const [reason, action] = wordsOf(write);
  return { type: 'Normal', reason, action, note: why };
}

function wordsOf({ resource, verb }: Intent['write']): readonly [reason: string, action: string] {
  if (copied.has(resource.plural)) return verb === 'delete' ? ['CopyDeleted', 'DeleteCopy'] : ['Copied', 'Copy'];
  const isMember = resource.plural !== resources.pods.plural;
  return verb === 'delete' && isMember ? ['MemberDeleted', 'DeleteMember'] : words[verb];
}
