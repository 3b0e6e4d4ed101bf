import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../kube/objects.ts';
import { mccOf, PlannerWorld } from './testing.ts';

/** Sequences of events in which something could be lost, founded twice, or written for ever. */

const dark = { known: false, reason: 'Unreachable', message: 'context us: refused' } as const;

function conditionOf(
  world: PlannerWorld,
  type: string,
  region?: string,
): { status?: string; reason?: string; message?: string } {
  const { status } = world.mcc;
  const list = region ? status?.regions?.find((each) => each.name === region)?.conditions : status?.conditions;
  return list?.find((each) => each.type === type) ?? {};
}

/** Passes until the region has its member, stopping right after the write that creates it. */
async function untilMember(world: PlannerWorld, region: string): Promise<void> {
  for (let pass = 0; pass < 100 && !world.member(region); pass++) {
    await world.step();
    if (!world.member(region)) world.act();
  }
  assert.ok(world.member(region));
}

test('a region that goes dark right after its member was created holds up the next one', async () => {
  const world = new PlannerWorld();
  await untilMember(world, 'us');
  world.unknown.set('us', dark);
  await world.settle();
  assert.equal(world.member('ap'), undefined);
});

test('a region is recorded as part of the ring before its member is created', async () => {
  const world = new PlannerWorld();
  await untilMember(world, 'us');
  assert.ok(world.mcc.status?.regions?.find((region) => region.name === 'us')?.identity);
});

test('a wiped status does not let the next region join while one that joins is dark', async () => {
  const world = new PlannerWorld();
  await untilMember(world, 'us');
  world.unknown.set('us', dark);
  const { status: _, ...bare } = world.mcc;
  world.mcc = bare;
  await world.settle();
  assert.equal(world.member('ap'), undefined);
});

test('no region is created while the founder’s guard cannot be brought up to date', async () => {
  const world = new PlannerWorld();
  await untilMember(world, 'eu');
  world.act();
  world.overrides.set('eu', { serviceAccountExists: false });
  await world.settle();
  assert.match(world.guard('eu')?.['ignition'] ?? '', /orders-eu-rack1-0/);
  assert.equal(world.member('us'), undefined);
});

test('a writer that is older than the last one says that it is stalled', async () => {
  const world = new PlannerWorld(mccOf({}, { generation: 7 }));
  await world.settle();
  world.mcc = { ...world.mcc, metadata: { ...world.mcc.metadata, generation: 3 } };
  await world.settle();
  assert.equal(conditionOf(world, 'Stalled').reason, 'NewerWriter');
});

test('an acknowledgement does not make a node of another ring a member', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  const lost = world.pods[1];
  assert.ok(lost);
  lost.hostId = '00000000-0000-4000-8000-00000000ffff';
  const alone = { ...world.viewOf(lost), hosts: { [lost.address]: lost.hostId }, live: [lost.address] };
  world.overrides.set('us', { views: { [lost.name]: alone } });
  const acknowledgedHosts = [{ pod: lost.name, hostId: lost.hostId }];
  world.mcc = { ...world.mcc, spec: mccOf({ regions: [{ name: 'eu' }, { name: 'us', acknowledgedHosts }] }).spec };
  await world.settle();
  assert.doesNotMatch(world.guard('eu')?.['joined'] ?? '', /ffff/);
});

test('a key that somebody adds to a guard is left alone and causes no writes', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const { guard } = world.snapshot().regions['eu'] as { guard: KubeObject };
  world.overrides.set('eu', { guard: { ...guard, data: { ...(guard['data'] as object), note: 'mine' } } });
  assert.equal(await world.step(), 0);
});

test('a ring whose nodes stop answering is looked at again, though no event comes', async () => {
  const world = new PlannerWorld();
  await world.settle();
  assert.equal(world.plan().pace, 'quiet');
  world.overrides.set('eu', { unreadable: { 'orders-eu-rack1-0': 'answers HTTP 503' } });
  assert.equal(world.plan().pace, 'slow');
});

