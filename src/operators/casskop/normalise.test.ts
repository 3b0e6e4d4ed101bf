import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference, isObject, leafPaths, normalise } from './normalise.ts';

const leaf = fc.oneof(fc.boolean(), fc.nat(9), fc.constantFrom('', 'x', '1024Mi', '0.2', '1Gi'));
const spec = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('limits', 'requests', 'resources', 'enabled', 'autoPilot', 'a/b', 'c~d', 'dc'),
      tie('node'),
      {
        maxKeys: 4,
      },
    ),
  ),
})).node;

test('normalising twice changes nothing more', () => {
  fc.assert(fc.property(spec, (value) => assert.deepEqual(normalise(normalise(value)), normalise(value))));
});

test('nothing differs from itself', () => {
  fc.assert(fc.property(spec, (value) => assert.deepEqual(difference(value, value), [])));
});

test('a member that CassKop filled with its defaults does not differ from what was wanted', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), leaf), (wanted) => {
      const live = { ...wanted, maxPodUnavailable: 1, imagepullpolicy: 'Always', resources: {} };
      assert.deepEqual(difference(wanted, live), []);
    }),
  );
});

test('a zero that CassKop dropped does not differ', () => {
  const wanted = {
    autoPilot: false,
    keyspaceCleanupThreads: 0,
    dataStorageClass: '',
    pod: { tolerations: [] },
    resources: {},
  };
  assert.deepEqual(difference(wanted, {}), []);
});

test('an explicit false of a pointer field differs from its absence', () => {
  assert.deepEqual(difference({ readOnlyRootFilesystem: false }, {}), ['/readOnlyRootFilesystem']);
});

test('a changed field is named by its JSON pointer', () => {
  const wanted = { topology: { dc: [{ name: 'eu', rack: [{ name: 'a/b' }] }] }, cassandraImage: 'x:2' };
  const live = { topology: { dc: [{ name: 'eu', rack: [{ name: 'c' }], resources: {} }] }, cassandraImage: 'x:1' };
  assert.deepEqual(difference(wanted, live), ['/topology/dc/0/rack/0/name', '/cassandraImage']);
});

test('a list of another length differs as a whole', () => {
  assert.deepEqual(difference({ envVars: [{ name: 'A' }] }, { envVars: [] }), ['/envVars']);
});

test('every leaf path leads to a value that is set', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('a', 'b/c', 'd~e'), spec), (value) => {
      for (const path of leafPaths(value)) {
        const found = path
          .split('/')
          .slice(1)
          .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
          .reduce<unknown>((node, token) => (isObject(node) ? node[token] : undefined), value);
        assert.notEqual(found, undefined);
      }
    }),
  );
});
