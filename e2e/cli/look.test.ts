import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { casskopDeployment } from './casskop-deployment.ts';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'yaml';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import type { StatusReport } from '../../src/cli/status/report.ts';
import { serveDns } from '../harness/dns/server.ts';
import { Zone } from '../harness/dns/zone.ts';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { writesBy } from '../ring/audit-log.ts';
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

  suite('ringmaster doctor', () => {
    const stop = new AbortController();
    let dns: string[];

    before(async () => {
      const names = regions.all.map(({ name }) => name);
      dns = await Promise.all(
        names.map(async (name) => {
          const port = await freePort();
          await serveDns(new Zone(join(regions.directory, 'dns'), name, names), '127.0.0.1', port, stop.signal);
          return `--dns=${name}=127.0.0.1:${port}`;
        }),
      );
    });
    after(() => stop.abort());

    function doctor(...args: string[]): Promise<Ran> {
      return ringmaster(regions, 'doctor', '--hub', 'eu', '-n', 'orders', ...dns, ...args);
    }

    async function findings(): Promise<Finding[]> {
      const { stdout, stderr } = await doctor('orders', '-o', 'json');
      assert.notEqual(stdout, '', stderr);
      return (JSON.parse(stdout) as { findings: Finding[] }).findings;
    }

    /**
     * What administrators wrote to the regions: whoever runs the doctor is one, as the controllers of the cluster are. To review rights
     * is a POST that leaves nothing behind.
     */
    function writes(): string[] {
      return regions.all.flatMap(({ auditLog }) =>
        writesBy(auditLog, 'admin')
          .filter(({ what, userAgent }) => !what.endsWith('accessreviews') && !userAgent.startsWith('kube-controller'))
          .map(({ verb, what }) => `${verb} ${what}`),
      );
    }

    test('finds nothing wrong with a ring at rest, and writes nothing', async (t) => {
      const before = writes();
      const { code, stdout, stderr } = await doctor('orders');
      t.diagnostic(stdout);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^0 failures, 0 warnings, \d+ ok/m);
      assert.deepEqual(writes(), before);
    });

    test('finds what was broken on purpose, and says what to type', async (t) => {
      const { api } = regions.region('us');
      const inUs = (kind: string): string => `/api/v1/namespaces/orders/${kind}`;
      await api.delete(inUs('serviceaccounts/cassandra-cluster-node'));
      await api.apply(inUs('persistentvolumeclaims/data-orders-us-rack1-7'), 'kubectl', {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data-orders-us-rack1-7', namespace: 'orders' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      });
      await api.patch(
        '/apis/db.orange.com/v2/namespaces/orders/cassandraclusters/orders?fieldManager=somebody',
        'merge',
        {
          spec: { keyspaceCleanupThreads: 3 },
        },
      );
      await api.apply(
        '/apis/apps/v1/namespaces/orders/deployments/casskop',
        'kubectl',
        casskopDeployment('orders', '2.3.1'),
      );
      regions.region('us').breakDns();
      const { code, stdout } = await doctor('orders');
      const found = await findings();
      regions.region('us').repairDns();
      await regions.region('us').prepareNamespace('orders', { nodes: 'light' });
      t.diagnostic(stdout);
      assert.equal(code, 1);
      const wrong = (check: string, level: string, message: RegExp, todo: RegExp): void => {
        const one = found.find((each) => each.check === check && each.level === level && message.test(each.message));
        assert.match(one?.todo ?? '', todo, `${check}: ${stdout}`);
      };
      wrong(
        'serviceaccount',
        'failure',
        /no ServiceAccount cassandra-cluster-node/,
        /create serviceaccount cassandra-cluster-node$/,
      );
      wrong('volumes', 'warning', /data-orders-us-rack1-7/, /delete pvc data-orders-us-rack1-7$/);
      wrong('writers', 'warning', /somebody \(\/spec\/keyspaceCleanupThreads\)/, /show-managed-fields/);
      wrong('operator', 'warning', /drops the seeds/, /2\.3\.3 or newer/);
      wrong('seeds', 'warning', /in region us .*ESERVFAIL/, /ExternalDNS/);
    });

    test('looks at the rights of the account that the controller has, or at those of another one', async () => {
      const own = await doctor('orders', '--service-account', 'ringmaster-system/ringmaster');
      assert.match(own.stdout, /ServiceAccount ringmaster-system\/ringmaster has all \d+ rights/);
      const other = await doctor('orders', '--service-account', 'orders/default', '-o', 'json');
      const { findings: found } = JSON.parse(other.stdout) as { findings: Finding[] };
      const missing = found.filter(({ check }) => check === 'rights');
      assert.deepEqual(
        missing.map(({ subject, level, todo }) => [subject, level, todo]),
        [
          ['hub eu', 'failure', 'ringmaster rbac hub | kubectl --context eu apply -f -'],
          ...['eu', 'us'].map((region) => [
            `orders/orders, region ${region}`,
            'failure',
            `ringmaster rbac region --namespace orders | kubectl --context ${region} apply -f -`,
          ]),
        ],
      );
      assert.match(missing[1]?.message ?? '', /may not get namespaces kube-system \(/);
    });

    test('a region that is down', async (t) => {
      await regions.region('us').controlPlane.kill();
      await orders.waitForCondition('Reachable', 'False', { region: 'us', timeoutMs });
      const { stdout } = await status('orders', '-n', 'orders');
      t.diagnostic(stdout);
      assert.match(stdout, /^orders\/orders {2}not Ready: RegionsUnreachable for/);
      assert.match(stdout, /^us {6}Managed {2}Running {2}1\/1 {4}current {2}no for \w+: \w+$/m);
      assert.match(stdout, /^Waits\n {2}us: \w+ for \w+\n {4}context us: /m);

      const found = await ringmaster(
        regions,
        'doctor',
        'orders',
        '--hub',
        'eu',
        '-n',
        'orders',
        '--timeout',
        '3',
        '--dns',
        '127.0.0.1:9',
      );
      t.diagnostic(found.stdout);
      assert.equal(found.code, 1);
      assert.match(found.stdout, /^cluster us\n {2}FAILURE {2}its API server does not answer: .*ECONNREFUSED/m);
      assert.match(found.stdout, /^ +> kubectl --context us get --raw \/readyz$/m);
    });

    test('finds a region without CassKop', async () => {
      await regions.region('us').controlPlane.up(AbortSignal.timeout(timeoutMs));
      await regions
        .region('us')
        .api.delete('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cassandraclusters.db.orange.com');
      const found = await waitFor(
        async () => {
          const all = await findings();
          return all.some(({ check, level }) => check === 'crd' && level === 'failure') && all;
        },
        { what: 'the missing CRD to be found', timeoutMs, intervalMs: 1000 },
      );
      const crd = found.find(({ check, level }) => check === 'crd' && level === 'failure');
      assert.equal(crd?.subject, 'orders/orders, region us');
      assert.match(crd?.todo ?? '', /^install CassKop by its chart into context us/);
    });
  });
});

/** A UDP port of the loopback address that nobody has. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
