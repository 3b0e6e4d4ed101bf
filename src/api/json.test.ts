import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isSameJson } from './json.ts';

describe('isSameJson', () => {
  test('answers as isDeepStrictEqual does', () => {
    // As text has it, which knows no -0.
    const values = fc.json({ depthSize: 'small' }).map((text) => JSON.parse(text) as unknown);
    fc.assert(
      fc.property(values, values, (one, other) => {
        assert.equal(isSameJson(one, other), isDeepStrictEqual(one, other));
        assert.ok(isSameJson(one, structuredClone(one)));
      }),
    );
  });

  test('looks at every field and every item, whatever the order of the fields', () => {
    assert.ok(isSameJson({ a: [1, { b: null }], c: 'd' }, { c: 'd', a: [1, { b: null }] }));
    const differing = [
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, { a: 1, b: 1 }],
      [{ a: undefined }, {}],
      [{ a: undefined }, { b: undefined }],
      [
        [1, 2],
        [2, 1],
      ],
      [[1], [1, 2]],
      [[], {}],
      [null, {}],
      [{ a: { b: [{ c: 1 }] } }, { a: { b: [{ c: '1' }] } }],
    ];
    for (const [one, other] of differing) {
      assert.ok(!isSameJson(one, other));
      assert.ok(!isSameJson(other, one));
    }
  });
});
