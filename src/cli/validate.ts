import { readFileSync } from 'node:fs';
import { effective } from '../api/effective.ts';
import { isObject } from '../api/json.ts';
import { isOurs, parseMultiCassandraCluster } from '../api/parse.ts';
import { type FieldPath, parsePath, type Problem } from '../api/problem.ts';
import { kind } from '../api/schema.ts';
import { validate } from '../api/validate.ts';
import { type MemberSchema, validateMembers } from '../api/validation/members.ts';
import type { Output } from './output.ts';
import { readYaml, type YamlDocument } from './yaml-file.ts';

export interface ValidateOptions {
  /** The regional operator's CRD, if known: template, patches and overrides are checked against it too. */
  memberSchema?: MemberSchema;
}

/**
 * `ringmaster validate FILE` (`-`: standard input): checks every MultiCassandraCluster in a YAML or JSON file (several documents, or a List),
 * and writes a line for each problem, `FILE:LINE:COLUMN: path: sentence`, and for each valid object. Objects of other
 * kinds are named and passed over.
 *
 * Returns the exit code. 0: all are valid. 1: there are problems, or no MultiCassandraCluster. 2: the file cannot be read.
 */
export function runValidate(file: string, out: Output, options: ValidateOptions = {}): number {
  let text: string;
  try {
    text = readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
  } catch (error) {
    out.write(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const tally: Tally = { valid: 0, invalid: 0 };
  for (const document of readYaml(text)) {
    const say: Say = (path, sentence) => {
      const { line, column } = document.position(path);
      out.write(`${file}:${line}:${column}: ${sentence}\n`);
    };
    for (const { line, column, message } of document.errors) out.write(`${file}:${line}:${column}: ${message}\n`);
    if (document.errors.length > 0) tally.invalid++;
    else for (const item of itemsOf(document)) checkItem(item, say, tally, options);
  }
  if (tally.valid + tally.invalid === 0) out.write(`${file}: there is no ${kind} in it\n`);
  return tally.valid > 0 && tally.invalid === 0 ? 0 : 1;
}

type Say = (path: FieldPath, sentence: string) => void;

interface Tally {
  valid: number;
  invalid: number;
}

/** One object, and where it stands in its document. */
interface Item {
  raw: unknown;
  path: FieldPath;
}

/** The objects of a document: itself, or what it lists if it is a List, as `kubectl get -o yaml` writes. */
function itemsOf({ value }: YamlDocument): Item[] {
  if (isObject(value) && value['kind'] === 'List' && Array.isArray(value['items'])) {
    return (value['items'] as unknown[]).map((raw, index) => ({ raw, path: ['items', index] }));
  }
  return [{ raw: value, path: [] }];
}

function checkItem({ raw, path }: Item, say: Say, tally: Tally, { memberSchema }: ValidateOptions): void {
  if (!isOurs(raw)) {
    say(path, `passed over, for it is no ${kind}`);
    return;
  }
  const { mcc, problems } = parseMultiCassandraCluster(raw, { unknownFields: 'refuse' });
  const own = problems ?? validate(mcc);
  const found = own.length > 0 || !mcc ? own : validateMembers(mcc, () => memberSchema);
  for (const problem of found) say([...path, ...parsePath(problem.path)], describe(problem));
  if (found.length > 0) tally.invalid++;
  else tally.valid++;
  if (!mcc || found.length > 0) return;
  const { clusterName, regions, racks } = effective(mcc);
  const nodes = racks.reduce((sum, rack) => sum + rack.nodes, 0);
  say(
    path,
    `${mcc.metadata.name}: valid: cluster ${clusterName}, regions ${regions.map(({ name }) => name).join(' ')}, nodes ${nodes}`,
  );
}

function describe({ path, reason, message }: Problem): string {
  const notYet = reason === 'NotYetSupported' ? ' (NotYetSupported)' : '';
  return `${path === '' ? '' : `${path}: `}${message}${notYet}`;
}
