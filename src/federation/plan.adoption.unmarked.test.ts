import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { preview } from './preview.ts';
import { conditionOf, edit, rest, template, withTemplate } from './rollout.fixture.ts';
import { mccOf, PlannerWorld } from './testing.ts';

/** Members that no Ringmaster has written: by hand, or by another tool. */

const names = ['eu', 'us', 'ap'];
const seeds = names.map((region) => `orders-${region}-rack1-0.${region}.db.example.net`);
const ourGuard = 'orders-ringmaster';

interface Handmade {
  spec?: Record<string, unknown>;
  /** Merged over the one datacenter. */
  datacenter?: Record<string, unknown>;
  seeds?: string[];
}

/** Three regions of one node each that were made by hand and run one ring, as CassKop leaves them behind. */
function handmade(spec: Record<string, unknown> = {}, different: Record<string, Handmade> = {}): PlannerWorld {
  const world = new PlannerWorld(mccOf({ adoptionPolicy: 'IfUnchanged', ...spec }));
  for (const region of names) {
    const { spec: other, datacenter, seeds: given = seeds } = different[region] ?? {};
    world.place(
      region,
      {
        cassandraImage: 'cassandra:5.0.8',
        serverVersion: '5.0.8',
        dataCapacity: '1Gi',
        nodesPerRacks: 1,
        maxPodUnavailable: 1,
        imagepullpolicy: 'Always',
        bootstrapImage: 'ghcr.io/cscetbon/casskop-bootstrap:0.1.21',
        configBuilderImage: 'datastax/cass-config-builder:1.0.4',
        backRestSidecar: { enabled: true, image: 'ghcr.io/cscetbon/instaclustr-icarus:1.1.3' },
        topology: { dc: [{ name: region, nodesPerRacks: 1, resources: {}, rack: [{ name: 'rack1' }], ...datacenter }] },
        ...other,
      },
      { seeds: given, pods: [`orders-${region}-rack1-0`] },
    );
  }
  world.act();
  return world;
}

function specOf(world: PlannerWorld, region: string): Record<string, unknown> {
  return structuredClone(world.member(region)?.['spec'] ?? {}) as Record<string, unknown>;
}

/** Adopts the ring, and lets what follows from that come to rest. */
async function adopted(world: PlannerWorld): Promise<PlannerWorld> {
  await world.settle();
  await rest(world);
  assert.match(conditionOf(world, 'Ready'), /^True/);
  return world;
}

/** The user changes the spec; what follows from that takes its time. */
async function change(world: PlannerWorld, spec: Record<string, unknown>): Promise<void> {
  edit(world, { adoptionPolicy: 'IfUnchanged', ...spec });
  for (let turn = 0; turn < 8; turn++) await rest(world);
}

test('a ring made by hand is adopted, with its seeds, and no pod is given anything new', async () => {
  const world = handmade();
  const before = names.map((region) => specOf(world, region));
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 3 regions run one ring of 3 nodes/);
  assert.match(conditionOf(world, 'SeedsCurrent'), /^True/);
  assert.equal(world.mcc.status?.ring?.founder, 'eu');
  assert.deepEqual(world.mcc.status?.seeds, seeds);
  assert.deepEqual(
    world.mcc.status?.regions?.map(({ appliedSeeds, hosts }) => [appliedSeeds, hosts?.length]),
    names.map(() => [seeds, 1]),
  );
  assert.deepEqual(
    names.map((region) => ({ ...before[names.indexOf(region)], ...specOf(world, region), topology: undefined })),
    before.map((spec) => ({ ...spec, topology: undefined })),
  );
  for (const region of names) {
    assert.match(world.guard(region)?.['joined'] ?? '', /orders-ap-rack1-0/);
    assert.equal(world.guard(region)?.['ignition'], '');
    assert.match(conditionOf(world, 'Applied', region), /start without the guard until they are restarted/);
  }
});

test('no guard of an adopted ring lets a pod start alone, at any moment', async () => {
  const world = handmade();
  await world.settle();
  for (const { write } of world.written) {
    const data = 'object' in write ? (write.object['data'] as Record<string, string> | undefined) : undefined;
    if (data) assert.equal(data['ignition'], '');
  }
});

