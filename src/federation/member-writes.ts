import { annotations, type Delivery, type OperationRecords, renderedAnnotations } from './bookkeeping.ts';
import {
  changesOf,
  type Disruption,
  harmlessStalePaths,
  hashWithout,
  isSet,
  memberChanges,
  restartPath,
  seedsPath,
  stalePaths,
  stateOf,
} from './changes.ts';
import { annotationsFor, type PlanContext, seedsOf } from './context.ts';
import type { Intent, Write } from './intents.ts';
import type { Change } from '../operators/operator.ts';
import type { KubeObject } from '../kube/objects.ts';
import { recordsSoFar } from './operation-records.ts';
import { answeredFor, type KnownPicture, type MemberPicture } from './picture.ts';
import { foundsRing } from './hosts.ts';
import { mayFindRows, rebuildToken } from './rebuild.ts';
import { namesGuard, render } from './render.ts';
import { wasInRing } from './gates.ts';

/** The first write of a region: from here on its operator starts pods. */
export function createMember(context: PlanContext, picture: KnownPicture): Intent {
  const region = picture.region.name;
  const founds = foundsRing(context, picture);
  return {
    region,
    why: `create the member of region ${region}, which ${founds ? 'founds' : 'joins'} the ring`,
    write: {
      verb: 'create',
      resource: context.operator.member,
      object: wantedMember(context, picture, {
        injecting: hasStatusSubresource(picture),
        lacksRows: !founds && !wasInRing(picture, context.hosts) && mayFindRows(context),
      }),
    },
  };
}

/**
 * What the member needs beside changes of the spec, one write at a time: the seeds into its operator's status; an end to what that has noted and
 * never begins; then, once it holds the seeds and nothing is under way, the same seeds out of the spec; our name on a member that was adopted; fields forgotten that have left.
 */
export function upkeepIntent(context: PlanContext, picture: MemberPicture): Intent | undefined {
  const { bookkeeping, ownership } = picture.member;
  const region = picture.region.name;
  const state = stateOf(context, picture);

  if (ownership === 'adoptable') {
    // What would restart a node is not taken over; what does not is left as it is by this write, and changed by the next.
    const changes = memberChanges(context, picture);
    if (changes.some(({ kind }) => kind !== 'benign')) return undefined;
    return update(
      context,
      picture,
      { injecting: bookkeeping.injecting, held: changes, restartToken: context.federation.rollout.restartToken },
      `adopt the member of region ${region}, in which nothing changes`,
    );
  }
  if (bookkeeping.injecting && !isSame(state.statusSeeds, seedsOf(context, picture))) {
    return giveSeeds(
      context,
      picture,
      `give region ${region} the federation's seeds in place of those its operator computes`,
    );
  }
  if (state.voidActions && hasStatusSubresource(picture)) {
    const { racks, status } = state.voidActions;
    const why = `tell CassKop in region ${region} that what it was about to do to rack ${racks.join(', ')} is done, since the StatefulSet is as the spec asks and it would wait for ever`;
    return patchStatus(context, picture, status, why);
  }
  const { changes } = changesOf(context, picture);
  if (changes.some(({ path }) => path !== restartPath && path !== seedsPath)) return undefined;
  if (bookkeeping.injecting && state.settled) {
    const why = `take the seeds out of the spec of region ${region}, now that its operator holds them`;
    return update(context, picture, { injecting: false }, why);
  }
  if (bookkeeping.renderedHash !== render(context, picture, false).hash) {
    const why = `record a new spelling of region ${region}'s spec, which changes no pod`;
    return update(context, picture, { injecting: bookkeeping.injecting }, why);
  }
  const stale = harmlessStalePaths(context, picture);
  if (stale.length === 0) return undefined;
  const paths = stale.filter((path) => isSet(picture, path)).map((path) => `/spec${path}`);
  const why = `${paths.length > 0 ? `remove ${paths.join(', ')} from` : 'forget fields that have left'} the member of region ${region}`;
  return removal(context, picture, stale, {}, why);
}

/** How a change is delivered. */
export interface DeliveryOptions {
  kind: Disruption | 'benign';
  /** The change before it has not settled. */
  corrects: boolean;
  /** The operator is to skip its guard against disruption for it, once. */
  unlocks: boolean;
  /** It takes back what somebody else has changed. */
  restores?: boolean;
  why: string;
}

