import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPath, parsePath } from './problem.ts';
import { checkAgainstSchema, type OpenApiSchema } from './schema-check.ts';
import { closest } from './suggest.ts';

function said(value: unknown, schema: OpenApiSchema): string[] {
  return checkAgainstSchema(value, schema, ['spec']).map(({ path, message }) => `${path}: ${message}`);
}
const keep = { 'x-kubernetes-preserve-unknown-fields': true };

test('below a node that keeps unknown fields and lists none, anything may stand', () => {
  assert.deepEqual(said({ any: { thing: [null, 1, 'x'] } }, { type: 'object', ...keep }), []);
});

test('a node that keeps unknown fields and lists some is closed all the same', () => {
  assert.deepEqual(said({ nmae: 1 }, { type: 'object', ...keep, properties: { name: { type: 'string' } } }), [
    'spec.nmae: "nmae" is not a field that the regional operator knows here. Did you mean "name"?',
  ]);
});

test('a node that lists nothing and keeps nothing has no fields', () => {
  assert.deepEqual(said({ a: 1 }, { type: 'object' }), [
    'spec.a: "a" is not a field that the regional operator knows here.',
  ]);
});

test('lists and maps are looked into', () => {
  const schema: OpenApiSchema = {
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
      map: { type: 'object', additionalProperties: { type: 'string' } },
      open: { type: 'object', additionalProperties: true },
    },
  };
  const value = { list: [{ name: 'a' }, { name: 1, b: 2 }], map: { 'a/b': true, c: 'd' }, open: { x: [{}] } };
  assert.deepEqual(said(value, schema), [
    'spec.list[1].name: This must be text, but it is the number 1.',
    'spec.list[1].b: "b" is not a field that the regional operator knows here.',
    'spec.map["a/b"]: This must be text, but it is true.',
  ]);
});

test('each type takes its own values only', () => {
  const values = { object: {}, array: [], integer: 1, number: 1.5, string: '1', boolean: true, null: null };
  const fits = (schema: OpenApiSchema): string[] =>
    Object.entries(values).flatMap(([name, value]) => (said(value, schema).length === 0 ? [name] : []));
  assert.deepEqual(fits({ type: 'object' }), ['object']);
  assert.deepEqual(fits({ type: 'array' }), ['array']);
  assert.deepEqual(fits({ type: 'integer' }), ['integer']);
  assert.deepEqual(fits({ type: 'number' }), ['integer', 'number']);
  assert.deepEqual(fits({ type: 'string' }), ['string']);
  assert.deepEqual(fits({ type: 'boolean' }), ['boolean']);
  assert.deepEqual(fits({ type: 'boolean', nullable: true }), ['boolean', 'null']);
  assert.deepEqual(fits({ 'x-kubernetes-int-or-string': true }), ['integer', 'string']);
});

test('fields named like parts of every JavaScript object are unknown too', () => {
  const value: unknown = JSON.parse('{"__proto__": {}, "constructor": {}, "toString": 1}');
  assert.deepEqual(
    checkAgainstSchema(value, { type: 'object', properties: {} }, []).map(({ path }) => path),
    ['__proto__', 'constructor', 'toString'],
  );
});

test('a path is read back as it was written', () => {
  const path = ['spec', 'regions', 1, 'labels', 'a.b/c"]', '', '0', 'cassandra-yaml', 2, 3];
  assert.equal(formatPath(path), 'spec.regions[1].labels["a.b/c\\"]"][""]["0"].cassandra-yaml[2][3]');
  assert.deepEqual(parsePath(formatPath(path)), path);
});

test('a word is only suggested if it is near', () => {
  const words = ['cassandraImage', 'value', 'name'];
  assert.equal(closest('cassandraimge', words), 'cassandraImage');
  assert.equal(closest('vlaue', words), 'value');
  assert.equal(closest('fame', words), 'name');
  assert.equal(closest('port', words), undefined);
  assert.equal(closest('x'.repeat(1_000_000), words), undefined);
});
