import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mccOf, PlannerWorld } from './testing.ts';

type Regions = Record<string, Record<string, unknown>>;

const template = {
  cassandraImage: 'cassandra:5.0.8',
  serverVersion: '5.0.8',
  nodesPerRacks: 2,
  dataCapacity: '1Gi',
  imagePullSecret: { name: 'registry' },
};
const three: Regions = { eu: {}, us: {}, ap: {} };
const euLeaves: Regions = { ...three, eu: { state: 'Removing' } };

function specOf(regions: Regions, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    template: { spec: template },
    adoptionPolicy: 'IfUnchanged',
    regions: Object.entries(regions).map(([name, fields]) => ({ name, ...fields })),
    ...more,
  };
}

async function formed(regions: Regions): Promise<PlannerWorld> {
  const world = new PlannerWorld(mccOf(specOf(regions)));
  world.putObject('Secret registry', { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } });
  await world.settle();
  world.written.length = 0;
  return world;
}

function edit(world: PlannerWorld, regions: Regions): void {
  const generation = (world.mcc.metadata.generation ?? 0) + 1;
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation }, spec: mccOf(specOf(regions)).spec };
}

/** The hub is lost with all that it knew, and an object of the same name is applied on another one; without `spec` the same one. */
function applyOnNewHub(world: PlannerWorld, spec?: Record<string, unknown>): void {
  const uid = `${world.mcc.metadata.uid}-anew`;
  world.mcc = spec ? mccOf(spec, { uid }) : { ...mccOf({}, { uid }), spec: world.mcc.spec };
}

/** Lets the controller write, and the regions act when it rests; false when all rest before there were so many writes. */
async function write(world: PlannerWorld, count: number): Promise<boolean> {
  for (let written = 0; written < count;) {
    const did = await world.step(1);
    if (did === 0 && !world.act()) return false;
    written += did;
  }
  return true;
}

async function untilWritten(world: PlannerWorld, pattern: RegExp): Promise<void> {
  while (!world.written.some(({ why }) => pattern.test(why))) {
    assert.ok(await write(world, 1), `nothing is written any more, and nothing was like ${String(pattern)}`);
  }
}

const stageOf = (world: PlannerWorld, name: string): string | undefined =>
  world.mcc.status?.regions?.find((region) => region.name === name)?.stage;

function conditionOf(world: PlannerWorld, type: string): string {
  const { status, reason, message } = world.mcc.status?.conditions?.find((each) => each.type === type) ?? {};
  return `${status} ${reason}: ${message}`;
}

/** What may happen once in a history: a member is made in a region, a node is told to leave the ring, a host is removed from it. */
function onceOnly(world: PlannerWorld): string[] {
  return world.written.flatMap(({ region, write: { verb, resource, ...rest } }) => {
    if ('order' in rest) return [`${rest.order.what} ${'hostId' in rest.order ? rest.order.hostId : rest.hostId}`];
    return verb === 'create' && resource.kind === 'CassandraCluster' ? [`create ${region}`] : [];
  });
}

function assertReady(world: PlannerWorld, message: RegExp): void {
  assert.match(conditionOf(world, 'Ready'), message);
  assert.equal(world.mcc.status?.ring?.founder, 'eu');
}

interface Workload {
  readonly before: Regions;
  readonly begin: (world: PlannerWorld) => void;
  readonly check: (world: PlannerWorld) => void;
}

const workloads: Record<string, Workload> = {
  'a region joins': {
    before: { eu: {}, us: {} },
    begin: (world) => edit(world, three),
    check: (world) => {
      assertReady(world, /^True Ready: 3 regions run one ring of 6 nodes/);
      assert.equal(world.pods.length, 6);
    },
  },
  'the founder leaves': {
    before: three,
    begin: (world) => edit(world, euLeaves),
    check: (world) => {
      assert.equal(stageOf(world, 'eu'), 'Removed');
      assertReady(world, /^True Ready: 2 regions run one ring of 4 nodes/);
      assert.equal(world.member('eu'), undefined);
      assert.equal(world.guard('eu'), undefined);
      assert.deepEqual([...world.regionObjects.keys()].sort(), ['ap Secret registry', 'us Secret registry']);
      for (const region of ['us', 'ap']) assert.doesNotMatch(world.guard(region)?.['joined'] ?? '', /-eu-/);
      assert.ok(world.mcc.status?.seeds?.every((seed) => !seed.includes('-eu-')));
    },
  },
  'a lost region is given up': {
    before: three,
    begin: (world) => {
      const hosts = world.mcc.status?.regions?.find(({ name }) => name === 'ap')?.hosts ?? [];
      world.lose('ap');
      edit(world, { ...three, ap: { state: 'Abandoned', abandonedHosts: hosts.map(({ hostId }) => hostId) } });
    },
    check: (world) => {
      assert.equal(stageOf(world, 'ap'), 'Abandoned');
      assertReady(world, /^True Ready: 2 regions run one ring of 4 nodes/);
      assert.equal(world.mcc.status?.ring?.abandonedHosts?.length, 2);
      assert.equal(world.ghosts.length, 0);
    },
  },
};

