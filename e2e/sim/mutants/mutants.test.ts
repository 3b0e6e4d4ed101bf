import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { invariants } from '../invariants/all.ts';
import { mutants, provenByTests } from './all.ts';
import { mutated } from './mutant.ts';

test('every mutant still changes the source, into something that can be read', () => {
  for (const mutant of mutants) {
    const source = readFileSync(new URL(`../../../src/${mutant.file}`, import.meta.url), 'utf8');
    assert.doesNotThrow(() => stripTypeScriptTypes(mutated(source, mutant)), mutant.name);
  }
});

test('every invariant has a mutant that is there to break it, or a test of its own', () => {
  const without = invariants.filter(({ name }) => !mutants.some((mutant) => mutant.breaks === name));
  assert.deepEqual(
    without.map(({ name }) => name),
    [...provenByTests],
  );
});

test('mutants have names of their own, and break invariants that there are', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  const names = new Set(invariants.map(({ name }) => name));
  for (const { name, breaks } of mutants) assert.ok(names.has(breaks), `${name}: ${breaks}`);
});