test('without a policy that lets it, nothing is written, and the status says how to go on', async () => {
  const world = handmade({ adoptionPolicy: 'Never' });
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.match(conditionOf(world, 'Stalled'), /^True ForeignMember: .*set spec\.adoptionPolicy to IfUnchanged/);
  assert.equal(world.mcc.status?.ring, undefined);
});

for (const { title, spec = {}, different, words } of [
  {
    title: 'another image',
    different: { us: { spec: { cassandraImage: 'cassandra:4.1.0' } } },
    words: /region us .*\/spec\/cassandraImage is "cassandra:4\.1\.0" there and "cassandra:5\.0\.8" in the spec/,
  },
  {
    title: 'a field that the spec does not ask for',
    different: { us: { spec: { envVars: [{ name: 'A', value: 'b' }] } } },
    words: /\/spec\/envVars is \[\{"name":"A","value":"b"\}\] there and absent in the spec/,
  },
  {
    title: 'scripts that would be lost',
    different: { ap: { spec: { configMapName: 'scripts' } } },
    words: /\/spec\/configMapName is "scripts" there and absent in the spec/,
  },
  {
    title: 'labels of nodes that the spec does not ask for',
    different: { eu: { datacenter: { labels: { zone: 'a' } } } },
    words: /\/spec\/topology\/dc\/0\/labels.* there and absent in the spec/,
  },
  {
    title: 'more nodes',
    spec: {
      regions: [{ name: 'eu', datacenters: [{ name: 'eu', nodesPerRacks: 2 }] }, { name: 'us' }, { name: 'ap' }],
    },
    different: {},
    words: /\/spec\/topology\/dc\/0\/nodesPerRacks is 1 there and 2 in the spec/,
  },
  {
    title: 'seeds that would be rolled out',
    spec: { seeds: { address: '{pod}.{region}.db.example.net', updatePolicy: 'Rolling' } },
    different: { us: { seeds: ['orders-us-rack1-0.us.db.example.net'] } },
    words: /\/status\/seedlist is /,
  },
  {
    title: 'labels that CassKop cannot change',
    spec: { template: { metadata: { labels: { team: 'data' } }, spec: template } },
    different: {},
    words: /\/metadata\/labels\/team is absent there/,
  },
] as { title: string; spec?: Record<string, unknown>; different: Record<string, Handmade>; words: RegExp }[]) {
  test(`a ring with a member that differs is left alone in all regions, and the status names the field: ${title}`, async () => {
    const world = handmade(spec, different);
    await world.settle();
    assert.deepEqual(world.written, []);
    assert.equal(world.mcc.status?.ring, undefined);
    assert.match(conditionOf(world, 'Stalled'), /^True ForeignMember: /);
    assert.match(conditionOf(world, 'Stalled'), words);
  });
}

test('what restarts nothing does not stand in the way, and follows the adoption', async () => {
  const world = await adopted(
    handmade(withTemplate({ autoPilot: true, deletePVC: false }), { us: { spec: { deletePVC: true } } }),
  );
  for (const region of names) {
    assert.equal(specOf(world, region)['autoPilot'], true);
    assert.equal(specOf(world, region)['configMapName'], undefined);
    assert.equal(specOf(world, region)['deletePVC'], false);
  }
  assert.match(conditionOf(world, 'Applied', 'us'), /start without the guard/);
});

