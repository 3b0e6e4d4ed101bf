import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statementsBeforeNewDatacenter } from './keyspaces.ts';

const simple = 'SimpleStrategy {replication_factor=1}';
const system = { system_auth: simple, system_distributed: simple, system_traces: simple };

test('an empty ring may take a new datacenter at once', () => {
  assert.deepEqual(statementsBeforeNewDatacenter(system, { eu: 1 }), []);
});

test('a ring with data first needs NetworkTopologyStrategy for its own and the system keyspaces', () => {
  assert.deepEqual(statementsBeforeNewDatacenter({ ...system, shop: simple }, { eu: 3, us: 2 }), [
    "ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_distributed WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
    "ALTER KEYSPACE system_traces WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 3, 'us': 2};",
  ]);
});

test('no more replicas are asked for than three, nor than a datacenter has nodes', () => {
  const [statement] = statementsBeforeNewDatacenter({ ...system, shop: simple }, { eu: 7, us: 1 });
  assert.match(statement ?? '', /'eu': 3, 'us': 1/);
});

test('keyspaces that use NetworkTopologyStrategy already are left alone', () => {
  const done = 'NetworkTopologyStrategy {eu=3}';
  const replication = { system_auth: done, system_distributed: done, system_traces: done, shop: done };
  assert.deepEqual(statementsBeforeNewDatacenter(replication, { eu: 3 }), []);
});

test('a name that needs quotes gets them', () => {
  const [statement] = statementsBeforeNewDatacenter({ ...system, 'My"Shop': simple }, { eu: 1 });
  assert.match(statement ?? '', /^ALTER KEYSPACE "My""Shop" /);
});
