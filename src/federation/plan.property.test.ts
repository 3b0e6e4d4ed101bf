import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../kube/objects.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { plan } from './plan.ts';
import type { KnownRegion, RegionSnapshot, Snapshot } from './snapshot.ts';
import { mccOf, PlannerWorld } from './testing.ts';

const names = ['eu', 'us', 'ap'];

/** Snapshots taken in the middle of real formations, then spoilt: regions vanish, objects and views turn to nonsense. */
const spoiling = fc.record({
  passes: fc.nat(14),
  unknown: fc.subarray(names),
  status: fc.constantFrom<('keep' | 'wipe' | 'foreign')[]>('keep', 'wipe', 'foreign'),
  adoptionPolicy: fc.constantFrom('Never', 'IfUnchanged'),
  spoilt: fc.dictionary(
    fc.constantFrom(...names),
    fc.record(
      {
        memberAnnotations: fc.dictionary(
          fc.constantFrom(
            'ringmaster.dev/owner',
            'ringmaster.dev/seeds',
            'ringmaster.dev/founder',
            'ringmaster.dev/stamp',
          ),
          fc.oneof(fc.string(), fc.json()),
        ),
        memberStatus: fc.jsonValue(),
        guardData: fc.dictionary(fc.constantFrom('joined', 'ignition', 'guard_wait_seconds', 'x'), fc.string()),
        podStatus: fc.jsonValue(),
        hosts: fc.dictionary(fc.ipV4(), fc.uuid()),
        operationMode: fc.constantFrom('NORMAL', 'JOINING', 'DECOMMISSIONED', ''),
        viewAgeMs: fc.nat(300_000),
        claims: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  ),
});
type Spoiling = typeof spoiling extends fc.Arbitrary<infer T> ? T : never;

async function spoiltSnapshot(given: Spoiling): Promise<Snapshot> {
  const world = new PlannerWorld(mccOf({ adoptionPolicy: given.adoptionPolicy }));
  for (let pass = 0; pass < given.passes; pass++) {
    await world.step();
    world.act();
  }
  const taken = world.snapshot();
  const regions: Record<string, RegionSnapshot> = {};
  for (const name of names) {
    const region = taken.regions[name];
    if (given.unknown.includes(name) || !region?.known) {
      regions[name] = { known: false, reason: 'Unreachable', message: 'gone' };
    } else regions[name] = spoil(region, given.spoilt[name] ?? {});
  }
  const { status, ...bare } = taken.mcc;
  const mcc = {
    ...bare,
    ...(given.status !== 'wipe' && status && { status }),
    metadata: { ...bare.metadata, uid: given.status === 'foreign' ? 'another-uid' : (bare.metadata.uid ?? '') },
  };
  return { ...taken, mcc, regions };
}

function spoil(region: KnownRegion, by: Spoiling['spoilt'][string]): KnownRegion {
  const annotated = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...by.memberAnnotations } },
    ...(by.memberStatus !== undefined && { status: by.memberStatus }),
  });
  return {
    ...region,
    member: region.member && annotated(region.member),
    guard: region.guard && { ...region.guard, ...(by.guardData && { data: by.guardData }) },
    pods: region.pods.map((pod) => ({ ...pod, ...(by.podStatus !== undefined && { status: by.podStatus }) })),
    claims: [...region.claims, ...(by.claims ?? []).map((name) => ({ metadata: { name } }))],
    views: Object.fromEntries(
      Object.entries(region.views).map(([pod, view]) => [
        pod,
        {
          ...view,
          ...(by.hosts && { hosts: by.hosts, live: Object.keys(by.hosts) }),
          ...(by.operationMode !== undefined && { operationMode: by.operationMode }),
          observedAtMs: view.observedAtMs - (by.viewAgeMs ?? 0),
        },
      ]),
    ),
  };
}

async function forAllSnapshots(check: (snapshot: Snapshot) => void): Promise<void> {
  await fc.assert(
    fc.asyncProperty(spoiling, async (given) => check(await spoiltSnapshot(given))),
    { numRuns: 100 },
  );
}

test('every snapshot has a plan, and the same one each time', async () => {
  await forAllSnapshots((snapshot) =>
    assert.deepEqual(plan(snapshot, casskop), plan(structuredClone(snapshot), casskop)),
  );
});

test('nothing is ever written to a region that cannot be seen', async () => {
  await forAllSnapshots((snapshot) => {
    for (const { region } of plan(snapshot, casskop).intents) assert.ok(snapshot.regions[region]?.known);
  });
});

test('nothing is written to any region before the founder is in the object', async () => {
  await forAllSnapshots((snapshot) => {
    if (snapshot.mcc.status?.ring?.founder === undefined) assert.deepEqual(plan(snapshot, casskop).intents, []);
  });
});

test('a member without our mark is never written', async () => {
  await forAllSnapshots((snapshot) => {
    for (const { region, write } of plan(snapshot, casskop).intents) {
      if (write.resource.kind !== 'CassandraCluster' || write.verb === 'create') continue;
      const there = snapshot.regions[region];
      const owner = there?.known ? there.member?.metadata.annotations?.['ringmaster.dev/owner'] : undefined;
      const { name, uid } = JSON.parse(owner ?? '{}') as { name?: string; uid?: string };
      const adopting = snapshot.mcc.spec.adoptionPolicy === 'IfUnchanged';
      assert.ok(uid === snapshot.mcc.metadata.uid || (adopting && name === snapshot.mcc.metadata.name));
    }
  });
});

test('every write of an object that exists names the version it was planned from', async () => {
  await forAllSnapshots((snapshot) => {
    for (const { region, write } of plan(snapshot, casskop).intents) {
      const there = snapshot.regions[region];
      assert.ok(there?.known);
      const object = write.resource.kind === 'ConfigMap' ? there.guard : there.member;
      if (write.verb === 'order' || write.verb === 'cql') continue;
      const version = 'object' in write ? write.object.metadata.resourceVersion : write.resourceVersion;
      assert.equal(version, write.verb === 'create' ? undefined : object?.metadata.resourceVersion);
    }
  });
});

test('a member is created only with all seeds in it, and at most one at a time', async () => {
  await forAllSnapshots((snapshot) => {
    const created = plan(snapshot, casskop).intents.filter(
      ({ write }) => write.verb === 'create' && write.resource.kind === 'CassandraCluster',
    );
    assert.ok(created.length <= 1);
    for (const { write } of created) {
      assert.ok('object' in write);
      const spec = write.object['spec'] as { config: { 'cluster-info': { seeds: string } } };
      const seeds = spec.config['cluster-info'].seeds.split(',');
      assert.ok((snapshot.mcc.status?.seeds ?? []).every((seed) => seeds.includes(seed)));
      assert.ok(seeds.length >= 3);
    }
  });
});

test('the conditions always speak of the generation that was planned', async () => {
  await forAllSnapshots((snapshot) => {
    const { conditions } = plan(snapshot, casskop).status;
    for (const type of [
      'Accepted',
      'Ready',
      'Reconciling',
      'Stalled',
      'RingIntact',
      'RegionsReachable',
      'SeedsCurrent',
    ]) {
      const condition = conditions?.find((each) => each.type === type);
      assert.equal(condition?.observedGeneration, snapshot.mcc.metadata.generation, type);
      assert.ok(condition?.reason && condition.message);
    }
  });
});
