import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { command } from '../harness/run/command.ts';
import { main } from '../ring/controller-process.ts';
import { chart, findHelm, type Helm } from './helm.ts';
import { readObjects, type Rendered, withoutMaker } from './rendered.ts';
import { leavesOf, type ValuesSchema, undescribed } from './values-schema.ts';
import { fullValues } from './full-values.ts';

const crd = join(import.meta.dirname, '../../crds/ringmaster.dev_multicassandraclusters.yaml');
const serviceMonitors = 'monitoring.coreos.com/v1/ServiceMonitor';

suite('the Helm chart', () => {
  let helm: Helm;
  let rendered: Rendered;

  const render = async (values: Record<string, unknown> = {}, ...args: string[]): Promise<Rendered> => {
    const release = ['template', 'ringmaster', chart, '--namespace', 'ringmaster-system', '--values', '-'];
    return readObjects(await helm([...release, ...args], { input: stringify(values) }));
  };
  const ringmaster = (...args: string[]): Promise<string> => command(process.execPath, [main, ...args]);
  /** What a command of Ringmaster gives a ServiceAccount, without the namespace and the account themselves. */
  const access = async (...args: string[]): Promise<Record<string, unknown>> => {
    const objects = [...readObjects(await ringmaster('rbac', ...args))];
    return Object.fromEntries(objects.filter(([key]) => /Role/.test(key)));
  };
  const roles = (objects: Rendered): Record<string, unknown> => {
    const those = [...objects].filter(([key]) => /Role/.test(key));
    return Object.fromEntries(
      those.map(([key, { metadata, ...object }]) => {
        const { labels: _, ...rest } = metadata;
        return [key, { ...object, metadata: rest }];
      }),
    );
  };

  before(async () => {
    helm = await findHelm(new AbortController().signal);
    rendered = await render();
  });

  test('has nothing that helm lint objects to, with its defaults and with every value set', async () => {
    for (const values of [{}, fullValues]) {
      const said = await helm(['lint', '--strict', chart, '--values', '-'], { input: stringify(values) });
      assert.match(said, /1 chart\(s\) linted, 0 chart\(s\) failed/);
      assert.doesNotMatch(said, /WARNING|ERROR/);
    }
  });

  test('makes these objects by default, and with every value set', async () => {
    const usual = [
      'ClusterRole ringmaster-hub',
      'ClusterRoleBinding ringmaster-hub',
      'Deployment ringmaster-system/ringmaster',
      'NetworkPolicy ringmaster-system/ringmaster',
      'PodDisruptionBudget ringmaster-system/ringmaster',
      'Role ringmaster-system/ringmaster-hub-own',
      'RoleBinding ringmaster-system/ringmaster-hub-own',
      'Service ringmaster-system/ringmaster',
      'ServiceAccount ringmaster-system/ringmaster',
    ];
    assert.deepEqual([...rendered.keys()].toSorted(), usual);
    const all = await render(fullValues, '--api-versions', serviceMonitors);
    const kinds = new Set([...all.keys()].map((key) => key.replace(/ .*/, '')));
    const usualKinds = usual.map((key) => key.replace(/ .*/, ''));
    assert.deepEqual(kinds, new Set([...usualKinds, 'ServiceMonitor']));
  });

  test('gives the ServiceAccount what "ringmaster rbac hub" prints, and nothing more', async () => {
    const printed = await access('hub');
    assert.deepEqual(roles(await render({ hub: { namespaces: ['cassandra'] } })), printed);
    const elsewhere = Object.entries(printed).filter(([key]) => !key.includes(' cassandra/'));
    assert.deepEqual(roles(rendered), Object.fromEntries(elsewhere));
  });

  test('gives it what "ringmaster rbac region" prints as well where the hub is a region', async () => {
    const namespaces = ['--namespace', 'cassandra', '--namespace', 'billing'];
    const printed = await access('region', ...namespaces);
    const both = roles(await render({ hub: { regionNamespaces: ['cassandra', 'billing'] } }));
    const ofRegion = Object.entries(both).filter(([key]) => key.endsWith('ringmaster-region'));
    assert.deepEqual(Object.fromEntries(ofRegion), printed);
  });

  test('names the ServiceAccount that it runs as in every binding, whatever that is', async () => {
    const values = { serviceAccount: { create: false, name: 'mine' }, hub: { regionNamespaces: ['cassandra'] } };
    const objects = await render(values);
    assert.ok(![...objects.keys()].some((key) => key.startsWith('ServiceAccount ')));
    const bindings = [...objects].filter(([key]) => /RoleBinding/.test(key));
    assert.equal(bindings.length, 4);
    for (const [key, binding] of bindings)
      assert.deepEqual(
        binding['subjects'],
        [{ kind: 'ServiceAccount', namespace: 'ringmaster-system', name: 'mine' }],
        key,
      );
  });

  test('holds the CustomResourceDefinition that is checked in', () => {
    const file = join(chart, 'crds/ringmaster.dev_multicassandraclusters.yaml');
    assert.equal(readFileSync(file, 'utf8'), readFileSync(crd, 'utf8'), 'run `make crds`');
  });

  test('can set every flag of "ringmaster run"', async () => {
    const help = await ringmaster('run', '--help');
    const flags = [...help.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1] ?? '');
    assert.ok(flags.length > 8);
    // Roles give it these two in its own namespace, and in no other.
    const own = ['--help', '--secrets-namespace', '--lease-namespace'];
    const template = readFileSync(join(chart, 'templates/deployment.yaml'), 'utf8');
    const missing = flags.filter((flag) => !own.includes(flag) && !template.includes(flag));
    assert.deepEqual(missing, []);
  });

  test('makes a ServiceMonitor where asked to, and only if the cluster knows that kind', async () => {
    const isMonitor = (key: string): boolean => key.startsWith('ServiceMonitor ');
    const values = { metrics: { serviceMonitor: { enabled: true } } };
    assert.ok(![...(await render({}, '--api-versions', serviceMonitors)).keys()].some(isMonitor));
    assert.ok(![...(await render(values)).keys()].some(isMonitor));
    assert.ok([...(await render(values, '--api-versions', serviceMonitors)).keys()].some(isMonitor));
  });

  test('leaves ten seconds and more for a stop, which needs ten', () => {
    const { spec } = rendered.get('Deployment ringmaster-system/ringmaster') as unknown as {
      spec: { template: { spec: { terminationGracePeriodSeconds: number } } };
    };
    assert.ok(spec.template.spec.terminationGracePeriodSeconds >= 20);
  });

  test('names no object longer than Kubernetes allows, whatever the release is called', async () => {
    const release = 'a-release-with-a-name-as-long-as-helm-lets-it-be-53-x';
    assert.equal(release.length, 53);
    const text = await helm(['template', release, chart, '--set', 'hub.namespaces={cassandra}']);
    for (const [key, object] of readObjects(text)) {
      assert.ok(object.metadata.name.length <= 63, key);
      for (const label of Object.values(object.metadata.labels ?? {})) assert.ok(label.length <= 63, label);
    }
  });

  suite('and its schema of values', () => {
    const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as ValuesSchema;

    test('describes every value, and has every default', () => {
      assert.deepEqual(undescribed(schema), []);
      const defaults = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Record<string, unknown>;
      const described = leavesOf(schema).filter((name) => name !== 'global');
      const set = described.filter((path) => path.split('.').reduce(child, defaults) === undefined);
      assert.deepEqual(set, [], 'described, and not in values.yaml');
    });

    test('lets every value be set to something else, and each one counts', async () => {
      const leaves = leavesOf(schema).filter((name) => name !== 'global');
      const unset = leaves.filter((path) => path.split('.').reduce(child, fullValues) === undefined);
      assert.deepEqual(unset, [], 'not in full-values.ts');
      const all = withoutMaker(await render(fullValues, '--api-versions', serviceMonitors));
      for (const path of leaves) {
        const values = structuredClone(fullValues);
        const steps = path.split('.');
        const last = steps.pop() ?? '';
        const parent = steps.reduce(child, values) as Record<string, unknown>;
        if (typeof parent[last] === 'boolean') parent[last] = !parent[last];
        else delete parent[last];
        if (path === 'leaderElection.enabled') values['replicas'] = 1;
        const changed = withoutMaker(await render(values, '--api-versions', serviceMonitors));
        assert.notDeepEqual(changed, all, `${path} changes nothing`);
      }
    });

    const wrong: [values: Record<string, unknown>, says: RegExp][] = [
      [{ replica: 2 }, /additional propert.*replica/i],
      [{ image: { repo: 'x' } }, /image.*additional propert.*repo/is],
      [{ replicas: 'two' }, /replicas.*got string, want integer/s],
      [{ replicas: 100 }, /replicas.*maximum/s],
      [{ logLevel: 'verbose' }, /logLevel.*debug.*info.*warn.*error/s],
      [{ image: { digest: 'latest' } }, /image\/digest.*does not match pattern/s],
      [{ hub: { namespaces: ['Cassandra'] } }, /hub\/namespaces\/0.*does not match pattern/s],
      [{ regions: { allow: ['eu'] } }, /regions\/allow\/0.*does not match pattern/s],
      [{ port: 80 }, /port.*minimum/s],
      [{ terminationGracePeriodSeconds: 5 }, /terminationGracePeriodSeconds.*minimum/s],
      [{ networkPolicy: { apiServerPorts: [] } }, /networkPolicy\/apiServerPorts.*minItems/s],
      [{ leaderElection: { enabled: false } }, /leaderElection\.enabled: without it two replicas would both write/],
      [{ serviceAccount: { create: false } }, /serviceAccount\.name: name the ServiceAccount that is there/],
    ];
    for (const [values, says] of wrong) {
      test(`refuses ${JSON.stringify(values)}, and says which value it is`, async () => {
        await assert.rejects(render(values), says);
      });
    }
  });
});

function child(value: unknown, name: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[name];
}
