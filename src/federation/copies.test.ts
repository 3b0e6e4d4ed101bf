import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { KubeObject } from '../kube/objects.ts';
import { lineOfWrite } from './story.ts';
import { mccOf, PlannerWorld } from './testing.ts';

const base = { cassandraImage: 'cassandra:5.0.8', serverVersion: '5.0.8', nodesPerRacks: 1, dataCapacity: '1Gi' };
const one = { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'b25l' } };
const two = { ...one, data: { '.dockerconfigjson': 'dHdv' } };
const pull = { imagePullSecret: { name: 'registry' } };

function worldOf(template: Record<string, unknown>, spec: Record<string, unknown> = {}): PlannerWorld {
  return new PlannerWorld(mccOf({ template: { spec: { ...base, ...template } }, ...spec }));
}

/** A ring at rest whose template names the Secret `registry`. */
async function formed(spec: Record<string, unknown> = {}): Promise<PlannerWorld> {
  const world = worldOf(pull, spec);
  world.putObject('Secret registry', one);
  await world.settle();
  assert.equal(conditionOf(world, 'Ready').status, 'True', JSON.stringify(world.mcc.status?.conditions));
  world.nowMs += 10_000;
  world.written.length = 0;
  return world;
}

function edit(world: PlannerWorld, template: Record<string, unknown>, spec: Record<string, unknown> = {}): void {
  const { generation = 1 } = world.mcc.metadata;
  const edited = mccOf({ template: { spec: { ...base, ...template } }, ...spec }, { generation: generation + 1 });
  world.mcc = { ...edited, ...(world.mcc.status && { status: world.mcc.status }) };
}

/** Passes with time between them, as a rollout takes them. */
async function rolledOut(world: PlannerWorld): Promise<void> {
  for (let pass = 0; pass < 12; pass++) {
    await world.settle();
    world.nowMs += 10_000;
  }
}

function conditionOf(
  world: PlannerWorld,
  type: string,
  region?: string,
): { status?: string; reason?: string; message?: string } {
  const { status } = world.mcc;
  const list = region ? status?.regions?.find((each) => each.name === region)?.conditions : status?.conditions;
  return list?.find((each) => each.type === type) ?? {};
}

function copyIn(world: PlannerWorld, region: string, id = 'Secret registry'): KubeObject | undefined {
  return world.regionObjects.get(`${region} ${id}`);
}

/** What was written, in order: `eu create Secret registry`. */
function writes(world: PlannerWorld): string[] {
  return world.written.map(({ region, write }) => {
    const { name } = 'ref' in write ? write.ref : write.object.metadata;
    return `${region} ${write.verb} ${write.resource.kind} ${name}`;
  });
}

suite('what the spec names is copied to the regions', () => {
  test('before the member, with type and data and nothing else of the original', async () => {
    const world = worldOf(pull);
    const noted = { 'kubectl.kubernetes.io/last-applied-configuration': 'the whole Secret' };
    const source = world.putObject('Secret registry', one);
    source.metadata.annotations = noted;
    await world.settle();
    for (const region of ['eu', 'us', 'ap']) {
      const order = writes(world).filter((each) => each.startsWith(region));
      assert.ok(
        order.indexOf(`${region} create Secret registry`) < order.indexOf(`${region} create CassandraCluster orders`),
      );
      const { type, data, metadata } = copyIn(world, region) ?? assert.fail();
      assert.deepEqual({ type, data }, one);
      assert.doesNotMatch(JSON.stringify(metadata), /last-applied|b25l|one/);
      assert.match(metadata.annotations?.['ringmaster.dev/owner'] ?? '', /uid-of-orders/);
      assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'ringmaster');
    }
  });

  test('and again after an edit, without touching the member', async () => {
    const world = await formed();
    world.putObject('Secret registry', two);
    await world.settle();
    assert.deepEqual(
      writes(world),
      ['eu', 'us', 'ap'].map((region) => `${region} update Secret registry`),
    );
    assert.deepEqual(copyIn(world, 'us')?.['data'], two.data);
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });

  test('what somebody changes in a copy is put back, keys that were added included', async () => {
    const world = await formed();
    const copy = copyIn(world, 'us') ?? assert.fail();
    copy['data'] = { '.dockerconfigjson': 'eHg=', more: 'eA==' };
    await world.settle();
    assert.deepEqual(copyIn(world, 'us')?.['data'], one.data);
    copy.metadata.labels = {};
    await world.settle();
    assert.deepEqual(copyIn(world, 'us')?.metadata.labels, { 'app.kubernetes.io/managed-by': 'ringmaster' });
  });

  test('a Secret of another type is written anew, since its type can never change', async () => {
    const world = await formed();
    world.putObject('Secret registry', { data: one.data });
    await world.settle();
    assert.equal(copyIn(world, 'eu')?.['type'], 'Opaque');
    assert.deepEqual(
      writes(world).filter((each) => each.startsWith('eu')),
      ['eu delete Secret registry', 'eu create Secret registry'],
    );
  });

  test('ConfigMaps are copied like Secrets', async () => {
    const variable = { name: 'HEAP', valueFrom: { configMapKeyRef: { name: 'sizes', key: 'heap' } } };
    const world = worldOf({ envVars: [variable] });
    world.putObject('ConfigMap sizes', { data: { heap: '1G' }, binaryData: { more: 'AA==' } });
    await world.settle();
    const { data, binaryData } = copyIn(world, 'ap', 'ConfigMap sizes') ?? assert.fail();
    assert.deepEqual({ data, binaryData }, { data: { heap: '1G' }, binaryData: { more: 'AA==' } });
  });

  test('events tell of copies and of nothing in them', async () => {
    const world = worldOf(pull);
    world.putObject('Secret registry', one);
    await world.settle();
    const lines = world.written.flatMap((each) => lineOfWrite(each) ?? []);
    const line = lines.find(({ action }) => action === 'Copy');
    assert.equal(line?.note, 'create the copy of Secret registry in region eu');
    assert.doesNotMatch(JSON.stringify([lines, world.mcc.status]), /b25l/);
  });
});

