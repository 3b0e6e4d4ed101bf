import { type Cell, duration, type Style, tableLines, toned, type Tone, wrapped } from '../terminal.ts';
import type { Matter } from '../../api/matters.ts';
import type { ConditionReport, RegionReport, StatusReport } from './report.ts';

/** The federation at a glance, as lines. Pure. */
export function reportLines(report: StatusReport, nowMs: number, style: Style): string[] {
  const { namespace, name, ready, summary, current } = report;
  const word = ready.status === 'True' ? 'Ready' : `not Ready: ${ready.reason}`;
  const counts = `regions ${summary.regions}, nodes ${summary.nodes}`;
  return [
    `${toned(`${namespace}/${name}`, 'heading', style)}  ${toned(word, toneOf(ready), style)}${since(ready.since, nowMs)}  ${counts}`,
    ...(current ? [] : wrapped('The status does not speak of the spec as it is now yet.', style.columns)),
    '',
    ...regionTable(report.regions, nowMs, style),
    '',
    ...ringLines(report, nowMs, style),
    ...seedLines(report, style),
    ...matterLines('Your turn', 'bad', report.yourTurn, nowMs, style),
    ...matterLines('Waits', 'doubtful', report.waiting, nowMs, style),
    ...matterLines('Under way', 'good', report.underWay, nowMs, style),
    ...(isQuiet(report) ? ['', 'Nothing is under way, and nothing waits for you.'] : []),
  ];
}

function isQuiet({ ready, yourTurn, waiting, underWay }: StatusReport): boolean {
  return ready.reason !== 'NotSaid' && yourTurn.length + waiting.length + underWay.length === 0;
}

/** One line for each, in the order given. Pure. */
export function listLines(reports: readonly StatusReport[], nowMs: number, style: Style): string[] {
  const heading = ['NAMESPACE', 'NAME', 'READY', 'REGIONS', 'NODES', 'RING', 'WHAT'];
  const rows = reports.map((report): Cell[] => [
    { text: report.namespace },
    { text: report.name },
    { text: report.ready.status, tone: toneOf(report.ready) },
    { text: report.summary.regions },
    { text: report.summary.nodes },
    { text: ringWord(report.ring), tone: toneOf(report.ring) },
    inShort(report, nowMs),
  ]);
  return tableLines([heading.map((text) => ({ text, tone: 'quiet' as const })), ...rows], style);
}

function inShort({ yourTurn, waiting, underWay }: StatusReport, nowMs: number): Cell {
  const lists: [string, Tone, readonly Matter[]][] = [
    ['your turn', 'bad', yourTurn],
    ['waits', 'doubtful', waiting],
    ['under way', 'good', underWay],
  ];
  for (const [word, tone, [first]] of lists) {
    if (!first) continue;
    const where = first.region === undefined ? '' : `${first.region} `;
    return { text: `${word}: ${where}${first.reason}${since(first.since, nowMs)}`, tone };
  }
  return { text: '' };
}

function regionTable(regions: readonly RegionReport[], nowMs: number, style: Style): string[] {
  const heading = ['REGION', 'STATE', 'STAGE', 'NODES', 'SEEDS', 'REACHABLE'];
  const rows = regions.map((region): Cell[] => {
    const { name, state, stage, nodes, readyNodes, reachable, seeds } = region;
    return [
      { text: name },
      { text: state, ...(state === 'Dropped' && { tone: 'bad' as const }) },
      { text: stage, tone: stage === 'Running' || stage === 'Observed' ? 'good' : 'doubtful' },
      { text: `${readyNodes}/${nodes}`, ...(readyNodes < nodes && { tone: 'doubtful' as const }) },
      { text: seeds.toLowerCase(), ...(seeds === 'Older' && { tone: 'doubtful' as const }) },
      { text: reachability(reachable, nowMs), tone: toneOf(reachable) },
    ];
  });
  return tableLines([heading.map((text) => ({ text, tone: 'quiet' as const })), ...rows], style);
}

function reachability({ status, reason, since: at }: ConditionReport, nowMs: number): string {
  if (status === 'True') return 'yes';
  return status === 'False' ? `no${since(at, nowMs)}: ${reason}` : `not known: ${reason}`;
}

function ringWord({ status, reason }: ConditionReport): string {
  return status === 'True' ? 'intact' : reason;
}

function ringLines({ ring }: StatusReport, nowMs: number, style: Style): string[] {
  const founder = ring.founder === undefined ? '' : `; founded by ${ring.founder}`;
  const word = ring.status === 'True' ? 'intact' : `${ring.reason}${since(ring.since, nowMs)}`;
  return labelled('Ring', `${word}: ${ring.message}${founder}`, style);
}

function seedLines({ seeds, regions }: StatusReport, style: Style): string[] {
  const holding = regions.filter((region) => region.seeds !== 'None').map(({ name }) => name);
  return seeds.flatMap(({ address, appliedIn }, at) => {
    const isEverywhere = appliedIn.length > 0 && holding.every((name) => appliedIn.includes(name));
    const where = isEverywhere ? 'everywhere' : appliedIn.join(', ') || 'nowhere yet';
    return labelled(at === 0 ? 'Seeds' : '', `${address} (${where})`, style);
  });
}

const labelWidth = 7;

function labelled(label: string, text: string, style: Style): string[] {
  const lines = wrapped(text, style.columns - labelWidth);
  return lines.map((line, at) => toned((at === 0 ? label : '').padEnd(labelWidth), 'quiet', style) + line);
}

/** Statements are never broken: they are there to be copied. */
function matterLines(title: string, tone: Tone, matters: readonly Matter[], nowMs: number, style: Style): string[] {
  if (matters.length === 0) return [];
  const entries = matters.flatMap(({ region, reason, message, since: at, todo, statements }) => {
    const where = region === undefined ? '' : `${region}: `;
    return [
      `  ${where}${toned(reason, tone, style)}${since(at, nowMs)}`,
      ...wrapped(message, style.columns - 4).map((line) => `    ${line}`),
      ...(todo === undefined ? [] : wrapped(`> ${todo}`, style.columns - 4).map((line) => `    ${line}`)),
      ...statements.map((statement) => `      ${statement}`),
    ];
  });
  return ['', toned(title, 'heading', style), ...entries];
}

function since(at: string | undefined, nowMs: number): string {
  return at === undefined ? '' : ` for ${duration(nowMs - Date.parse(at))}`;
}

function toneOf({ status }: ConditionReport): Tone {
  return status === 'True' ? 'good' : status === 'False' ? 'bad' : 'doubtful';
}
