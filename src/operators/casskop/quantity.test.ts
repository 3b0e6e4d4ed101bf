import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalQuantity } from './quantity.ts';

const spellings: [string, string][] = [
  ['1024Mi', '1Gi'],
  ['1Gi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['0.2', '200m'],
  ['1000m', '1'],
  ['500m', '500m'],
  ['2', '2'],
  ['1500', '1500'],
  ['1000', '1k'],
  ['0', '0'],
  ['0Mi', '0'],
  ['0.1Ki', '102400m'],
  ['1e3', '1e3'],
  ['.5', '500m'],
  ['-1000m', '-1'],
];

for (const [given, canonical] of spellings) {
  test(`the quantity ${given} is written ${canonical}`, () => {
    assert.equal(canonicalQuantity(given), canonical);
  });
}

test('what is no quantity stays as it is', () => {
  for (const text of ['', 'Gi', 'much', '1 Gi', '1GiB', '--1', '.']) assert.equal(canonicalQuantity(text), text);
});

test('writing a quantity canonically twice changes nothing more', () => {
  const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'u', 'n');
  const number = fc.oneof(
    fc.nat(1_000_000).map(String),
    fc.tuple(fc.nat(9999), fc.nat(999)).map(([whole, part]) => `${whole}.${part}`),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(number, suffix).map((parts) => parts.join('')),
        fc.string(),
      ),
      (text) => {
        const once = canonicalQuantity(text);
        assert.equal(canonicalQuantity(once), once);
      },
    ),
  );
});
