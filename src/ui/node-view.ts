import { type EffectiveFederation, podAddress, podsOf } from '../api/effective.ts';
import type { RegionStatus } from '../api/schema.ts';
import { cannotStart, isLeaving, isReady, type RegionPicture } from '../federation/picture.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { NodeView as RingView } from '../ring/view.ts';

/**
 * How a node is, as far as it can be seen.
 * - up: its pod is ready, it calls itself NORMAL, and no other node holds it to be down.
 * - starting: its pod is there, or being made anew, and not ready yet.
 * - joining, leaving: it says so itself.
 * - down: it is a member of the ring and does not serve.
 * - planned: the spec asks for it, and nothing of it is there yet.
 * - unknown: it cannot be seen, or does not answer.
 */
export type NodeState = 'up' | 'starting' | 'joining' | 'leaving' | 'down' | 'planned' | 'unknown';

/** One node of the ring, for a person to look at. */
export interface NodeView {
  readonly pod: string;
  readonly datacenter: string;
  readonly rack: string;
  readonly ordinal: number;
  readonly state: NodeState;
  /** The state in a few words, with what is special about it. */
  readonly words: string;
  readonly isSeed: boolean;
  /** As it was last proven, or as the node says itself. */
  readonly hostId: string | undefined;
}

/** The nodes of one region: those the spec asks for, in its order, and then what else is there of it. */
export function nodesOf(
  federation: EffectiveFederation,
  picture: RegionPicture,
  seeds: ReadonlySet<string>,
  heard: readonly RingView[],
): NodeView[] {
  const { region, recorded } = picture;
  const isGone = recorded?.stage === 'Removed' || recorded?.stage === 'Abandoned';
  const planned = region.racks.flatMap((rack) =>
    podsOf(federation.clusterName, rack).map((pod, ordinal) => ({
      pod,
      datacenter: rack.datacenter,
      rack: rack.rack,
      ordinal,
    })),
  );
  const known = new Set(planned.map(({ pod }) => pod));
  const others = [
    ...(recorded?.hosts ?? []).map(({ pod }) => pod),
    ...(picture.known ? picture.snapshot.pods.map(({ metadata }) => metadata.name) : []),
  ].filter((pod) => !known.has(pod));
  const extra = [...new Set(others)].map((pod) => ({ pod, ...placeOf(pod, federation.clusterName) }));
  const addresses = region.racks.map((rack) => ({
    ...rack,
    address: (pod: string) => podAddress(federation, region, rack, pod),
  }));
  return [...(isGone ? [] : planned), ...extra].map((place): NodeView => {
    const rack = addresses.find((each) => each.datacenter === place.datacenter && each.rack === place.rack);
    const view = picture.known ? picture.snapshot.views[place.pod] : undefined;
    const hostId = recorded?.hosts?.find(({ pod }) => pod === place.pod)?.hostId ?? view?.hostId;
    const isWanted = known.has(place.pod) && !isLeaving(picture);
    return {
      ...place,
      ...stateOf({ picture, pod: place.pod, hostId, view, isWanted, heard }),
      isSeed: rack !== undefined && seeds.has(rack.address(place.pod)),
      hostId,
    };
  });
}

/** Nodes of a region that the spec has dropped, which nobody looks at any more. */
export function droppedNodesOf(
  { hosts = [] }: RegionStatus,
  clusterName: string,
  heard: readonly RingView[],
): NodeView[] {
  return hosts.map(({ pod, hostId }) => ({
    pod,
    ...placeOf(pod, clusterName),
    state: 'unknown',
    words: unseenWords(opinionOn(hostId, heard)),
    isSeed: false,
    hostId,
  }));
}

/** Of a pod that the spec does not ask for any more its name tells where it stands. */
function placeOf(pod: string, clusterName: string): { datacenter: string; rack: string; ordinal: number } {
  const [, datacenter = '', rack = '', ordinal = '0'] =
    /^([a-z0-9]+)-([a-z0-9]+)-(\d+)$/.exec(pod.slice(clusterName.length + 1)) ?? [];
  return { datacenter, rack, ordinal: Number(ordinal) };
}

