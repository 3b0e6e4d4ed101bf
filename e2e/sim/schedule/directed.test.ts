import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { directed } from './directed.ts';
import { simulate } from './simulate.ts';

describe('histories with one thing in mind', () => {
  for (const [name, history] of Object.entries(directed)) {
    test(`${name}: no invariant breaks`, async () => {
      const { violation } = await simulate(history);
      assert.equal(violation, undefined, violation?.sentence);
    });
  }
});
