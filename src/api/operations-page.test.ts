import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reasons } from './conditions.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

/** By condition type: the rows of its table, each as its cells. */
const tables = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const rows = section.split('\n').filter((line) => line.startsWith('| `'));
      const cells = rows.map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      );
      return [section.split('\n')[0] ?? '', cells] as const;
    }),
);

for (const [type, known] of Object.entries(reasons)) {
  test(`docs/operations.md says of each reason of ${type} what it means, what is done and what to do`, () => {
    const rows = tables.get(type) ?? [];
    assert.deepEqual(
      rows.map(([reason = '']) => reason).sort(),
      Object.keys(known)
        .map((each) => `\`${each}\``)
        .sort(),
    );
    for (const row of rows) assert.ok(row.length === 4 && row.every((cell) => cell !== ''), row.join(' | '));
  });
}

test('docs/operations.md describes no condition that there is not', () => {
  assert.deepEqual([...tables.keys()].sort(), Object.keys(reasons).sort());
});
