import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reasons } from './conditions.ts';
import { whatToDo } from './what-to-do.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

/** The last cell of the row of `reason` in the table of `type`. */
function documented(type: string, reason: string): string {
  const section = page.split(/^### /m).find((each) => each.startsWith(`${type}\n`)) ?? '';
  const row = section.split('\n').find((line) => line.startsWith(`| \`${reason}\` |`)) ?? '';
  return row.slice(1, -1).split('|').at(-1)?.trim() ?? '';
}

for (const [type, known] of Object.entries(reasons)) {
  test(`what to do about each reason of ${type} is what docs/operations.md says`, () => {
    for (const reason of Object.keys(known)) {
      const said = documented(type, reason);
      const isSomething = !/^nothing\b|^See [A-Z]/.test(said);
      assert.equal(whatToDo(type, reason), isSomething ? said : undefined, `${type} ${reason}`);
    }
  });
}

test('of reasons that nobody knows nothing is said', () => {
  assert.equal(whatToDo('Stalled', 'constructor'), undefined);
  assert.equal(whatToDo('toString', 'Progressing'), undefined);
});
