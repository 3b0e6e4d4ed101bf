import type { Tone } from './condition-view.ts';
import type { FederationView } from './federation-view.ts';
import { html, type Html } from './html.ts';
import { nodeSign, stateWords } from './node-symbol.ts';
import type { NodeView } from './node-view.ts';
import {
  type Arc,
  arcPath,
  layOut,
  lengthOf,
  type PlacedRegion,
  point,
  type RingLayout,
  racksOf,
  sectorPath,
} from './ring-geometry.ts';

/** Radii, in units of the drawing. */
const band = { inner: 198, outer: 250, nodes: 224 } as const;
const rackLine = 184;
const datacenterLine = 154;
const label = { outside: 264, insideOut: 281 } as const;
/** Largest first. */
const leastLabelSize = 14;
const labelSizes = [20, 17, leastLabelSize];
/** With more regions than this there is no room for the names of racks and datacenters. */
const namedGroupsMax = 6;
const nodeRadius = { least: 4, most: 17 } as const;
/** Corners of the bands are rounded by a line around them. */
const corner = 9;

export interface DrawingOptions {
  /** Begins the ids of the drawing; no two drawings of one page may share it. */
  readonly id: string;
  /** Without any word in it but the middle, for a small picture. */
  readonly isSmall?: boolean;
}

/** The ring as a drawing, with its content in words; undefined: there is more than can be drawn, or nothing. */
export function drawRing(view: FederationView, { id, isSmall = false }: DrawingOptions): Html | undefined {
  const layout = layOut(view.regions);
  if (!layout) return undefined;
  const spacing = lengthOf({ from: 0, to: layout.step }, band.nodes);
  const radius = Math.min(nodeRadius.most, Math.max(nodeRadius.least, spacing * 0.34));
  const labelSize = isSmall ? undefined : labelSizeFor(layout);
  const areGroupsNamed = layout.regions.length <= namedGroupsMax;
  const edge = isSmall ? 262 : 296;
  return html`<svg
    class="ring${isSmall ? ' small' : ''}"
    viewBox="${-edge} ${-edge} ${2 * edge} ${2 * edge}"
    role="img"
    aria-labelledby="${id}-title ${id}-words"
  >
    <title id="${id}-title">The ring of ${view.name}</title>
    <desc id="${id}-words">${inWords(view)}</desc>
    <circle class="thread ${toneOfRing(view)}" r="${band.nodes}" />
    ${layout.regions.map((each, index) => drawRegion(each, { radius, id: `${id}-${index}`, isSmall, labelSize, areGroupsNamed }))}
    ${middle(view, isSmall)}
  </svg>`;
}

/** What the drawing shows, for those who do not see it. */
export function inWords({ regions, founder }: FederationView): string {
  const told = regions.map((region) => {
    const states = Map.groupBy(region.nodes, ({ state }) => state);
    const counts = [...states].map(([state, nodes]) => `${nodes.length} ${stateWords[state]}`).join(', ');
    const racks = racksOf(region.nodes).length;
    const founds = region.name === founder ? ', which founded the ring' : '';
    const nodes = `${region.nodes.length} ${region.nodes.length === 1 ? 'node' : 'nodes'}`;
    const where = racks > 1 ? `${nodes} in ${racks} racks` : nodes;
    return `region ${region.name}${founds}: ${where}${counts && ` (${counts})`}`;
  });
  return `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}. ${told.join('; ')}.`;
}

interface RegionStyle {
  readonly radius: number;
  readonly id: string;
  readonly isSmall: boolean;
  /** Undefined: without labels. */
  readonly labelSize: number | undefined;
  readonly areGroupsNamed: boolean;
}

function drawRegion(placed: PlacedRegion, { radius, id, isSmall, labelSize, areGroupsNamed }: RegionStyle): Html {
  const { region } = placed;
  const inset = (corner / band.nodes) * (180 / Math.PI);
  const arc = { from: placed.from + inset, to: placed.to - inset };
  return html`<g class="region ${region.tone}">
    <path class="band" d="${sectorPath(arc, band.inner + corner, band.outer - corner)}"
      ><title>${region.name}: ${region.stage}. ${region.words}</title></path
    >
    ${labelSize !== undefined && regionLabel(placed, labelSize, id)}
    ${!isSmall && placed.racks.map((each, index) => groupLine(each, rackLine, 'rack', areGroupsNamed && `${id}-r${index}`))}
    ${!isSmall && placed.datacenters.map((each, index) => groupLine(each, datacenterLine, 'datacenter', areGroupsNamed && `${id}-d${index}`))}
    ${placed.nodes.map(({ node, at }) => {
      const { x, y } = point(at, band.nodes);
      const seed = node.isSeed ? ', seed' : '';
      return html`<g transform="translate(${x} ${y})"
        ><title>${node.pod}: ${node.words}${seed}</title>${nodeSign(node.state, node.isSeed, radius)}</g
      >`;
    })}
  </g>`;
}

