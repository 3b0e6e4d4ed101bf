import * as z from 'zod';
import type { EffectiveFederation, EffectiveRegion } from '../api/effective.ts';
import type { RegionStatus } from '../api/schema.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { PlannedPod, RegionalOperator, Topology } from '../operators/operator.ts';
import { annotationPrefix, type Bookkeeping, isOlder, readBookkeeping } from './bookkeeping.ts';
import type { Copy, KnownRegion, RegionSnapshot, Snapshot, UnknownRegion } from './snapshot.ts';

/** One region of the federation: what the spec wants of it beside what is there. */
export type RegionPicture = UnknownPicture | KnownPicture;

interface PictureBase {
  readonly region: EffectiveRegion;
  /** Pods that its member asks for now, or would if there were one. What the spec asks for beyond that waits for its turn. */
  readonly pods: readonly PlannedPod[];
  /** What the status recorded of it so far. */
  readonly recorded: RegionStatus | undefined;
  /** Since when it leaves the ring, as its status or its guard tells; from then on there is no way back but to the end. */
  readonly leavingSince: string | undefined;
}

export interface UnknownPicture extends PictureBase {
  readonly known: false;
  readonly snapshot: UnknownRegion;
}

export interface KnownPicture extends PictureBase {
  readonly known: true;
  readonly snapshot: KnownRegion;
  readonly member: OwnedObject | undefined;
  readonly guard: OwnedObject | undefined;
  readonly copies: readonly (OwnedObject & Copy)[];
}

/** A region whose member Ringmaster answers for: its own, or one it is about to adopt. */
export type MemberPicture = KnownPicture & { readonly member: OwnedObject };

/**
 * Whose an object is.
 * - `ours`: it carries this MultiCassandraCluster's uid.
 * - `adoptable`: it belonged to another MultiCassandraCluster of this name, and never to this one, and adoptionPolicy
 *   lets us take it over; or it is a member that no Ringmaster has ever written, see {@link isUnmarked}.
 * - `newer`: it is ours, but a later leader or a writer with a newer spec has been there; whoever sees this is outdated and keeps still.
 * - `foreign`: everything else. It is never touched.
 */
export type Ownership = 'ours' | 'adoptable' | 'newer' | 'foreign';

export interface OwnedObject {
  readonly object: KubeObject;
  readonly ownership: Ownership;
  readonly bookkeeping: Bookkeeping;
}

/** Sets each region's part of the spec beside what the snapshot holds of it, in the order of spec.regions. */
export function pictureRegions(
  snapshot: Snapshot,
  federation: EffectiveFederation,
  operator: RegionalOperator,
): RegionPicture[] {
  return federation.regions.map((region) => {
    const there = snapshot.regions[region.name] ?? notSynced;
    const base = {
      region,
      pods: operator.pods(federation, topologyOf(region, there, operator)),
      recorded: snapshot.mcc.status?.regions?.find((each) => each.name === region.name),
    };
    const leavingSince = leavingSinceOf(region, base.recorded);
    if (!there.known) return { ...base, leavingSince, known: false, snapshot: there };
    const remembered = base.recorded?.identity?.clusterUID;
    if (remembered !== undefined && remembered !== there.clusterUid) {
      return { ...base, leavingSince, known: false, snapshot: anotherCluster(region, remembered, there.clusterUid) };
    }
    const guard = there.guard && owned(there.guard, snapshot, base.recorded);
    const member = there.member && owned(there.member, snapshot, base.recorded);
    return {
      ...base,
      leavingSince: leavingSince ?? toldByGuard(guard),
      known: true,
      snapshot: there,
      member: member && mayTakeIn(region, base.recorded, snapshot) ? asFound(member, there, operator) : member,
      guard,
      copies: there.copies.map(({ kind, object }) => ({ kind, ...owned(object, snapshot, base.recorded) })),
    };
  });
}

/** One that has left may join anew; but whoever was given up can come back from the dead, and still has to leave then. */
function leavingSinceOf({ state }: EffectiveRegion, recorded: RegionStatus | undefined): string | undefined {
  return recorded?.stage === 'Removed' && state !== 'Abandoned' ? undefined : recorded?.leavingSince;
}

/** A guard goes last, and tells another hub as well how far its region was. */
function toldByGuard(guard: OwnedObject | undefined): string | undefined {
  const isBelieved = guard?.ownership === 'ours' || guard?.ownership === 'adoptable';
  return isBelieved ? guard.bookkeeping.leavingSince : undefined;
}

/**
 * Where a region has pods. A change of size that was not delivered yet has made none, and a datacenter or rack that the spec leaves out, or
 * calls by another name, runs all the same.
 */
function topologyOf(region: EffectiveRegion, there: RegionSnapshot, operator: RegionalOperator): Topology {
  if (!there.known || !there.member) return region;
  const topology = operator.topology(there.member);
  // One that names no racks leaves them to its operator, which puts them in.
  return topology.datacenters.every(({ racks }) => racks.length > 0) ? topology : region;
}

const notSynced: UnknownRegion = {
  known: false,
  reason: 'NotSynced',
  message: 'the region has not been looked at yet',
};

/** A context that suddenly leads elsewhere is not followed. */
function anotherCluster(region: EffectiveRegion, remembered: string, found: string): UnknownRegion {
  return {
    known: false,
    reason: 'IdentityChanged',
    message: `context ${region.context} leads to another cluster (kube-system uid ${found}) than before (${remembered})`,
  };
}

