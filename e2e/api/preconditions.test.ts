import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { KubeError, type KubeErrorCode } from '../../src/kube/errors.ts';
import { resources, type KubeObject } from '../../src/kube/objects.ts';
import { ApiError, type ApiObject } from '../harness/api-server.ts';
import { gadget, gadgets, gadgetsPath, installGadgets } from './gadgets.ts';
import { startLoneApiServer, type LoneApiServer } from './server.ts';

/*
 * What a precondition does differs by verb, and much of it is not documented. The controller's safety rests on these
 * answers, so each is asked of a real API server, once for a custom resource and once for a built-in kind where both
 * have the verb.
 */

const signal = new AbortController().signal;
const anotherUid = '00000000-0000-4000-8000-000000000000';
let server: LoneApiServer;
let names = 0;

before(async () => {
  server = await startLoneApiServer();
  await installGadgets(server.other);
});
after(() => server?.stop());

/** The two kinds every rule about whole objects is tried on. */
const kinds = {
  'a custom resource': {
    resource: gadgets,
    path: gadgetsPath,
    make: (name: string, value: number, metadata: object = {}) => gadget(name, { size: value, color: 'red' }, metadata),
    without: { spec: { color: 'red' } },
    read: (object: KubeObject | ApiObject) => (object['spec'] as { size?: number }).size,
  },
  'a built-in kind': {
    resource: resources.configMaps,
    path: '/api/v1/namespaces/default/configmaps',
    make: (name: string, value: number, metadata: object = {}): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', ...metadata },
      data: { value: String(value), color: 'red' },
    }),
    without: { data: { color: 'red' } },
    read: (object: KubeObject | ApiObject) => Number((object['data'] as { value?: string }).value),
  },
};

function freshName(): string {
  return `object-${++names}`;
}

async function refused(promise: Promise<unknown>, code: KubeErrorCode, status: number, words?: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof KubeError, String(error));
    assert.deepEqual([error.code, error.status], [code, status], error.message);
    if (words) assert.match(error.message, words);
    return true;
  });
}