test('a size that a member has for all its racks is the size of its datacenter', async () => {
  const world = handmade({}, { eu: { spec: { nodesPerRacks: 1 }, datacenter: { nodesPerRacks: 1 } } });
  const member = world.member('eu')?.['spec'] as {
    nodesPerRacks: number;
    topology: { dc: { nodesPerRacks?: number }[] };
  };
  member.nodesPerRacks = 2;
  assert.deepEqual(
    casskop.topology({ metadata: { name: 'orders' }, spec: { nodesPerRacks: 2, topology: { dc: [{ name: 'eu' }] } } }),
    { datacenters: [{ name: 'eu', nodesPerRacks: 2, racks: [] }] },
  );
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('seeds that still stand in the spec leave it after the adoption', async () => {
  const list = seeds.join(',');
  const injected = {
    backRestSidecar: {
      enabled: true,
      image: 'ghcr.io/cscetbon/instaclustr-icarus:1.1.3',
      envVars: [{ name: 'CASSANDRA_SEEDS', value: list }],
    },
    config: { 'cluster-info': { name: 'orders', seeds: list } },
  };
  const world = handmade({}, { us: { spec: injected } });
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
  const { backRestSidecar, config } = specOf(world, 'us');
  assert.doesNotMatch(JSON.stringify([backRestSidecar, config]), /CASSANDRA_SEEDS|cluster-info/);
  assert.ok(world.written.every(({ write }) => write.verb !== 'create' || write.resource.kind === 'ConfigMap'));
});

test('the guard goes into the pods with the next restart', async () => {
  const world = await adopted(handmade());
  await change(world, { rollout: { restartToken: 'now' } });
  for (const region of names) {
    assert.equal(specOf(world, region)['configMapName'], ourGuard);
    assert.doesNotMatch(conditionOf(world, 'Applied', region), /without the guard/);
    assert.equal(world.member(region)?.metadata.annotations?.['ringmaster.dev/restart-token'], 'now');
  }
  await change(world, { rollout: { restartToken: 'now' }, ...withTemplate({ autoPilot: true }) });
  for (const region of names) {
    assert.equal(specOf(world, region)['configMapName'], ourGuard);
    assert.equal(specOf(world, region)['autoPilot'], true);
  }
});

test('a change of the spec that restarts nodes takes the guard along, and one that is taken back does not', async () => {
  const world = await adopted(handmade());
  await change(world, {
    rollout: { paused: true },
    ...withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }),
  });
  assert.match(conditionOf(world, 'Applied', 'eu'), /restarts its 1 node for .*\/spec\/configMapName/);
  await change(world, withTemplate({ autoPilot: true }));
  for (const region of names) {
    assert.equal(specOf(world, region)['configMapName'], undefined);
    assert.equal(specOf(world, region)['autoPilot'], true);
  }
  await change(world, withTemplate({ cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }));
  for (const region of names) assert.equal(specOf(world, region)['configMapName'], ourGuard);
});

test('no node is added to a region whose pods start without the guard', async () => {
  const world = await adopted(handmade());
  edit(world, { adoptionPolicy: 'IfUnchanged', ...withTemplate({ nodesPerRacks: 2 }) });
  for (let pass = 0; pass < 100; pass++) {
    await world.step();
    for (const region of names) {
      const { topology, configMapName } = specOf(world, region) as {
        topology: { dc: { nodesPerRacks: number }[] };
        configMapName?: string;
      };
      if (topology.dc[0]?.nodesPerRacks === 2) assert.equal(configMapName, ourGuard);
    }
    world.act();
    world.nowMs += 2_000;
  }
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 3 regions run one ring of 6 nodes/);
});

test('two rings of one name are not adopted as one', async () => {
  const world = handmade();
  const lone = world.pods.find(({ region }) => region === 'ap');
  assert.ok(lone);
  const others = world.pods.filter((pod) => pod !== lone);
  const alone = { ...world.viewOf(lone), hosts: { [lone.address]: lone.hostId }, live: [lone.address] };
  world.overrides.set('ap', { views: { [lone.name]: alone } });
  for (const pod of others) {
    const hosts = Object.fromEntries(others.map(({ address, hostId }) => [address, hostId]));
    world.overrides.set(pod.region, {
      views: { [pod.name]: { ...world.viewOf(pod), hosts, live: Object.keys(hosts) } },
    });
  }
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.match(conditionOf(world, 'Stalled'), /^True RingSplit: there are 2 rings/);
  assert.equal(world.mcc.status?.ring, undefined);
});

