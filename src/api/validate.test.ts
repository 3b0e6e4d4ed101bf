import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseMultiCassandraCluster } from './parse.ts';
import { multiCassandraClusterSchema } from './schema.ts';
import { memberSchema, objectWith, said, templateSpec } from './testing.ts';
import { validate } from './validate.ts';
import { validateMembers } from './validation/members.ts';

test('the object that the invalid ones differ from is valid', () => {
  assert.deepEqual(said(objectWith({})), []);
});

test('fields that a later version may add are read over in objects from an API server', () => {
  const raw = {
    ...objectWith({ newField: 1 }),
    status: { regions: [{ name: 'eu', stage: 'Teleporting', nodes: 1 }], moon: 1 },
  };
  const { mcc } = parseMultiCassandraCluster(raw);
  assert.deepEqual(mcc?.status, { regions: [{ name: 'eu', stage: 'Unknown', nodes: 1 }] });
  assert.deepEqual(mcc && validate(mcc), []);
});

test('a region that removes a field its CRD does not know is not held to it', () => {
  const raw = objectWith({
    template: { spec: { ...objectWith({}).spec.template?.spec, shinyNewField: { deep: true } } },
    regions: [
      { name: 'eu', remove: ['/spec/shinyNewField'] },
      { name: 'us', remove: ['/spec/shinyNewField/deep'] },
    ],
  });
  const mcc = multiCassandraClusterSchema.parse(raw);
  assert.deepEqual(
    validateMembers(mcc, (region) => (region === 'eu' ? memberSchema : undefined)),
    [],
  );
  assert.deepEqual(
    validateMembers(mcc, () => memberSchema).map(({ path }) => path),
    ['spec.template.spec.shinyNewField'],
  );
});

test('one region needs no address', () => {
  assert.deepEqual(said(objectWith({ regions: [{ name: 'eu' }], seeds: {} })), []);
});

test('an image from before Cassandra 4 needs no serverVersion, and play needs no disk', () => {
  const template = { spec: { cassandraImage: 'cassandra:3.11.19' } };
  assert.deepEqual(said(objectWith({ template, dataPolicy: 'Ephemeral' })), []);
});

test('values that do no harm are not refused: false switches, empty references, the snitch that is used anyway', () => {
  const harmless = {
    ...templateSpec,
    autoUpdateSeedList: false,
    unlockNextOperation: false,
    noCheckStsAreEqual: false,
    deletePVC: false,
    imageJolokiaSecret: {},
    imagePullSecret: { name: '' },
    maxPodUnavailable: 1,
    config: { 'cassandra-yaml': { endpoint_snitch: 'GossipingPropertyFileSnitch', partitioner: 'x' } },
    configMapName: 'my-scripts',
  };
  const { mcc } = parseMultiCassandraCluster(
    objectWith({ template: { spec: harmless }, adoptionPolicy: 'IfUnchanged' }),
  );
  assert.deepEqual(mcc && validate(mcc), []);
});

test('any JSON gets an answer, never an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (raw) => {
      const { mcc, problems } = parseMultiCassandraCluster(raw, { unknownFields: 'refuse' });
      assert.ok(mcc ? Array.isArray(validate(mcc)) : problems.length > 0);
    }),
  );
});

test('any content in the free-form parts gets an answer, never an exception, and the same one twice', () => {
  const word = fc.constantFrom(
    'spec',
    'config',
    'cassandra-yaml',
    'topology',
    'envVars',
    'backRestSidecar',
    'name',
    'dataCapacity',
    'serverVersion',
    'cassandraImage',
    'nodesPerRacks',
    '__proto__',
    '0',
  );
  const { anything } = fc.letrec((tie) => ({
    anything: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1.5, '', 'x', '4.0.19', 'cassandra:4.0', '1Gi'),
      fc.array(tie('anything'), { maxLength: 3 }),
      fc.dictionary(word, tie('anything'), { maxKeys: 4 }),
    ),
  }));
  const object = fc.dictionary(word, anything, { maxKeys: 6 });
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,2}$/);
  const region = fc.record(
    {
      name,
      context: name,
      namespace: name,
      patch: fc.record({ spec: object }),
      remove: fc.array(
        fc.constantFrom('', '/', '/spec', '/spec/config', '/spec/topology/dc/0', '/spec/~3', '/metadata/labels/a', 'x'),
        { maxLength: 3 },
      ),
      datacenters: fc.array(
        fc.record(
          { name, racks: fc.array(fc.record({ name }), { minLength: 1, maxLength: 2 }), overrides: object },
          { requiredKeys: ['name'] },
        ),
        { minLength: 1, maxLength: 2 },
      ),
    },
    { requiredKeys: ['name'] },
  );
  const spec = fc.record(
    {
      template: fc.record({ spec: object, metadata: object }),
      regions: fc.array(region, { minLength: 1, maxLength: 3 }),
      seeds: fc.record({
        address: fc.constantFrom('{pod}', '{pod}.{region}.x', '{pod}{', '{}', 'a,{pod}', '{rack}{pod}'),
      }),
    },
    { requiredKeys: ['regions'] },
  );
  fc.assert(
    fc.property(spec, (each) => {
      const { mcc } = parseMultiCassandraCluster(objectWith(each));
      fc.pre(mcc !== undefined);
      const problems = validate(mcc);
      assert.deepEqual(validate(mcc), problems);
      for (const problem of problems) assert.match(problem.message, /^\S.*[.!?]$/s);
      assert.ok(Array.isArray(validateMembers(mcc, () => memberSchema)));
    }),
  );
});
