import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alterationsBeforeNewDatacenter,
  alterationsForDatacenters,
  alterationsWithoutDatacenters,
  isAltered,
  isReplicatedSo,
  losesNothing,
  statementOf,
} from './keyspaces.ts';

const statementsBeforeNewDatacenter = (...parameters: Parameters<typeof alterationsBeforeNewDatacenter>): string[] =>
  alterationsBeforeNewDatacenter(...parameters).map(statementOf);

const simple = 'SimpleStrategy {replication_factor=1}';
const systemKeyspaces = { system_auth: simple, system_distributed: simple, system_traces: simple };

test('an empty ring may take a new datacenter at once', () => {
  assert.deepEqual(statementsBeforeNewDatacenter(systemKeyspaces, { eu: 1 }), []);
});

test('a ring with data first needs NetworkTopologyStrategy for its own and the system keyspaces', () => {
  assert.deepEqual(statementsBeforeNewDatacenter({ ...systemKeyspaces, shop: simple }, { eu: 3, us: 2 }), [
    "ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_distributed WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_traces WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
  ]);
});

test('no more replicas are asked for than three, nor than a datacenter has nodes', () => {
  const [statement] = statementsBeforeNewDatacenter({ ...systemKeyspaces, shop: simple }, { eu: 7, us: 1 });
  assert.match(statement ?? '', /'eu': 3, 'us': 1/);
});

test('keyspaces that use NetworkTopologyStrategy already are left alone', () => {
  const done = 'NetworkTopologyStrategy {eu=3}';
  const replication = { system_auth: done, system_distributed: done, system_traces: done, shop: done };
  assert.deepEqual(statementsBeforeNewDatacenter(replication, { eu: 3 }), []);
});

test('a name that needs quotes gets them', () => {
  const [statement] = statementsBeforeNewDatacenter({ ...systemKeyspaces, 'My"Shop': simple }, { eu: 1 });
  assert.match(statement ?? '', /^ALTER KEYSPACE "My""Shop" /);
});

test('Cassandra says how a keyspace is replicated in two ways, and in any order', () => {
  const row = { class: 'org.apache.cassandra.locator.NetworkTopologyStrategy', us: '2', eu: '3' };
  assert.ok(isReplicatedSo('NetworkTopologyStrategy {eu=3, us=2}', row));
  assert.ok(!isReplicatedSo('NetworkTopologyStrategy {eu=3}', row));
  assert.ok(!isReplicatedSo('NetworkTopologyStrategy {eu=3, us=1}', row));
  assert.ok(!isReplicatedSo('SimpleStrategy {eu=3, us=2}', row));
  const [alteration] = alterationsForDatacenters({ shop: 'NetworkTopologyStrategy {eu=3}' }, { eu: 3, us: 2 }, ['us']);
  assert.ok(alteration && isAltered(alteration, row));
});

const withNodes = new Set(['eu', 'us']);

test('to add a datacenter loses nothing, nor to tell the keyspaces of the system of all that have nodes', () => {
  const words = 'NetworkTopologyStrategy {eu=3}';
  const added = alterationsForDatacenters({ shop: words, system_auth: words }, { eu: 3, us: 1 }, ['us']);
  assert.equal(added.length, 2);
  assert.ok(added.every((each) => losesNothing(each, withNodes)));
  const system = alterationsBeforeNewDatacenter({ ...systemKeyspaces, shop: words }, { eu: 3, us: 1 });
  assert.equal(system.length, 3);
  assert.ok(system.every((each) => losesNothing(each, withNodes)));
});

test('rows can be lost where a datacenter with nodes goes, where one is not named, and with another strategy for a keyspace of the user', () => {
  const words = 'NetworkTopologyStrategy {eu=3, us=1}';
  const [shop, auth] = alterationsWithoutDatacenters({ shop: words, system_auth: words }, ['us']);
  assert.ok(shop && auth);
  assert.ok(!losesNothing(shop, withNodes));
  assert.ok(!losesNothing(auth, withNodes));
  assert.ok(!losesNothing(shop, new Set(['eu'])), 'a person decides on the keyspaces of users');
  assert.ok(losesNothing(auth, new Set(['eu'])));
  assert.ok(!losesNothing({ keyspace: 'system_auth', was: simple, to: [['eu', '3']] }, withNodes));
  const lessInOne = { keyspace: 'system_auth', was: words, to: [['eu', '1'] as const, ['us', '1'] as const] };
  assert.ok(!losesNothing(lessInOne, withNodes));
  const [simples] = alterationsBeforeNewDatacenter({ shop: simple }, { eu: 3, us: 1 });
  assert.ok(simples && !losesNothing(simples, withNodes));
});

test('a keyspace that would be left without a replica is nothing to run', () => {
  const [alteration] = alterationsWithoutDatacenters({ system_auth: 'NetworkTopologyStrategy {us=1}' }, ['us']);
  assert.ok(alteration && !losesNothing(alteration, new Set(['eu'])));
  assert.equal(statementOf(alteration), '-- keyspace system_auth has all its replicas in us: give it some elsewhere');
});
