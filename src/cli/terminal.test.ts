import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { duration, styleFor, tableLines, toned, wrapped } from './terminal.ts';

const terminal = { isTTY: true, columns: 80, write: () => undefined };
const plain = { columns: 80, colour: false };

test('colours are for terminals, unless NO_COLOR or the terminal says otherwise', () => {
  assert.equal(styleFor(terminal, {}).colour, true);
  assert.equal(styleFor(terminal, { NO_COLOR: '1' }).colour, false);
  assert.equal(styleFor(terminal, { NO_COLOR: '' }).colour, true, 'an empty one does not count, as no-color.org says');
  assert.equal(styleFor(terminal, { TERM: 'dumb' }).colour, false);
  assert.equal(styleFor({ write: () => undefined }, {}).colour, false);
  assert.equal(toned('text', 'bad', plain), 'text');
  assert.equal(toned('text', 'bad', { ...plain, colour: true }), '\u001B[31mtext\u001B[39m');
});

test('lines are broken at the width of the terminal, or at COLUMNS; never where neither is known', () => {
  assert.equal(styleFor(terminal, { COLUMNS: '100' }).columns, 80);
  assert.equal(styleFor({ write: () => undefined }, { COLUMNS: '100' }).columns, 100);
  assert.equal(styleFor({ write: () => undefined }, { COLUMNS: 'wide' }).columns, Infinity);
  assert.equal(styleFor({ ...terminal, columns: 3 }, {}).columns, 40);
});

test('how long is said in the two largest units', () => {
  const said = [0, -5, 999, 45_000, 60_000, 312_000, 3_600_000, 11_040_000, 183_600_000, 86_400_000].map(duration);
  assert.deepEqual(said, ['0s', '0s', '0s', '45s', '1m', '5m12s', '1h', '3h4m', '2d3h', '1d']);
});

test('a paragraph loses no word when it is broken, and no line is longer than it has to be', () => {
  const word = fc.stringMatching(/^[a-z]{1,30}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 10, max: 100 }), (words, width) => {
      const lines = wrapped(words.join(' '), width);
      assert.equal(lines.join(' '), words.join(' '));
      for (const line of lines) assert.ok(line.length <= width || !line.includes(' '), line);
    }),
  );
});

test('columns are aligned whatever the colours, and the last one is cut to the width', () => {
  const rows = [
    [{ text: 'eu', tone: 'good' as const }, { text: 'at rest' }],
    [{ text: 'us-east' }, { text: 'a sentence that is far too long for what is left' }],
  ];
  assert.deepEqual(tableLines(rows, { columns: 40, colour: false }), [
    'eu       at rest',
    'us-east  a sentence that is far too lon…',
  ]);
  const coloured = tableLines(rows, { columns: 40, colour: true });
  assert.equal(coloured[0], '\u001B[32meu\u001B[39m       at rest');
});