for (const [kind, { resource, path, make, without, read }] of Object.entries(kinds)) {
  const create = (name: string, value: number): Promise<KubeObject> =>
    server.client.apply(resource, make(name, value, { resourceVersion: '1' }), signal);
  const live = (name: string): Promise<ApiObject | undefined> => server.other.find(`${path}/${name}`);
  const identity = ({ metadata }: KubeObject): object => ({
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
  });

  test(`${kind}: apply with resourceVersion 1 creates what is absent`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    assert.equal(created.metadata.name, name);
    assert.equal(read((await live(name)) ?? created), 1);
  });

  test(`${kind}: apply with resourceVersion 1 is refused with 409 when the object is there, even unchanged`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    await refused(create(name, 1), 'Conflict', 409);
    await refused(create(name, 2), 'Conflict', 409);
    assert.equal((await live(name))?.metadata.resourceVersion, created.metadata.resourceVersion);
  });

  test(`${kind}: what apply created is owned by Apply, so a field left out later goes`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    assert.deepEqual(
      (await live(name))?.metadata.managedFields?.map((each) => [each.manager, each.operation]),
      [['ringmaster', 'Apply']],
    );
    await server.client.apply(resource, { ...make(name, 1, identity(created)), ...without }, signal);
    const left = await live(name);
    assert.ok(left && !read(left), 'the value is gone');
  });

  test(`${kind}: what a POST created is owned by Update, so a field left out of an apply stays`, async () => {
    const name = freshName();
    const created = await server.other.post(`${path}?fieldManager=ringmaster`, make(name, 1));
    assert.deepEqual(
      created.metadata.managedFields?.map((each) => each.operation),
      ['Update'],
    );
    await server.client.apply(resource, { ...make(name, 1, identity(created)), ...without }, signal);
    assert.equal(read((await live(name)) ?? created), 1);
  });

  test(`${kind}: apply with the right uid and resourceVersion updates`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    const updated = await server.client.apply(resource, make(name, 2, identity(created)), signal);
    assert.equal(read(updated), 2);
    assert.equal(updated.metadata.uid, created.metadata.uid);
  });

  test(`${kind}: apply with another uid is refused with 422, not 409`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    const other = { ...identity(created), uid: anotherUid };
    await refused(server.client.apply(resource, make(name, 2, other), signal), 'Invalid', 422, /uid.*immutable/i);
    assert.equal(read((await live(name)) ?? created), 1);
  });

  test(`${kind}: apply with a uid is refused with 409 when the object is gone`, async () => {
    const name = freshName();
    const update = server.client.apply(resource, make(name, 1, { uid: anotherUid, resourceVersion: '1' }), signal);
    await refused(update, 'Conflict', 409, /uid mismatch/);
    assert.equal(await live(name), undefined);
  });

  test(`${kind}: apply with an old resourceVersion is refused with 409, even if it would change nothing`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    await server.client.apply(resource, make(name, 2, identity(created)), signal);
    await refused(server.client.apply(resource, make(name, 3, identity(created)), signal), 'Conflict', 409);
    await refused(server.client.apply(resource, make(name, 2, identity(created)), signal), 'Conflict', 409);
    assert.equal(read((await live(name)) ?? created), 2);
  });

  test(`${kind}: apply with a resourceVersion alone creates the object anew when it is gone`, async () => {
    const [name, other] = [freshName(), freshName()];
    const created = await create(name, 1);
    await create(other, 1);
    await server.other.delete(`${path}/${name}`);
    const { resourceVersion } = created.metadata;
    const whileThere = server.client.apply(resource, make(other, 2, { resourceVersion }), signal);
    await refused(whileThere, 'Conflict', 409);
    const again = await server.client.apply(resource, make(name, 1, { resourceVersion }), signal);
    assert.notEqual(again.metadata.uid, created.metadata.uid);
  });

  test(`${kind}: apply with neither takes over the object of somebody else`, async () => {
    const name = freshName();
    await server.other.apply(`${path}/${name}`, 'somebody', make(name, 1));
    const seized = await server.client.apply(resource, make(name, 2), signal);
    assert.equal(read(seized), 2);
    assert.equal(read(await server.client.apply(resource, make(freshName(), 3), signal)), 3);
  });

  test(`${kind}: a JSON patch whose test fails counts as a conflict, as one whose path is missing`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    const ref = { namespace: 'default', name };
    const patch = (uid: string | undefined, at: string): Promise<KubeObject> =>
      server.client.jsonPatch(
        resource,
        ref,
        [
          { op: 'test', path: '/metadata/uid', value: uid },
          { op: 'test', path: '/metadata/resourceVersion', value: created.metadata.resourceVersion },
          { op: 'remove', path: at },
        ],
        signal,
      );
    const value = resource === gadgets ? '/spec/size' : '/data/value';
    await refused(patch(anotherUid, value), 'Conflict', 422);
    await refused(patch(created.metadata.uid, '/spec/no/such/field'), 'Conflict', 422);
    assert.equal(read((await live(name)) ?? created), 1);
    await patch(created.metadata.uid, value);
    await refused(patch(created.metadata.uid, value), 'Conflict', 422);
  });

  test(`${kind}: delete needs the uid and the resourceVersion, and answers 404 when the object is gone`, async () => {
    const name = freshName();
    const created = await create(name, 1);
    const ref = { namespace: 'default', name };
    const { uid = '', resourceVersion = '' } = created.metadata;
    await refused(server.client.delete(resource, ref, { uid: anotherUid, resourceVersion }, signal), 'Conflict', 409);
    await refused(server.client.delete(resource, ref, { uid, resourceVersion: '1' }, signal), 'Conflict', 409);
    assert.ok(await live(name));
    await server.client.delete(resource, ref, { uid, resourceVersion }, signal);
    await refused(server.client.delete(resource, ref, { uid, resourceVersion }, signal), 'NotFound', 404);
  });

  test(`${kind}: delete of an object that is already being deleted answers 409 to the version before`, async () => {
    const name = freshName();
    const made = make(name, 1, { resourceVersion: '1', finalizers: ['test.ringmaster.dev/hold'] });
    const created = await server.client.apply(resource, made, signal);
    const ref = { namespace: 'default', name };
    const { uid = '', resourceVersion = '' } = created.metadata;
    await server.client.delete(resource, ref, { uid, resourceVersion }, signal);
    await refused(server.client.delete(resource, ref, { uid, resourceVersion }, signal), 'Conflict', 409);
    const now = await server.client.get(resource, ref, signal);
    assert.equal(now.metadata.uid, uid);
    assert.ok(now.metadata.deletionTimestamp, 'which is how one sees that the delete had worked');
    await server.other.patch(`${path}/${name}`, 'merge', { metadata: { finalizers: null } });
  });
}

