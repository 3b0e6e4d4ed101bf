import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mccOf, PlannerWorld } from './testing.ts';

/** Contexts are names; which cluster they lead to only the cluster itself can say. */

function acceptedOf({ mcc }: PlannerWorld): { status?: string; reason?: string; message?: string } {
  return mcc.status?.conditions?.find(({ type }) => type === 'Accepted') ?? {};
}

/** Regions us and ap lead to one cluster; `namespaces` gives some a namespace of their own. */
function twins(namespaces: Record<string, string> = {}): PlannerWorld {
  const mcc = mccOf();
  const regions = mcc.spec.regions.map((region) => {
    const namespace = namespaces[region.name];
    return namespace === undefined ? region : { ...region, namespace };
  });
  const world = new PlannerWorld({ ...mcc, spec: { ...mcc.spec, regions } });
  for (const name of ['us', 'ap']) world.overrides.set(name, { clusterUid: 'one and the same' });
  return world;
}

test('two contexts that lead to the same namespace of one cluster are refused, both by name, and nothing is written', async () => {
  const world = twins();
  await world.settle();
  const { status, reason, message } = acceptedOf(world);
  assert.deepEqual([status, reason], ['False', 'Invalid']);
  assert.match(
    message ?? '',
    /Regions us and ap are the same place: contexts us and ap lead to one Kubernetes cluster \(kube-system uid one and the same\)/,
  );
  assert.deepEqual(world.written, []);
});

test('in different namespaces of one cluster they are two regions', async () => {
  const world = twins({ ap: 'elsewhere' });
  await world.settle();
  assert.equal(acceptedOf(world).status, 'True');
  for (const region of ['eu', 'us', 'ap']) assert.ok(world.member(region), region);
});

test('while one of them cannot be seen nothing is concluded, and nothing is founded', async () => {
  const world = twins();
  world.unknown.set('ap', { known: false, reason: 'UnknownContext', message: 'no region ap is registered' });
  await world.settle();
  assert.equal(acceptedOf(world).status, 'True');
  assert.deepEqual(world.written, []);
  world.unknown.clear();
  await world.settle();
  assert.equal(acceptedOf(world).status, 'False');
  assert.deepEqual(world.written, []);
});

test('why a region may not be used stands in its condition', async () => {
  for (const reason of ['UnknownContext', 'RegistrationRefused', 'NamespaceNotAllowed'] as const) {
    const world = new PlannerWorld();
    world.unknown.set('us', { known: false, reason, message: `because of ${reason}` });
    await world.settle();
    const us = world.mcc.status?.regions?.find(({ name }) => name === 'us');
    const reachable = us?.conditions?.find(({ type }) => type === 'Reachable');
    assert.deepEqual(
      [reachable?.status, reachable?.reason, reachable?.message],
      ['False', reason, `because of ${reason}`],
    );
    assert.deepEqual(world.written, []);
  }
});

test('a region whose registration is in the way stalls the whole, with a sentence that names it and what to do', async () => {
  for (const [reason, todo] of [
    ['RegistrationRefused', /^region us: context us: an exec plugin; mend what registers the region/],
    ['NamespaceNotAllowed', /^region us: context us: an exec plugin; name that namespace in the annotations/],
  ] as const) {
    const world = new PlannerWorld();
    await world.settle();
    world.unknown.set('us', { known: false, reason, message: 'context us: an exec plugin' });
    await world.settle();
    const stalled = world.mcc.status?.conditions?.find(({ type }) => type === 'Stalled');
    assert.deepEqual([stalled?.status, stalled?.reason], ['True', reason]);
    assert.match(stalled?.message ?? '', todo);
    world.unknown.clear();
    await world.settle();
    assert.equal(world.mcc.status?.conditions?.find(({ type }) => type === 'Stalled')?.status, 'False');
  }
});

test('a region that is still reached as it was registered before says so, and is used all the same', async () => {
  const world = new PlannerWorld();
  world.overrides.set('us', { registrationProblem: 'what is registered now does not work: 401' });
  await world.settle();
  const us = world.mcc.status?.regions?.find(({ name }) => name === 'us');
  const reachable = us?.conditions?.find(({ type }) => type === 'Reachable');
  assert.deepEqual(
    [reachable?.status, reachable?.reason, reachable?.message],
    [
      'True',
      'Reachable',
      'the API server answers, in the way it was registered before: what is registered now does not work: 401',
    ],
  );
  assert.ok(world.member('us'));
});
