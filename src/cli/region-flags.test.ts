import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { systemClock } from '../edges/clock.ts';
import { openRegionSources, type RegionFlags, type RegionSources } from './region-flags.ts';
import { UsageError } from './usage-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringmaster-flags-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, ...contexts: string[]): string {
  const path = join(folder, name);
  const text = stringify({
    clusters: [{ name: 'c', cluster: { server: 'https://region.example' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: contexts.map((each) => ({ name: each, context: { cluster: 'c', user: 'u', namespace: `of-${each}` } })),
  });
  writeFileSync(path, contexts.length === 0 ? 'half: [written' : text);
  return path;
}

function open(flags: Partial<RegionFlags>, env: NodeJS.ProcessEnv = {}): Promise<RegionSources> {
  return openRegionSources({ kubeconfig: [], context: [], allow: [], ...flags }, env, systemClock);
}

async function refused(sentence: RegExp, flags: Partial<RegionFlags>, env: NodeJS.ProcessEnv = {}): Promise<void> {
  await assert.rejects(open(flags, env), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, sentence);
    return true;
  });
}

function namesOf({ sources }: RegionSources): (string | undefined)[] {
  return sources.flatMap((source) => source.read()).map(({ name }) => name);
}

test('the hub is the one that is named, else the first context; its namespace is where Secrets are', async () => {
  const both = file('both', 'eu', 'us');
  assert.equal((await open({ kubeconfig: [both] })).hub.name, 'eu');
  assert.equal((await open({ kubeconfig: [both], context: ['us', 'eu'] })).hub.name, 'us');
  const named = await open({ kubeconfig: [both], context: ['eu'], hub: 'us' });
  assert.deepEqual([named.hub.name, named.secretsNamespace, namesOf(named)], ['us', 'of-us', ['eu', 'us']]);
  assert.equal((await open({ kubeconfig: [both], secretsNamespace: 'here' })).secretsNamespace, 'here');
  assert.equal((await open({}, { KUBECONFIG: both })).hub.name, 'eu');
});

test('only the hub has to be in order: other files may be broken, missing, or still to come', async () => {
  const kubeconfig = [file('hub-alone', 'eu'), file('broken'), join(folder, 'missing')];
  const found = await open({ kubeconfig, context: ['eu', 'later'] });
  assert.deepEqual([found.hub.name, namesOf(found).filter((name) => name !== undefined)], ['eu', ['eu']]);
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  assert.equal((await open({ kubeconfig: [kubeconfig[0]!, directory], context: ['eu', 'later'] })).hub.name, 'eu');
});

test('what a person has to mend first is named with its flag', async () => {
  const both = file('known', 'eu', 'us');
  await refused(/--context: unknown context "mars"; .*known define: eu, us$/, {
    kubeconfig: [both],
    context: ['eu', 'mars'],
  });
  await refused(/unknown context "mars" for the hub; .* define: eu, us$/, { kubeconfig: [both], hub: 'mars' });
  await refused(/broken-hub: is not YAML/, { kubeconfig: [file('broken-hub')] });
  await refused(/--allow eu=a,B: "B" is no name/, { kubeconfig: [both], allow: ['eu=a,B'] });
  await refused(/--allow eu=b: there is another --allow for eu/, { kubeconfig: [both], allow: ['eu=a', 'eu=b'] });
  await refused(/--secrets-namespace "A" is no name/, { kubeconfig: [both], secretsNamespace: 'A' });
  await refused(/--in-cluster: .*KUBERNETES_SERVICE_HOST is not set/, { inCluster: true });
});

test('a pod without a kubeconfig takes its own cluster, and only then', async () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  await refused(/--in-cluster: .*no ServiceAccount/, {}, env);
  assert.equal((await open({ kubeconfig: [file('given', 'eu')] }, env)).hub.name, 'eu');
});

test('each context has the rule of its own name, else that for all others, else the default', async () => {
  const { sources } = await open({ kubeconfig: [file('three', 'eu', 'us')], allow: ['eu=orders/db', '*=*/*'] });
  const [eu, us] = sources.flatMap((source) => source.read()).map(({ tenancy }) => tenancy);
  assert.deepEqual(eu, { hubNamespaces: new Set(['orders']), regionNamespaces: new Set(['db']) });
  assert.deepEqual(us, { hubNamespaces: 'all', regionNamespaces: 'all' });
  const [plain] = (await open({ kubeconfig: [file('one', 'eu')] })).sources.flatMap((source) => source.read());
  assert.deepEqual(plain?.tenancy, { hubNamespaces: 'all', regionNamespaces: 'own' });
});
