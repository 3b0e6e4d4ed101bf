import type { ConditionUpdate, Reason } from '../api/conditions.ts';
import type { RegionStatus } from '../api/schema.ts';
import type { KnownPicture, UnknownPicture } from './picture.ts';
import type { UnknownReason } from './snapshot.ts';

type Reachable = Extract<ConditionUpdate, { type: 'Reachable' }>;

const reasons = {
  UnknownContext: 'UnknownContext',
  RegistrationRefused: 'RegistrationRefused',
  NamespaceNotAllowed: 'NamespaceNotAllowed',
  Unreachable: 'Timeout',
  Unauthorized: 'Unauthorized',
  NotSynced: 'NotProbed',
  BehindOwnWrite: 'Reachable',
  IdentityChanged: 'IdentityChanged',
} as const satisfies Record<UnknownReason, Reason<'Reachable'>>;

/** What passes by itself, and may come back as quickly. */
const passing: ReadonlySet<string> = new Set<Reason<'Reachable'>>([
  'Refused',
  'Reset',
  'NoRoute',
  'Timeout',
  'NameNotFound',
  'TLS',
  'NotReady',
]);

/** Whether a region that can be seen is called reachable: one that comes and goes stays what it was called. */
export function reachable({ snapshot, recorded }: KnownPicture): Reachable {
  const held = recorded?.conditions?.find((each) => each.type === 'Reachable');
  if (snapshot.isUnsteady && held?.status === 'False' && passing.has(held.reason)) {
    return { type: 'Reachable', status: 'False', reason: held.reason as Reachable['reason'], message: held.message };
  }
  const { registrationProblem, credentialsEnd } = snapshot;
  const answer = 'the API server answers';
  const message =
    registrationProblem === undefined
      ? answer
      : `${answer}, in the way it was registered before: ${registrationProblem}`;
  if (credentialsEnd === undefined) return { type: 'Reachable', status: 'True', reason: 'Reachable', message };
  return {
    type: 'Reachable',
    status: 'True',
    reason: 'CredentialsExpireSoon',
    message: `${message}; ${credentialsEnd}`,
  };
}

/** What is said of a region that cannot be seen: nothing about its member is claimed. */
export function unseen({ snapshot, recorded }: UnknownPicture): ConditionUpdate[] {
  const { reason, message, answer, isFirstLook } = snapshot;
  const held = recorded?.conditions?.find((each) => each.type === 'Reachable');
  if (reason === 'BehindOwnWrite') {
    if (held?.reason === 'CredentialsExpireSoon') {
      return [{ type: 'Reachable', status: 'True', reason: held.reason, message: held.message }];
    }
    return [{ type: 'Reachable', status: 'True', reason: reasons[reason], message: 'the API server answers' }];
  }
  const isUndecided = reason === 'NotSynced' || (isFirstLook && held?.status !== 'False');
  const status = isUndecided ? 'Unknown' : 'False';
  return [
    { type: 'Reachable', status, reason: answer ?? reasons[reason], message },
    { type: 'Applied', status: 'Unknown', reason: 'RegionUnreachable', message },
    { type: 'Settled', status: 'Unknown', reason: 'RegionUnreachable', message },
    { type: 'RingMember', status: 'Unknown', reason: 'NoView', message },
  ];
}

/** Whether all regions are reachable, from what is said of each. */
export function regionsReachable(regions: readonly RegionStatus[]): ConditionUpdate {
  const others = regions.flatMap(({ name, conditions = [] }) =>
    conditions
      .filter(({ type, status }) => type === 'Reachable' && status !== 'True')
      .map(({ status, message }) => ({ status, message: `${name}: ${message}` })),
  );
  const message = others.map((each) => each.message).join('; ');
  if (others.length === 0) {
    return { type: 'RegionsReachable', status: 'True', reason: 'AllReachable', message: 'every region answers' };
  }
  return others.some(({ status }) => status === 'False')
    ? { type: 'RegionsReachable', status: 'False', reason: 'SomeUnreachable', message }
    : { type: 'RegionsReachable', status: 'Unknown', reason: 'NotProbed', message };
}
