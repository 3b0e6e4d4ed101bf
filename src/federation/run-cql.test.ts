import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../edges/testing.ts';
import { KubeError } from '../kube/errors.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { CqlError, type CqlErrorCode } from '../ring/cql.ts';
import type { Alteration } from '../ring/keyspaces.ts';
import type { Write } from './intents.ts';
import { type CqlAccess, runCql } from './run-cql.ts';
import { CqlInMemory } from './testing-cql.ts';

const never = new AbortController().signal;
const password = 'correct-horse';
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const secret: KubeObject = {
  metadata: { namespace: 'cassandra', name: 'alterer' },
  data: { username: encoded('ringmaster'), password: encoded(password) },
};
const inOne = 'NetworkTopologyStrategy {eu=1}';
const inBoth = 'NetworkTopologyStrategy {eu=1, us=1}';

function adding(keyspace: string, was = inOne): Alteration {
  return {
    keyspace,
    was,
    to: [
      ['eu', '1'],
      ['us', '1'],
    ],
  };
}

interface Case {
  alterations?: Alteration[];
  keyspaces?: Record<string, string>;
  hub?: CqlAccess['hub']['get'];
  permit?: () => AbortSignal;
  prepare?: (cql: CqlInMemory) => void;
  clock?: VirtualClock;
}

async function run({
  alterations = [adding('shop')],
  keyspaces = { system_auth: inOne, shop: inOne, ledger: inOne },
  hub = () => Promise.resolve(secret),
  permit = () => never,
  prepare,
  clock = new VirtualClock(),
}: Case = {}): Promise<{ cql: CqlInMemory; keyspaces: Record<string, string>; altered: number; error: unknown }> {
  const cql = new CqlInMemory(
    () => ['eu', 'us'],
    () => keyspaces,
  );
  prepare?.(cql);
  const order: Extract<Write, { verb: 'cql' }> = {
    verb: 'cql',
    resource: resources.pods,
    ref: { namespace: 'cassandra', name: 'orders-eu-rack1-0' },
    login: { namespace: 'cassandra', secret: 'alterer', port: 9042 },
    contacts: [
      { pod: 'orders-eu-rack1-0', address: '10.0.0.1', datacenter: 'eu' },
      { pod: 'orders-us-rack1-0', address: '10.0.0.2', datacenter: 'us' },
    ],
    alterations,
  };
  let altered = 0;
  const access = { open: cql.open, hub: { get: hub }, permit, altered: () => void altered++ };
  const error: unknown = await runCql(order, access, clock, never).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(!JSON.stringify([error, (error as Error | undefined)?.message]).includes(password));
  return { cql, keyspaces, altered, error };
}

function messageOf(error: unknown): string {
  assert.ok(error instanceof KubeError, String(error));
  return error.message;
}

test('keyspaces are altered one after the other over one connection, as the role of the Secret, and it is closed', async () => {
  const { cql, keyspaces, altered, error } = await run({ alterations: [adding('shop'), adding('ledger')] });
  assert.equal(error, undefined);
  assert.deepEqual(keyspaces, { system_auth: inOne, shop: inBoth, ledger: inBoth });
  assert.deepEqual(cql.opened, [{ address: '10.0.0.1', port: 9042, username: 'ringmaster', password }]);
  assert.equal(cql.closed, 1);
  assert.ok(altered >= 2);
});

test('roles are known to new replicas before anything else is altered, also when somebody died in between', async () => {
  const alterations = [adding('system_auth'), adding('shop')];
  const { cql } = await run({ alterations });
  assert.deepEqual(
    cql.done.map((each) => each.replace(/ WITH .*/, '')),
    ['ALTER KEYSPACE system_auth', 'read system_auth', 'ALTER KEYSPACE shop'],
  );
  const again = await run({ keyspaces: { system_auth: inBoth, shop: inOne } });
  assert.deepEqual(again.cql.done[0], 'read system_auth');
});

test('what is as asked for already is passed over', async () => {
  const { cql, altered, error } = await run({ keyspaces: { shop: 'NetworkTopologyStrategy {us=1, eu=1}' } });
  assert.equal(error, undefined);
  assert.deepEqual(cql.done, ['read system_auth']);
  assert.ok(altered > 0, 'what was read of the ring is outdated');
});

