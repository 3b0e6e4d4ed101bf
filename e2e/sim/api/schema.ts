import { isRecord, type Json } from './values.ts';

/**
 * What the server knows of a value's form: how two values merge, which fields it fills in, which it drops. Built from
 * a CustomResourceDefinition's schema, or written down for a built-in kind (built-in-schemas.ts).
 */
export interface Schema {
  /** Fields that are declared, as against the keys of a map. */
  fields?: ReadonlyMap<string, Schema>;
  /** Of keys that are no declared field. */
  elements?: Schema;
  /** Keys that are no declared field count as declared ones of this form: a built-in kind that is not written down in full. */
  others?: Schema;
  items?: Schema;
  /** How lists merge. `set`: by value, `map`: by `keys`, `atomic`: not at all. */
  list: 'atomic' | 'set' | 'map';
  keys: readonly string[];
  /** The whole map is one value. */
  atomic: boolean;
  /** Filled in where the field is absent; a function computes it from the object it stands in. */
  defaultValue?: unknown;
  /** Whether anything below has a default. */
  hasDefaults: boolean;
  /** An empty list or map is as good as none. */
  dropsEmpty?: true;
  /** Keys that are not known are dropped when stored. */
  prunes: boolean;
  /** Keys that are not known may be written, here and below. */
  preserves?: true;
}

const untyped: Schema = { list: 'atomic', keys: [], atomic: false, hasDefaults: false, prunes: false };
/** Anything at all: maps merge key by key, lists are replaced. */
export const anything: Schema = Object.assign(untyped, { elements: untyped });
export const scalar: Schema = { list: 'atomic', keys: [], atomic: false, hasDefaults: false, prunes: false };

/** What `key` of a map with this schema holds. */
export function childSchema(schema: Schema, key: string): Schema {
  return schema.fields?.get(key) ?? schema.others ?? schema.elements ?? anything;
}

/** Whether `key` is a field of the schema, as against a key somebody chose. */
export function isDeclared(schema: Schema, key: string): boolean {
  return schema.others !== undefined || (schema.fields?.has(key) ?? false);
}

/**
 * The name of a list's item by which it is merged, as messages write it: its keys' values, or itself. Begins with a NUL,
 * so it is never the name of a field.
 */
export function itemKey(schema: Schema, item: unknown): string {
  if (schema.list === 'set' || !isRecord(item)) return `\0=${JSON.stringify(item)}`;
  const [first = ''] = schema.keys;
  if (schema.keys.length === 1) return `\0${first}=${JSON.stringify(item[first])}`;
  const value = (key: string): unknown => item[key] ?? schema.items?.fields?.get(key)?.defaultValue;
  return `\0${schema.keys.map((key) => `${key}=${JSON.stringify(value(key))}`).join(',')}`;
}

interface OpenApi {
  properties?: Record<string, OpenApi>;
  additionalProperties?: OpenApi | boolean;
  items?: OpenApi;
  default?: unknown;
  [extension: `x-kubernetes-${string}`]: unknown;
}

/** From the `openAPIV3Schema` of a CustomResourceDefinition; `metadata` is that of every object. */
export function schemaOfCustomKind(openApi: unknown, metadata: Schema): Schema {
  const root = fromOpenApi((openApi ?? { 'x-kubernetes-preserve-unknown-fields': true }) as OpenApi);
  const fields = new Map(root.fields);
  fields.set('apiVersion', scalar).set('kind', scalar).set('metadata', metadata);
  return { ...root, fields };
}

