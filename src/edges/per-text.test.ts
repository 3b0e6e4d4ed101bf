import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { perText } from './per-text.ts';

describe('perText', () => {
  test('computes once for a text it remembers, and anew for one it has forgotten', () => {
    const computed: string[] = [];
    const lengthOf = perText(2, (text) => {
      computed.push(text);
      return text.length;
    });
    const lengths = ['a', 'bb', 'a', 'bb', 'ccc', 'bb', 'a'].map(lengthOf);
    assert.deepEqual(lengths, [1, 2, 1, 2, 3, 2, 1]);
    assert.deepEqual(computed, ['a', 'bb', 'ccc', 'a']);
  });

  test('remembers no text that it could not compute', () => {
    const parse = perText(2, (text): unknown => JSON.parse(text));
    assert.throws(() => parse('{'), SyntaxError);
    assert.throws(() => parse('{'), SyntaxError);
    assert.equal(parse('1'), parse('1'));
  });
});
