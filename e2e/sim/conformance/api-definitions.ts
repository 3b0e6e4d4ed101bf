import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { freshName, paths, refused, type Client, type Stored } from './api-fixtures.ts';
import { isAnswer } from './api-subject.ts';
import { eventually } from '../../api/gadgets.ts';

/** Kinds that come and go with their definitions. */
export function registerDefinitionTests(client: () => Client): void {
  async function define(
    hasStatus: boolean,
  ): Promise<{ definition: string; path: string; make: (name: string) => KubeObject }> {
    const plural = freshName('widgets').replaceAll('-', '');
    const kind = `W${plural.slice(1)}`;
    const group = 'conformance.example';
    await client().post(paths.definitions, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        names: { kind, plural, singular: plural.slice(0, -1), listKind: `${kind}List` },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            ...(hasStatus && { subresources: { status: {} } }),
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    const path = `/apis/${group}/v1/namespaces/default/${plural}`;
    const definition = `${paths.definitions}/${plural}.${group}`;
    await eventually(`${plural} are served`, async () => {
      const { status } = await client().get(definition);
      const conditions = (status?.['conditions'] ?? []) as { type: string; status: string }[];
      const isEstablished = conditions.some(({ type, status: value }) => type === 'Established' && value === 'True');
      return isEstablished && (await client().send('GET', path)).status === 200;
    });
    return { definition, path, make: (name) => ({ apiVersion: `${group}/v1`, kind, metadata: { name } }) };
  }

  void test('a kind is there with its definition, and gone with it, with all its objects and watches', async () => {
    const { definition, path, make } = await define(true);
    await client().post(path, make('one'));
    const { metadata } = await client().list(path);
    const watch = await client().subject.watch(`${path}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    assert.ok(!isAnswer(watch));
    await client().delete(definition);
    await eventually('the kind is gone', async () => (await client().send('GET', path)).status === 404);
    refused(await client().send('GET', `${path}/one`), 'NotFound', 404);
    refused(await client().send('POST', path, make('two')), 'NotFound', 404);
    refused(await client().tryApply(`${path}/two`, 'test', make('two')), 'NotFound', 404);
    assert.equal((await watch.next())?.type, 'DELETED');
    assert.equal(await watch.next(), undefined, 'the end');
  });

  void test('while a kind goes, what finalizers hold stays, and nothing new comes', async () => {
    const { definition, path, make } = await define(true);
    const held = make('held');
    await client().post(path, { ...held, metadata: { ...held.metadata, finalizers: ['x.y/z'] } });
    await client().delete(definition);
    await eventually('its objects are being deleted', async () => {
      return (await client().get(`${path}/held`)).metadata.deletionTimestamp !== undefined;
    });
    refused(await client().send('POST', path, make('new')), 'Forbidden', 403, /definition is terminating/);
    refused(await client().tryApply(`${path}/new`, 'test', make('new')), 'Forbidden', 403);
    assert.ok((await client().get(definition)).metadata.deletionTimestamp);
    await client().merge(`${path}/held`, { metadata: { finalizers: null } });
    await eventually('the definition is gone', async () => !(await client().exists(definition)));
  });

  void test('without a status subresource the status is part of the object, and counts for the generation', async () => {
    const { path, make } = await define(false);
    const created = await client().post(path, { ...make('one'), status: { phase: 'A' } });
    assert.deepEqual(created.status, { phase: 'A' });
    const changed: Stored = await client().merge(`${path}/one`, { status: { phase: 'B' } });
    assert.deepEqual([changed.status, changed.metadata.generation], [{ phase: 'B' }, 2]);
    const status = await client().send('PATCH', `${path}/one/status`, { status: {} }, 'application/merge-patch+json');
    refused(status, 'NotFound', 404);
  });
}