test('what is not as it was any more is left alone, and so is what comes after it', async () => {
  const keyspaces = { shop: 'NetworkTopologyStrategy {eu=3}', ledger: inOne };
  const { cql, error } = await run({ alterations: [adding('shop'), adding('ledger')], keyspaces });
  assert.equal((error as KubeError).code, 'Conflict');
  assert.deepEqual(cql.done, ['read system_auth']);
});

test('nothing is run by which rows could be lost, with the datacenters that the node itself knows', async () => {
  const was = 'SimpleStrategy {replication_factor=1}';
  const alterations: Alteration[] = [{ keyspace: 'system_traces', was, to: [['eu', '1']] }];
  const { cql, error } = await run({ alterations, keyspaces: { system_traces: was } });
  assert.match(messageOf(error), /it knows nodes in eu, us, and rows could be lost/);
  assert.deepEqual(
    cql.done.filter((each) => each.startsWith('ALTER')),
    [],
  );
});

test('who leads no more alters nothing more', async () => {
  let left = 2;
  const permit = (): AbortSignal => {
    if (left-- > 0) return never;
    throw new KubeError('NotLeader', 'another one leads');
  };
  const { cql, error } = await run({ alterations: [adding('shop'), adding('ledger')], permit });
  assert.equal((error as KubeError).code, 'NotLeader');
  assert.equal(cql.done.filter((each) => each.startsWith('ALTER')).length, 1);
  assert.equal(cql.closed, 1);
});

test('the next node is asked when one does not answer, or cannot tell who it is', async () => {
  for (const code of ['Unreachable', 'Refused', 'BadLogin', 'Unauthorized'] as const) {
    const { cql, keyspaces } = await run({
      prepare: (each) => {
        each.fails = (what) => {
          if (what === '10.0.0.1') throw new CqlError(code, 'not here');
        };
      },
    });
    assert.deepEqual(
      cql.opened.map(({ address }) => address),
      ['10.0.0.1', '10.0.0.2'],
    );
    assert.equal(keyspaces['shop'], inBoth);
  }
});

for (const [code, expected] of [
  [
    'Unreachable',
    /^spec\.cql\.port: no node answers CQL at port 9042: orders-eu-rack1-0 at 10\.0\.0\.1 \(that\), orders-us/,
  ],
  [
    'BadLogin',
    /^spec\.cql\.secretRef: .* does not accept username and password of Secret alterer .*kubectl edit secret/,
  ],
  ['Unauthorized', /^spec\.cql\.secretRef: .* does not let the role .* \(that\)\. Run: GRANT ALTER ON ALL KEYSPACES/],
  ['Refused', /^orders-eu-rack1-0 refuses it: that/],
] as const satisfies [CqlErrorCode, RegExp][]) {
  test(`what a person does about ${code} is said`, async () => {
    const { error } = await run({
      prepare: (each) => {
        each.fails = () => {
          throw new CqlError(code, 'that');
        };
      },
    });
    assert.match(messageOf(error), expected);
  });
}

test('a Secret that is missing, may not be read or lacks a key is named', async () => {
  const failing = (code: 'NotFound' | 'Forbidden') => () => Promise.reject(new KubeError(code, 'no', { status: 400 }));
  const missing = await run({ hub: failing('NotFound') });
  assert.match(
    messageOf(missing.error),
    /^spec\.cql\.secretRef\.name: there is no Secret alterer .*kubectl create secret/,
  );
  const forbidden = await run({ hub: failing('Forbidden') });
  assert.match(messageOf(forbidden.error), /ringmaster rbac hub --namespace cassandra/);
  const { data, ...rest } = secret;
  const { username } = data as Record<string, string>;
  const half = await run({ hub: () => Promise.resolve({ ...rest, data: { username } }) });
  assert.match(messageOf(half.error), /Secret alterer in namespace cassandra of the hub lacks the key password/);
  assert.deepEqual(half.cql.opened, []);
});

test('nothing more is altered while nodes do not have the last schema', async () => {
  const { cql, error } = await run({
    alterations: [adding('shop'), adding('ledger')],
    prepare: (each) => (each.agrees = false),
  });
  assert.match(messageOf(error), /not all nodes have the new schema of keyspace shop yet.*nodetool describecluster/);
  assert.equal(cql.done.filter((each) => each.startsWith('ALTER')).length, 1);
});

test('a node that never answers is given up', async () => {
  const clock = new VirtualClock();
  const done = run({
    clock,
    hub: (_resource, _ref, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      }),
  });
  await clock.advance(30_000);
  const { error } = await done;
  assert.match(messageOf(error), /within 20 s/);
  assert.equal(clock.pendingTimers, 0);
});
