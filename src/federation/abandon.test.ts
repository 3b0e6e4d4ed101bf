import assert from 'node:assert/strict';
import { test } from 'node:test';
import { casskop } from '../operators/casskop/casskop.ts';
import { edit, formed, hostsOf, orders, stageOf, three } from './leaving.fixture.ts';
import { conditionOf } from './rollout.fixture.ts';
import { type PlannerWorld } from './testing.ts';

test('a lost region is given up once its hosts are typed, and removed host by host', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  world.lose('eu');
  edit(world, { ...three, eu: 'Abandoned' });
  await world.settle();
  assert.match(conditionOf(world, 'Stalled'), /^True AbandonUnconfirmed: /);
  for (const host of hosts) assert.ok(conditionOf(world, 'Stalled').includes(host));
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts.slice(0, 1) });
  await world.settle();
  assert.deepEqual(orders(world), []);
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.settle();
  assert.deepEqual(
    orders(world).map((order) => order.split(' ').slice(1).join(' ')),
    hosts.map((host) => `removeNode ${host}`),
  );
  assert.equal(stageOf(world, 'eu'), 'Abandoned');
  assert.deepEqual(world.mcc.status?.ring?.abandonedHosts, hosts.toSorted());
  assert.match(conditionOf(world, 'Ready'), /^True Ready: 2 regions run one ring of 4 nodes/);
  edit(world, { us: 'Managed', ap: 'Managed' });
  await world.settle();
  assert.match(conditionOf(world, 'Ready'), /^True/);
  assert.deepEqual(world.mcc.status?.ring?.abandonedHosts, hosts.toSorted());
});

test('hosts that are still alive are not given up', async () => {
  const world = await formed();
  world.unknown.set('eu', { known: false, reason: 'Unreachable', message: 'context eu: no answer' });
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hostsOf(world, 'eu') });
  await world.settle();
  assert.match(conditionOf(world, 'Stalled'), /^True StillAlive: .*cut its network/);
  assert.deepEqual(orders(world), []);
});

test('a given up region that returns is closed and its member deleted, and its hosts are removed again', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  // Its API server is out of sight, and so are its nodes for the others.
  world.unknown.set('eu', { known: false, reason: 'Unreachable', message: 'context eu: no answer' });
  for (const pod of world.pods) if (pod.region === 'eu') pod.ready = false;
  const nodes = world.pods.filter(({ region }) => region === 'eu');
  world.pods.splice(0, world.pods.length, ...world.pods.filter(({ region }) => region !== 'eu'));
  world.ghosts.push(...nodes);
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Abandoned');
  world.unknown.delete('eu');
  world.pods.push(...nodes.map((node) => ({ ...node, ready: true })));
  await world.step();
  assert.match(conditionOf(world, 'Applied', 'eu'), /^False /);
  await world.settle();
  assert.equal(world.member('eu'), undefined);
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assert.deepEqual(
    world.pods.map(({ region }) => region),
    ['us', 'us', 'ap', 'ap'],
  );
});

test('a host that shows up again after the member of its given up region was deleted is removed once more', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  world.lose('eu');
  const ghosts = [...world.ghosts];
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.settle();
  world.unknown.delete('eu');
  await world.settle();
  assert.equal(stageOf(world, 'eu'), 'Removed');
  world.ghosts.push(...ghosts);
  world.written.length = 0;
  await world.settle();
  assert.equal(orders(world).length, 2);
  assert.equal(stageOf(world, 'eu'), 'Removed');
  assert.match(conditionOf(world, 'Ready'), /^True/);
});

test('a host that was given up and is alive in the ring again stops every change of the ring', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  world.lose('eu');
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.settle();
  edit(world, { us: 'Managed', ap: 'Managed' });
  await world.settle();
  const [us] = world.pods;
  assert.ok(us);
  const view = world.viewOf(us);
  const ghost = '198.18.9.9';
  const hostsThere = { ...view.hosts, [ghost]: hosts[0] ?? '' };
  world.overrides.set('us', { views: { [us.name]: { ...view, hosts: hostsThere, live: [...view.live, ghost] } } });
  world.unknown.delete('eu');
  edit(world, { us: 'Managed', ap: 'Managed', eu: 'Managed' });
  await world.step();
  assert.match(conditionOf(world, 'Stalled'), /^True ReturnedAfterAbandon: /);
  assert.equal(plannedMembers(world), 0);
});

function plannedMembers(world: PlannerWorld): number {
  return world.plan().intents.filter(({ write }) => write.verb === 'create' && write.resource === casskop.member)
    .length;
}

test('what the guard of a region names that returns from the dead is not taken for joined', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  world.unknown.set('eu', { known: false, reason: 'Unreachable', message: 'context eu: no answer' });
  const nodes = world.pods.filter(({ region }) => region === 'eu');
  world.pods.splice(0, world.pods.length, ...world.pods.filter(({ region }) => region !== 'eu'));
  world.ghosts.push(...nodes.map((node) => ({ ...node, ready: false })));
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.settle();
  world.unknown.delete('eu');
  world.pods.push(...nodes.map((node) => ({ ...node, ready: true })));
  world.written.length = 0;
  await world.settle();
  const joined = world.written.flatMap(({ write }) =>
    'object' in write ? (((write.object['data'] ?? {}) as Record<string, string>)['joined'] ?? []) : [],
  );
  for (const host of hosts) assert.ok(joined.every((list) => !list.includes(host)));
});

test('no host is removed while a node that stays has not said what it holds of it', async () => {
  const world = await formed();
  const hosts = hostsOf(world, 'eu');
  world.lose('eu');
  edit(world, { ...three, eu: 'Abandoned' }, { abandonedHosts: hosts });
  await world.step();
  world.overrides.set('us', { views: {} });
  await world.settle();
  assert.deepEqual(orders(world), []);
  world.overrides.clear();
  await world.settle();
  assert.equal(orders(world).length, 2);
});
