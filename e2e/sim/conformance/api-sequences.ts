import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  federation,
  freshName,
  identityOf,
  managersOf,
  member,
  patchTypes,
  paths,
  refused,
  type Client,
  type Fields,
} from './api-fixtures.ts';

/** Sequences of writes as the controller, CassKop and users do them. */
export function registerSequenceTests(client: () => Client): void {
  const ours = 'ringmaster';
  const spec = { nodesPerRacks: 1, cassandraImage: 'cassandra:5', topology: { dc: [{ name: 'eu' }] } };

  void test('the seeds are injected, taken over by CassKop’s PUT, and taken out again by name', async () => {
    const name = freshName('member');
    const path = `${paths.members}/${name}`;
    const injected = { ...spec, seedlist: ['a', 'b'] };
    const created = await client().apply(path, ours, member(name, injected, { resourceVersion: '1' }));
    const { resourceVersion } = created.metadata;
    await client().merge(`${path}/status?fieldManager=${ours}`, {
      metadata: { resourceVersion },
      status: { seedlist: ['a', 'b'] },
    });

    const read = await client().get(path);
    const defaulted = { ...read, spec: { ...read.spec, maxPodUnavailable: 1, imagepullpolicy: 'Always' } };
    const written = await client().put(`${path}?fieldManager=casskop`, defaulted);
    assert.equal(written.metadata.generation, 2);
    const running = { ...written, status: { ...written.status, phase: 'Running' } };
    const settled = await client().put(`${path}/status?fieldManager=casskop`, running);
    refused(await client().send('PUT', `${path}/status?fieldManager=casskop`, running), 'Conflict', 409);
    assert.deepEqual(managersOf(settled), [
      'casskop Update',
      'casskop Update status',
      `${ours} Apply`,
      `${ours} Update status`,
    ]);

    const without = await client().apply(path, ours, member(name, spec, identityOf(settled)));
    assert.deepEqual(without.spec?.['seedlist'], undefined);
    assert.deepEqual(without.spec?.['maxPodUnavailable'], 1, 'CassKop’s own');
    assert.deepEqual(without.status, { seedlist: ['a', 'b'], phase: 'Running' });
    assert.equal(without.metadata.generation, 3);
  });

  void test('a field that CassKop changed is its own: an apply leaves it, a JSON patch by name takes it out', async () => {
    const name = freshName('member');
    const path = `${paths.members}/${name}`;
    await client().apply(path, ours, member(name, { ...spec, dataCapacity: '1Gi' }));
    const read = await client().get(path);
    await client().put(`${path}?fieldManager=casskop`, { ...read, spec: { ...read.spec, dataCapacity: '2Gi' } });
    const applied = await client().apply(path, ours, member(name, spec));
    assert.equal(applied.spec?.['dataCapacity'], '2Gi');
    const patched = await client().json(`${path}?fieldManager=${ours}`, [
      { op: 'test', path: '/metadata/uid', value: applied.metadata.uid },
      { op: 'test', path: '/metadata/resourceVersion', value: applied.metadata.resourceVersion },
      { op: 'remove', path: '/spec/dataCapacity' },
      { op: 'add', path: '/metadata/annotations', value: { 'ringmaster.dev/rendered-paths': '[]' } },
    ]);
    assert.equal(patched.spec?.['dataCapacity'], undefined);
    assert.deepEqual(managersOf(patched), [`${ours} Apply`, `${ours} Update`]);
  });

  void test('of two who change the status from one state the second is refused, and by reading again gets on', async () => {
    const name = freshName('member');
    const path = `${paths.members}/${name}`;
    const { metadata } = await client().apply(path, ours, member(name, spec));
    const patch = (resourceVersion: string | undefined, status: Fields) =>
      client().send(
        'PATCH',
        `${path}/status?fieldManager=${ours}`,
        { metadata: { resourceVersion }, status },
        patchTypes.merge,
      );
    assert.equal((await patch(metadata.resourceVersion, { seedlist: ['a'] })).status, 200);
    refused(await patch(metadata.resourceVersion, { phase: 'Running' }), 'Conflict', 409);
    const { metadata: now } = await client().get(path);
    const last = await patch(now.resourceVersion, { phase: 'Running' });
    assert.deepEqual((last.body as { status: Fields }).status, { seedlist: ['a'], phase: 'Running' });
  });

  void test('a user edits a federation that carries our finalizer, and deletes it until we let go', async () => {
    const name = freshName('federation');
    const path = `${paths.federations}/${name}`;
    await client().apply(path, 'user', federation(name, ['eu', 'us']));
    const { spec: _, ...head } = federation(name, [], { finalizers: ['ringmaster.dev/members'] });
    const held = await client().apply(path, ours, head);
    assert.equal(held.metadata.generation, 1);
    const edited = await client().apply(path, 'user', federation(name, ['eu']));
    assert.deepEqual([edited.metadata.generation, edited.metadata.finalizers], [2, ['ringmaster.dev/members']]);
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const { metadata, status } = await client().merge(`${path}/status?fieldManager=${ours}`, {
      metadata: { resourceVersion: edited.metadata.resourceVersion },
      status: { observedGeneration: 2, conditions: [condition] },
    });
    assert.deepEqual([metadata.generation, status?.['conditions']], [2, [condition]]);
    const marked = await client().delete(path, { preconditions: { uid: metadata.uid } });
    assert.equal(marked.metadata.generation, 3);
    await client().apply(path, ours, { ...head, metadata: { name } });
    assert.equal(await client().exists(path), false);
  });
}
