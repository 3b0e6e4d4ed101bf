import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { types } from 'cassandra-driver';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { countOrders, cql, createTables, writeOrders } from './cql.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';

const namespace = 'altering';
const secretName = 'alterer';
const orders = 1_000;
const superuser = { username: 'cassandra', password: 'cassandra' };
const role = { username: 'ringmaster', password: 'only-nodes-are-told' };
type State = 'Managed' | 'Removing';

/** The user's own script turns authentication on; what the operator's configuration cannot say goes this way. */
const postRun = `sed -i -e 's/AllowAllAuthenticator/PasswordAuthenticator/' -e 's/AllowAllAuthorizer/CassandraAuthorizer/' "$CASSANDRA_CONF/cassandra.yaml"`;

suite('keyspaces that Ringmaster alters itself, in a ring that asks for passwords', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;
  /** What is said to a role that lacks permissions. */
  let denied = '';

  before(async () => {
    // The hub has no nodes: the region that is cut off later must not be it.
    regions = await startRegions({ regions: ['hub', 'eu', 'us', 'ap'] });
    await installCrd(regions, 'hub');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace, { hub: 'hub' });
    await federation.hub.apply(`/api/v1/namespaces/${namespace}/configmaps/scripts`, 'kubectl', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'scripts', namespace },
      data: { 'post_run.sh': postRun },
    });
    controller = new ControllerProcess(regions);
    await apply({ eu: 'Managed' });
    await federation.ready();
    federation.cqlLogin = superuser;
    // Cassandra makes its first role some seconds after its start.
    await waitFor(() => cql(federation, 'eu', () => Promise.resolve(true)), {
      what: 'the first role to be there',
      timeoutMs: formationTimeoutMs,
    });
    await createTables(federation, { eu: 1 });
    await writeOrders(federation, 'eu', 0, orders);
    await asSuperuser(`CREATE ROLE ${role.username} WITH LOGIN = true AND PASSWORD = '${role.password}'`);
    await asSuperuser(`GRANT SELECT ON KEYSPACE ledger TO ${role.username}`);
  });
  after(() => regions?.stop());

  function apply(states: Record<string, State>): Promise<unknown> {
    const { template } = federation.smallestSpec() as { template: { spec: object } };
    return federation.apply({
      template: { spec: { ...template.spec, configMapName: 'scripts' } },
      regions: Object.entries(states).map(([name, state]) => ({ name, state })),
      cql: { secretRef: { name: secretName } },
    });
  }

  async function asSuperuser(statement: string): Promise<void> {
    federation.cqlLogin = superuser;
    await cql(federation, 'eu', (client) => client.execute(statement));
  }

  function writeSecret(stringData: Record<string, string>): Promise<unknown> {
    return federation.hub.apply(`/api/v1/namespaces/${namespace}/secrets/${secretName}`, 'kubectl', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretName, namespace },
      type: 'Opaque',
      stringData,
    });
  }

  function untilItSays(message: RegExp): Promise<{ message: string }> {
    return federation.waitForCondition('Stalled', 'True', { reason: 'ReplicationGate', message });
  }

  async function replicationOf(keyspace: string): Promise<Record<string, string>> {
    federation.cqlLogin = superuser;
    const { rows } = await cql(federation, 'eu', (client) =>
      client.execute('SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace]),
    );
    const { class: _, ...factors } = (rows[0]?.['replication'] ?? {}) as Record<string, string>;
    return factors;
  }

  test('what keeps it from that is said, with the field and what to type', async () => {
    await apply({ eu: 'Managed', us: 'Managed', ap: 'Managed' });
    await untilItSays(/spec\.cql\.secretRef\.name: there is no Secret alterer .*kubectl create secret generic alterer/);
    await writeSecret({ username: role.username });
    await untilItSays(/spec\.cql\.secretRef\.name: Secret alterer .* lacks the key password/);
    await writeSecret({ username: role.username, password: 'a wrong one' });
    await untilItSays(/spec\.cql\.secretRef: Cassandra does not accept username and password of Secret alterer/);
    await writeSecret(role);
    const { message } = await untilItSays(/spec\.cql\.secretRef: Cassandra does not let the role .* GRANT ALTER/);
    assert.match(message, /ALTER KEYSPACE system_auth WITH replication/, 'a person can still run them');
    denied = message;
    assert.deepEqual(await replicationOf('system_traces'), { replication_factor: '2' });
  });

  test('then regions join and get their rows, and nobody types an ALTER', async () => {
    for (const [, grant = ''] of denied.matchAll(/(GRANT [^;]*) TO role/g))
      await asSuperuser(`${grant} TO ${role.username}`);
    await federation.ready();
    for (const keyspace of ['system_auth', 'system_distributed', 'system_traces', 'ledger']) {
      assert.deepEqual(await replicationOf(keyspace), { eu: '1', us: '1', ap: '1' }, keyspace);
    }
    await regions.cut('ap');
    // The role has come there as well: it is looked up among the nodes of its datacenter.
    federation.cqlLogin = role;
    assert.equal(await countOrders(federation, 'ap', types.consistencies.localOne), orders);
    await regions.heal('ap');
    await federation.ready();
  });

  test('a datacenter is taken out of what is the user’s by the user, and out of the rest by itself', async () => {
    await apply({ eu: 'Managed', us: 'Removing', ap: 'Managed' });
    // Before the rows of the user go, every datacenter that stays has them.
    const { message } = await untilItSays(/keyspaces have replicas in region us\. .*a person decides on that/);
    for (const statement of message.match(/ALTER KEYSPACE [^;]*;/g) ?? []) await asSuperuser(statement);
    await waitFor(
      async () => {
        const found = await federation.region('us');
        if (found?.stage === 'Removed') return true;
        throw new Error(`${found?.stage}: ${JSON.stringify(found?.conditions)}`);
      },
      { what: 'region us to be Removed', timeoutMs: formationTimeoutMs },
    );
    assert.deepEqual(await replicationOf('system_auth'), { eu: '1', ap: '1' });
    await federation.ready();
    federation.cqlLogin = role;
    assert.equal(await countOrders(federation, 'ap'), orders);
  });

  test('the password stands in no log, no status and no event', async () => {
    const events = await federation.hub.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    const told = [JSON.stringify(await federation.get()), JSON.stringify(events)];
    for (const text of [...told, readFileSync(controller.logFile, 'utf8')]) {
      assert.ok(!text.includes(role.password));
      assert.ok(!text.includes(Buffer.from(role.password).toString('base64')));
    }
    assert.ok(told[1]?.includes('AlterKeyspaces'), 'that keyspaces were altered is told');
  });
});
