import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'yaml';
import type { StatusReport } from '../../src/cli/status/report.ts';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess, main } from '../ring/controller-process.ts';
import { createTables, cql } from '../ring/cql.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import { type Ran, ringmaster } from './ringmaster.ts';

const timeoutMs = 240_000;

suite('looking at federations in a terminal', () => {
  let regions: Regions;
  /** A ring of light nodes. */
  let orders: Federation;
  /** A ring of one Cassandra node with a keyspace, which another region is to join. */
  let ledger: Federation;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'] });
    await installCrd(regions, 'eu');
    await Promise.all([
      regions.prepareNamespace('orders', { nodes: 'light' }),
      regions.prepareNamespace('ledger', { nodes: 'cassandra' }),
    ]);
    orders = new Federation(regions, 'orders');
    ledger = new Federation(regions, 'ledger', { name: 'ledger' });
    new ControllerProcess(regions);
    await ledger.apply({ regions: [{ name: 'eu' }] });
    await orders.apply();
    await Promise.all([orders, ledger].map((each) => each.waitForCondition('Ready', 'True', { timeoutMs })));
  });
  after(() => regions?.stop());

  function status(...args: string[]): Promise<Ran> {
    return ringmaster(regions, 'status', '--hub', 'eu', ...args);
  }

  suite('ringmaster status', () => {
    test('shows a ring at rest on one page', async (t) => {
      const { code, stdout, stderr } = await status('orders', '-n', 'orders');
      t.diagnostic(stdout);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^orders\/orders {2}Ready for \w+ {2}regions 2\/2, nodes 2\/2\n/);
      assert.match(stdout, /^eu {6}Managed {2}Running {2}1\/1 {4}current {2}yes$/m);
      assert.match(stdout, /^Ring {3}intact: 2 hosts, the same in 2 views; founded by eu$/m);
      assert.match(stdout, /^Seeds {2}orders-eu-rack1-0\.orders\.eu\.db\.example\.net \(everywhere\)$/m);
      assert.match(stdout, /Nothing is under way, and nothing waits for you\.\n$/);
    });

    test('prints the statements that a gate waits for, so that they can be copied and run', async (t) => {
      await createTables(ledger, { eu: 1 });
      await ledger.apply();
      await ledger.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate', timeoutMs });
      const { code, stdout } = await status('ledger', '-n', 'ledger');
      t.diagnostic(stdout);
      assert.equal(code, 0);
      assert.match(stdout, /^Your turn\n {2}us: ReplicationGate for \w+\n/m);
      const statements = stdout.match(/^ {6}ALTER KEYSPACE .*;$/gm) ?? [];
      assert.ok(statements.length > 0, stdout);

      const all = await status('-A');
      t.diagnostic(all.stdout);
      assert.match(all.stdout, /^ledger +ledger +False .*your turn: us ReplicationGate/m);
      assert.match(all.stdout, /^orders +orders +True +2\/2 +2\/2 +intact$/m);

      await cql(ledger, 'eu', async (client) => {
        for (const statement of statements) await client.execute(statement.trim());
      });
      await waitFor(async () => !(await status('ledger', '-n', 'ledger')).stdout.includes(statements[0] ?? ''), {
        what: 'the statements that were run to be gone from the status',
        timeoutMs,
        intervalMs: 1000,
      });
    });

    test('as JSON and YAML for programs', async () => {
      const json = await status('orders', '-n', 'orders', '-o', 'json');
      const yaml = await status('orders', '-n', 'orders', '-o', 'yaml');
      const report = JSON.parse(json.stdout) as StatusReport;
      assert.deepEqual(parse(yaml.stdout), report);
      assert.deepEqual([report.ready.status, report.ring.founder, report.yourTurn], ['True', 'eu', []]);
    });

    test('says in one sentence what it cannot show', async () => {
      const missing = await status('nobody', '-n', 'orders');
      assert.deepEqual([missing.code, missing.stdout], [1, '']);
      assert.match(missing.stderr, /^ringmaster: there is no MultiCassandraCluster nobody in namespace orders; .*\n$/);
      const elsewhere = await ringmaster(regions, 'status', '--hub', 'us');
      assert.equal(elsewhere.code, 2);
      assert.match(elsewhere.stderr, /^ringmaster: the hub \(context us\) does not know MultiCassandraClusters.*\n$/);
    });

    test('watches until it is told to stop, and shows each change', async () => {
      const args = [main, 'status', 'orders', '-n', 'orders', '--hub', 'eu', '-w'];
      const child = spawn(process.execPath, args, { env: { ...process.env, KUBECONFIG: regions.kubeconfig } });
      let shown = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
      const says = (pattern: RegExp): Promise<unknown> =>
        waitFor(() => pattern.test(shown), { what: `the watch to show ${String(pattern)}`, timeoutMs });
      try {
        await says(/Ready for/);
        assert.equal(stripVTControlCharacters(shown), shown, 'no colours where no terminal is');
        await orders.apply({ regions: [{ name: 'eu' }] });
        await says(/Your turn\n +RegionDropped for/);
        await orders.apply();
        await says(/Your turn[^]*Nothing is under way/);
      } finally {
        child.kill('SIGINT');
      }
      const [code] = (await once(child, 'exit')) as [number | null];
      assert.equal(code, 0);
    });
  });

  test('ringmaster status of a region that is down', async (t) => {
    await regions.region('us').controlPlane.kill();
    await orders.waitForCondition('Reachable', 'False', { region: 'us', timeoutMs });
    const { stdout } = await status('orders', '-n', 'orders');
    t.diagnostic(stdout);
    assert.match(stdout, /^orders\/orders {2}not Ready: RegionsUnreachable for/);
    assert.match(stdout, /^us {6}Managed {2}Running {2}1\/1 {4}current {2}no for \w+: \w+$/m);
    assert.match(stdout, /^Waits\n {2}us: \w+ for \w+\n {4}context us: /m);
  });
});
