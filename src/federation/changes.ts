import { isDeepStrictEqual } from 'node:util';
import { at } from '../api/json.ts';
import { parsePointer } from '../api/merge.ts';
import { perObject } from '../edges/per-object.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Change, ChangeKind, MemberState } from '../operators/operator.ts';
import { type Bookkeeping, hashOf } from './bookkeeping.ts';
import { dueSeedsOf, type PlanContext, type RegionChanges, seedsOf, workedOut } from './context.ts';
import { askedReplicas, isUnmarked, type KnownPicture, type MemberPicture } from './picture.ts';
import { memberHash, render } from './render.ts';

export const seedsPath = '/status/seedlist';
export const restartPath = '/metadata/annotations/ringmaster.dev~1restart-token';

/** The order in which kinds are delivered, one after the other; nodes leave last, when all else is at rest. */
export const deliveryOrder = ['restart', 'seeds', 'storage', 'datacenter', 'scale-up', 'scale-down'] as const;
export type Disruption = (typeof deliveryOrder)[number];

/** The differences between the region's member and the spec, and whose doing they are. */
export function changesOf(context: PlanContext, picture: MemberPicture): RegionChanges {
  return (workedOut(context, picture).changes ??= compare(context, picture));
}

function compare(context: PlanContext, picture: MemberPicture): RegionChanges {
  const { bookkeeping } = picture.member;
  const target = targetOf(context, picture);
  const changes = [
    ...memberChanges(context, picture),
    ...seedChanges(context, picture),
    ...restartOrder(context, picture),
  ];
  const delivered = bookkeeping.renderedHash === render(context, picture, false).hash;
  const isSent = delivered || bookkeeping.delivery?.target === target;
  const differs = changes.some(({ path }) => path.startsWith('/spec'));
  return {
    changes,
    target,
    rejected: differs && isSent && stateOf(context, picture).rejected,
    drifted: differs && delivered,
  };
}

/** What differs in the member itself. */
export function memberChanges(context: PlanContext, picture: MemberPicture): Change[] {
  const { object, bookkeeping } = picture.member;
  const { object: wanted } = render(context, picture, bookkeeping.injecting);
  const harmless = new Set(harmlessStalePaths(context, picture));
  const gone = stalePaths(context, picture).filter((path) => !harmless.has(path));
  const labels = wanted.metadata.labels ?? {};
  const changes = [...changesBetween(context, wanted, object, gone)];
  if (isUnmarked(picture)) changes.push(...changesOfUnmarked(context, wanted, object, changes));
  if (bookkeeping.owner !== undefined && !isDeepStrictEqual(labels, bookkeeping.renderedLabels)) {
    const message = 'CassKop copies labels into selectors that can never change. Put the old labels back.';
    changes.push({
      path: '/metadata/labels',
      kind: 'forbidden',
      from: bookkeeping.renderedLabels,
      to: labels,
      message,
    });
  }
  return changes;
}

