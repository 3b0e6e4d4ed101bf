import { isDeepStrictEqual } from 'node:util';
import type { EffectiveFederation } from '../api/effective.ts';
import { parsePointer } from '../api/merge.ts';
import { perObject } from '../edges/per-object.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { MemberState } from '../operators/operator.ts';
import { annotations, hashOf, renderedAnnotations } from './bookkeeping.ts';
import { annotationsFor, type PlanContext, type Rendered, seedsOf, type WorkedOut } from './context.ts';
import { guardName } from './guard/guard.ts';
import type { Intent } from './intents.ts';
import { type KnownPicture, type MemberPicture, wantedReplicas } from './picture.ts';

/** What the regional operator has made of the region's member. */
export function stateOf(context: PlanContext, picture: MemberPicture): MemberState {
  return (workedOut(context, picture).state ??= context.operator.read({
    member: picture.member.object,
    statefulSets: picture.snapshot.statefulSets,
    seeds: seedsOf(context, picture),
    replicas: wantedReplicas(context.federation, picture.region),
  }));
}

/** The first write of a region: from here on its operator starts pods. */
export function createMember(context: PlanContext, picture: KnownPicture): Intent {
  const region = picture.region.name;
  const founds = region === context.memory.founder && context.hosts.joined.size === 0;
  return {
    region,
    why: `create the member of region ${region}, which ${founds ? 'founds' : 'joins'} the ring`,
    write: {
      verb: 'create',
      resource: context.operator.member,
      object: wantedMember(context, picture, hasStatusSubresource(picture)),
    },
  };
}

/**
 * What the member needs next, one write at a time: the seeds into its operator's status; then, once that holds them
 * and nothing is under way, the same seeds out of the spec; or our name on a member that was adopted.
 */
export function memberIntent(context: PlanContext, picture: MemberPicture): Intent | undefined {
  const { operator } = context;
  const { object, ownership, bookkeeping } = picture.member;
  if (ownership === 'newer' || object.metadata.deletionTimestamp !== undefined) return undefined;

  const region = picture.region.name;
  const seeds = seedsOf(context, picture);
  const state = stateOf(context, picture);
  const { uid = '', resourceVersion = '', name, namespace = picture.region.namespace } = object.metadata;
  const ref = { namespace, name };
  const update = (injecting: boolean, why: string): Intent => {
    const wanted = wantedMember(context, picture, injecting);
    const precise = { ...wanted, metadata: { ...wanted.metadata, uid, resourceVersion } };
    return { region, why, write: { verb: 'update', resource: operator.member, object: precise } };
  };

  if (ownership === 'adoptable') {
    // What somebody else has changed meanwhile would be changed back by it, and pods with it.
    if (specChanges(context, picture).length > 0 || driftedPaths(context, picture).length > 0) return undefined;
    return update(bookkeeping.injecting, `adopt the member of region ${region}, in which nothing changes`);
  }
  if (bookkeeping.injecting && !isSame(state.statusSeeds, seeds)) {
    return {
      region,
      why: `give region ${region} the federation's seeds in place of those its operator computes`,
      write: { verb: 'patchStatus', resource: operator.member, ref, resourceVersion, status: { seedlist: seeds } },
    };
  }
  if (driftedPaths(context, picture).length > 0 || specChanges(context, picture).length > 0) return undefined;
  if (bookkeeping.injecting && state.settled) {
    return update(false, `take the seeds out of the spec of region ${region}, now that its operator holds them`);
  }
  if (bookkeeping.renderedHash !== render(context, picture, false).hash) {
    return update(bookkeeping.injecting, `record a new spelling of region ${region}'s spec, which changes no pod`);
  }
  const stale = stalePaths(context, picture);
  if (stale.length === 0) return undefined;
  const paths = stale.filter((path) => isSet(picture, path)).map((path) => `/spec${path}`);
  return {
    region,
    why: `${paths.length > 0 ? `remove ${paths.join(', ')} from` : 'forget fields that have left'} the member of region ${region}`,
    write: {
      verb: 'removeFields',
      resource: operator.member,
      ref,
      uid,
      resourceVersion,
      paths,
      annotations: {
        [annotations.renderedPaths]: JSON.stringify(render(context, picture, bookkeeping.injecting).paths),
      },
    },
  };
}

