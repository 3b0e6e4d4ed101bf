import { perObject } from '../edges/per-object.ts';
import type { NodeView } from '../ring/view.ts';
import type { Hosts } from './hosts.ts';
import { isGivenUp, type RegionPicture } from './picture.ts';

/**
 * What counts as the ring while regions leave it: nobody asks nodes that have left, and what the others hold of hosts that a person has given
 * up is overlooked for as long as these are down, or the ring could not be changed in order to be rid of them.
 */
export function viewsOfRing(
  heard: ReadonlyMap<string, NodeView>,
  pictures: readonly RegionPicture[],
  { joined }: Hosts,
): ReadonlyMap<string, NodeView> {
  const leaving = pictures.filter(({ leavingSince }) => leavingSince !== undefined);
  if (leaving.length === 0) return heard;
  const out = new Set(
    leaving.flatMap((picture) =>
      picture.pods.map(({ name }) => name).filter((name) => isGivenUp(picture) || !joined.has(name)),
    ),
  );
  const counted = new Map([...heard].filter(([pod]) => !out.has(pod)));
  const alive = new Set([...counted.values()].flatMap((view) => view.live.map((address) => view.hosts[address] ?? '')));
  const overlooked = leaving
    .filter(isGivenUp)
    .flatMap(({ region }) => region.abandonedHosts)
    .filter((host) => !alive.has(host));
  if (overlooked.length === 0) return counted;
  const key = overlooked.toSorted().join(' ');
  return new Map([...counted].map(([pod, view]) => [pod, blindTo(view, overlooked, key)]));
}

/** The region with those of its pods alone that are still in the ring, once it leaves. */
export function withoutLeft<T extends RegionPicture>(picture: T, { joined }: Hosts): T {
  if (picture.leavingSince === undefined) return picture;
  return { ...picture, pods: picture.pods.filter(({ name }) => joined.has(name)) };
}

/** Whoever reads a view again is given the same object for the same hosts. */
const blinded = perObject<NodeView, Map<string, NodeView>>(() => new Map());

function blindTo(view: NodeView, hosts: readonly string[], key: string): NodeView {
  const known = blinded(view);
  let blind = known.get(key);
  if (!blind) {
    const addresses = new Set(
      Object.entries(view.hosts).flatMap(([address, host]) => (hosts.includes(host) ? [address] : [])),
    );
    const seen = (list: readonly string[]): string[] => list.filter((address) => !addresses.has(address));
    blind = {
      ...view,
      hosts: Object.fromEntries(Object.entries(view.hosts).filter(([address]) => !addresses.has(address))),
      joining: seen(view.joining),
      leaving: seen(view.leaving),
      moving: seen(view.moving),
    };
    known.set(key, blind);
  }
  return blind;
}
