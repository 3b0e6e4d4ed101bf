import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { isObject } from '../api/json.ts';
import { parseMultiCassandraCluster } from '../api/parse.ts';
import { type Problem, parsePath } from '../api/problem.ts';
import { validate } from '../api/validate.ts';
import { fromMultiCasskop } from '../operators/casskop/multi-casskop.ts';
import type { Output } from './output.ts';
import { UsageError } from './usage-error.ts';
import { readYaml, type YamlDocument } from './yaml-file.ts';

export interface MigrateFlags {
  filename: string;
  /** Where the MultiCassandraCluster goes; undefined: standard output. */
  output?: string;
  seedsAddress?: string;
  namespace?: string;
}

/**
 * `ringmaster migrate -f FILE`: the MultiCassandraCluster that takes over what Multi-CassKop made of a MultiCasskop, as YAML to `out` or the file
 * `output`, and to `report` what differs, and what to do before and after. No cluster is asked; `ringmaster plan` does that.
 *
 * Returns the exit code. 0: it was written. 1: it cannot be said as a MultiCassandraCluster, and `report` says why, by field.
 * @throws UsageError for files that cannot be read or written.
 */
export function runMigrate(flags: MigrateFlags, out: Output, report: Output): number {
  const document = readMultiCasskop(flags.filename);
  const { seedsAddress, namespace } = flags;
  const { object, problems, notes } = fromMultiCasskop(document.value, {
    ...(seedsAddress !== undefined && { seedsAddress }),
    ...(namespace !== undefined && { namespace }),
  });
  for (const { path, message } of problems) {
    const { line, column } = document.position(parsePath(path));
    report.write(`${flags.filename}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}\n`);
  }
  for (const note of notes) report.write(`note: ${note}\n`);
  if (!object) return 1;
  const refused = problemsOf(object);
  for (const { path, message } of refused)
    report.write(`the MultiCassandraCluster would be refused: ${path}: ${message}\n`);
  if (refused.length > 0) return 1;
  const yaml = stringify(object, { aliasDuplicateObjects: false });
  if (flags.output === undefined) out.write(yaml);
  else save(flags.output, yaml);
  report.write(whatToDo(document.value, object, flags));
  return 0;
}

function readMultiCasskop(file: string): YamlDocument {
  let text: string;
  try {
    text = readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
  } catch (error) {
    throw new UsageError(`--filename ${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const documents = readYaml(text);
  const [broken] = documents.flatMap(({ errors }) => errors);
  if (broken) throw new UsageError(`${file}:${broken.line}:${broken.column}: ${broken.message}`);
  const multi = documents.filter(({ value }) => isObject(value) && value['kind'] === 'MultiCasskop');
  const [only, another] = multi.length > 0 ? multi : documents;
  if (!only || another) throw new UsageError(`--filename ${file}: expected one MultiCasskop, found ${multi.length}`);
  return only;
}

function problemsOf(object: unknown): readonly Problem[] {
  const { mcc, problems } = parseMultiCassandraCluster(object, { unknownFields: 'refuse' });
  return problems ?? validate(mcc);
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    throw new UsageError(`--output ${file}: cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Whoever writes to the members besides would fight with Ringmaster, and deleting the object the usual way deletes the ring. */
function whatToDo(multiCasskop: unknown, object: unknown, { output = 'FILE' }: MigrateFlags): string {
  const nameOf = (value: unknown): string => {
    const metadata = isObject(value) && isObject(value['metadata']) ? value['metadata'] : {};
    return String(metadata['name']);
  };
  const namespace = isObject(object) && isObject(object['metadata']) ? String(object['metadata']['namespace']) : '';
  return [
    'Next, see docs/operations.md:',
    '  1. stop Multi-CassKop for good: kubectl scale deployment MULTI-CASSKOP --replicas=0',
    `  2. see that nothing restarts: ringmaster plan -f ${output}`,
    `  3. kubectl apply -f ${output}; kubectl wait multicassandracluster/${nameOf(object)} -n ${namespace} --for=condition=Ready --timeout=10m`,
    '  4. take its finalizer from the MultiCasskop while Multi-CassKop is stopped, or it deletes the members; then delete it:',
    `     kubectl patch multicasskop ${nameOf(multiCasskop)} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`,
    '',
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