/** Whose an object of a region is, told by what it says itself. */
export function owned(
  object: KubeObject,
  { mcc, leaseTransitions }: Snapshot,
  recorded: RegionStatus | undefined,
): OwnedObject {
  const bookkeeping = readBookkeeping(object);
  const { owner, stamp } = bookkeeping;
  let ownership: Ownership = 'foreign';
  if (owner?.uid === mcc.metadata.uid) {
    const mine = { generation: mcc.metadata.generation ?? 0, leaseTransitions };
    ownership = stamp && isOlder(mine, stamp) ? 'newer' : 'ours';
  } else if (isNamesakes(bookkeeping, mcc)) {
    ownership = mcc.spec.adoptionPolicy === 'IfUnchanged' && !wasOurs(recorded) ? 'adoptable' : 'foreign';
  }
  return { object, ownership, bookkeeping };
}

/** Whether an object belongs to a MultiCassandraCluster of this name, be it this one, an earlier one or one on another hub. */
export function isNamesakes({ owner }: Bookkeeping, { metadata }: Snapshot['mcc']): boolean {
  return owner?.namespace === metadata.namespace && owner.name === metadata.name;
}

function mayTakeIn({ state }: EffectiveRegion, recorded: RegionStatus | undefined, { mcc }: Snapshot): boolean {
  return state === 'Managed' && mcc.spec.adoptionPolicy === 'IfUnchanged' && !wasOurs(recorded);
}

/** A member without a mark of ours, with what there is to know of it in the place of what we would have noted; any other as it is. */
function asFound(member: OwnedObject, there: KnownRegion, operator: RegionalOperator): OwnedObject {
  const { object } = member;
  if (Object.keys(object.metadata.annotations ?? {}).some((name) => name.startsWith(annotationPrefix))) return member;
  const { statusSeeds, injecting } = operator.read({
    member: object,
    statefulSets: there.statefulSets,
    seeds: [],
    replicas: {},
  });
  const bookkeeping = { ...member.bookkeeping, seeds: statusSeeds, injecting, guardWaits: true };
  return { object, ownership: 'adoptable', bookkeeping };
}

/** Whether a member that may be adopted was never written by any Ringmaster: by hand, or by another tool. */
export function isUnmarked(picture: RegionPicture): picture is MemberPicture {
  return picture.known && picture.member?.ownership === 'adoptable' && picture.member.bookkeeping.owner === undefined;
}

/**
 * Whether this MultiCassandraCluster has owned the region's member. One that another has taken over since is not taken
 * back: on two hubs the two would go on doing so for ever.
 */
export function wasOurs(recorded: RegionStatus | undefined): boolean {
  return recorded?.identity?.memberUID !== undefined;
}

/** Whether the region is on its way out of the ring, and nothing but that is done with it. */
export function isLeaving({ region, leavingSince }: RegionPicture): boolean {
  return region.state === 'Removing' || region.state === 'Abandoned' || leavingSince !== undefined;
}

/** Whether the region is only looked at: nothing is written to it, whatever it holds. One that has begun to leave goes on leaving. */
export function isObserved(picture: RegionPicture): boolean {
  return picture.region.state === 'Observed' && !isLeaving(picture);
}

/** Whether a person has given the region up, and it was seen that its nodes are down. */
export function isGivenUp({ region, leavingSince }: RegionPicture): boolean {
  return region.state === 'Abandoned' && leavingSince !== undefined;
}

/** Whether none of the region's nodes is part of the ring any more, and it is to stay so. */
export function hasGone({ region, recorded }: RegionPicture): boolean {
  const isToStayOut = region.state === 'Removing' || region.state === 'Abandoned';
  return isToStayOut && (recorded?.stage === 'Removed' || recorded?.stage === 'Abandoned');
}

export function answeredFor(picture: RegionPicture): picture is MemberPicture {
  return picture.known && picture.member !== undefined && picture.member.ownership !== 'foreign';
}

/** Whether the region is out of sight for a moment only: nobody learns anything from that. */
export function isPassing(picture: RegionPicture): boolean {
  return !picture.known && picture.snapshot.isPassing === true && picture.recorded?.conditions !== undefined;
}

/** StatefulSet name -> replicas that the region's member asks for. */
export function askedReplicas(federation: EffectiveFederation, { pods }: RegionPicture): Record<string, number> {
  const replicas: Record<string, number> = {};
  for (const { datacenter, rack } of pods) {
    const name = `${federation.clusterName}-${datacenter}-${rack}`;
    replicas[name] = (replicas[name] ?? 0) + 1;
  }
  return replicas;
}

/** Whether the pod will not start as it is, however long one waits: no node has room, its image is not there, or it ends again and again. */
export function cannotStart({ status }: KubeObject): boolean {
  const parsed = podStatus.safeParse(status);
  if (!parsed.success) return false;
  const { conditions, initContainerStatuses, containerStatuses } = parsed.data;
  return (
    conditions.some((each) => each.reason === 'Unschedulable') ||
    [...initContainerStatuses, ...containerStatuses].some(({ state }) => hopeless.test(state?.waiting?.reason ?? ''))
  );
}

const hopeless = /BackOff$|^Err|^Invalid|Error$/;
const containers = z
  .array(z.object({ state: z.object({ waiting: z.object({ reason: z.string().optional() }).optional() }).optional() }))
  .default([]);
const podStatus = z.object({
  conditions: z.array(z.object({ reason: z.string().optional() })).default([]),
  initContainerStatuses: containers,
  containerStatuses: containers,
});

/** True when the kubelet holds the pod Ready and it is not on its way out. */
export function isReady(pod: KubeObject): boolean {
  const status = pod['status'] as { conditions?: { type: string; status: string }[] } | undefined;
  return (
    pod.metadata.deletionTimestamp === undefined &&
    (status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false)
  );
}
