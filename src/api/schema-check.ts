import { isObject } from './json.ts';
import { type FieldPath, invalid, type Problem } from './problem.ts';
import { didYouMean } from './suggest.ts';

/** The part of a CRD's structural schema (apiextensions.k8s.io/v1) that decides which fields exist. */
export interface OpenApiSchema {
  type?: string;
  properties?: Record<string, OpenApiSchema>;
  items?: OpenApiSchema;
  additionalProperties?: boolean | OpenApiSchema;
  nullable?: boolean;
  description?: string;
  required?: string[];
  enum?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  'x-kubernetes-validations'?: { rule: string; message?: string; fieldPath?: string }[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  [keyword: string]: unknown;
}

interface Finding {
  kind: 'unknown' | 'type';
  path: FieldPath;
  message: string;
}

/**
 * Fields of `value` that `schema` does not know, and values of the wrong type. An API server drops such fields without
 * a word, or keeps them and the regional operator drops them when it first writes: CassKop's spec is marked as keeping
 * unknown fields, but its Go type has only the listed ones. So a node that lists properties is closed here, whatever it
 * says of unknown fields; only below a node that keeps unknown fields and lists none may anything stand.
 * `path` is where `value` stands, `owner` names in messages whose schema it is.
 */
export function checkAgainstSchema(
  value: unknown,
  schema: OpenApiSchema,
  path: FieldPath,
  owner = 'the regional operator',
): Problem[] {
  return [...findings(value, schema, path, owner)].map((finding) => invalid(finding.path, finding.message));
}

/** Only the unknown fields of checkAgainstSchema. */
export function unknownFields(value: unknown, schema: OpenApiSchema, path: FieldPath, owner: string): Problem[] {
  return [...findings(value, schema, path, owner)]
    .filter((finding) => finding.kind === 'unknown')
    .map((finding) => invalid(finding.path, finding.message));
}

function* findings(value: unknown, schema: OpenApiSchema, path: FieldPath, owner: string): Generator<Finding> {
  if (!hasType(value, schema)) {
    yield { kind: 'type', path, message: `This must be ${nameOfType(schema)}, but it is ${describe(value)}.` };
  } else if (Array.isArray(value)) {
    if (!schema.items) return;
    for (const [index, item] of (value as unknown[]).entries()) {
      yield* findings(item, schema.items, [...path, index], owner);
    }
  } else if (isObject(value)) {
    const { properties, additionalProperties } = schema;
    if (!properties && (schema['x-kubernetes-preserve-unknown-fields'] || additionalProperties === true)) return;
    for (const [key, item] of Object.entries(value)) {
      const below = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
      if (typeof below === 'object') {
        yield* findings(item, below, [...path, key], owner);
      } else if (!below) {
        const message = `${JSON.stringify(key)} is not a field that ${owner} knows here.`;
        yield {
          kind: 'unknown',
          path: [...path, key],
          message: message + didYouMean(key, Object.keys(properties ?? {})),
        };
      }
    }
  }
}

function hasType(value: unknown, schema: OpenApiSchema): boolean {
  if (value === null) return schema.nullable === true;
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'string' || Number.isInteger(value);
  switch (schema.type) {
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === schema.type;
    case undefined:
    default:
      return true;
  }
}

const typeNames = new Map([
  ['object', 'an object'],
  ['array', 'a list'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['string', 'text'],
  ['boolean', 'true or false'],
]);

function nameOfType(schema: OpenApiSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'a whole number or text';
  return typeNames.get(schema.type ?? '') ?? 'something else';
}

/** A value in a sentence: `the text "3"`, `the number 0.5`, `a list`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : JSON.stringify(value);
}
