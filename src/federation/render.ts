import type { EffectiveFederation } from '../api/effective.ts';
import { perObject } from '../edges/per-object.ts';
import type { KubeObject } from '../kube/objects.ts';
import { hashOf } from './bookkeeping.ts';
import { type PlanContext, type Rendered, seedsOf, workedOut } from './context.ts';
import { guardName } from './guard/guard.ts';
import type { KnownPicture } from './picture.ts';

/** Renders the region's member. `injecting`: with its seeds in the spec, too, where they win over what the operator computes by itself. */
export function render(context: PlanContext, picture: KnownPicture, injecting: boolean): Rendered {
  return (workedOut(context, picture)[injecting ? 'injecting' : 'plain'] ??= renderOnce(context, picture, injecting));
}

/** One spec is rendered the same in pass after pass. */
const joinedBySpaces = perObject((list: readonly string[]) => list.join(' '));
const renderingsOf = perObject<EffectiveFederation, Map<string, Rendered>>(() => new Map());

function renderOnce(context: PlanContext, picture: KnownPicture, injecting: boolean): Rendered {
  const renderings = renderingsOf(context.federation);
  const key = `${injecting} ${picture.region.name} ${joinedBySpaces(seedsOf(context, picture))}`;
  let rendered = renderings.get(key);
  if (!rendered) renderings.set(key, (rendered = renderAnew(context, picture, injecting)));
  return rendered;
}

function renderAnew(context: PlanContext, picture: KnownPicture, injecting: boolean): Rendered {
  const { federation, operator } = context;
  const object = operator.render({
    federation,
    region: picture.region,
    guardName: guardName(federation.clusterName),
    seeds: seedsOf(context, picture),
    injecting,
  });
  return { object, paths: operator.paths(object), hash: memberHash(object) };
}

/** Hash of what a member asks for. */
export function memberHash({ spec, metadata: { labels = {}, annotations = {} } }: KubeObject): string {
  return hashOf({ spec, labels, annotations });
}