/**
 * Writes the changes of one kind, benign ones along with them, and leaves the rest of the member as it is. Seeds take two
 * writes: first the member remembers them, then its operator is given them.
 */
export function deliver(context: PlanContext, picture: MemberPicture, options: DeliveryOptions): Intent | undefined {
  const { bookkeeping } = picture.member;
  const { changes, target } = changesOf(context, picture);
  const chosen = changes.filter(
    ({ kind }) => kind === options.kind || (kind === 'benign' && options.kind !== 'scale-down'),
  );
  const held = changes.filter((change) => !chosen.includes(change) && isOfMember(change));
  const delivery: Delivery = {
    since: new Date(context.snapshot.nowMs).toISOString(),
    target,
    corrects: options.corrects,
    unlocked: options.unlocks,
    restores: options.restores ?? false,
    disrupts: options.kind !== 'benign',
  };
  const { injecting } = bookkeeping;
  if (options.kind === 'seeds') {
    const [change] = changes.filter(({ kind }) => kind === 'seeds');
    if (!change) return undefined;
    const due = change.to as readonly string[];
    if (isSame(seedsOf(context, picture), due)) return giveSeeds(context, picture, options.why);
    return update(context, picture, { injecting, held, delivery, seeds: due }, options.why);
  }
  const order = chosen.some(({ path }) => path === restartPath);
  const sets = chosen.some(({ to, path }) => to !== undefined || path.startsWith('/spec/topology')) || options.unlocks;
  if (sets) {
    const restartToken = order ? context.federation.rollout.restartToken : bookkeeping.restartToken;
    const commands = {
      restart: order && !chosen.some((change) => change.kind === 'restart' && isOfMember(change)),
      unlock: options.unlocks,
    };
    return update(
      context,
      picture,
      { injecting, held, delivery, commands, ...(restartToken !== undefined && { restartToken }) },
      options.why,
    );
  }
  const gone = chosen.filter(isOfMember).map(({ path }) => path.slice('/spec'.length));
  if (gone.length === 0) return undefined;
  return removal(
    context,
    picture,
    gone,
    {
      [annotations.renderedHash]: hashWithout(context, picture, held),
      [annotations.delivery]: JSON.stringify(delivery),
    },
    options.why,
  );
}

function isOfMember({ path }: Change): boolean {
  return path !== restartPath && path !== seedsPath;
}

/** The operator's own list of seeds, in its status, where it looks for it. */
export function giveSeeds(context: PlanContext, picture: MemberPicture, why: string): Intent {
  const status = { seedlist: [...seedsOf(context, picture)] };
  return patchStatus(context, picture, status, why);
}

/** Whether a write gives the operator its seeds. */
export function givesSeeds(write: Write): boolean {
  return write.verb === 'patchStatus' && 'seedlist' in write.status;
}

function patchStatus(
  context: PlanContext,
  picture: MemberPicture,
  status: Readonly<Record<string, unknown>>,
  why: string,
): Intent {
  const { resourceVersion = '', name, namespace = picture.region.namespace } = picture.member.object.metadata;
  return {
    region: picture.region.name,
    why,
    write: {
      verb: 'patchStatus',
      resource: context.operator.member,
      ref: { namespace, name },
      resourceVersion,
      status,
    },
  };
}

/** Notes on the member how far its nodes are with what the spec has them do; nothing else of it changes. */
export function noteOperations(
  context: PlanContext,
  picture: MemberPicture,
  operations: OperationRecords,
  why: string,
): Intent {
  return patch(context, picture, [], { [annotations.operations]: JSON.stringify(operations) }, why);
}

/** Whether a write does nothing but note how far the nodes of a member are. */
export function isNote(write: Write): boolean {
  return write.verb === 'removeFields' && write.annotations?.[annotations.operations] !== undefined;
}

function update(context: PlanContext, picture: MemberPicture, options: MemberOptions, why: string): Intent {
  const { uid = '', resourceVersion = '' } = picture.member.object.metadata;
  const wanted = wantedMember(context, picture, options);
  const object = { ...wanted, metadata: { ...wanted.metadata, uid, resourceVersion } };
  return { region: picture.region.name, why, write: { verb: 'update', resource: context.operator.member, object } };
}

