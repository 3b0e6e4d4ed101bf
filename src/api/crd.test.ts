import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { crdYaml, customResourceDefinition } from './crd.ts';
import { openApiSchema } from './openapi.ts';
import type { OpenApiSchema } from './schema-check.ts';

test('the CRD that is checked in is the one the schema makes', () => {
  const checkedIn = readFileSync(
    new URL('../../crds/ringmaster.dev_multicassandraclusters.yaml', import.meta.url),
    'utf8',
  );
  assert.equal(checkedIn, crdYaml(), 'run `make crds`');
  assert.deepEqual(parse(checkedIn), customResourceDefinition());
});

/** Every node of the schema with its path. */
function* nodes(schema: OpenApiSchema, path: string): Generator<[string, OpenApiSchema]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {})) yield* nodes(property, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') yield* nodes(schema.additionalProperties, `${path}{}`);
}
const all = [...nodes(openApiSchema(), '')];

/** All a structural schema may hold that we have a use for (apiextensions.k8s.io/v1 JSONSchemaProps). */
const keywords = new Set(
  (
    'type format description default enum required properties items additionalProperties pattern minLength maxLength ' +
    'minimum maximum minItems maxItems maxProperties x-kubernetes-preserve-unknown-fields x-kubernetes-list-type ' +
    'x-kubernetes-list-map-keys x-kubernetes-validations'
  ).split(' '),
);

test('the schema is structural: a type everywhere, and only keywords that a CRD may hold', () => {
  for (const [path, node] of all) {
    assert.match(node.type ?? '', /^(object|array|string|integer|boolean)$/, path);
    for (const keyword of Object.keys(node)) assert.ok(keywords.has(keyword), `${path}: ${keyword}`);
    assert.ok(typeof node.additionalProperties !== 'boolean', `${path}: additionalProperties must be a schema`);
    assert.ok(!(node.properties && node.additionalProperties), `${path}: properties and additionalProperties`);
    if (node.type === 'array') assert.ok(node.items, `${path}: items`);
    if (node.type === 'integer') assert.match(String(node['format']), /^int(32|64)$/, path);
  }
});

test('every list of the spec says how it is merged, has a limit, and its keys are required', () => {
  for (const [path, node] of all.filter(([, { type }]) => type === 'array')) {
    const listType = node['x-kubernetes-list-type'];
    const keys = (node['x-kubernetes-list-map-keys'] ?? []) as string[];
    assert.ok(listType === 'atomic' || listType === 'map', path);
    assert.equal(keys.length > 0, listType === 'map', path);
    const required = node.items?.required ?? [];
    for (const key of keys) assert.ok(required.includes(key), `${path}: ${key}`);
    if (path.startsWith('.spec')) assert.ok(typeof node['maxItems'] === 'number', `${path}: maxItems`);
  }
});

test('every field of the spec is described', () => {
  for (const [path, node] of all) {
    const field = /\.spec.*\.[^.[{]+$/.test(path);
    if (field) assert.match(String(node['description']), /\.$/, path);
  }
});

test('patterns need no look-around, which the API server’s expressions do not have', () => {
  for (const [path, node] of all) {
    assert.doesNotMatch(JSON.stringify(node['pattern'] ?? ''), /\(\?[=!<]/, path);
  }
});
