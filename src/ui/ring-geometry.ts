import type { RegionView } from './federation-view.ts';
import type { NodeView } from './node-view.ts';

/** A piece of the circle, in degrees clockwise from the top. */
export interface Arc {
  readonly from: number;
  readonly to: number;
}

export interface PlacedNode {
  readonly node: NodeView;
  /** Degrees clockwise from the top. */
  readonly at: number;
}

/** Nodes of one datacenter, or of one rack of it, that stand side by side. */
export interface PlacedGroup extends Arc {
  readonly name: string;
}

export interface PlacedRegion extends Arc {
  readonly region: RegionView;
  readonly nodes: readonly PlacedNode[];
  readonly racks: readonly PlacedGroup[];
  readonly datacenters: readonly PlacedGroup[];
}

export interface RingLayout {
  readonly regions: readonly PlacedRegion[];
  /** Degrees between two neighbours of one rack. */
  readonly step: number;
}

/** More cannot be told apart on a circle; a list says it better. */
export const regionsMax = 12;
export const nodesMax = 96;

/** A region with few nodes is given as much room as one with so many: it has a name, too. */
const leastShare = 2;
/** Between regions, as a share of a node's place. */
const regionGap = 0.5;
/** Between racks, likewise. */
const rackGap = 0.35;

/** Where everything stands on the ring; undefined: there is too much of it, or nothing. */
export function layOut(regions: readonly RegionView[]): RingLayout | undefined {
  const count = regions.reduce((sum, { nodes }) => sum + nodes.length, 0);
  if (regions.length === 0 || regions.length > regionsMax || count > nodesMax) return undefined;
  const shares = regions.map(({ nodes }) => Math.max(leastShare, nodes.length + rackGap * (racksOf(nodes).length - 1)));
  const total = shares.reduce((sum, share) => sum + share, 0) + (regions.length > 1 ? regionGap * regions.length : 0);
  const step = 360 / total;
  // The first region has its middle at the top.
  let from = -((shares[0] ?? 0) * step) / 2;
  const placed = regions.map((region, index): PlacedRegion => {
    const to = from + (shares[index] ?? 0) * step;
    const there = { region, from, to, ...placeNodes(region.nodes, (from + to) / 2, step) };
    from = to + regionGap * step;
    return there;
  });
  return { regions: placed, step };
}

/** Nodes by datacenter and rack, in the order in which they come. */
export function racksOf(nodes: readonly NodeView[]): { datacenter: string; rack: string; nodes: NodeView[] }[] {
  const groups = Map.groupBy(nodes, ({ datacenter, rack }) => JSON.stringify([datacenter, rack]));
  return [...groups.values()].map((group) => ({
    datacenter: group[0]?.datacenter ?? '',
    rack: group[0]?.rack ?? '',
    nodes: group,
  }));
}

function placeNodes(
  nodes: readonly NodeView[],
  middle: number,
  step: number,
): Pick<PlacedRegion, 'nodes' | 'racks' | 'datacenters'> {
  const racks = racksOf(nodes);
  const width = (nodes.length + rackGap * (racks.length - 1)) * step;
  let next = middle - width / 2;
  const placed: PlacedNode[] = [];
  const groups = racks.map(({ datacenter, rack, nodes: own }) => {
    const from = next;
    for (const [index, node] of own.entries()) placed.push({ node, at: from + (index + 0.5) * step });
    const to = from + own.length * step;
    next = to + rackGap * step;
    return { datacenter, name: rack, from, to };
  });
  const datacenters = [...Map.groupBy(groups, ({ datacenter }) => datacenter)].map(([name, own]) => ({
    name,
    from: own[0]?.from ?? middle,
    to: own.at(-1)?.to ?? middle,
  }));
  return { nodes: placed, racks: groups.map(({ name, from, to }) => ({ name, from, to })), datacenters };
}

/** A point of the circle of this radius around the origin, as SVG has it: y grows downwards. */
export function point(degrees: number, radius: number): { x: number; y: number } {
  const radians = (degrees * Math.PI) / 180;
  return { x: round(radius * Math.sin(radians)), y: round(-radius * Math.cos(radians)) };
}

/** Path of an arc; drawn against the clock if it is turned round, so that text on it can be read at the bottom, too. */
export function arcPath({ from, to }: Arc, radius: number, isTurned = false): string {
  const [start, end] = isTurned ? [to, from] : [from, to];
  const [one, other] = [point(start, radius), point(end, radius)];
  const isLarge = to - from > 180 ? 1 : 0;
  return `M${one.x} ${one.y}A${radius} ${radius} 0 ${isLarge} ${isTurned ? 0 : 1} ${other.x} ${other.y}`;
}

/** Path of the outline of a piece of a ring, between two radii. */
export function sectorPath({ from, to }: Arc, inner: number, outer: number): string {
  const corner = point(to, inner);
  const back = arcPath({ from, to }, inner, true).replace(/^M\S+ [^A]+/, '');
  return `${arcPath({ from, to }, outer)}L${corner.x} ${corner.y}${back}Z`;
}

/** Length of an arc. */
export function lengthOf({ from, to }: Arc, radius: number): number {
  return ((to - from) * Math.PI * radius) / 180;
}

function round(value: number): number {
  return Math.round(value * 100) / 100 || 0;
}
