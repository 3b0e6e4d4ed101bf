import { stringify } from 'yaml';
import type { KubeObject } from '../../kube/objects.ts';
import type { Style } from '../terminal.ts';
import { reportOf, type StatusReport } from './report.ts';
import { listLines, reportLines } from './text.ts';

/** What is shown: one MultiCassandraCluster, or all of a namespace or of the hub. */
export interface Shown {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** As text for people. */
export function textOf(
  { name, namespace }: Shown,
  objects: readonly KubeObject[],
  nowMs: number,
  style: Style,
): string[] {
  const reports = reportsOf(objects);
  if (reports.length === 0) return [`There is no MultiCassandraCluster in ${whereOf(namespace)}.`];
  if (name === undefined) return listLines(reports, nowMs, style);
  return reports.flatMap((report, at) => [...(at === 0 ? [] : ['']), ...reportLines(report, nowMs, style)]);
}

/** As a document for programs: the report of the one that is named in a namespace, else `{items: [...]}`. */
export function documentOf(
  { name, namespace }: Shown,
  objects: readonly KubeObject[],
  output: 'json' | 'yaml',
): string {
  const reports = reportsOf(objects);
  const [only] = reports;
  const document = name !== undefined && namespace !== undefined && only ? only : { items: reports };
  return output === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : stringify(document, { lineWidth: 0 });
}

function reportsOf(objects: readonly KubeObject[]): StatusReport[] {
  const key = ({ namespace, name }: StatusReport): string => `${namespace}/${name}`;
  return objects.map(reportOf).sort((one, other) => key(one).localeCompare(key(other)));
}

/** In words: where was looked. */
export function whereOf(namespace: string | undefined): string {
  return namespace === undefined ? 'any namespace' : `namespace ${namespace}`;
}
