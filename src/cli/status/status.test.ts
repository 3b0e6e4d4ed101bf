import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { parse } from 'yaml';
import { reasons } from '../../api/conditions.ts';
import { mccOf, PlannerWorld } from '../../federation/testing.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { mattersOf } from '../../api/matters.ts';
import { reportOf, type StatusReport } from './report.ts';
import { documentOf, textOf } from './shown.ts';

const plain = { columns: 80, colour: false };
const two = { eu: 2, us: 2 };
const everywhere = 'NetworkTopologyStrategy {eu=2, us=2}';

/** What stands in these tests is what the planner itself has written. */
async function formed(): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(specOf(two)));
  for (let round = 0; round < 2; round++) await rest(world);
  return world;
}

function specOf(sizes: Record<string, number>, more: Record<string, unknown> = {}): Record<string, unknown> {
  const regions = Object.entries(sizes).map(([name, nodesPerRacks]) => ({
    name,
    datacenters: [{ name, nodesPerRacks }],
    ...(more[name] as object | undefined),
  }));
  return { regions };
}

function edit(world: PlannerWorld, spec: Record<string, unknown>): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf(spec).spec };
}

async function rest(world: PlannerWorld, ms = 10_000): Promise<void> {
  world.nowMs += ms;
  await world.settle();
}

function objectOf({ mcc }: PlannerWorld): KubeObject {
  return mcc;
}

function report(world: PlannerWorld): StatusReport {
  return reportOf(objectOf(world));
}

/** As it reads 61 s after the last condition changed. */
function text(world: PlannerWorld, style = plain): string {
  const { conditions = [], regions = [] } = world.mcc.status ?? {};
  const every = [...conditions, ...regions.flatMap((region) => region.conditions ?? [])];
  const lastMs = Math.max(...every.map(({ lastTransitionTime }) => Date.parse(lastTransitionTime)));
  return textOf({ name: 'orders', namespace: 'cassandra' }, [objectOf(world)], lastMs + 61_000, style).join('\n');
}

test('a ring at rest: what runs where, and that nobody has to do anything', async () => {
  assert.equal(
    text(await formed()),
    `cassandra/orders  Ready for 1m1s  regions 2/2, nodes 4/4

REGION  STATE    STAGE    NODES  SEEDS    REACHABLE
eu      Managed  Running  2/2    current  yes
us      Managed  Running  2/2    current  yes

Ring   intact: 4 hosts, the same in 4 views; founded by eu
Seeds  orders-eu-rack1-0.eu.db.example.net (everywhere)
       orders-eu-rack1-1.eu.db.example.net (everywhere)
       orders-us-rack1-0.us.db.example.net (everywhere)
       orders-us-rack1-1.us.db.example.net (everywhere)

Nothing is under way, and nothing waits for you.`,
  );
});

test('the statements that a gate waits for stand each on a line of their own, as the planner wants them run', async () => {
  const world = await formed();
  world.replication = {
    system_auth: 'SimpleStrategy {replication_factor=1}',
    system_distributed: everywhere,
    system_traces: everywhere,
    '"My;Shop"': everywhere,
  };
  edit(world, specOf({ ...two, ap: 2 }));
  await rest(world);
  const [gate] = report(world).yourTurn;
  assert.equal(gate?.region, 'ap');
  assert.equal(gate?.reason, 'ReplicationGate');
  assert.match(gate?.message ?? '', /^cluster orders holds data.*until the new datacenter is rebuilt:$/);
  const statement =
    "ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 2, 'us': 2};";
  assert.deepEqual(gate?.statements, [statement]);
  const lines = text(world).split('\n');
  assert.ok(lines.includes(`      ${statement}`), 'a statement is not broken');
  assert.ok(lines.filter((line) => !line.includes('ALTER')).every((line) => line.length <= 80));
});

test('a semicolon in a quoted name ends no statement, and what follows the statements is still said', () => {
  const statements = [
    `ALTER KEYSPACE "My;""Shop" WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 2};`,
    `ALTER KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'eu': 2};`,
  ];
  const message = `Run: ${statements.join(' ')} Then its nodes stream their rows.`;
  const { yourTurn } = mattersOf({ conditions: [condition('Stalled', 'True', 'ReplicationGate', message)] });
  assert.deepEqual(yourTurn[0]?.statements, statements);
  assert.equal(yourTurn[0]?.message, 'Run: those below. Then its nodes stream their rows.');
});

test('what stands in a region and for the whole is told once, of the region, since a person is waited for', () => {
  const message = 'region ap has joined, and keyspaces have no replicas there yet';
  const found = mattersOf({
    conditions: [condition('Stalled', 'True', 'ReplicationGate', message, '2026-01-01T00:05:00Z')],
    regions: [
      { name: 'ap', stage: 'Running', conditions: [condition('Applied', 'False', 'ReplicationGate', message)] },
    ],
  });
  assert.deepEqual(found, {
    yourTurn: [{ region: 'ap', reason: 'ReplicationGate', message, since: '2026-01-01T00:05:00Z', statements: [] }],
    waiting: [],
    underWay: [],
  });
});