interface Sighting {
  readonly picture: RegionPicture;
  readonly pod: string;
  readonly hostId: string | undefined;
  readonly view: RingView | undefined;
  readonly isWanted: boolean;
  readonly heard: readonly RingView[];
}

type Told = Pick<NodeView, 'state' | 'words'>;

function stateOf({ picture, pod: name, hostId, view, isWanted, heard }: Sighting): Told {
  const opinion = opinionOn(hostId, heard);
  if (!picture.known) {
    if (hostId === undefined && !wasCreated(picture.recorded)) return { state: 'planned', words: 'not created yet' };
    return { state: 'unknown', words: unseenWords(opinion) };
  }
  const pod = picture.snapshot.pods.find(({ metadata }) => metadata.name === name);
  const isMember = picture.recorded?.hosts?.some((host) => host.pod === name) ?? false;
  const isBeingChanged = isChanging(picture.recorded);
  if (!pod) {
    if (!isMember) return { state: 'planned', words: 'not created yet' };
    return isBeingChanged
      ? { state: 'starting', words: 'its pod is being made anew' }
      : { state: 'down', words: 'its pod is gone' };
  }
  if (!isReady(pod)) return unready(pod, isMember && !isBeingChanged);
  if (!view) {
    const why = picture.snapshot.unreadable[name];
    return {
      state: 'unknown',
      words: why === undefined ? 'ready; not asked yet' : `ready, but does not answer: ${why}`,
    };
  }
  if (view.operationMode !== 'NORMAL') return abnormal(view.operationMode);
  if (opinion === 'down') return { state: 'down', words: 'NORMAL, but another node holds it to be down' };
  return { state: 'up', words: isWanted ? 'up' : 'up; it is to leave the ring' };
}

function unseenWords(opinion: 'alive' | 'down' | undefined): string {
  return opinion === undefined ? 'not seen' : `not seen; other nodes hold it to be ${opinion}`;
}

function unready(pod: KubeObject, isMissed: boolean): Told {
  if (pod.metadata.deletionTimestamp !== undefined) return { state: 'starting', words: 'its pod is being stopped' };
  if (cannotStart(pod)) return { state: 'down', words: 'its pod cannot start as it is' };
  return isMissed ? { state: 'down', words: 'its pod is not ready' } : { state: 'starting', words: 'starting' };
}

function abnormal(mode: string): Told {
  const words = mode.toLowerCase();
  if (mode === 'JOINING' || mode === 'MOVING') return { state: 'joining', words };
  if (mode === 'LEAVING' || mode === 'DECOMMISSIONED') return { state: 'leaving', words };
  return mode === 'STARTING' ? { state: 'starting', words } : { state: 'down', words };
}

function wasCreated(recorded: RegionStatus | undefined): boolean {
  return recorded?.identity?.memberUID !== undefined;
}

/** Whether nodes of the region may be away because of what is being done there. */
function isChanging(recorded: RegionStatus | undefined): boolean {
  const applied = recorded?.conditions?.find(({ type }) => type === 'Applied');
  return recorded?.changingSince !== undefined || recorded?.leavingSince !== undefined || applied?.status !== 'True';
}

/** What the nodes that are heard think of a host; one that holds it to be down is enough. */
function opinionOn(hostId: string | undefined, heard: readonly RingView[]): 'alive' | 'down' | undefined {
  if (hostId === undefined) return undefined;
  let opinion: 'alive' | undefined;
  for (const { hostId: own, operationMode, hosts, live } of heard) {
    if (own === hostId || operationMode !== 'NORMAL') continue;
    for (const [address, host] of Object.entries(hosts)) {
      if (host !== hostId) continue;
      if (!live.includes(address)) return 'down';
      opinion = 'alive';
    }
  }
  return opinion;
}
