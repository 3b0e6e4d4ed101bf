import type { EffectiveFederation } from '../api/effective.ts';
import { at } from '../api/json.ts';
import { parsePointer } from '../api/merge.ts';
import { perObject } from '../edges/per-object.ts';
import type { KubeObject } from '../kube/objects.ts';
import { hashOf } from './bookkeeping.ts';
import { type PlanContext, type Rendered, seedsOf, workedOut } from './context.ts';
import { guardName } from './guard/guard.ts';
import type { KnownPicture } from './picture.ts';

/** Renders the region's member. `injecting`: with its seeds in the spec, too, where they win over what the operator computes by itself. */
export function render(context: PlanContext, picture: KnownPicture, injecting: boolean): Rendered {
  return (workedOut(context, picture)[injecting ? 'injecting' : 'plain'] ??= renderOnce(
    context,
    picture,
    injecting,
    isGuardDue(context, picture),
  ));
}

/** Whether the member names our guard, and not what it named when it was adopted. */
export function namesGuard({ clusterName }: EffectiveFederation, member: KubeObject): boolean {
  return at(member['spec'], ['configMapName']) === guardName(clusterName);
}

/**
 * Whether the member is to name the guard. It does from its creation on; but one that was adopted runs without, and naming it restarts every node. So it
 * waits until they restart for another reason, or until nodes are added, who must not start without it.
 */
function isGuardDue(context: PlanContext, picture: KnownPicture): boolean {
  const { member } = picture;
  if (!member?.bookkeeping.guardWaits || namesGuard(context.federation, member.object)) return true;
  return (workedOut(context, picture).guardDue ??=
    member.ownership !== 'adoptable' && isToRestart(context, picture, member.object));
}

function isToRestart(context: PlanContext, picture: KnownPicture, live: KubeObject): boolean {
  const { injecting = false, renderedPaths = [], restartToken } = picture.member?.bookkeeping ?? {};
  const { restartToken: wantedToken } = context.federation.rollout;
  if (wantedToken !== '' && wantedToken !== restartToken) return true;
  const wanted = renderOnce(context, picture, injecting, false);
  const kept = new Set([...wanted.paths, ...renderOnce(context, picture, true, false).paths]);
  const gone = renderedPaths.filter(
    (path) => !kept.has(path) && at(live['spec'], parsePointer(path) ?? []) !== undefined,
  );
  return context.operator
    .changes(wanted.object, live, gone)
    .some(({ kind }) => kind === 'restart' || kind === 'scale-up' || kind === 'datacenter');
}

/** One spec is rendered the same in pass after pass. */
const joinedBySpaces = perObject((list: readonly string[]) => list.join(' '));
const renderingsOf = perObject<EffectiveFederation, Map<string, Rendered>>(() => new Map());

function renderOnce(context: PlanContext, picture: KnownPicture, injecting: boolean, guarded: boolean): Rendered {
  const renderings = renderingsOf(context.federation);
  const key = `${injecting} ${guarded} ${picture.region.name} ${joinedBySpaces(seedsOf(context, picture))}`;
  let rendered = renderings.get(key);
  if (!rendered) renderings.set(key, (rendered = renderAnew(context, picture, injecting, guarded)));
  return rendered;
}

function renderAnew(context: PlanContext, picture: KnownPicture, injecting: boolean, guarded: boolean): Rendered {
  const { federation, operator } = context;
  const object = operator.render({
    federation,
    region: picture.region,
    guardName: guarded ? guardName(federation.clusterName) : undefined,
    seeds: seedsOf(context, picture),
    injecting,
  });
  return { object, paths: operator.paths(object), hash: memberHash(object) };
}

/** Hash of what a member asks for. */
export function memberHash({ spec, metadata: { labels = {}, annotations = {} } }: KubeObject): string {
  return hashOf({ spec, labels, annotations });
}
