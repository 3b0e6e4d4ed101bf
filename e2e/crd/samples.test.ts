import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { objectWith, templateSpec } from '../../src/api/testing.ts';
import { multiCassandraClusterSchema } from '../../src/api/schema.ts';
import { validateMembers } from '../../src/api/validation/members.ts';
import { runValidate } from '../../src/cli/validate.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';

/** CassKop's own CRD, as a region serves it. */
const crd = parse(
  readFileSync(new URL('../casskop/crds/cassandraclusters.yaml', import.meta.url), 'utf8'),
) as KubeObject;
const memberSchema = casskop.writtenSchema(casskop.capabilities(crd));

test('the samples hold no field that CassKop does not know', () => {
  const folder = new URL('../../config/samples/', import.meta.url);
  for (const sample of readdirSync(folder)) {
    let written = '';
    const file = new URL(sample, folder).pathname;
    assert.equal(runValidate(file, { write: (text) => (written += text) }, { memberSchema }), 0, written);
  }
});

test('misspelt fields at any depth are found with CassKop’s real CRD, and quantities and free-form config pass', () => {
  const mcc = multiCassandraClusterSchema.parse(
    objectWith({
      template: {
        spec: {
          ...templateSpec,
          cassandraImge: 'x',
          resources: { limits: { cpu: 2, memory: '4Gi' }, requets: {} },
          config: { 'cassandra-yaml': { any_thing: [1] } },
          pod: { tolerations: [{ key: 'a', operater: 'Exists' }], annotations: { a: 'b' } },
        },
      },
      regions: [
        { name: 'eu', patch: { spec: { backRestSidecar: { enabled: 'no' }, livenessInitialDelaySecond: 1 } } },
        { name: 'us', datacenters: [{ name: 'us', overrides: { resources: { limit: {} }, dataCapacity: '1Gi' } }] },
      ],
    }),
  );
  assert.deepEqual(
    validateMembers(mcc, () => memberSchema).map(({ path, message }) => `${path}: ${message}`),
    [
      'spec.template.spec.cassandraImge: "cassandraImge" is not a field that the regional operator knows here. Did you mean "cassandraImage"?',
      'spec.template.spec.resources.requets: "requets" is not a field that the regional operator knows here. Did you mean "requests"?',
      'spec.template.spec.pod.tolerations[0].operater: "operater" is not a field that the regional operator knows here. Did you mean "operator"?',
      'spec.regions[0].patch.spec.backRestSidecar.enabled: This must be true or false, but it is the text "no".',
      'spec.regions[0].patch.spec.livenessInitialDelaySecond: "livenessInitialDelaySecond" is not a field that the regional operator knows here. Did you mean "livenessInitialDelaySeconds"?',
      'spec.regions[1].datacenters[0].overrides.resources.limit: "limit" is not a field that the regional operator knows here. Did you mean "limits"?',
    ],
  );
});
