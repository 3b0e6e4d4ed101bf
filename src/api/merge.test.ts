import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isObject, type JsonObject } from './json.ts';
import { mergePatch, parsePointer, without } from './merge.ts';

const jsonObject = fc
  .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }))
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

function hasNull(value: unknown): boolean {
  if (value === null) return true;
  return typeof value === 'object' && Object.values(value).some(hasNull);
}

test('false, 0 and empty strings replace; lists are replaced whole', () => {
  assert.deepEqual(
    mergePatch({ a: true, b: 3, c: 'x', d: [1, 2], e: { f: 1, g: 2 } }, { a: false, b: 0, c: '', d: [3], e: { g: 0 } }),
    { a: false, b: 0, c: '', d: [3], e: { f: 1, g: 0 } },
  );
});

test('null changes nothing, since a patch may not hold one', () => {
  assert.deepEqual(mergePatch({ a: 1, b: { c: 2 } }, { a: null, b: { c: null, d: null } }), { a: 1, b: { c: 2 } });
});

test('a field named __proto__ is data', () => {
  const merged = mergePatch(
    JSON.parse('{"__proto__": {"a": 1}}') as JsonObject,
    JSON.parse('{"__proto__": {"b": 2}}') as JsonObject,
  );
  assert.equal(JSON.stringify(merged), '{"__proto__":{"a":1,"b":2}}');
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
});

test('merging a patch twice changes nothing more, and an empty patch changes nothing', () => {
  fc.assert(
    fc.property(jsonObject, jsonObject, (base, patch) => {
      const once = mergePatch(base, patch);
      assert.deepEqual(mergePatch(once, patch), once);
      assert.deepEqual(mergePatch(base, {}), base);
    }),
  );
});

test('every value of a patch without nulls is in the result', () => {
  const contains = (value: unknown, patch: unknown): boolean =>
    isObject(patch)
      ? isObject(value) && Object.entries(patch).every(([key, below]) => contains(value[key], below))
      : JSON.stringify(value) === JSON.stringify(patch);
  fc.assert(
    fc.property(jsonObject, jsonObject, (base, patch) => {
      fc.pre(!hasNull(patch));
      assert.ok(contains(mergePatch(base, patch), patch));
    }),
  );
});

test('merging leaves its arguments as they were', () => {
  fc.assert(
    fc.property(jsonObject, jsonObject, (base, patch) => {
      const before = JSON.stringify([base, patch]);
      mergePatch(base, patch);
      assert.equal(JSON.stringify([base, patch]), before);
    }),
  );
});

test('pointers are read as in RFC 6901', () => {
  assert.deepEqual(parsePointer(''), []);
  assert.deepEqual(parsePointer('/spec/a~1b/m~0n/~01'), ['spec', 'a/b', 'm~n', '~1']);
  assert.deepEqual(parsePointer('/spec/'), ['spec', '']);
  assert.equal(parsePointer('spec/autoPilot'), undefined);
  assert.equal(parsePointer('/spec/~2'), undefined);
});

test('pointers into a list mean positions in the list as written, in any order', () => {
  const value = { list: ['a', 'b', 'c', { d: 1, e: 2 }] };
  const expected = { list: ['b', { e: 2 }] };
  const pointers = [
    ['list', '0'],
    ['list', '2'],
    ['list', '3', 'd'],
  ];
  assert.deepEqual(without(value, pointers), expected);
  assert.deepEqual(without(value, pointers.toReversed()), expected);
  assert.deepEqual(
    without(value, [
      ['list', '9'],
      ['nothing', 'here'],
      ['list', 'length'],
    ]),
    value,
  );
});