test('the oldest matter comes first', () => {
  const found = mattersOf({
    regions: ['2026-01-03T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'].map((at, index) => ({
      name: `r${index}`,
      stage: 'Running' as const,
      conditions: [condition('RingMember', 'False', 'DataLossSuspected', `pod ${index}`, at)],
    })),
  });
  assert.deepEqual(
    found.yourTurn.map(({ region }) => region),
    ['r1', 'r2', 'r0'],
  );
});

test('every mistake of a spec that is not accepted is a line of its own, told once', async () => {
  const world = await formed();
  edit(world, specOf({ us: 2, ap: 2 }));
  await rest(world);
  const { yourTurn, underWay } = report(world);
  assert.deepEqual(
    yourTurn.map(({ reason }) => reason),
    ['RegionDropped'],
  );
  assert.deepEqual(underWay, []);
  assert.match(text(world), /^eu {6}Dropped/m);
});

test('a region that does not answer is said once, and is waited for', async () => {
  const world = await formed();
  const message = 'context us: no answer within 15000 ms';
  world.unknown.set('us', { known: false, reason: 'Unreachable', answer: 'Timeout', message });
  await rest(world);
  const { waiting, yourTurn } = report(world);
  assert.deepEqual(
    waiting.map(({ region, reason, message: said }) => [region, reason, said]),
    [['us', 'Timeout', message]],
  );
  assert.deepEqual(yourTurn, []);
  assert.match(text(world), /^ {4}> Look at the network and that API server\.$/m);
  assert.match(text(world), /^us {6}Managed {2}Running {2}2\/2 {4}current {2}no for 1m1s: Timeout$/m);
});

test('while the ring forms it says who is at work and who waits for their turn', async () => {
  const world = new PlannerWorld(mccOf(specOf(two)));
  while (!world.member('eu')) await world.step();
  await world.step();
  const { underWay, waiting } = report(world);
  assert.deepEqual(
    [underWay.length > 0, waiting.map(({ region, reason }) => [region, reason])],
    [true, [['us', 'Waiting']]],
  );
});

test('an object that nobody has looked at yet, and one whose spec is of another version, are shown all the same', () => {
  const metadata = { name: 'orders', namespace: 'cassandra', generation: 3 };
  for (const spec of [{ regions: [{ name: 'eu' }] }, { regions: 'elsewhere' }, undefined]) {
    const found = reportOf({ metadata, ...(spec && { spec }) });
    assert.equal(found.ready.reason, 'NotSaid');
    assert.equal(found.current, false);
    assert.deepEqual(found.yourTurn, []);
  }
});

test('without a name there is a line for each, in the order of their names, with what weighs most', async () => {
  const [calm, gated] = [await formed(), await formed()];
  edit(gated, specOf(two, { eu: { state: 'Removing' }, us: { state: 'Removing' } }));
  for (let round = 0; round < 2; round++) await rest(gated);
  const objects = [objectOf(gated), { ...objectOf(calm), metadata: { ...calm.mcc.metadata, name: 'bills' } }];
  const shown = { name: undefined, namespace: undefined };
  const lines = textOf(shown, objects, gated.nowMs + 5000, { columns: 90, colour: false });
  assert.match(lines[0] ?? '', /^NAMESPACE +NAME +READY +REGIONS +NODES +RING +WHAT$/);
  assert.match(lines[1] ?? '', /^cassandra +bills +True +2\/2 +4\/4 +intact$/);
  assert.match(lines[2] ?? '', /^cassandra +orders +False +.*your turn: \w+ \w+ for/);
  assert.ok(lines.every((line) => line.length <= 90));
});

test('with colours it says the same', async () => {
  const world = await formed();
  const coloured = text(world, { columns: 80, colour: true });
  assert.equal(stripVTControlCharacters(coloured), text(world));
  assert.notEqual(coloured, text(world));
});

test('as JSON and as YAML it is the same document: one report, or a list of them', async () => {
  const world = await formed();
  const one = { name: 'orders', namespace: 'cassandra' };
  const [json, yaml] = (['json', 'yaml'] as const).map((output) => documentOf(one, [objectOf(world)], output));
  assert.deepEqual(JSON.parse(json ?? ''), parse(yaml ?? ''));
  assert.deepEqual(JSON.parse(json ?? ''), JSON.parse(JSON.stringify(report(world))));
  const list = JSON.parse(documentOf({ ...one, name: undefined }, [objectOf(world)], 'json')) as { items: unknown[] };
  assert.deepEqual(list.items, [JSON.parse(json ?? '')]);
});

test('whatever Stalled can say is told as something that a person has to do', () => {
  for (const reason of Object.keys(reasons.Stalled).filter((each) => !['Progressing', 'NotAccepted'].includes(each))) {
    const { yourTurn } = mattersOf({ conditions: [condition('Stalled', 'True', reason, 'a sentence')] });
    assert.equal(yourTurn.length, 1, reason);
  }
});

function condition(
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
  lastTransitionTime = '2026-01-01T00:00:00Z',
): { type: string; status: 'True' | 'False'; reason: string; message: string; lastTransitionTime: string } {
  return { type, status, reason, message, lastTransitionTime };
}
