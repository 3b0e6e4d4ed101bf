import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newLease, readLease, withRecord } from './lease.ts';
import { formatMicroTime, parseMicroTime } from './micro-time.ts';

const record = { holder: 'one', durationMs: 15_000, acquiredAt: 1_000, renewedAt: 2_000.5, transitions: 3 };

test('a MicroTime is written with exactly six decimals, as API servers demand', () => {
  assert.equal(formatMicroTime(0), '1970-01-01T00:00:00.000000Z');
  assert.equal(formatMicroTime(Date.UTC(2026, 10, 21, 4, 5, 6, 7)), '2026-11-21T04:05:06.007000Z');
  assert.equal(formatMicroTime(1.25), '1970-01-01T00:00:00.001250Z');
});

test('what was written as a MicroTime is read as the same time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (milliseconds) => {
      const text = formatMicroTime(milliseconds);
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(parseMicroTime(text), milliseconds);
    }),
  );
});

test('any time in RFC 3339 is read, with whatever decimals and offset', () => {
  const expected = Date.UTC(2026, 10, 21, 4, 5, 6);
  for (const text of ['2026-11-21T04:05:06Z', '2026-11-21t04:05:06z', '2026-11-21T06:05:06+02:00']) {
    assert.equal(parseMicroTime(text), expected, text);
  }
  assert.equal(parseMicroTime('2026-11-21T04:05:06.5Z'), expected + 500);
  assert.equal(parseMicroTime('2026-11-21T04:05:06.250000000Z'), expected + 250);
});

test('what is no time is none', () => {
  for (const text of ['', 'now', '2026-11-21', '2026-11-21T04:05:06', '2026-13-41T04:05:06Z']) {
    assert.equal(parseMicroTime(text), undefined, text);
  }
});

test('a Lease says what was written into it', () => {
  assert.deepEqual(readLease(newLease({ namespace: 'ns', name: 'ringmaster' }, record)), record);
});

test('a Lease that says nothing, or nonsense, is nobody’s', () => {
  for (const spec of [undefined, {}, { holderIdentity: null, leaseTransitions: 'many', renewTime: 7 }]) {
    const { holder, durationMs, renewedAt, transitions } = readLease({ metadata: { name: 'x' }, spec });
    assert.deepEqual([holder, durationMs, renewedAt, transitions], ['', 0, undefined, 0]);
  }
});

test('what others keep in a Lease stays there', () => {
  const metadata = { name: 'x', labels: { team: 'a' }, uid: 'u', resourceVersion: '7' };
  const written = withRecord({ metadata, spec: { strategy: 'OldestEmulationVersion', holderIdentity: 'two' } }, record);
  assert.deepEqual(written.metadata, metadata);
  assert.equal((written['spec'] as Record<string, unknown>)['strategy'], 'OldestEmulationVersion');
  assert.equal(readLease(written).holder, 'one');
});