function fromOpenApi(openApi: OpenApi): Schema {
  const { properties, additionalProperties, items } = openApi;
  const fields = properties && new Map(Object.entries(properties).map(([name, each]) => [name, fromOpenApi(each)]));
  const elements = isRecord(additionalProperties) ? fromOpenApi(additionalProperties) : undefined;
  const itemSchema = items && fromOpenApi(items);
  const preserves = openApi['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
  const list = openApi['x-kubernetes-list-type'];
  const below = [...(fields?.values() ?? []), elements, itemSchema].filter((each) => each !== undefined);
  return {
    ...(fields && { fields }),
    elements: elements ?? anything,
    ...(itemSchema && { items: itemSchema }),
    list: list === 'map' || list === 'set' ? list : 'atomic',
    keys: (openApi['x-kubernetes-list-map-keys'] as string[] | undefined) ?? [],
    atomic: openApi['x-kubernetes-map-type'] === 'atomic',
    ...(openApi.default !== undefined && { defaultValue: openApi.default }),
    hasDefaults: below.some((each) => each.hasDefaults || each.defaultValue !== undefined),
    prunes: properties !== undefined && elements === undefined && !preserves,
    ...(preserves && { preserves }),
  };
}

/** What is stored of one part of an object; undefined: nothing. */
export function normalisedPart(schema: Schema, part: string, value: unknown): unknown {
  const stored = (pruned(schema, { [part]: value }) as Json)[part];
  return stored === undefined ? undefined : withDefaults(childSchema(schema, part), stored);
}

/** `value` with the schema's defaults in place of what is absent; the same value when nothing is. */
function withDefaults(schema: Schema, value: unknown): unknown {
  if (!schema.hasDefaults) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? mapped(value, (item) => withDefaults(items, item)) : value;
  }
  if (!isRecord(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, field] of schema.fields ?? []) {
    const before = value[name];
    const start = before === undefined && field.defaultValue !== undefined ? defaultOf(field, value) : before;
    const after = start === undefined ? undefined : withDefaults(field, start);
    if (after !== before) (copy ??= { ...value })[name] = after;
  }
  const { elements } = schema;
  if (elements?.hasDefaults) {
    for (const key in value) {
      if (schema.fields?.has(key)) continue;
      const after = withDefaults(elements, value[key]);
      if (after !== value[key]) (copy ??= { ...value })[key] = after;
    }
  }
  return copy ?? value;
}

function defaultOf({ defaultValue }: Schema, parent: Json): unknown {
  return typeof defaultValue === 'function' ? (defaultValue as (parent: Json) => unknown)(parent) : defaultValue;
}

/**
 * `value` without what is not stored: fields that a custom kind neither declares nor keeps, and null or empty ones of a
 * built-in kind. The same value when there are none.
 */
function pruned(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? mapped(value, (item) => pruned(items, item)) : value;
  }
  if (!isRecord(value) || (schema.fields === undefined && schema.elements === anything)) return value;
  const isBuiltIn = schema.others !== undefined;
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    const field = schema.fields?.get(key);
    const form = field ?? schema.others ?? schema.elements ?? anything;
    const after = field || !schema.prunes ? pruned(form, value[key]) : undefined;
    const isDropped = after === undefined || (isBuiltIn && after === null) || (field?.dropsEmpty && isEmpty(after));
    if (after === value[key] && !isDropped) continue;
    copy ??= { ...value };
    if (isDropped) delete copy[key];
    else copy[key] = after;
  }
  return copy ?? value;
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** The path of a field that an apply may not have, such as `.spec.sise`: one that nothing declares or keeps. */
export function undeclaredPath(schema: Schema, value: unknown): string | undefined {
  if (schema.preserves || schema === anything) return undefined;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return undefined;
    for (const item of value) {
      const found = undeclaredPath(items, item);
      if (found !== undefined) return `[${itemKey(schema, item).slice(1)}]${found}`;
    }
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  for (const key in value) {
    const field = schema.fields?.get(key);
    if (!field && schema.prunes) return `.${key}`;
    const found = undeclaredPath(field ?? schema.others ?? schema.elements ?? anything, value[key]);
    if (found !== undefined) return `.${key}${found}`;
  }
  return undefined;
}

function mapped(list: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const after = change(list[i]);
    if (after !== list[i]) (copy ??= [...list])[i] = after;
  }
  return copy ?? list;
}
