import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memberSchema } from '../api/testing.ts';
import { printCrds } from './crds.ts';
import { runValidate, type ValidateOptions } from './validate.ts';

/** What the command says of a file with this text, without the file's name, and its exit code. */
function validateText(text: string, options?: ValidateOptions): { lines: string[]; code: number } {
  const folder = mkdtempSync(join(tmpdir(), 'ringmaster-validate-'));
  try {
    const file = join(folder, 'mcc.yaml');
    writeFileSync(file, text);
    let written = '';
    const code = runValidate(file, { write: (more) => (written += more) }, options);
    return { code, lines: written.replaceAll(file, 'F').trimEnd().split('\n') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const valid = `apiVersion: ringmaster.dev/v1alpha1
kind: MultiCassandraCluster
metadata: {name: orders, namespace: cassandra}
spec:
  template:
    spec: {cassandraImage: "cassandra:4.0.19", serverVersion: "4.0.19", nodesPerRacks: 3, dataCapacity: 100Gi}
  regions: [{name: eu}, {name: us}, {name: ap}]
  seeds: {address: "{pod}.{region}.db.example.net"}
`;

test('a valid object is named with its regions and nodes', () => {
  assert.deepEqual(validateText(valid), {
    code: 0,
    lines: ['F:1:1: orders: valid: cluster orders, regions eu us ap, nodes 9'],
  });
});

test('every sample in config/samples is valid', () => {
  const folder = new URL('../../config/samples/', import.meta.url);
  const samples = readdirSync(folder);
  assert.ok(samples.length >= 2);
  for (const sample of samples) {
    assert.equal(validateText(readFileSync(new URL(sample, folder), 'utf8')).code, 0, sample);
  }
});

test('each problem stands with the line and column of the field it is about', () => {
  const text =
    valid.replace('{name: us}', '{name: us, contxt: x}').replace('    spec:', '    spce:') + '  operator: casskop\n';
  assert.deepEqual(validateText(text), {
    code: 1,
    lines: [
      'F:9:3: spec.operator: This must be one of CassKop, CassOperator, but it is the text "casskop". Did you mean "CassKop"?',
      'F:6:5: spec.template.spce: "spce" is not a field that MultiCassandraCluster knows here. Did you mean "spec"?',
      'F:7:36: spec.regions[1].contxt: "contxt" is not a field that MultiCassandraCluster knows here. Did you mean "context"?',
    ],
  });
});

test('a field that is missing is shown at what it is missing from', () => {
  const text = valid
    .replace(', dataCapacity: 100Gi', '')
    .replace('  seeds: {address: "{pod}.{region}.db.example.net"}\n', '');
  const { lines, code } = validateText(text);
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /^F:6:5: spec\.template\.spec\.dataCapacity: dataCapacity is required/);
  assert.match(lines[1] ?? '', /^F:4:1: spec\.seeds\.address: With more than one region/);
  assert.equal(lines.length, 2);
});

test('with the regional operator’s CRD, misspelt fields of the template are found', () => {
  const { lines, code } = validateText(valid.replace('nodesPerRacks: 3', 'nodesPerRack: 3'), { memberSchema });
  assert.deepEqual(lines, [
    'F:6:73: spec.template.spec.nodesPerRack: "nodesPerRack" is not a field that the regional operator knows here. Did you mean "nodesPerRacks"?',
  ]);
  assert.equal(code, 1);
});

test('several documents: other kinds are passed over, one bad object is enough to fail', () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: cassandra}\n';
  const bad = valid.replace('name: orders', 'name: other').replace('operator', '') + '  operator: CassOperator\n';
  const { lines, code } = validateText(['', namespace, valid, bad, ''].join('---\n'));
  assert.deepEqual(lines, [
    'F:2:1: passed over, for it is no MultiCassandraCluster',
    'F:6:1: orders: valid: cluster orders, regions eu us ap, nodes 9',
    'F:23:3: spec.operator: Ringmaster does not drive CassOperator yet. Use CassKop. (NotYetSupported)',
  ]);
  assert.equal(code, 1);
  assert.equal(validateText([namespace, valid].join('---\n')).code, 0);
});

test('a List, as kubectl get writes it, is looked into', () => {
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [{ kind: 'Namespace' }, { apiVersion: 'ringmaster.dev/v1', kind: 'Ring' }],
  };
  const { lines, code } = validateText(JSON.stringify(list, undefined, 1));
  assert.deepEqual(lines.slice(0, 3), [
    'F:5:3: passed over, for it is no MultiCassandraCluster',
    'F:9:4: apiVersion: The apiVersion must be ringmaster.dev/v1alpha1.',
    'F:10:4: kind: The kind must be MultiCassandraCluster.',
  ]);
  assert.equal(code, 1);
});

test('a file without an object of ours fails, and so does what is not YAML', () => {
  for (const text of ['', '---\n---\n', '# nothing\n']) {
    assert.deepEqual(validateText(text), { code: 1, lines: ['F: there is no MultiCassandraCluster in it'] });
  }
  const { lines, code } = validateText(`${valid}  rollout: {paused: true\n`);
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /^F:\d+:\d+: not YAML: /);
  assert.match(validateText('a: *b\n').lines[0] ?? '', /^F:1:\d+: not YAML: .*b/);
  assert.equal(validateText('"just text"\n').code, 1);
});

test('YAML is read as kubectl reads it: no is a boolean, a date is text', () => {
  assert.match(
    validateText(valid.replace('name: ap', 'name: no')).lines[0] ?? '',
    /spec\.regions\[2\]\.name: This must be text, but it is false\./,
  );
  assert.equal(validateText(`${valid}  rollout: {restartToken: 2026-01-01}\n`).code, 0);
});

test('a file that cannot be read is exit code 2', () => {
  let written = '';
  assert.equal(runValidate('/nowhere/mcc.yaml', { write: (more) => (written += more) }), 2);
  assert.match(written, /^\/nowhere\/mcc\.yaml: cannot be read: ENOENT.*\n$/);
});

test('crds prints what is checked in', () => {
  let written = '';
  printCrds({ write: (more) => (written += more) });
  const checkedIn = new URL('../../crds/ringmaster.dev_multicassandraclusters.yaml', import.meta.url);
  assert.equal(written, readFileSync(checkedIn, 'utf8'));
});
