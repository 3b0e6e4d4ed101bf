import type { EffectiveFederation, EffectiveRegion } from '../api/effective.ts';
import { isMember, type NodeView } from '../ring/view.ts';
import type { PlannedPod } from '../operators/operator.ts';
import type { Memory } from './memory.ts';
import { answeredFor, isReady, type RegionPicture } from './picture.ts';

/** A pod that carries another host ID than it was proven with: it came back without its disk. */
export interface SuspectedLoss {
  readonly region: string;
  readonly pod: string;
  readonly recorded: string;
  readonly found: string;
}

export interface Hosts {
  /** Pod -> host ID, what was remembered and what is proven now. Shrinks only by nodes that have left the ring in good order. */
  readonly joined: ReadonlyMap<string, string>;
  readonly suspected: readonly SuspectedLoss[];
  /** Hosts that were proven under a pod's name, and a person has acknowledged that the pod is another one by now. */
  readonly superseded: readonly string[];
  /** Hosts that were given up for good, and that a node of the ring holds to be alive. */
  readonly returned: readonly string[];
  /** Hosts of the ring outside the federation that seeds.external speaks of: no node of ours, and every one holds them to be alive. */
  readonly outside: ReadonlySet<string>;
  /** Host IDs that nodes of ours have given as their own. */
  readonly own: ReadonlySet<string>;
  /** Some pod of ours has not told its host ID lately, so a host that nobody knows may be that pod's. */
  readonly someUnheard: boolean;
}

/**
 * Proves nodes NORMAL, one more set each pass, and compares those proven before with what they carry now.
 *
 * A node counts as joined when it says so itself and another joined node holds it alive and at rest, and the other
 * way round: a node in a ring of its own has nobody to vouch for it. Only the pod that founds the ring needs nobody.
 * @param views fresh views by pod name, of Ready pods.
 */
export function proveHosts(
  federation: EffectiveFederation,
  pictures: readonly RegionPicture[],
  memory: Memory,
  views: ReadonlyMap<string, NodeView>,
): Hosts {
  const joined = new Map(
    [...memory.hosts].filter(([pod, host]) => !hasLeft(pod, host, federation, pictures, memory, views)),
  );
  const isOutside = federation.seeds.external.length > 0;
  const suspected: SuspectedLoss[] = [];
  const superseded: string[] = [];
  const vouching = [...views.values()].filter((view) => memory.hosts.get(view.pod) === view.hostId && isNormal(view));

  for (const picture of pictures) {
    if (!answeredFor(picture)) continue;
    for (const { name } of picture.pods) {
      const view = views.get(name);
      const recorded = memory.hosts.get(name);
      // Who leaves is not let in again, and its disk is nobody's worry.
      if (picture.leavingSince !== undefined) continue;
      if (recorded !== undefined && acknowledgesOther(picture, name, recorded)) superseded.push(recorded);
      if (!view || view.clusterName !== federation.clusterName || recorded === view.hostId) continue;
      if (!isNormal(view)) {
        // It may never become NORMAL while the ring waits for what it was before.
        if (recorded !== undefined && !acknowledges(picture, name, view.hostId)) {
          suspected.push({ region: picture.region.name, pod: name, recorded, found: view.hostId });
        }
        continue;
      }
      const vouched = vouching.some((other) => knowEachOther(view, other));
      if (recorded === undefined) {
        // With a ring outside the federation the first node of ours must have found it.
        const founding =
          memory.hosts.size === 0 && name === ignitionPod(memory, pictures) && (!isOutside || view.live.length > 1);
        if (founding || vouched) joined.set(name, view.hostId);
      } else if (acknowledges(picture, name, view.hostId) && (vouched || memory.hosts.size === 1)) {
        // A person's word replaces the disk, not the ring: the node must be in it all the same.
        joined.set(name, view.hostId);
      } else {
        suspected.push({ region: picture.region.name, pod: name, recorded, found: view.hostId });
      }
    }
  }
  const normal = [...views.values()].filter(isNormal);
  const heard = new Set([...views.values()].map((view) => view.hostId));
  const proven = new Set(joined.values());
  const own = new Set([...proven, ...heard]);
  const someUnheard =
    memory.dropped.length > 0 ||
    pictures.some((picture) => {
      const mayHavePods = !picture.known || picture.member !== undefined || picture.snapshot.pods.length > 0;
      const isCounted = ({ name }: PlannedPod): boolean => picture.leavingSince === undefined || joined.has(name);
      return mayHavePods && picture.pods.some((pod) => isCounted(pod) && !views.has(pod.name));
    });
  return {
    joined,
    suspected,
    superseded: superseded.filter((host) => proven.has(host) && !heard.has(host)),
    returned: memory.abandonedHosts.filter((host) => normal.some((view) => holdsAlive(view, host))),
    own,
    outside: new Set(isOutside ? aliveFor(normal).filter((host) => !own.has(host)) : []),
    someUnheard,
  };
}

