import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '../kube/errors.ts';
import { kindOfFailure } from './failure-kind.ts';

test('a reconcile that fails is told by kind from one that fails by a mistake in the program', () => {
  const kinds = (['Conflict', 'Unreachable', 'ServerError', 'Timeout', 'Invalid', 'BadRequest'] as const).map((code) =>
    kindOfFailure(new KubeError(code, 'test')),
  );
  assert.deepEqual(kinds, ['usual', 'usual', 'usual', 'timeout', 'terminal', 'terminal']);
  assert.equal(kindOfFailure(new TypeError('test')), 'panic');
  assert.equal(kindOfFailure('test'), 'panic');
});
