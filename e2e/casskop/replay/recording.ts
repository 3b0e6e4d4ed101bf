import { readFileSync } from 'node:fs';
import type { ApiObject } from '../../harness/api-server.ts';

/** Where the namespace's objects live, by kind. */
export const collections = {
  CassandraCluster: '/apis/db.orange.com/v2/namespaces/cass/cassandraclusters',
  StatefulSet: '/apis/apps/v1/namespaces/cass/statefulsets',
  Pod: '/api/v1/namespaces/cass/pods',
  PersistentVolumeClaim: '/api/v1/namespaces/cass/persistentvolumeclaims',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/cass/poddisruptionbudgets',
  Service: '/api/v1/namespaces/cass/services',
} as const;

export type Kind = keyof typeof collections;

/** The first line: when the recording's t = 0 was, and its length in seconds. */
export interface Header {
  scenario: string;
  epoch: string;
  end: number;
}

/** An object that was there at the start. */
export interface Have {
  t: number;
  have: Kind;
  object: ApiObject;
}

/** What a person or the federation did. */
export interface User {
  t: number;
  user: string;
  /** The whole spec as it was after an apply; `metadata` comes with a creation. */
  spec?: unknown;
  metadata?: ApiObject['metadata'];
  seedlist?: string[];
  pod?: string;
  labels?: Record<string, string>;
  delete?: Kind;
}

/** What the controllers and the kubelet did: `object` added, `status` or `deletionTimestamp` set, or gone. */
export interface World {
  t: number;
  world: Kind;
  name: string;
  object?: ApiObject;
  status?: unknown;
  deletionTimestamp?: string;
  gone?: boolean;
}

/** What CassKop wrote; times in it are replaced by `<time>`. */
export interface Expectation {
  t: number;
  expect: Kind;
  /** Absent for a CassandraCluster. */
  name?: string;
  generation?: number;
  /** The generation in CassKop's last-applied annotation. */
  applied?: number | null;
  status?: unknown;
  spec?: unknown;
  /** Instead of a StatefulSet's spec: what is new in it, [path, value], or [path] of what is gone. */
  edits?: [path: (string | number)[], value?: unknown][];
  labels?: Record<string, string>;
  deleted?: boolean;
}

export interface Recording {
  header: Header;
  /** In the order in which they happened. */
  lines: (Have | User | World | Expectation)[];
}

/** Reads `traces/<scenario>.jsonl`; the format is described in traces/README.md. */
export function readRecording(scenario: string): Recording {
  const file = new URL(`../traces/${scenario}.jsonl`, import.meta.url);
  const [header, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const recording = { header: header as Header, lines: lines as Recording['lines'] };
  completeSpecs(recording);
  return recording;
}

/** Turns every StatefulSet's edits into the spec that they lead to. */
function completeSpecs({ lines }: Recording): void {
  const specs = new Map<string, unknown>();
  for (const line of lines) {
    if ('have' in line && line.have === 'StatefulSet') specs.set(line.object.metadata.name, line.object['spec']);
    if (!('expect' in line) || line.expect !== 'StatefulSet') continue;
    const { name = '', edits } = line;
    if (edits) {
      line.spec = edits.reduce((spec, [path, value]) => edited(spec, path, value), specs.get(name));
      delete line.edits;
    }
    specs.set(name, line.spec);
  }
}

/** A copy of `value` with `next` at `path`, or without what is there when `next` is undefined. */
function edited(value: unknown, [key, ...rest]: (string | number)[], next: unknown): unknown {
  if (key === undefined) return next;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  const part = edited(copy[key], rest, next);
  if (part === undefined) delete copy[key];
  else copy[key] = part;
  return copy;
}

/** What CassKop wrote, in order. */
export function expectationsOf({ lines }: Recording): Expectation[] {
  return lines.filter((line) => 'expect' in line);
}