function removal(
  context: PlanContext,
  picture: MemberPicture,
  gone: readonly string[],
  more: Readonly<Record<string, string>>,
  why: string,
): Intent {
  const kept = [
    ...render(context, picture, picture.member.bookkeeping.injecting).paths,
    ...stalePaths(context, picture).filter((path) => !gone.includes(path)),
  ];
  const paths = gone.filter((path) => isSet(picture, path)).map((path) => `/spec${path}`);
  const renderedPaths = JSON.stringify([...new Set(kept)].sort());
  return patch(context, picture, paths, { [annotations.renderedPaths]: renderedPaths, ...more }, why);
}

/** Takes fields out of the member and sets annotations on it; everything else of it stays. */
function patch(
  context: PlanContext,
  picture: MemberPicture,
  paths: readonly string[],
  set: Readonly<Record<string, string>>,
  why: string,
): Intent {
  const { uid = '', resourceVersion = '', name, namespace = picture.region.namespace } = picture.member.object.metadata;
  const ref = { namespace, name };
  const { member: resource } = context.operator;
  return {
    region: picture.region.name,
    why,
    write: { verb: 'removeFields', resource, ref, uid, resourceVersion, paths, annotations: set },
  };
}

interface MemberOptions {
  injecting: boolean;
  /** Changes that have to wait. */
  held?: readonly Change[];
  delivery?: Delivery;
  commands?: { restart: boolean; unlock: boolean };
  restartToken?: string;
  seeds?: readonly string[];
  /** Its nodes will join without the rows that are there. */
  lacksRows?: boolean;
}

function wantedMember(context: PlanContext, picture: KnownPicture, options: MemberOptions): KubeObject {
  const { operator, federation } = context;
  const { held = [], commands, injecting } = options;
  const { object: all } = render(context, picture, injecting);
  const there = picture.member?.bookkeeping;
  const object = held.length === 0 ? all : operator.without(all, held);
  const stillThere = (there?.renderedPaths ?? []).filter((path) => isSet(picture, path));
  const delivery = options.delivery ?? there?.delivery;
  const rendered = {
    injecting,
    guardWaits: there?.guardWaits === true && !namesGuard(federation, object),
    hash: hashWithout(context, picture, held),
    paths: [...new Set([...operator.paths(object), ...stillThere])].sort(),
    labels: object.metadata.labels ?? {},
    delivery,
    // A member that is created, or taken over, has no restart to catch up with, and nothing that its nodes should have done.
    restartToken: options.restartToken ?? (there ? (there.restartToken ?? '') : federation.rollout.restartToken),
    operations: {
      ...(options.lacksRows && { rebuild: { ...recordOfDone(rebuildToken), complete: false } }),
      ...(answeredFor(picture) && picture.member.ownership === 'ours'
        ? recordsSoFar(context, picture)
        : caughtUp(federation, there?.operations)),
    },
  };
  const over = picture.member ? operator.over(object, picture.member.object) : object;
  const restarting = commands?.restart ? operator.command(over, 'restart') : over;
  const commanded = commands?.unlock ? operator.command(restarting, 'unlock') : restarting;
  return {
    ...commanded,
    metadata: {
      ...object.metadata,
      annotations: {
        ...object.metadata.annotations,
        ...annotationsFor(context, picture, options.seeds),
        ...renderedAnnotations(rendered),
      },
    },
    // CassKop <= 2.2.9 takes its status from the object's body, and would lose it again if it were left out later.
    ...(!hasStatusSubresource(picture) && { status: { seedlist: [...(options.seeds ?? seedsOf(context, picture))] } }),
  };
}

/** Everything the spec asks for counts as done, but for what was begun for the same token by whoever had the member before. */
function caughtUp({ operations }: PlanContext['federation'], begun: OperationRecords = {}): OperationRecords {
  const records = { ...begun };
  for (const name of ['cleanup', 'upgradesstables'] as const) {
    const { [name]: token } = operations;
    if (token !== undefined && begun[name]?.token !== token) records[name] = recordOfDone(token);
  }
  return records;
}

function recordOfDone(token: string): NonNullable<OperationRecords['cleanup']> {
  return { token, done: [], failed: [], running: [], complete: true };
}

function hasStatusSubresource(picture: KnownPicture): boolean {
  return picture.snapshot.capabilities?.statusSubresource ?? true;
}

function isSame(one: readonly string[] | undefined, other: readonly string[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