suite('a member that is to name something new', () => {
  test('is changed only after it is there', async () => {
    const world = await formed();
    edit(world, {
      ...pull,
      envVars: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'backup', key: 'token' } } }],
    });
    await rolledOut(world);
    assert.deepEqual(writes(world), []);
    const { status, reason, message = '' } = conditionOf(world, 'Applied', 'us');
    assert.deepEqual([status, reason], ['False', 'PreconditionMissing']);
    assert.match(message, /no Secret backup in namespace cassandra of the hub/);
    assert.match(message, /spec\.template\.spec\.envVars\[0\]\.valueFrom\.secretKeyRef\.name/);
    assert.match(message, /kubectl create secret generic backup -n cassandra --from-literal=token=/);
    assert.deepEqual(
      [conditionOf(world, 'Stalled').status, conditionOf(world, 'Stalled').reason],
      ['True', 'PreconditionMissing'],
    );

    world.putObject('Secret backup', { data: { token: 'eA==' } });
    await rolledOut(world);
    assert.equal(conditionOf(world, 'Ready').status, 'True', JSON.stringify(world.mcc.status?.conditions));
    assert.ok(copyIn(world, 'ap', 'Secret backup'));
    assert.match(JSON.stringify(world.member('ap')), /TOKEN/);
  });

  test('holds up its own region only, and the message names the patch', async () => {
    const world = await formed();
    const named = [
      { name: 'eu', patch: { spec: { imagePullSecret: { name: 'other' } } } },
      { name: 'us' },
      { name: 'ap' },
    ];
    edit(world, { ...pull, cassandraImage: 'cassandra:5.0.9', serverVersion: '5.0.9' }, { regions: named });
    await rolledOut(world);
    const imageIn = (region: string): unknown =>
      (world.member(region)?.['spec'] as Record<string, unknown> | undefined)?.['cassandraImage'];
    assert.deepEqual(['eu', 'us', 'ap'].map(imageIn), ['cassandra:5.0.8', 'cassandra:5.0.9', 'cassandra:5.0.9']);
    assert.match(
      conditionOf(world, 'Applied', 'eu').message ?? '',
      /spec\.regions\[0\]\.patch\.spec\.imagePullSecret\.name/,
    );
    assert.equal(conditionOf(world, 'Applied', 'us').status, 'True');
  });

  test('a key that is not in it is missing as well', async () => {
    const world = worldOf({
      envVars: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'backup', key: 'token' } } }],
    });
    world.putObject('Secret backup', { data: { other: 'eA==' } });
    await world.settle();
    assert.equal(world.member('eu'), undefined);
    assert.match(conditionOf(world, 'Stalled').message ?? '', /Secret backup .* has no key token/);
  });

  test('what is optional is not waited for, copied when it comes, and deleted when it goes', async () => {
    const world = worldOf({
      envVars: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'backup', key: 'token', optional: true } } }],
    });
    await world.settle();
    assert.equal(conditionOf(world, 'Ready').status, 'True');
    world.putObject('Secret backup', { data: { token: 'eA==' } });
    await world.settle();
    assert.ok(copyIn(world, 'us', 'Secret backup'));
    world.nowMs += 10_000;
    world.hubObjects.delete('Secret backup');
    await world.settle();
    assert.equal(copyIn(world, 'us', 'Secret backup'), undefined);
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });

  test('nothing is founded while the founder lacks it, and the founding goes on when it comes', async () => {
    const world = worldOf(pull);
    await world.settle();
    assert.deepEqual(world.written, []);
    assert.match(
      conditionOf(world, 'Stalled').message ?? '',
      /kubectl create secret docker-registry registry -n cassandra/,
    );
    world.putObject('Secret registry', one);
    await world.settle();
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });

  test('while the hub has not been read nobody says that it is missing', async () => {
    const world = worldOf(pull);
    world.sources.set('Secret registry', { known: false, message: 'not read yet' });
    await world.settle();
    assert.deepEqual(world.written, []);
    assert.equal(conditionOf(world, 'Stalled').status, 'False');
    const running = await formed();
    running.sources.set('Secret registry', { known: false, message: 'not read yet' });
    await running.settle();
    assert.deepEqual(writes(running), []);
    assert.equal(conditionOf(running, 'Ready').status, 'True');
  });

  test('without the right to read it, that is said', async () => {
    const world = worldOf(pull);
    world.sources.set('Secret registry', { known: false, isForbidden: true, message: 'secrets are forbidden' });
    await world.settle();
    assert.deepEqual(
      [conditionOf(world, 'Stalled').status, conditionOf(world, 'Stalled').message],
      ['True', 'secrets are forbidden'],
    );
  });
});