async function createGadget(spec: Record<string, unknown> = { size: 1 }): Promise<KubeObject & { name: string }> {
  const name = freshName();
  const created = await server.client.apply(gadgets, gadget(name, spec, { resourceVersion: '1' }), signal);
  return { ...created, name };
}

test('status: a patch with the right resourceVersion is taken, one with an old one refused with 409', async () => {
  const { name, metadata } = await createGadget();
  const ref = { namespace: 'default', name };
  const patch = (phase: string): Promise<KubeObject> =>
    server.client.patchStatus(gadgets, ref, metadata.resourceVersion ?? '', { phase }, signal);
  assert.deepEqual((await patch('Ready'))['status'], { phase: 'Ready' });
  await refused(patch('Late'), 'Conflict', 409);
  await refused(patch('Ready'), 'Conflict', 409);
});

test('a patch of an object that is gone, or of its status, answers 404', async () => {
  const ref = { namespace: 'default', name: freshName() };
  await refused(server.client.patchStatus(gadgets, ref, '1', { phase: 'x' }, signal), 'NotFound', 404);
  const operation = { op: 'test' as const, path: '/metadata/uid', value: anotherUid };
  await refused(server.client.jsonPatch(gadgets, ref, [operation], signal), 'NotFound', 404);
});

test('status: a wrong uid is not noticed, neither in a merge patch nor in an apply', async () => {
  const { name } = await createGadget();
  const path = `${gadgetsPath}/${name}/status`;
  const merged = await server.other.patch(path, 'merge', {
    metadata: { uid: anotherUid },
    status: { phase: 'Merged' },
  });
  assert.deepEqual(merged['status'], { phase: 'Merged' });
  const body = { ...gadget(name, {}, { uid: anotherUid }), status: { phase: 'Applied' } };
  const applied = await server.other.apply(path, 'test', body);
  assert.deepEqual(applied['status'], { phase: 'Applied' });
});

test('unknown fields: an apply is refused with 500, a merge patch with 422', async () => {
  await refused(createGadget({ size: 1, sise: 2 }), 'Invalid', 500, /\.spec\.sise: field not declared in schema/);
  const { name, metadata } = await createGadget();
  const ref = { namespace: 'default', name };
  const patch = server.client.patchStatus(gadgets, ref, metadata.resourceVersion ?? '', { fase: 'x' }, signal);
  await refused(patch, 'Invalid', 422, /unknown field "status.fase"/);
});

test('unknown fields: below a typed part of a subtree that keeps them, an apply drops them without a word', async () => {
  const created = await createGadget({ size: 1, free: { anything: true, typed: { known: 'a', unknown: 'b' } } });
  assert.deepEqual(created['spec'], { size: 1, free: { anything: true, typed: { known: 'a' } } });
});

test('an apply that leaves an object empty where it wrote fields makes it null, leaving the object out removes it', async () => {
  const { name, metadata } = await createGadget();
  const { uid, resourceVersion } = metadata;
  const { spec: _, ...without } = gadget(name, {}, { uid, resourceVersion });
  await refused(
    server.client.apply(gadgets, { ...without, spec: {} }, signal),
    'Invalid',
    422,
    /spec in body must be of type object: "null"/,
  );
  const left = await server.client.apply(gadgets, without, signal);
  assert.equal(left['spec'], undefined);
});

test('an answer that is lost leaves a write that a live read finds', async () => {
  // The same write sent twice, as after a lost answer: the second meets the first's effect, never a second effect.
  const { name, metadata } = await createGadget();
  const write = (): Promise<KubeObject> =>
    server.client.apply(
      gadgets,
      gadget(name, { size: 5 }, { uid: metadata.uid, resourceVersion: metadata.resourceVersion }),
      signal,
    );
  const first = await write();
  await refused(write(), 'Conflict', 409);
  const now = await server.client.get(gadgets, { namespace: 'default', name }, signal);
  assert.equal(now.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('another client sees the same refusals, so that they are the server’s and not ours', async () => {
  const { name } = await createGadget();
  await assert.rejects(
    server.other.apply(`${gadgetsPath}/${name}`, 'test', gadget(name, { size: 9 }, { resourceVersion: '1' })),
    (error) => error instanceof ApiError && error.status === 409,
  );
});
