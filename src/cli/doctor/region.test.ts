import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf } from '../../federation/plan.ts';
import type { KnownRegion } from '../../federation/snapshot.ts';
import { mccOf, PlannerWorld } from '../../federation/testing.ts';
import { casskop } from '../../operators/casskop/casskop.ts';
import { ringFinding, statusFindings } from './federation.ts';
import { type Finding, tellOf } from './finding.ts';
import { regionFindings } from './region.ts';

const tell = tellOf('cassandra/orders, region us');

async function formed(): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  for (let round = 0; round < 2; round++) {
    world.nowMs += 10_000;
    await world.settle();
  }
  return world;
}

function findings(world: PlannerWorld): Finding[] {
  const context = contextOf(world.snapshot(), casskop);
  const picture = context.pictures.find(({ region }) => region.name === 'us') ?? assert.fail();
  return regionFindings(tell, context, picture);
}

/** All that is no `ok`. */
function wrong(world: PlannerWorld): string[] {
  return findings(world)
    .filter(({ level }) => level !== 'ok')
    .map(({ check, level, message, todo = '' }) => `${check} ${level}: ${message} > ${todo}`);
}

/** What is found when the region holds this instead. */
async function wrongWith(override: Partial<KnownRegion>): Promise<string[]> {
  const world = await formed();
  world.overrides.set('us', override);
  return wrong(world);
}

test('of a region in a ring at rest nothing is wrong', async () => {
  const world = await formed();
  assert.deepEqual(wrong(world), []);
  assert.deepEqual(
    findings(world).map(({ check }) => check),
    ['reachable', 'namespace', 'serviceaccount', 'member', 'volumes', 'nodes'],
  );
});

test('what pods need is missed with the command that makes it', async () => {
  assert.match(
    (await wrongWith({ serviceAccountExists: false })).join(),
    /^serviceaccount failure: .* > kubectl --context us -n cassandra create serviceaccount cassandra-cluster-node$/,
  );
  assert.match(
    (await wrongWith({ namespaceExists: false }))[0] ?? '',
    /^namespace failure: .* > kubectl --context us create namespace cassandra$/,
  );
});

test('volumes that no pod owns are left of former nodes', async () => {
  const claims = ['data-orders-us-rack1-0', 'data-orders-us-rack1-1'].map((name) => ({ metadata: { name } }));
  assert.match(
    (await wrongWith({ claims })).join(),
    /^volumes warning: .*: data-orders-us-rack1-1 > .*delete pvc data-orders-us-rack1-1$/,
  );
});

test('nodes that are missing, or that nobody can ask, are named', async () => {
  assert.match((await wrongWith({ pods: [] })).join(), /^nodes warning: pod orders-us-rack1-0 is missing > /);
  const unreadable = { 'orders-us-rack1-0': 'connection refused' };
  assert.match(
    (await wrongWith({ views: {}, unreadable })).join(),
    /nodes failure: node orders-us-rack1-0 cannot be asked over Jolokia \(port 8778\): connection refused/,
  );
});

test('who can see a region is told apart: the controller, or whoever asks', async () => {
  const world = await formed();
  world.unknown.set('us', { known: false, reason: 'Unreachable', answer: 'Timeout', message: 'context us: no answer' });
  assert.match(
    wrong(world).join(),
    /^reachable warning: it cannot be seen from here, while the controller says that it answers/,
  );
  world.nowMs += 100_000;
  await world.settle();
  assert.match(
    wrong(world).join(),
    /^reachable failure: it cannot be seen: .* > kubectl --context us get --raw \/readyz$/,
  );
  world.unknown.set('us', { known: false, reason: 'UnknownContext', message: 'no region us is registered' });
  assert.match(
    wrong(world).join(),
    /^reachable failure: .*no region us is registered > Add a kubeconfig context or Secret/,
  );
  world.unknown.clear();
  assert.match(
    wrong(world).join(),
    /^reachable failure: context us answers from here, and does not answer the controller/,
  );
});

test('the ring is told by all nodes that are heard', async () => {
  const world = await formed();
  const ring = (): Finding => ringFinding(tell, contextOf(world.snapshot(), casskop));
  assert.equal(ring().level, 'ok');
  world.unknown.set('us', { known: false, reason: 'Unreachable', message: 'context us: no answer' });
  assert.match(`${ring().level}: ${ring().message}`, /^warning: .*; of us nothing is known$/);
});

test('what waits for a person is a failure, with the statements to run', async () => {
  assert.equal(statusFindings(tell, 'orders', 1, undefined)[0]?.level, 'failure');
  const { status } = (await formed()).mcc;
  assert.deepEqual(
    statusFindings(tell, 'orders', 1, status).map(({ level }) => level),
    ['ok'],
  );
  assert.equal(statusFindings(tell, 'orders', 2, status)[0]?.level, 'warning');
  const statement = "ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 1};";
  const gate = {
    type: 'Stalled',
    status: 'True' as const,
    reason: 'ReplicationGate',
    message: `run: ${statement}`,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const [finding] = statusFindings(tell, 'orders', 1, { ...status, conditions: [gate] });
  assert.deepEqual([finding?.level, finding?.todo], ['failure', statement]);
});