suite('objects that are not ours', () => {
  test('are never written over: the region waits and says so, and the others go on', async () => {
    const world = worldOf(pull);
    world.putObject('Secret registry', one);
    const foreign = world.putObject('us Secret registry', two);
    await world.settle();
    assert.equal(copyIn(world, 'us'), foreign);
    assert.deepEqual([world.member('us'), world.member('ap') !== undefined], [undefined, true]);
    const { reason, message = '' } = conditionOf(world, 'Applied', 'us');
    assert.equal(reason, 'ForeignMember');
    assert.match(message, /left untouched.*kubectl delete secret registry -n cassandra/);
    world.regionObjects.delete('us Secret registry');
    await world.settle();
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });

  test('do as well when they hold the same, or when the hub has none to copy', async () => {
    const same = worldOf(pull);
    same.putObject('Secret registry', one);
    for (const region of ['eu', 'us', 'ap']) same.putObject(`${region} Secret registry`, one);
    const none = worldOf(pull);
    for (const region of ['eu', 'us', 'ap']) none.putObject(`${region} Secret registry`, region === 'eu' ? one : two);
    for (const world of [same, none]) {
      await world.settle();
      assert.equal(conditionOf(world, 'Ready').status, 'True');
      assert.deepEqual(
        writes(world).filter((each) => each.includes('Secret')),
        [],
      );
    }
  });

  test('in the region that is the hub the original itself is used', async () => {
    const world = worldOf(pull);
    const source = world.putObject('Secret registry', one);
    // The cache of the region has not seen the last edit.
    world.regionObjects.set('eu Secret registry', { ...source, ...two });
    await world.settle();
    assert.equal(conditionOf(world, 'Ready').status, 'True');
    assert.deepEqual(
      writes(world).filter((each) => each.includes('eu') && each.includes('Secret')),
      [],
    );
  });
});

suite('copies that nothing names any more', () => {
  test('are deleted once the region has settled without them', async () => {
    const world = await formed();
    edit(world, {});
    await world.step();
    await world.step();
    assert.ok(copyIn(world, 'us'), 'its pods may still need it');
    await rolledOut(world);
    for (const region of ['eu', 'us', 'ap']) {
      const order = writes(world).filter((each) => each.startsWith(region));
      assert.equal(order.at(-1), `${region} delete Secret registry`);
      assert.equal(copyIn(world, region), undefined);
    }
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });

  test('stay when they are of another MultiCassandraCluster, or not a copy at all', async () => {
    const world = await formed();
    const copy = copyIn(world, 'us') ?? assert.fail();
    const owner = JSON.stringify({ uid: 'another', namespace: 'cassandra', name: 'billing' });
    const annotations = { ...copy.metadata.annotations, 'ringmaster.dev/owner': owner };
    world.putObject('us Secret other', { ...one });
    const theirs = world.putObject('us Secret theirs', { ...one });
    theirs.metadata.annotations = annotations;
    edit(world, {});
    await rolledOut(world);
    assert.deepEqual([...world.regionObjects.keys()].sort(), ['us Secret other', 'us Secret theirs']);
  });

  test('one whose source is gone stays as long as it is named, and that is said', async () => {
    const world = await formed();
    world.hubObjects.delete('Secret registry');
    await world.settle();
    assert.ok(copyIn(world, 'us'));
    assert.deepEqual(writes(world), []);
    assert.equal(conditionOf(world, 'Stalled').status, 'True');
    assert.match(
      conditionOf(world, 'Applied', 'us').message ?? '',
      /is gone from namespace cassandra of the hub.*keeps its copy/,
    );
    world.putObject('Secret registry', one);
    await world.settle();
    assert.equal(conditionOf(world, 'Ready').status, 'True');
  });
});
