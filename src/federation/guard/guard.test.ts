import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defaultGuardWaitSeconds, guardData, parseGuard } from './guard.ts';

const word = fc.stringMatching(/^[!-~]{1,40}$/);
const plain = { noNullPrototype: true };
const guard = fc.record({
  ignition: fc.uniqueArray(fc.record({ pod: word, address: word }, plain), {
    maxLength: 3,
    selector: (entry) => entry.pod,
  }),
  joined: fc.uniqueArray(fc.record({ pod: word, hostId: word }, plain), {
    maxLength: 12,
    selector: (entry) => entry.pod,
  }),
  waitSeconds: fc.nat(999_999_999),
  closed: fc.uniqueArray(word, { maxLength: 3 }),
});

test('a guard survives being written and read back', () => {
  fc.assert(
    fc.property(guard, (written) => {
      const read = parseGuard(guardData(written));
      assert.deepEqual(new Set(read.ignition), new Set(written.ignition));
      assert.deepEqual(new Set(read.joined), new Set(written.joined));
      assert.equal(read.waitSeconds, written.waitSeconds);
      assert.deepEqual(new Set(read.closed), new Set(written.closed));
    }),
  );
});

test('the order of entries does not change the data', () => {
  fc.assert(
    fc.property(guard, (written) => {
      const reversed = {
        ...written,
        ignition: written.ignition.toReversed(),
        joined: written.joined.toReversed(),
        closed: written.closed.toReversed(),
      };
      assert.deepEqual(guardData(reversed), guardData(written));
    }),
  );
});

test('an entry with a line break in it cannot add another entry', () => {
  const data = guardData({
    ignition: [{ pod: 'a\nb', address: 'x' }],
    joined: [{ pod: 'a', hostId: '' }],
    waitSeconds: 1,
  });
  assert.deepEqual(parseGuard(data), { ignition: [], joined: [], waitSeconds: 1, closed: [] });
});

test('any data can be read, and the wait is 600 s where it says none', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('ignition', 'joined', 'guard_wait_seconds'), fc.string()), (data) => {
      const read = parseGuard(data);
      assert.ok([...read.ignition, ...read.joined].every((entry) => Object.values(entry).every((text) => text !== '')));
      assert.ok(Number.isSafeInteger(read.waitSeconds) && read.waitSeconds >= 0);
    }),
  );
  assert.deepEqual(parseGuard(undefined), {
    ignition: [],
    joined: [],
    waitSeconds: defaultGuardWaitSeconds,
    closed: [],
  });
  assert.equal(parseGuard({ guard_wait_seconds: 'soon' }).waitSeconds, defaultGuardWaitSeconds);
});

test("the scripts are in the data, and the user's own only where there are some", () => {
  const empty = { ignition: [], joined: [], waitSeconds: 600 };
  assert.deepEqual(Object.keys(guardData(empty)).toSorted(), [
    'closed',
    'guard_wait_seconds',
    'ignition',
    'joined',
    'post_run.sh',
    'pre_run.sh',
  ]);
  assert.match(guardData(empty)['pre_run.sh'] ?? '', /^#!\/usr\/bin\/env bash\n/);
  const data = guardData({ ...empty, userPreRun: 'echo pre\n', userPostRun: 'echo post\n' });
  assert.equal(data['user_pre_run.sh'], 'echo pre\n');
  assert.equal(data['user_post_run.sh'], 'echo post\n');
});