for (const [name, { before, begin, check }] of Object.entries(workloads)) {
  test(`${name}, and whenever the hub is lost meanwhile the same object on a new one finishes it`, async () => {
    for (let lostAfter = 0, goesOn = true; goesOn; lostAfter++) {
      const world = await formed(before);
      begin(world);
      goesOn = await write(world, lostAfter);
      applyOnNewHub(world);
      // Every other time that one is lost as well, a few writes later.
      if (lostAfter % 2 === 1) {
        await write(world, (lostAfter % 5) + 1);
        applyOnNewHub(world);
      }
      try {
        await world.settle();
        check(world);
        const all = onceOnly(world);
        assert.deepEqual(all, [...new Set(all)]);
      } catch (cause) {
        const said = ['Accepted', 'Ready', 'Stalled'].map((type) => `${type} ${conditionOf(world, type)}`);
        const writes = world.written.map(({ why }) => why);
        throw new Error([`lost after ${lostAfter} writes:`, String(cause), ...said, ...writes].join('\n'), { cause });
      }
    }
  });
}

test('what is asked for at the end of a removal is not forgotten with the hub', async () => {
  const world = await formed(three);
  world.replication = { shop: 'NetworkTopologyStrategy {us=2}', system_auth: 'NetworkTopologyStrategy {eu=2, us=2}' };
  edit(world, euLeaves);
  await world.settle();
  assert.equal(world.member('eu'), undefined);
  applyOnNewHub(world);
  await world.settle();
  assert.match(conditionOf(world, 'Stalled'), /^True ReplicationGate: .*ALTER KEYSPACE system_auth/);
  assert.equal(stageOf(world, 'eu'), 'Removing');
  world.replication = { ...world.replication, system_auth: 'NetworkTopologyStrategy {us=2}' };
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assert.equal(world.guard('eu'), undefined);
});

for (const [moment, pattern] of Object.entries({
  'one of its nodes was told to leave': /^let orders-eu-rack1-1 /,
  'its member was deleted': /^delete the member of region eu/,
})) {
  test(`a region that was leaving, and is asked to stay on a new hub when ${moment}, is left alone, and why is said`, async () => {
    const world = await formed(three);
    edit(world, euLeaves);
    await untilWritten(world, pattern);
    const writes = world.written.length;
    applyOnNewHub(world, specOf(three));
    await world.settle();
    assert.match(
      conditionOf(world, 'Accepted'),
      /^False RemovalUnderWay: .*: Region eu has been .*Put its state back to Removing/,
    );
    assert.equal(world.written.length, writes);
    edit(world, euLeaves);
    await world.settle();
    assert.equal(stageOf(world, 'eu'), 'Removed');
  });

  test(`a region that was leaving is left alone by a new hub that may not adopt it, when ${moment}`, async () => {
    const world = await formed(three);
    edit(world, euLeaves);
    await untilWritten(world, pattern);
    const writes = world.written.length;
    applyOnNewHub(world, specOf(euLeaves, { adoptionPolicy: 'Never' }));
    await world.settle();
    assert.match(conditionOf(world, 'Stalled'), /^True ForeignMember: /);
    assert.equal(world.written.length, writes);
  });
}

test('a region whose entry is missing on a new hub is asked for, as long as nodes of it are in the ring', async () => {
  const world = await formed(three);
  edit(world, euLeaves);
  await untilWritten(world, /^let orders-eu-rack1-1 /);
  const writes = world.written.length;
  applyOnNewHub(world, specOf({ us: {}, ap: {} }));
  await world.settle();
  assert.match(
    conditionOf(world, 'Accepted'),
    /^False RegionDropped: spec\.regions: The ring holds orders-eu-rack1-0, and no region of the list has them\./,
  );
  assert.equal(world.written.length, writes);
  edit(world, euLeaves);
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assertReady(world, /^True Ready: 2 regions run one ring of 4 nodes/);
});

test('a region whose nodes have all left may be missing on a new hub, and what the guards still tell of it is forgotten', async () => {
  const world = await formed(three);
  edit(world, euLeaves);
  await untilWritten(world, /^let orders-eu-rack1-0 /);
  assert.match(world.guard('us')?.['joined'] ?? '', /orders-eu-rack1-0/);
  applyOnNewHub(world, specOf({ us: {}, ap: {} }));
  await world.settle();
  assertReady(world, /^True Ready: 2 regions run one ring of 4 nodes/);
  assert.doesNotMatch(world.guard('us')?.['joined'] ?? '', /orders-eu/);
});
