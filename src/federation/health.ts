import type { Condition } from '../api/schema.ts';
import { isMember } from '../ring/view.ts';
import { changesOf, revisionOf, stateOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import { longOperation } from './long-operations.ts';
import { isReady, type KnownPicture, type MemberPicture, type RegionPicture } from './picture.ts';

/**
 * How long a region must have been at rest after a write before that is believed. CassKop may note that it has processed a change
 * and make nothing of it, since a pod is not ready; once all are it looks again within 5 s. Conditions tell of whole seconds only. Milliseconds.
 */
export const settledForMs = 8_000;

/** What speaks against a region's nodes being alive and at rest in the ring: their own words, and those of the others. */
export function doubts({ views }: PlanContext, picture: KnownPicture): string[] {
  return picture.pods.flatMap(({ name }) => {
    const view = views.get(name);
    if (!view) return [];
    if (view.operationMode !== 'NORMAL') return [`${name} is ${view.operationMode}`];
    return [...views.values()]
      .filter((other) => other.operationMode === 'NORMAL' && !isMember(other, view.hostId))
      .map((other) => `${other.pod} holds ${name} to be down or on the move`);
  });
}

/** Why the region is not whole and at rest, its operator included; undefined: it is. */
export function unrest(context: PlanContext, picture: MemberPicture): string | undefined {
  const state = stateOf(context, picture);
  if (state.settled) return nodesUnrest(context, picture);
  const long = state.reason === 'PodOperation' ? longOperation(context, picture) : undefined;
  return long === undefined ? state.message : `${state.message}: ${long.message}`;
}

/** Which of the region's nodes is not up, proven and undoubted; undefined: all are, whatever its operator is at. */
export function nodesUnrest(context: PlanContext, picture: MemberPicture): string | undefined {
  for (const { name } of picture.pods) {
    const pod = picture.snapshot.pods.find((each) => each.metadata.name === name);
    if (!pod || !isReady(pod)) return `pod ${name} is not ready`;
    if (!context.hosts.joined.has(name)) return `node ${name} is not proven NORMAL yet`;
    if (!context.views.has(name)) return `node ${name} has not told its view of the ring`;
  }
  return doubts(context, picture)[0];
}

/**
 * Since when a region is being changed, milliseconds since 1970; undefined: it is not. It begins with the note in the status that it is this region's
 * turn, before anything is written to its member, so that whoever cannot see the region knows; it ends when the region is whole
 * and at rest with all that was written.
 */
export function changingSince(context: PlanContext, picture: RegionPicture): number | undefined {
  const { recorded } = picture;
  const noted = Date.parse(recorded?.changingSince ?? '');
  if (!Number.isNaN(noted)) return noted;
  const isSettled = recorded?.settledRevision !== undefined;
  if (!picture.known) return recorded?.identity === undefined || isSettled ? undefined : context.snapshot.nowMs;
  if (picture.member?.ownership !== 'ours') return undefined;
  const { bookkeeping } = picture.member;
  if (recorded?.settledRevision === revisionOf(bookkeeping)) return undefined;
  const since = Date.parse(bookkeeping.delivery?.since ?? '');
  return Number.isNaN(since) ? context.snapshot.nowMs : since;
}

/** Whether the region has come to rest after what was last written to it, and nothing is left to be seen. */
export function hasSettled(context: PlanContext, picture: MemberPicture): boolean {
  if (unrest(context, picture) !== undefined || changesOf(context, picture).rejected) return false;
  const { delivery } = picture.member.bookkeeping;
  if (!delivery) return true;
  const since = Math.max(Date.parse(delivery.since), restingSince(picture));
  return wasAtRest(picture) && context.snapshot.nowMs - since >= settledForMs;
}

/** When the region last came to rest, milliseconds since 1970, as its conditions tell. */
export function restingSince(picture: RegionPicture): number {
  return Math.max(0, ...ofRest(picture).map(({ lastTransitionTime }) => Date.parse(lastTransitionTime)));
}

/** Whether the region was at rest when its conditions were written last. */
function wasAtRest(picture: RegionPicture): boolean {
  const conditions = ofRest(picture);
  return conditions.length === 2 && conditions.every(({ status }) => status === 'True');
}

function ofRest({ recorded }: RegionPicture): readonly Condition[] {
  return (recorded?.conditions ?? []).filter(({ type }) => type === 'Settled' || type === 'RingMember');
}
