import type { Condition, Status } from '../api/schema.ts';
import { resources } from '../kube/objects.ts';
import { linesOfRegion } from './region-story.ts';
import { givesSeeds, isNote } from './member-writes.ts';
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
    if (!is || !isNews(was, is)) return [];
    return [{ type: isBad(is) ? 'Warning' : 'Normal', reason: is.reason, action: type, note: whose + is.message }];
  });
}

/**
 * Whether a condition says something that a person wants to hear of. On its way through a rollout a ring is not heard as a
 * whole again and again, and what goes on the regions tell: of the whole that it is no longer, or again, as it should be.
 */
function isNews(was: Condition | undefined, is: Condition): boolean {
  const isOther = was?.status !== is.status || was.reason !== is.reason;
  // Accepted tells it.
  if (is.reason === 'NotAccepted') return false;
  switch (is.type) {
    case 'Ready':
      if (was === undefined) return false;
      return (was.status === 'True') !== (is.status === 'True') || (is.reason === 'Deleting' && isOther);
    case 'Reconciling':
      return is.reason === 'Paused' && isOther;
    case 'OperationsDone':
      if (was === undefined) return isUnderWay(is) || isBad(is);
      return isOther && !(isUnderWay(was) && isUnderWay(is));
    case 'Accepted':
      // Another edit that is refused for the like is refused for itself.
      if (isBad(is) && was?.observedGeneration !== is.observedGeneration && was?.message !== is.message) return true;
      break;
    case 'Reachable':
      if (isBad(is)) return was === undefined || !isBad(was) || was.status !== is.status;
      break;
  }
  if (isBad(is)) return isOther;
  return was !== undefined && isBad(was) && was.reason !== 'NotAccepted' && is.status !== 'Unknown';
}

function isUnderWay({ reason }: Condition): boolean {
  return reason === 'Running' || reason === 'Waiting';
}

/** Reasons of RingIntact that do not pass by themselves. */
const ringTrouble: ReadonlySet<string> = new Set([
  'RingSplit',
  'UnknownHosts',
  'ReturnedAfterAbandon',
  'DataLossSuspected',
]);

/** Whether a person has to do something about it, or might. That a ring is formed or changed is no trouble. */
function isBad({ type, status, reason }: Condition): boolean {
  if (type === 'Stalled') return status === 'True';
  if (type === 'Ready') return status === 'Unknown' || reason === 'RingNotIntact';
  if (type === 'RingIntact') return ringTrouble.has(reason);
  if (type === 'OperationsDone') return reason === 'Failed';
  if (type === 'Reconciling') return false;
  return status === 'False' || reason === 'CredentialsExpireSoon';
}

/** What a write to the member, or to a pod, is told as: reason and action. */
const words = {
  create: ['MemberCreated', 'CreateMember'],
  update: ['MemberChanged', 'UpdateMember'],
  removeFields: ['MemberChanged', 'UpdateMember'],
  patchStatus: ['OperatorFreed', 'FreeOperator'],
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

function wordsOf(write: Intent['write']): readonly [reason: string, action: string] {
  const { resource, verb } = write;
  if (givesSeeds(write)) return ['SeedsGiven', 'GiveSeeds'];
  if (copied.has(resource.plural)) return verb === 'delete' ? ['CopyDeleted', 'DeleteCopy'] : ['Copied', 'Copy'];
  const isMember = resource.plural !== resources.pods.plural;
  return verb === 'delete' && isMember ? ['MemberDeleted', 'DeleteMember'] : words[verb];
}
