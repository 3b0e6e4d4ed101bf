import { type Style, toned, type Tone, wrapped } from '../terminal.ts';
import { countsOf, type Finding, type Level } from './finding.ts';

const tones: Readonly<Record<Level, Tone>> = { ok: 'good', warning: 'doubtful', failure: 'bad', unseen: 'quiet' };
const words: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'warning', failure: 'FAILURE', unseen: '?' };
const margin = 11;

/** Findings as lines, by subject in the order of their first one. Pure. */
export function findingLines(findings: readonly Finding[], style: Style): string[] {
  const subjects = [...new Set(findings.map(({ subject }) => subject))];
  const groups = subjects.flatMap((subject) => [
    toned(subject, 'heading', style),
    ...findings.filter((each) => each.subject === subject).flatMap((each) => lines(each, style)),
    '',
  ]);
  const { failure, warning, ok, unseen } = countsOf(findings);
  const summary = [
    `${failure} ${failure === 1 ? 'failure' : 'failures'}`,
    `${warning} ${warning === 1 ? 'warning' : 'warnings'}`,
    `${ok} ok`,
    ...(unseen > 0 ? [`${unseen} that cannot be told from here`] : []),
  ].join(', ');
  return [...groups, toned(summary, failure > 0 ? 'bad' : warning > 0 ? 'doubtful' : 'good', style)];
}

/** What to type is never broken: it is there to be copied. */
function lines({ level, message, todo }: Finding, style: Style): string[] {
  const [first = '', ...rest] = wrapped(message, style.columns - margin);
  const indent = ' '.repeat(margin);
  return [
    `  ${toned(words[level], tones[level], style)}${' '.repeat(margin - 2 - words[level].length)}${first}`,
    ...rest.map((line) => indent + line),
    ...(todo ?? '').split('\n').flatMap((line) => (line === '' ? [] : [`${indent}> ${line}`])),
  ];
}