test('a ring with a region that the spec does not name is not adopted', async () => {
  const world = handmade({ regions: [{ name: 'eu' }, { name: 'us' }] });
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.match(conditionOf(world, 'Stalled'), /^True UnknownHosts: .*add that region/);
});

test('adoption waits until every region was looked at', async () => {
  const world = handmade();
  world.unknown.set('ap', { known: false, reason: 'Unreachable', message: 'context ap: refused' });
  await world.settle();
  assert.deepEqual(world.written, []);
  assert.equal(world.mcc.status?.ring, undefined);
  world.unknown.delete('ap');
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('a region without a member joins an adopted ring once all members are ours', async () => {
  const world = handmade();
  world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged', regions: [...names, 'sa'].map((name) => ({ name })) });
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 4 regions run one ring of 4 nodes/);
  assert.equal(specOf(world, 'sa')['configMapName'], ourGuard);
  assert.equal(world.mcc.status?.ring?.founder, 'eu');
});

test('a member made by hand that is part of a ring of ours is adopted into it', async () => {
  const world = handmade();
  const regions = names.slice(0, 2).map((name) => ({ name }));
  const external = ['orders-ap-rack1-0.ap.db.example.net'];
  world.mcc = mccOf({
    adoptionPolicy: 'IfUnchanged',
    regions,
    seeds: { address: '{pod}.{region}.db.example.net', external },
  });
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
  assert.equal(world.member('ap')?.metadata.annotations?.['ringmaster.dev/owner'], undefined);
  edit(world, { adoptionPolicy: 'IfUnchanged' });
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 3 regions run one ring of 3 nodes/);
  assert.match(world.member('ap')?.metadata.annotations?.['ringmaster.dev/owner'] ?? '', /uid-of-orders/);
});

test('one that differs is named, nothing is written there, and the ring of ours goes on', async () => {
  const world = handmade({}, { ap: { spec: { cassandraImage: 'cassandra:4.1.0' } } });
  const regions = names.slice(0, 2).map((name) => ({ name }));
  const seedsOutside = { address: '{pod}.{region}.db.example.net', external: ['orders-ap-rack1-0.ap.db.example.net'] };
  world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged', regions, seeds: seedsOutside });
  await adopted(world);
  await change(world, withTemplate({ autoPilot: true }));
  assert.match(conditionOf(world, 'Stalled'), /^True ForeignMember: .*\/spec\/cassandraImage/);
  assert.match(conditionOf(world, 'Applied', 'ap'), /^False ForeignMember/);
  assert.equal(specOf(world, 'eu')['autoPilot'], true);
  assert.equal(specOf(world, 'ap')['autoPilot'], undefined);
  assert.equal(world.guard('ap'), undefined);
});

test('an adoption that was interrupted anywhere goes on where it was, on another hub too', async () => {
  for (let writes = 1; writes < 15; writes++) {
    const world = handmade();
    for (let pass = 0, done = 0; pass < 20 && done < writes; pass++) {
      done += await world.step(writes - done);
      world.act();
    }
    world.mcc = mccOf({ adoptionPolicy: 'IfUnchanged' }, { uid: 'uid-on-another-hub' });
    await world.settle();
    assert.match(
      conditionOf(world, 'Ready'),
      /^True Ready: 3 regions run one ring of 3 nodes/,
      `after ${writes} writes`,
    );
    for (const region of names) {
      assert.equal(specOf(world, region)['configMapName'], undefined);
      assert.match(conditionOf(world, 'Applied', region), /without the guard/);
    }
  }
});

test('the plan says who is adopted and who is not', () => {
  const outcomes = (world: PlannerWorld): string[] =>
    preview(world.snapshot(), casskop).regions.map(({ region, outcome, cost }) => `${region} ${outcome}: ${cost}`);
  assert.deepEqual(
    outcomes(handmade()),
    names.map((region) => `${region} adopted: its member is adopted, and nothing restarts`),
  );
  const [, us] = outcomes(handmade({}, { us: { spec: { cassandraImage: 'cassandra:4.1.0' } } }));
  assert.equal(us, 'us untouched: its member is not adopted before it is what the spec asks for');
});
