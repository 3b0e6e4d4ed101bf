import type { z } from 'zod';
import { isObject } from './json.ts';
import { openApiSchema } from './openapi.ts';
import { invalid, type Problem } from './problem.ts';
import { describe, type OpenApiSchema, unknownFields } from './schema-check.ts';
import { apiGroup, kind, type MultiCassandraCluster, multiCassandraClusterSchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

export type Parsed = { mcc: MultiCassandraCluster; problems?: never } | { problems: Problem[]; mcc?: never };

export interface ParseOptions {
  /**
   * What fields are that the schema does not know. `ignore`, the default, is for objects read from an API server, which
   * a newer Ringmaster may have written; `refuse` is for what a person wrote.
   */
  unknownFields?: 'ignore' | 'refuse';
}

/** Reads any JSON as a MultiCassandraCluster, defaults filled in, or says what is wrong with it. Never throws. */
export function parseMultiCassandraCluster(raw: unknown, options: ParseOptions = {}): Parsed {
  const parsed = multiCassandraClusterSchema.safeParse(raw, { error: sentence });
  const problems = (parsed.error?.issues ?? []).map((issue) => invalid(issue.path.map(step), issue.message));
  if (options.unknownFields === 'refuse') {
    problems.push(...unknownFields(raw, strictSchema(), [], 'MultiCassandraCluster'));
  }
  return parsed.success && problems.length === 0 ? { mcc: parsed.data } : { problems };
}

let strict: OpenApiSchema | undefined;
const open: OpenApiSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The resource's own schema, open where others say what may stand: the API server, and validation for the template. */
function strictSchema(): OpenApiSchema {
  if (!strict) {
    strict = openApiSchema();
    const template = strict.properties?.['spec']?.properties?.['template'];
    if (strict.properties) strict.properties['metadata'] = open;
    if (template?.properties) template.properties['metadata'] = open;
  }
  return strict;
}

const step = (key: PropertyKey): string | number => (typeof key === 'symbol' ? String(key) : key);

const expectations = new Map([
  ['object', 'an object'],
  ['record', 'an object'],
  ['array', 'a list'],
  ['int', 'a whole number'],
  ['number', 'a number'],
  ['string', 'text'],
  ['boolean', 'true or false'],
]);

/** The sentence for an issue whose schema has none of its own. */
function sentence(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'This field is required.';
    return `This must be ${expectations.get(issue.expected) ?? issue.expected}, but it is ${describe(issue.input)}.`;
  }
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const hint = typeof issue.input === 'string' ? didYouMean(issue.input, values) : '';
    return `This must be one of ${values.join(', ')}, but it is ${describe(issue.input)}.${hint}`;
  }
  if (issue.code === 'too_small') return `This must be at least ${issue.minimum}${unit(issue.origin)}.`;
  if (issue.code === 'too_big') return `This must be at most ${issue.maximum}${unit(issue.origin)}.`;
  return undefined;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters long';
  return origin === 'array' ? ' entries long' : '';
}

/** Whether this is meant to be an object of ours, right or wrong. */
export function isOurs(raw: unknown): boolean {
  if (!isObject(raw)) return false;
  const { apiVersion, kind: named } = raw;
  return named === kind || (typeof apiVersion === 'string' && apiVersion.startsWith(`${apiGroup}/`));
}
