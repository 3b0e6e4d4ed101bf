import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalQuantity, compareQuantities } from './quantity.ts';
import { decodeCluster } from './typed.ts';

test('quantities are written as Kubernetes writes them', () => {
  const pairs = [
    ['1024Mi', '1Gi'],
    ['0.5Gi', '512Mi'],
    ['1500Mi', '1500Mi'],
    ['0.2', '200m'],
    ['1000m', '1'],
    ['1000', '1k'],
    ['1e9', '1e9'],
    ['10e4', '100e3'],
    ['0.5Ki', '512'],
    ['0', '0'],
    ['1.5', '1500m'],
    ['-2048Ki', '-2Mi'],
  ];
  for (const [written, canonical = ''] of pairs) assert.equal(canonicalQuantity(written ?? ''), canonical, written);
  assert.equal(canonicalQuantity(4), '4');
  assert.throws(() => canonicalQuantity('1 Gi'), RangeError);
});

test('a canonical quantity stays as it is, and means the same', () => {
  const suffix = fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3');
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(999), suffix, (whole, fraction, unit) => {
      const written = `${whole}.${fraction}${unit}`;
      const canonical = canonicalQuantity(written);
      assert.equal(canonicalQuantity(canonical), canonical);
      assert.equal(compareQuantities(written, canonical), 0);
    }),
  );
});

test('decoding twice is decoding once, whatever the spec', () => {
  const leaf = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.constant(null));
  const spec = fc.record(
    {
      nodesPerRacks: fc.nat(3),
      autoPilot: fc.boolean(),
      readOnlyRootFilesystem: fc.boolean(),
      livenessInitialDelaySeconds: fc.nat(2),
      cassandraImage: fc.string(),
      misspelt: leaf,
      config: fc.dictionary(fc.string(), leaf),
      resources: fc.record({
        limits: fc.dictionary(fc.constantFrom('cpu', 'memory'), fc.constantFrom('1', '0.5', '1024Mi')),
      }),
      imagePullSecret: fc.record({ name: fc.constantFrom('', 'secret') }),
      envVars: fc.array(fc.record({ name: fc.string(), value: fc.string() })),
      pod: fc.record({ annotations: fc.dictionary(fc.string(), fc.string()), unknown: leaf }),
      topology: fc.record({
        dc: fc.array(
          fc.record({
            name: fc.constantFrom('eu', 'us'),
            nodesPerRacks: fc.nat(2),
            rack: fc.constantFrom([], [{ name: 'r', rollingRestart: false }]),
          }),
        ),
      }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spec, (generated) => {
      const once = decodeCluster({ metadata: { name: 'fed' }, spec: generated });
      assert.deepEqual(decodeCluster(once), once);
      assert.ok(!('misspelt' in once.spec) && !JSON.stringify(once.spec.pod ?? {}).includes('unknown"'));
      assert.notEqual(once.spec.autoPilot, false);
    }),
  );
});