/**
 * Whether a node has left as it was asked to: its member is smaller by now, its pod is gone, and every node that can be
 * heard has dropped its host.
 */
function hasLeft(
  pod: string,
  hostId: string,
  { clusterName }: EffectiveFederation,
  pictures: readonly RegionPicture[],
  memory: Memory,
  views: ReadonlyMap<string, NodeView>,
): boolean {
  const picture = pictures.find(({ region }) => isPodOf(pod, clusterName, region));
  // Of a region that has left and is not in the spec any more, a guard may tell that nobody could reach meanwhile.
  if (!picture || picture.leavingSince !== undefined) {
    // Whoever is still NORMAL itself has not left, whatever the others hold of it.
    const others = [...views.values()].filter(
      (view) => isNormal(view) && !(picture && isPodOf(view.pod, clusterName, picture.region)),
    );
    const own = views.get(pod);
    const isIn = own !== undefined && own.hostId === hostId && isNormal(own);
    // Who is not heard for a moment may still know it, and would have it counted again.
    const staying = pictures.filter((each) => each.leavingSince === undefined);
    const isSilent = [...memory.hosts.keys()].some(
      (name) => !views.has(name) && staying.some(({ region }) => isPodOf(name, clusterName, region)),
    );
    return (
      !isIn && !isSilent && others.length > 0 && others.every((view) => !Object.values(view.hosts).includes(hostId))
    );
  }
  if (!answeredFor(picture) || picture.pods.some((each) => each.name === pod)) return false;
  if (picture.snapshot.pods.some((each) => each.metadata.name === pod)) return false;
  const heard = [...views.values()].filter(isNormal);
  return heard.length > 0 && heard.every((view) => !Object.values(view.hosts).includes(hostId));
}

/** Whether a pod of this name is one of the region's; names hold the datacenter's, which is unique. */
export function isPodOf(pod: string, clusterName: string, region: EffectiveRegion): boolean {
  return region.datacenters.some(({ name }) => pod.startsWith(`${clusterName}-${name}-`));
}

/** Whether the region starts the ring. It does not where there is one outside the federation, which all regions join. */
export function foundsRing(
  { federation, memory, hosts }: { federation: EffectiveFederation; memory: Memory; hosts: Pick<Hosts, 'joined'> },
  { region }: RegionPicture,
): boolean {
  return region.name === memory.founder && hosts.joined.size === 0 && federation.seeds.external.length === 0;
}

/** The pod that starts the ring: the founder's first. It may do so only until the first node was proven NORMAL. */
export function ignitionPod(memory: Memory, pictures: readonly RegionPicture[]): string | undefined {
  return pictures.find((picture) => picture.region.name === memory.founder)?.pods[0]?.name;
}

/** Views of Ready pods that are at most `maxAgeMs` old, by pod name. Older ones say what was, not what is. */
export function freshViews(
  pictures: readonly RegionPicture[],
  monotonicMs: number,
  maxAgeMs: number,
): Map<string, NodeView> {
  const fresh = new Map<string, NodeView>();
  for (const picture of pictures) {
    if (!answeredFor(picture)) continue;
    for (const pod of picture.snapshot.pods) {
      const view = picture.snapshot.views[pod.metadata.name];
      if (view && isReady(pod) && monotonicMs - view.observedAtMs <= maxAgeMs) fresh.set(pod.metadata.name, view);
    }
  }
  return fresh;
}

function isNormal(view: NodeView): boolean {
  return view.operationMode === 'NORMAL';
}

function holdsAlive(view: NodeView, hostId: string): boolean {
  return view.live.some((address) => view.hosts[address] === hostId);
}

/** Hosts that every one of these nodes holds to be alive. */
function aliveFor(views: readonly NodeView[]): string[] {
  const [first, ...others] = views;
  const hosts = first?.live.flatMap((address) => first.hosts[address] ?? []) ?? [];
  return hosts.filter((host) => others.every((view) => holdsAlive(view, host)));
}

function knowEachOther(one: NodeView, other: NodeView): boolean {
  return isMember(other, one.hostId) && isMember(one, other.hostId);
}

/** Whether the spec says that a pod is another host than this one. */
function acknowledgesOther(picture: RegionPicture, pod: string, hostId: string): boolean {
  const known = picture.region.acknowledgedHosts.filter((each) => each.pod === pod);
  return known.length > 0 && known.every((each) => each.hostId !== hostId);
}

function acknowledges(picture: RegionPicture, pod: string, hostId: string): boolean {
  return picture.region.acknowledgedHosts.some((each) => each.pod === pod && each.hostId === hostId);
}