test('a ring whose regions hold each other to be down is not ready', async () => {
  const world = new PlannerWorld();
  await world.settle();
  for (const pod of world.pods) {
    world.overrides.set(pod.region, { views: { [pod.name]: { ...world.viewOf(pod), live: [pod.address] } } });
  }
  await world.settle();
  assert.equal(conditionOf(world, 'Ready').status, 'False');
  assert.equal(conditionOf(world, 'RingMember', 'us').reason, 'NotAlive');
});

test('a node that is drained is no normal member', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const [pod] = world.pods;
  assert.ok(pod);
  world.overrides.set('eu', { views: { [pod.name]: { ...world.viewOf(pod), operationMode: 'DRAINED' } } });
  await world.settle();
  assert.match(conditionOf(world, 'RingMember', 'eu').message ?? '', /DRAINED/);
});

test('what somebody puts where our seeds once stood is theirs', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const member = world.member('us');
  assert.ok(member);
  const envVars = [{ name: 'A', value: 'b' }];
  const spec = { ...(member['spec'] as object), backRestSidecar: { envVars } };
  world.overrides.set('us', { member: { ...member, spec } });
  assert.deepEqual(world.plan().intents, []);
});

test('an empty object in the template is not rendered, or the server would refuse to empty what we filled', async () => {
  const world = new PlannerWorld(
    mccOf({
      template: {
        spec: { cassandraImage: 'cassandra:5.0.8', serverVersion: '5.0.8', dataCapacity: '1Gi', config: {} },
      },
    }),
  );
  await world.settle();
  assert.equal((world.member('eu')?.['spec'] as { config?: object } | undefined)?.config, undefined);
  assert.ok(world.member('eu'));
});

test('a write that a region refuses is said in its condition', async () => {
  const world = new PlannerWorld();
  world.refusedWrites = { eu: 'create the guard of region eu: 403 Forbidden' };
  await world.settle();
  assert.equal(conditionOf(world, 'Applied', 'eu').reason, 'WriteRefused');
});

test('a member that was deleted by hand does not come back smaller', async () => {
  const datacenters = (nodes: number): unknown => [{ name: 'us', nodesPerRacks: nodes }];
  const spec = (nodes: number): Record<string, unknown> => ({
    regions: [{ name: 'eu' }, { name: 'us', datacenters: datacenters(nodes) }],
  });
  const world = new PlannerWorld(mccOf(spec(3)));
  await world.settle();
  world.overrides.set('us', { member: undefined, statefulSets: [], pods: [], views: {} });
  world.mcc = { ...world.mcc, spec: mccOf(spec(2)).spec };
  const writes = world.written.length;
  await world.settle();
  assert.equal(world.written.length, writes);
  assert.match(conditionOf(world, 'Stalled').message ?? '', /orders-us-rack1-2/);
});

test('a member that was deleted by hand comes back when its volumes are there', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  world.overrides.set('us', { member: undefined, statefulSets: [] });
  const [intent] = world.plan().intents;
  assert.equal(intent?.why, 'create the member of region us, which joins the ring');
});

test('a region that lacks something stalls nothing while another one joins', async () => {
  const world = new PlannerWorld();
  world.overrides.set('us', { namespaceExists: false });
  await untilMember(world, 'ap');
  await world.step();
  assert.equal(conditionOf(world, 'Stalled').status, 'False');
  await world.settle();
  assert.equal(conditionOf(world, 'Stalled').reason, 'PreconditionMissing');
});

test('a label that somebody adds to a member is no change of the spec', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const member = world.member('eu');
  assert.ok(member);
  world.overrides.set('eu', { member: { ...member, metadata: { ...member.metadata, labels: { argo: 'x' } } } });
  const template = {
    metadata: { annotations: { note: 'new' } },
    spec: { cassandraImage: 'cassandra:5.0.8', serverVersion: '5.0.8', nodesPerRacks: 1, dataCapacity: '1Gi' },
  };
  world.mcc = { ...world.mcc, spec: mccOf({ template }).spec };
  world.plan();
  assert.notEqual(world.plan().status.conditions?.find(({ type }) => type === 'Accepted')?.status, 'False');
});

