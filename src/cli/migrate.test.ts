import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type MigrateFlags, runMigrate } from './migrate.ts';
import { UsageError } from './usage-error.ts';
import { runValidate } from './validate.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'migrate-'));
});
after(() => rmSync(directory, { recursive: true }));

const good = `apiVersion: db.orange.com/v1
kind: MultiCasskop
metadata: {name: orders, namespace: cassandra}
spec:
  base:
    metadata: {name: orders}
    spec: {cassandraImage: "cassandra:3.11.10", dataCapacity: 1Gi}
    status: {seedlist: [orders-dc1-rack1-0.zone, orders-dc2-rack1-0.zone]}
  override:
    one:
      spec: {topology: {dc: [{name: dc1, rack: [{name: rack1}]}]}}
    two:
      spec: {topology: {dc: [{name: dc2, rack: [{name: rack1}]}]}}
`;

function migrate(text: string, flags: Partial<MigrateFlags> = {}): { code: number; out: string; report: string } {
  const filename = join(directory, 'multicasskop.yaml');
  writeFileSync(filename, text);
  let [out, report] = ['', ''];
  const code = runMigrate(
    { filename, ...flags },
    { write: (chunk: string) => (out += chunk) },
    { write: (chunk: string) => (report += chunk) },
  );
  return { code, out, report };
}

test('what it writes is a valid MultiCassandraCluster, and the report says how to go on', () => {
  const { code, out, report } = migrate(good);
  assert.equal(code, 0, report);
  const file = join(directory, 'written.yaml');
  writeFileSync(file, out);
  let said = '';
  assert.equal(runValidate(file, { write: (chunk: string) => (said += chunk) }), 0, said);
  assert.match(said, /orders: valid: cluster orders, regions one two, nodes 2/);
  assert.match(report, /stop Multi-CassKop for good.*ringmaster plan.*finalizers/s);
});

test('it writes to a new file, and never over one that is there', () => {
  const output = join(directory, 'mcc.yaml');
  const { code, out } = migrate(good, { output });
  assert.deepEqual([code, out], [0, '']);
  assert.match(readFileSync(output, 'utf8'), /^kind: MultiCassandraCluster$/m);
  assert.throws(() => migrate(good, { output }), UsageError);
});

test('a problem is told with the place in the file', () => {
  const { code, out, report } = migrate(good.replace('rack: [{name: rack1}]}]}}\n    two', 'rack: []}]}}\n    two'));
  assert.deepEqual([code, out], [1, '']);
  assert.match(report, /multicasskop\.yaml:11:\d+: spec\.override\.one\.spec\.topology\.dc\[0\]\.rack: Name the racks/);
});

test('what the controller would refuse is told, and nothing is written', () => {
  const { code, out, report } = migrate(good.replaceAll('dc2', 'dc11'));
  assert.deepEqual([code, out], [1, '']);
  assert.match(report, /would be refused: .*dc11 begins with the name of datacenter dc1/);
});

test('a file without a MultiCasskop, or that is not there, is an error of usage', () => {
  assert.throws(() => migrate('kind: A\n---\nkind: B\n'), /expected one MultiCasskop, found 0/);
  assert.throws(() => migrate('{'), UsageError);
  assert.throws(() => migrate(good, { filename: join(directory, 'nowhere') }), /cannot be read/);
});
