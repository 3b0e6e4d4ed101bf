import { styleText } from 'node:util';
import type { Output } from './output.ts';

/** What a text is made for. */
export interface Style {
  /** Characters that fit on a line; Infinity where lines are never broken. */
  readonly columns: number;
  readonly colour: boolean;
}

/** A stream that may be a terminal, e.g. process.stdout. */
export interface TerminalOutput extends Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const columnsMin = 40;

/**
 * Colours only on a terminal, and not where NO_COLOR (no-color.org) or a terminal without any says otherwise. Lines are broken on a terminal, or
 * where COLUMNS says at which width.
 */
export function styleFor(out: TerminalOutput, env: NodeJS.ProcessEnv): Style {
  const isTerminal = out.isTTY ?? false;
  const asked = Number(env['COLUMNS']);
  const columns = isTerminal && out.columns ? out.columns : Number.isInteger(asked) && asked > 0 ? asked : Infinity;
  return {
    columns: Math.max(columnsMin, columns),
    colour: isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  };
}

export type Tone = 'good' | 'bad' | 'doubtful' | 'heading' | 'quiet';

const formats = { good: 'green', bad: 'red', doubtful: 'yellow', heading: 'bold', quiet: 'dim' } as const;

/** The text in the colour of `tone`, if there are colours. */
export function toned(text: string, tone: Tone | undefined, { colour }: Style): string {
  return colour && tone !== undefined ? styleText(formats[tone], text, { validateStream: false }) : text;
}

/** One cell of a table. */
export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

/** Rows as lines with aligned columns, two spaces apart. The last column is cut where it does not fit. */
export function tableLines(rows: readonly (readonly Cell[])[], style: Style): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach(({ text }, at) => (widths[at] = Math.max(widths[at] ?? 0, text.length)));
  return rows.map((row) => {
    let used = 0;
    const cells = row.map(({ text, tone }, at) => {
      const isLast = at === row.length - 1;
      const shown = isLast ? cut(text, Math.max(8, style.columns - used)) : text;
      used += (widths[at] ?? 0) + 2;
      const padding = isLast ? '' : ' '.repeat((widths[at] ?? 0) - text.length + 2);
      return toned(shown, tone, style) + padding;
    });
    return cells.join('').trimEnd();
  });
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** A paragraph as lines of at most `width` characters. A word that is longer stands on a line of its own, whole, so that it can be copied. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/** How long, in the two largest units: 45s, 5m12s, 3h4m, 2d3h. Below zero, as clocks that differ make it, is 0s. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ];
  const two = (large: number, unit: string, rest: number, smaller: string): string =>
    rest === 0 ? `${large}${unit}` : `${large}${unit}${rest}${smaller}`;
  if (days > 0) return two(days, 'd', hours - days * 24, 'h');
  if (hours > 0) return two(hours, 'h', minutes - hours * 60, 'm');
  if (minutes > 0) return two(minutes, 'm', seconds - minutes * 60, 's');
  return `${seconds}s`;
}