test('a region that is out of sight for a moment is told of as before, and all others are written to', async () => {
  const world = new PlannerWorld();
  await world.settle();
  const before = world.mcc.status;
  world.unknown.set('us', { known: false, reason: 'BehindOwnWrite', message: 'a write is under way', isPassing: true });
  world.mcc = {
    ...world.mcc,
    metadata: { ...world.mcc.metadata, generation: 2 },
    spec: { ...world.mcc.spec, seeds: { ...world.mcc.spec.seeds, guardWaitSeconds: 61 } },
  };
  const { intents, status, pace } = world.plan();
  assert.deepEqual(intents.map(({ region }) => region).sort(), ['ap', 'eu']);
  assert.equal(
    status.observedGeneration,
    before?.observedGeneration,
    'nobody takes Ready for an answer to the new spec',
  );
  const whole = status.conditions?.filter(({ type }) => type !== 'Accepted');
  assert.deepEqual(
    whole,
    before?.conditions?.filter(({ type }) => type !== 'Accepted'),
  );
  assert.deepEqual(
    status.regions?.find(({ name }) => name === 'us'),
    before?.regions?.find(({ name }) => name === 'us'),
  );
  assert.equal(pace, 'writing');
});

test('nodes are asked fast while a ring grows, and not for an edit that is none of their business', async () => {
  const world = new PlannerWorld();
  const paces = new Set<string>();
  const isFormed = (): boolean => world.mcc.status?.regions?.every(({ stage }) => stage === 'Running') ?? false;
  for (let pass = 0; pass < 100 && !isFormed(); pass++) {
    paces.add(world.plan().pace);
    await world.step();
    world.act();
  }
  assert.deepEqual([...paces], ['fast']);
  await world.settle();
  assert.equal(world.plan().pace, 'quiet');
  world.mcc = {
    ...world.mcc,
    metadata: { ...world.mcc.metadata, generation: 2 },
    spec: { ...world.mcc.spec, seeds: { ...world.mcc.spec.seeds, guardWaitSeconds: 61 } },
  };
  assert.equal(world.plan().intents.length, 3);
  assert.equal(world.plan().pace, 'writing');
});

test('a region that stays out of sight is told of as such', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.unknown.set('us', dark);
  world.mcc = { ...world.mcc, status: world.plan().status };
  assert.equal(conditionOf(world, 'Ready').status, 'Unknown');
  assert.equal(conditionOf(world, 'RegionsReachable').status, 'False');
  assert.equal(conditionOf(world, 'Reachable', 'us').status, 'False');
});

test('a region that comes back is called reachable once it has been so for a while', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.unknown.set('us', { ...dark, answer: 'Refused' });
  world.mcc = { ...world.mcc, status: world.plan().status };
  world.unknown.delete('us');
  world.overrides.set('us', { isUnsteady: true });
  world.mcc = { ...world.mcc, status: world.plan().status };
  assert.equal(conditionOf(world, 'Reachable', 'us').reason, 'Refused');
  assert.equal(conditionOf(world, 'Applied', 'us').status, 'True');
  world.overrides.delete('us');
  world.mcc = { ...world.mcc, status: world.plan().status };
  assert.equal(conditionOf(world, 'Reachable', 'us').status, 'True');
  assert.equal(conditionOf(world, 'RegionsReachable').status, 'True');
});

test('while the guard of one region is on its way, no other region is begun with', async () => {
  const world = new PlannerWorld();
  for (let pass = 0; pass < 100 && !world.guard('us'); pass++) {
    const next = world.plan().intents.find(({ region }) => region === 'us');
    if (next) {
      const behind = {
        known: false,
        reason: 'BehindOwnWrite',
        message: 'a write is under way',
        isPassing: true,
      } as const;
      world.unknown.set('us', behind);
      assert.deepEqual(world.plan().intents, []);
      world.unknown.delete('us');
    }
    await world.step();
    world.act();
  }
  assert.ok(world.guard('us'));
});

test('a region that was not registered is called reachable as soon as it is and answers', async () => {
  const world = new PlannerWorld();
  await world.settle();
  world.unknown.set('us', { known: false, reason: 'UnknownContext', message: 'nobody has registered it' });
  world.mcc = { ...world.mcc, status: world.plan().status };
  world.unknown.delete('us');
  world.overrides.set('us', { isUnsteady: true });
  world.mcc = { ...world.mcc, status: world.plan().status };
  assert.equal(conditionOf(world, 'Reachable', 'us').status, 'True');
});

