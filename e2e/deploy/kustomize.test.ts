import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { command } from '../harness/run/command.ts';
import { findControlPlanePrograms } from '../harness/toolchain/control-plane-programs.ts';
import { chart, findHelm, type Helm } from './helm.ts';
import { readObjects, withoutMaker } from './rendered.ts';

const repository = join(import.meta.dirname, '../..');
const crd = parse(readFileSync(join(repository, 'crds/ringmaster.dev_multicassandraclusters.yaml'), 'utf8')) as Record<
  string,
  unknown
>;

/** What Helm leaves to others: its own files in crds/, and the namespace of a release. */
const besides = [
  'CustomResourceDefinition multicassandraclusters.ringmaster.dev',
  'Namespace ringmaster-system',
] as const;

suite('kustomize', () => {
  let helm: Helm;
  let kubectl: readonly string[];

  before(async () => {
    const { signal } = new AbortController();
    helm = await findHelm(signal);
    ({ kubectl } = await findControlPlanePrograms(signal));
  });

  const build = async (folder: string): Promise<Record<string, unknown>> => {
    const [program = '', ...args] = kubectl;
    const path = join(repository, 'deploy/kustomize', folder);
    return withoutMaker(readObjects(await command(program, [...args, 'kustomize', path])));
  };
  const byChart = async (values: Record<string, unknown>): Promise<Record<string, unknown>> => {
    const args = ['template', 'ringmaster', chart, '--namespace', 'ringmaster-system', '--values', '-'];
    return withoutMaker(readObjects(await helm(args, { input: stringify(values) })));
  };
  const without = (objects: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(objects).filter(([key]) => !keys.includes(key)));

  test('the base is what the chart makes with its defaults', async () => {
    const base = await build('base');
    for (const key of besides) assert.ok(key in base, key);
    assert.deepEqual(without(base, besides), await byChart({}));
  });

  test('the base brings the CustomResourceDefinition that is checked in, and a namespace with restricted pods', async () => {
    const base = await build('base');
    const brought = base[besides[0]] as { spec: unknown };
    assert.deepEqual(brought.spec, crd['spec'], 'run `make crds`');
    const { metadata } = base[besides[1]] as { metadata: { labels: Record<string, string> } };
    assert.equal(metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
  });

  test('the example of an overlay is what the chart makes with the same wishes', async () => {
    const expected = await byChart({
      image: { repository: 'registry.example.net/databases/ringmaster' },
      hub: { namespaces: ['cassandra'] },
      resources: { limits: { memory: '1Gi' } },
    });
    const overlay = without(await build('overlays/example'), besides);
    // Only Helm labels what the overlay adds.
    const labels = (object: unknown): unknown =>
      JSON.parse(JSON.stringify(object), (key, value: unknown) => (key === 'labels' ? undefined : value));
    assert.deepEqual(labels(overlay), labels(expected));
  });
});