/** JSON pointers of what the user's spec changes of the pods since the member was last written; empty: nothing. */
export function specChanges(context: PlanContext, picture: MemberPicture): string[] {
  const { object: wanted, paths, hash } = render(context, picture, false);
  const { object, bookkeeping } = picture.member;
  if (bookkeeping.renderedHash === hash) return [];
  const wantedPaths = new Set(paths);
  const injected = new Set(render(context, picture, true).paths);
  return [
    ...context.operator.difference(wanted, object).map((path) => `/spec${path}`),
    ...bookkeeping.renderedPaths
      .filter((path) => !wantedPaths.has(path) && !injected.has(path))
      .map((path) => `/spec${path}`),
    ...(isDeepStrictEqual(wanted.metadata.labels ?? {}, bookkeeping.renderedLabels) ? [] : ['/metadata/labels']),
  ];
}

/** JSON pointers of fields that somebody else holds otherwise than we last wrote them. */
export function driftedPaths(context: PlanContext, picture: MemberPicture): string[] {
  const { object: wanted } = render(context, picture, picture.member.bookkeeping.injecting);
  return context.operator.difference(wanted, picture.member.object).map((path) => `/spec${path}`);
}

function render(context: PlanContext, picture: KnownPicture, injecting: boolean): Rendered {
  return (workedOut(context, picture)[injecting ? 'injecting' : 'plain'] ??= renderOnce(context, picture, injecting));
}

function workedOut(context: PlanContext, picture: KnownPicture): WorkedOut {
  let known = context.workedOut.get(picture.region.name);
  if (!known) context.workedOut.set(picture.region.name, (known = {}));
  return known;
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
  const { labels = {}, annotations = {} } = object.metadata;
  const hash = hashOf({ spec: object['spec'], labels, annotations });
  return { object, paths: operator.paths(object), hash };
}

function wantedMember(context: PlanContext, picture: KnownPicture, injecting: boolean): KubeObject {
  const { object, paths } = render(context, picture, injecting);
  const stillThere = (picture.member?.bookkeeping.renderedPaths ?? []).filter((path) => isSet(picture, path));
  const rendered = {
    injecting,
    hash: render(context, picture, false).hash,
    paths: [...new Set([...paths, ...stillThere])].sort(),
    labels: object.metadata.labels ?? {},
  };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: {
        ...object.metadata.annotations,
        ...annotationsFor(context, picture),
        ...renderedAnnotations(rendered),
      },
    },
    // CassKop <= 2.2.9 takes its status from the object's body, and would lose it again if it were left out later.
    ...(!hasStatusSubresource(picture) && { status: { seedlist: seedsOf(context, picture) } }),
  };
}

/**
 * What we once rendered and do not want now. Leaving a field out of a server-side apply does not remove it when another
 * manager owns it too, and CassKop's PUTs make it an owner. So it is taken out by name if it is still there, and
 * forgotten in the same write: what somebody puts there later is theirs.
 */
function stalePaths(context: PlanContext, picture: MemberPicture): string[] {
  const { injecting, renderedPaths } = picture.member.bookkeeping;
  const wanted = new Set(render(context, picture, injecting).paths);
  return renderedPaths.filter((path) => !wanted.has(path));
}

function isSet(picture: KnownPicture, path: string): boolean {
  let value: unknown = picture.member?.object['spec'];
  for (const field of parsePointer(path) ?? []) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  }
  return value !== undefined;
}

function hasStatusSubresource(picture: KnownPicture): boolean {
  return picture.snapshot.capabilities?.statusSubresource ?? true;
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