/** A formed ring in which the node of region us has come back as another host, which cannot get through its bootstrap. */
async function withLostDisk(): Promise<{ world: PlannerWorld; old: string; found: string; pod: string }> {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  const [eu, us] = world.pods;
  assert.ok(eu && us);
  const old = us.hostId;
  const found = '00000000-0000-4000-8000-00000000ffff';
  const seen = { ...world.viewOf(eu), live: [eu.address] };
  world.overrides.set('eu', { views: { [eu.name]: seen } });
  world.overrides.set('us', { views: { [us.name]: { ...world.viewOf(us), hostId: found, operationMode: 'JOINING' } } });
  await world.settle();
  return { world, old, found, pod: us.name };
}

test('a node that comes back as another host is said to have lost its disk while it still joins', async () => {
  const { world, found } = await withLostDisk();
  assert.equal(conditionOf(world, 'Stalled').reason, 'DataLossSuspected');
  assert.match(conditionOf(world, 'RingIntact').message ?? '', new RegExp(`acknowledgedHosts lists .*${found}`));
});

test('once its new self is acknowledged the old one is advised away, although the pod is not heard', async () => {
  const { world, old, found, pod } = await withLostDisk();
  const acknowledgedHosts = [{ pod, hostId: found }];
  world.mcc = { ...world.mcc, spec: mccOf({ regions: [{ name: 'eu' }, { name: 'us', acknowledgedHosts }] }).spec };
  world.overrides.set('us', { views: {} });
  await world.settle();
  assert.match(conditionOf(world, 'RingIntact').message ?? '', new RegExp(`nodetool removenode ${old}`));
});

test('an entry is missed as long as hosts of its region are known, seen or not', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  await world.settle();
  const regions = (world.mcc.status?.regions ?? []).map(({ identity, ...rest }) =>
    rest.name === 'us' || !identity ? rest : { ...rest, identity },
  );
  world.mcc = {
    ...world.mcc,
    spec: mccOf({ regions: [{ name: 'eu' }] }).spec,
    status: { ...world.mcc.status, regions },
  };
  await world.step();
  assert.equal(conditionOf(world, 'Accepted').reason, 'RegionDropped');
  assert.ok(world.mcc.status?.regions?.some(({ name, hosts = [] }) => name === 'us' && hosts.length > 0));
});

test('no second ring is founded where a guard of an earlier MultiCassandraCluster tells of a region the spec does not name', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }] }));
  for (let pass = 0; pass < 100 && !world.guard('us'); pass++) {
    world.act();
    await world.step();
  }
  assert.ok(world.guard('us') && !world.member('us'));
  world.mcc = mccOf({ regions: [{ name: 'us' }], adoptionPolicy: 'IfUnchanged' }, { uid: 'uid-of-another' });
  await world.settle();
  assert.equal(world.member('us'), undefined);
  assert.equal(conditionOf(world, 'Stalled').reason, 'LeftoversFound');
  assert.match(conditionOf(world, 'Stalled').message ?? '', /that region eu founded.*delete the ConfigMap/);
});

test('a member that was deleted comes back before a region joins that is named before it', async () => {
  const world = new PlannerWorld(mccOf({ regions: [{ name: 'eu' }, { name: 'us' }, { name: 'ap' }] }));
  const hostsOf = (region: string) => world.mcc.status?.regions?.find(({ name }) => name === region)?.hosts ?? [];
  for (let pass = 0; pass < 100 && hostsOf('us').length === 0; pass++) {
    world.act();
    await world.step();
  }
  assert.equal(world.member('ap'), undefined);
  world.mcc = { ...world.mcc, spec: mccOf({ regions: [{ name: 'ap' }, { name: 'us' }, { name: 'eu' }] }).spec };
  world.overrides.set('us', { member: undefined, statefulSets: [] });
  const [intent] = world.plan().intents;
  assert.equal(intent?.why, 'create the member of region us, which joins the ring');
});