/** The thread through all regions is whole while the ring is. */
function toneOfRing({ conditions }: FederationView): Tone {
  return conditions.find(({ type }) => type === 'RingIntact')?.tone ?? 'unknown';
}

/** Name and count of a region, along the outside of its band. */
function regionLabel(placed: PlacedRegion, size: number, id: string): Html {
  const { marks, count, room } = labelOf(placed);
  const name = shortened(placed.region.name, room, size);
  // It may reach into the gaps beside its band.
  const arc = widened(placed, 8);
  const text = html`${marks}${name}<tspan class="count" dx="0.35em">${count}</tspan>`;
  return onArc(arc, label, id, `region-name size-${size}`, text);
}

interface Label {
  readonly marks: string;
  readonly count: string;
  /** For the name, by the size of the letters: how many there is room for. */
  readonly room: (size: number) => number;
}

function labelOf({ region, from, to }: PlacedRegion): Label {
  const count = `${upOf(region.nodes)}/${region.nodes.length}`;
  const marks = `${region.isFounder ? '★ ' : ''}${region.tone === 'bad' ? '! ' : ''}`;
  const length = lengthOf({ from, to }, label.outside);
  return { marks, count, room: (size) => roomFor(length, size) - marks.length - count.length - 2 };
}

/** The largest size in which all names have room. */
function labelSizeFor({ regions }: RingLayout): number {
  const fits = (size: number): boolean => regions.every((each) => each.region.name.length <= labelOf(each).room(size));
  return labelSizes.find(fits) ?? leastLabelSize;
}

/** A line along the nodes of a rack or datacenter, with its name on the inside where there is room. */
function groupLine(group: Arc & { readonly name: string }, radius: number, kind: string, id: string | false): Html {
  const inset = (group.to - group.from) * 0.08;
  const arc = { from: group.from + inset, to: group.to - inset };
  const name = shortened(group.name, (size) => roomFor(lengthOf(widened(group, 2), radius - 10), size), 13);
  const line = html`<path class="group ${kind}" d="${arcPath(arc, radius)}" />`;
  if (name === '' || id === false) return line;
  const radii = { outside: radius - 16, insideOut: radius - 7 };
  return html`${line}${onArc(widened(group, 3), radii, id, `group-name ${kind}`, html`${name}`)}`;
}

/** Text along an arc, centred; in the lower half it runs the other way, so that nothing stands on its head. */
function onArc(arc: Arc, radii: { outside: number; insideOut: number }, id: string, kind: string, text: Html): Html {
  const centre = ((((arc.from + arc.to) / 2) % 360) + 360) % 360;
  const isTurned = centre > 95 && centre < 265;
  const path = arcPath(arc, isTurned ? radii.insideOut : radii.outside, isTurned);
  return html`<path id="${id}" class="guide" d="${path}" /><text class="${kind}"
      ><textPath href="#${id}" startOffset="50%">${text}</textPath></text
    >`;
}

/** As much of `text` as there is room for; '' where that says nothing. */
function shortened(text: string, room: (size: number) => number, size: number): string {
  const most = room(size);
  if (text.length <= most) return text;
  return most < 4 ? '' : `${text.slice(0, most - 1)}…`;
}

/** Characters of this size on `length` units. */
function roomFor(length: number, size: number): number {
  return Math.floor(length / (size * 0.56));
}

function widened({ from, to }: Arc, degrees: number): Arc {
  // A full circle would have no beginning.
  const by = Math.min(degrees, (359 - (to - from)) / 2);
  return { from: from - by, to: to + by };
}

function middle({ regions, conditions }: FederationView, isSmall: boolean): Html {
  const nodes = regions.flatMap((region) => region.nodes);
  const intact = conditions.find(({ type }) => type === 'RingIntact');
  const reason = intact?.reason ?? '';
  const verdict = Object.hasOwn(verdicts, reason) ? verdicts[reason] : 'ring not proven';
  return html`<g class="middle ${intact?.tone ?? 'unknown'}">
    <text class="figure" y="${isSmall ? 14 : -2}">${upOf(nodes)}<tspan class="of">/${nodes.length}</tspan></text>
    ${!isSmall && html`<text class="unit" y="28">nodes up</text>`}
    <text class="verdict" y="${isSmall ? 62 : 58}">${verdict}</text>
  </g>`;
}

/** What RingIntact says, in as few words as have room in the middle. */
const verdicts: Readonly<Record<string, string>> = {
  OneRing: 'one ring',
  NoRing: 'no ring yet',
  RingSplit: 'more than one ring',
  ViewsDiffer: 'views differ',
};

/** How many are up; `?` where nobody can tell of any. */
function upOf(nodes: readonly NodeView[]): string {
  if (nodes.length > 0 && nodes.every(({ state }) => state === 'unknown')) return '?';
  return String(nodes.filter(({ state }) => state === 'up').length);
}
