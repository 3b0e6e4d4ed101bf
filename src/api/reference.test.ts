import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { referencePage } from './reference.ts';

test('the reference that is checked in is the one the schema makes', () => {
  const page = readFileSync(new URL('../../docs/reference/multicassandracluster.md', import.meta.url), 'utf8');
  assert.equal(page, referencePage(), 'run `make reference`');
});

test('every link of the reference leads to a heading of it', () => {
  const page = referencePage();
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading.toLowerCase().replaceAll(/[^\w-]/g, ''),
  );
  const links = [...page.matchAll(/\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
  assert.ok(links.length > 10);
  assert.deepEqual(
    links.filter((anchor) => !headings.includes(anchor)),
    [],
  );
});