/** What else differs in a member that nobody of ours has written: all of it would be lost, or could not be had. */
function changesOfUnmarked(
  { operator }: PlanContext,
  wanted: KubeObject,
  live: KubeObject,
  known: readonly Change[],
): Change[] {
  const there = live.metadata.labels ?? {};
  const beyond = operator
    .beyond(wanted, live)
    .filter(({ path }) => !known.some((change) => `${path}/`.startsWith(`${change.path}/`)));
  const labels = Object.entries(wanted.metadata.labels ?? {})
    .filter(([name, value]) => there[name] !== value)
    .map(([name, to]): Change => ({
      path: `/metadata/labels/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      kind: 'forbidden',
      from: there[name],
      to,
      message: 'CassKop copies labels into selectors that can never change. Ask for those that the member has.',
    }));
  return [...beyond, ...labels];
}

/** As the operator tells them; what nothing has left is asked for in every pass, and kept with the two objects. */
function changesBetween(
  { operator }: PlanContext,
  wanted: KubeObject,
  live: KubeObject,
  gone: readonly string[],
): readonly Change[] {
  if (gone.length > 0) return operator.changes(wanted, live, gone);
  const known = compared(wanted);
  let found = known.get(live);
  if (!found) known.set(live, (found = operator.changes(wanted, live, gone)));
  return found;
}

const compared = perObject<KubeObject, WeakMap<KubeObject, readonly Change[]>>(() => new WeakMap());

/** The same seeds in another order are no change: it would restart every node for nothing. */
function seedChanges(context: PlanContext, picture: MemberPicture): Change[] {
  const { bookkeeping } = picture.member;
  if (bookkeeping.injecting) return [];
  const { statusSeeds } = stateOf(context, picture);
  const to = seedsToRoll(context, picture);
  if (isDeepStrictEqual(statusSeeds, to)) return [];
  return [{ path: seedsPath, kind: 'seeds', from: statusSeeds, to }];
}

/** The seeds that the region is to be given: other ones than it has only if these may roll. */
function seedsToRoll(context: PlanContext, picture: MemberPicture): readonly string[] {
  const isRolled = context.federation.seeds.updatePolicy === 'Rolling';
  return isRolled ? dueSeedsOf(context, picture) : seedsOf(context, picture);
}

function restartOrder({ federation }: PlanContext, { member }: MemberPicture): Change[] {
  const { restartToken: to } = federation.rollout;
  const { restartToken: from } = member.bookkeeping;
  return to === '' || to === from ? [] : [{ path: restartPath, kind: 'restart', from, to }];
}

function targetOf(context: PlanContext, picture: MemberPicture): string {
  const seeds = seedsToRoll(context, picture);
  return hashOf([render(context, picture, false).hash, seeds, context.federation.rollout.restartToken]);
}

/** Names what was delivered to a member, and when: once a region has settled with it, it is through. */
export function revisionOf({ renderedHash, delivery }: Bookkeeping): string {
  return hashOf([renderedHash ?? '', delivery?.since ?? '']);
}

/** What the regional operator has made of the region's member. */
export function stateOf(context: PlanContext, picture: MemberPicture): MemberState {
  return (workedOut(context, picture).state ??= context.operator.read(readInput(context, picture)));
}

export function readInput(
  context: PlanContext,
  picture: MemberPicture,
): Parameters<PlanContext['operator']['read']>[0] {
  return {
    member: picture.member.object,
    statefulSets: picture.snapshot.statefulSets,
    seeds: seedsOf(context, picture),
    replicas: askedReplicas(context.federation, picture),
  };
}

/**
 * What we once rendered and do not want now. Leaving a field out of a server-side apply does not remove it when another
 * manager owns it too, and CassKop's PUTs make it an owner. So it is taken out by name if it is still there, and
 * forgotten in the same write: what somebody puts there later is theirs.
 */
export function stalePaths(context: PlanContext, picture: MemberPicture): string[] {
  const { injecting, renderedPaths } = picture.member.bookkeeping;
  const wanted = new Set(render(context, picture, injecting).paths);
  return renderedPaths.filter((path) => !wanted.has(path));
}

/** Stale paths that cost nothing to take out: what only the injection of the seeds had put there, and what is gone already. */
export function harmlessStalePaths(context: PlanContext, picture: MemberPicture): string[] {
  const injected = new Set(render(context, picture, true).paths);
  return stalePaths(context, picture).filter((path) => injected.has(path) || !isSet(picture, path));
}

/** Whether the live member has anything at this JSON pointer into its spec; an empty name is none. */
export function isSet(picture: KnownPicture, path: string): boolean {
  const value = at(picture.member?.object['spec'], parsePointer(path) ?? []);
  return value !== undefined && value !== '';
}

/** Hash of the member as it is once all but `held` is delivered. */
export function hashWithout(context: PlanContext, picture: KnownPicture, held: readonly Change[]): string {
  const { object, hash } = render(context, picture, false);
  return held.length === 0 ? hash : memberHash(context.operator.without(object, held));
}

/** What changes cost a region, for people: `restarts its 2 nodes for /spec/cassandraImage`. */
export function describeChanges(changes: readonly Change[], nodes: number): string {
  const of = (kind: ChangeKind): readonly Change[] => changes.filter((change) => change.kind === kind);
  const paths = (list: readonly Change[]): string => list.map(({ path }) => wordsFor(path)).join(', ');
  const sentence = (kind: ChangeKind, words: (list: readonly Change[]) => string): string[] =>
    of(kind).length === 0 ? [] : [words(of(kind))];
  const sizes = (list: readonly Change[]): string =>
    list.map(({ path, from, to }) => `${wordsFor(path)} from ${String(from)} to ${String(to)}`).join(', ');
  const all = `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
  return [
    ...sentence('benign', (list) => `changes ${paths(list)}, which restarts nothing`),
    ...sentence('restart', (list) => `restarts its ${all} for ${paths(list)}`),
    ...sentence('seeds', () => `restarts its ${all} for another list of seeds`),
    ...sentence(
      'operation',
      (list) =>
        `has its ${all} do ${list.map(({ path }) => path.split('.').at(-1)).join(', then ')}, one after the other, which restarts nothing`,
    ),
    ...sentence('storage', (list) => `lets its volumes grow (${sizes(list)})`),
    ...sentence('datacenter', (list) => `adds a datacenter (${paths(list)})`),
    ...sentence('scale-up', (list) => `adds nodes (${sizes(list)})`),
    ...sentence('scale-down', (list) => `takes nodes out of the ring and deletes their volumes (${sizes(list)})`),
    ...sentence('forbidden', (list) => `is refused: ${paths(list)}`),
  ].join('; then ');
}

/** A change's path, as people call it. */
export function wordsFor(path: string): string {
  if (path === restartPath) return 'spec.rollout.restartToken';
  return path === seedsPath ? 'the seeds' : path;
}
