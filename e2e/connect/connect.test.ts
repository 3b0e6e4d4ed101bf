import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import { readServiceAccountToken } from '../../src/kube/service-account-token.ts';
import { tokenIn } from '../../src/regions/kubeconfig-token.ts';
import { type ApiObject, ApiServer, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { writeKubeconfig } from '../harness/kubeconfig.ts';
import { command } from '../harness/run/command.ts';
import { ControllerProcess, main } from '../ring/controller-process.ts';
import { Federation, installCrd } from '../ring/federation.ts';

const namespace = 'cassandra';
const { namespace: own, name: account } = defaultServiceAccount;
const rbac = '/apis/rbac.authorization.k8s.io/v1';
/** How long anything may take on a busy machine before it counts as failed, milliseconds. */
const timeoutMs = 600_000;

suite('regions that are connected, rotated and disconnected by the command line', () => {
  let regions: Regions;
  let hub: ApiServer;
  let federation: Federation;
  let controller: ControllerProcess;

  /** Runs `ringmaster` as an administrator of all clusters, whose current context is the hub. */
  function ringmaster(...args: string[]): Promise<string> {
    return ringmasterAs(regions.kubeconfig, ...args);
  }

  function ringmasterAs(kubeconfig: string, ...args: string[]): Promise<string> {
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    return command(process.execPath, [main, ...args], { env, timeoutMs });
  }

  /** Does something that is refused with this sentence, and asserts that nothing was made by it anywhere. */
  async function makesNothing(work: Promise<unknown>, sentence: RegExp): Promise<void> {
    const before = await everything();
    await assert.rejects(work, sentence);
    assert.deepEqual(await everything(), before);
  }

  /** Whatever the commands could write, with its resourceVersion. */
  async function everything(): Promise<string[]> {
    const kinds = [
      ...['namespaces', 'secrets', 'serviceaccounts'].map((plural) => `/api/v1/${plural}`),
      ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map((plural) => `${rbac}/${plural}`),
    ];
    const lists = regions.all.flatMap(({ name, api }) =>
      kinds.map(async (path) =>
        (await api.list(path)).map(
          ({ metadata }) => `${name} ${path} ${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`,
        ),
      ),
    );
    return (await Promise.all(lists)).flat();
  }

  /** The kubeconfig that is registered for a region. */
  async function registered(name: string): Promise<string> {
    const path = `/api/v1/namespaces/${own}/secrets/${name}`;
    const { data } = await hub.get<ApiObject & { data: { kubeconfig: string } }>(path);
    return Buffer.from(data.kubeconfig, 'base64').toString();
  }

  async function registeredToken(name: string): Promise<string> {
    return tokenIn(await registered(name), name) ?? '';
  }

  /** The Secrets in a region that tokens are bound to. */
  async function anchors(region: string): Promise<string[]> {
    const list = await regions.region(region).api.list(`/api/v1/namespaces/${own}/secrets`);
    return list.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`${account}-token-`));
  }

  /** How often the log says that us is reached by what is registered now. */
  function rotations(): number {
    return controller
      .log()
      .filter(({ message, region }) => /reached in the way it is registered now/.test(message) && region === 'us')
      .length;
  }

  async function untilRotated(before: number): Promise<void> {
    await waitFor(() => rotations() > before, { what: 'the new token to be in use', timeoutMs });
  }

  /** Asserts that the controller hears of what happens in us and writes there: it mends its guard. */
  async function assertWorks(): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/configmaps/${federation.name}-ringmaster`;
    const { api } = regions.region('us');
    const before = await api.get<ApiObject & { data: Record<string, string> }>(path);
    const [key = ''] = Object.keys(before.data);
    await api.patch(path, 'merge', { data: { [key]: 'spoilt' } });
    await waitFor(async () => (await federation.guard('us'))?.data?.[key] === before.data[key], {
      what: 'the guard of region us to be mended',
      timeoutMs,
    });
    const unseen = controller.log().filter(({ message }) => /cannot be reached/.test(message));
    assert.deepEqual(unseen, []);
  }

  /** What the API server of us answers to a token. */
  async function answerTo(token: string): Promise<number> {
    const { url, controlPlane } = regions.region('us');
    try {
      await new ApiServer(url, token, controlPlane.authority).get(`/api/v1/namespaces/${namespace}`);
      return 200;
    } catch (error) {
      return (error as { status?: number }).status ?? 0;
    }
  }

  before(async () => {
    regions = await startRegions({ regions: ['hub', 'eu', 'us'], nodes: 'light' });
    hub = regions.region('hub').api;
    federation = new Federation(regions, namespace, { hub: 'hub' });
    await installCrd(regions, 'hub');
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await hub.apply(`/api/v1/namespaces/${namespace}`, 'kubectl', object);
    // What the harness gives the controller in every region is what is to be made here.
    for (const region of ['eu', 'us']) {
      const { api } = regions.region(region);
      for (const path of ['clusterrolebindings/ringmaster-region', 'clusterroles/ringmaster-region']) {
        await api.delete(`${rbac}/${path}`);
      }
      await api.delete(`/api/v1/namespaces/${own}/serviceaccounts/${account}`);
    }
  });
  after(() => regions?.stop());

  test('what cannot be is refused before anything is made', async () => {
    const us = ['connect', '--context', 'us'];
    const cases: [string[], RegExp][] = [
      [['connect', '--context', 'ap'], /unknown context "ap".*define: eu, hub, us/],
      [[...us, '--hub-context', 'eu'], /hub \(context eu\) does not know MultiCassandraCluster.*ringmaster crds \|/],
      [[...us, '--name', '../us'], /--name "\.\.\/us" is no name/],
      [[...us, '--namespace', 'Cassandra'], /"Cassandra" is no name of a namespace/],
      [[...us, '--namespace', '*'], /name the namespaces/],
      [[...us, '--allow-from', 'a_b'], /"a_b" is no name of a namespace/],
      [[...us, '--server', 'http://us'], /http:\/\/us is no https URL/],
      [[...us, '--token-lifetime', '5m'], /less than 10m/],
      [['disconnect', 'us'], /no Secret .* registers region us/],
      [['rotate', 'us'], /no Secret .* registers region us; there are: none/],
      [['rotate'], /name a region, or --all/],
    ];
    const before = await everything();
    for (const [args, sentence] of cases) await assert.rejects(ringmaster(...args), sentence);
    assert.deepEqual(await everything(), before);
  });

  test('who is no administrator of the region is told what is missing, before anything is made', async () => {
    const { api } = regions.region('us');
    const viewer = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'viewer', namespace: 'default' } };
    await api.apply('/api/v1/namespaces/default/serviceaccounts/viewer', 'kubectl', viewer);
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = await api.post<{ status: { token: string } }>(
      '/api/v1/namespaces/default/serviceaccounts/viewer/token',
      request,
    );
    const config = parse(readFileSync(regions.kubeconfig, 'utf8')) as { users: { name: string; user: object }[] };
    for (const each of config.users) if (each.name === 'us-admin') each.user = { token: status.token };
    const kubeconfig = join(regions.directory, 'viewer.kubeconfig');
    writeFileSync(kubeconfig, stringify(config));
    const connect = (): Promise<string> => ringmasterAs(kubeconfig, 'connect', '--context', 'us');
    await makesNothing(connect(), /context us .*namespaces\/kube-system: 403/);
    await api.apply(`${rbac}/clusterroles/viewer`, 'kubectl', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'viewer' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
    });
    await api.apply(`${rbac}/clusterrolebindings/viewer`, 'kubectl', {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'viewer' },
      subjects: [{ kind: 'ServiceAccount', name: 'viewer', namespace: 'default' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewer' },
    });
    await waitFor(
      async () => {
        await makesNothing(
          connect(),
          /context us may not create clusterroles, create clusterrolebindings,.* nothing was done/,
        );
        return true;
      },
      { what: 'the binding to count', timeoutMs },
    );
  });

  test('a dry run prints what would be made, and no token', async () => {
    const before = await everything();
    const said = await ringmaster('connect', '--context', 'us', '--dry-run');
    const objects = parseAllDocuments(said.slice(said.indexOf('---'))).map((each) => each.toJS() as ApiObject);
    assert.deepEqual(
      objects.slice(-1).map(({ kind, metadata, stringData }) => [kind, metadata.name, Boolean(stringData)]),
      [['Secret', 'us', true]],
    );
    assert.match(said, /token: <token>/);
    assert.deepEqual(await everything(), before);
  });

  test('a region is prepared and registered, and a second time changes nothing', async () => {
    const said = await ringmaster('connect', '--context', 'eu');
    assert.match(said, /created +ServiceAccount cassandra\/cassandra-cluster-node in eu/);
    assert.match(said, /90 days after it was made; the controller renews it after 30 days/);
    assert.match(said, /CassandraCluster v2 is served; CassKop does not run/);
    await ringmaster('connect', '--context', 'us');
    const before = await everything();
    const again = await ringmaster('connect', '--context', 'us');
    assert.doesNotMatch(again, /^ +(created|changed|revoked)/m);
    assert.deepEqual(await everything(), before);
    assert.equal((await anchors('us')).length, 1);
  });

  test('a Secret that somebody else has made is not touched', async () => {
    const path = `/api/v1/namespaces/${own}/secrets/theirs`;
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'theirs', namespace: own } };
    await hub.apply(path, 'kubectl', object);
    const connect = ringmaster('connect', '--context', 'us', '--name', 'theirs');
    await makesNothing(connect, /Secret ringmaster-system\/theirs is there and was not made by.*--force/);
    const other = ringmaster('connect', '--context', 'eu', '--name', 'us');
    await makesNothing(other, /region us is another cluster/);
    await hub.delete(path);
  });

  test('the controller works in the regions with what was registered', async () => {
    for (const region of ['eu', 'us']) await regions.region(region).startOperator(namespace, 'fast');
    const kubeconfig = join(regions.directory, 'hub-only.kubeconfig');
    writeKubeconfig(kubeconfig, 'ringmaster', [regions.region('hub').controlPlane]);
    controller = new ControllerProcess(regions, { kubeconfig, contexts: [] });
    await controller.port();
    await federation.apply({ regions: [{ name: 'eu' }, { name: 'us' }] });
    await federation.ready();
    assert.ok((await federation.member('eu')) && (await federation.member('us')));
  });

  test('its token is rotated under it, and the one of before holds no longer', async () => {
    const [before, times] = [await registeredToken('us'), rotations()];
    const said = await ringmaster('rotate', 'us', '--revoke-after', '2s');
    assert.match(said, /revoked +the token of before/);
    await untilRotated(times);
    const now = await registeredToken('us');
    assert.notEqual(now, before);
    await waitFor(async () => (await answerTo(before)) === 401, { what: 'the old token to be refused', timeoutMs });
    assert.equal(await answerTo(now), 200);
    assert.equal((await anchors('us')).length, 1);
    await assertWorks();
  });

  test('the controller renews a token by itself', async () => {
    await ringmaster('connect', '--context', 'us', '--renew-after', '10s');
    await ringmaster('rotate', 'us', '--token-lifetime', '10m', '--revoke-after', '0s');
    const [anchor] = await anchors('us');
    const [short, times] = [await registeredToken('us'), rotations()];
    await waitFor(async () => (await registeredToken('us')) !== short, { what: 'the token to be renewed', timeoutMs });
    await untilRotated(times);
    const renewed = readServiceAccountToken(await registeredToken('us'));
    assert.equal(renewed?.boundSecret?.name, anchor);
    assert.equal((renewed?.expiresAtMs ?? 0) - (renewed?.issuedAtMs ?? 0), 600_000);
    await assertWorks();
    const page = await (await fetch(`http://127.0.0.1:${await controller.port()}/metrics`)).text();
    assert.match(page, /^ringmaster_region_credentials_end_timestamp_seconds\{region="us"\} \d/m);
    assert.match(page, /^ringmaster_region_registrations_total\{region="us",event="renewed"\} [1-9]/m);
    await ringmaster('connect', '--context', 'us', '--renew-after', '1h');
    const before = await everything();
    assert.doesNotMatch(await ringmaster('connect', '--context', 'us'), /^ +(created|changed|revoked)/m);
    assert.deepEqual(await everything(), before);
  });

  test('a region that is needed is not disconnected', async () => {
    const sentence = /region us is still needed:\n {2}- cassandra\/orders: region us is Managed/;
    await makesNothing(ringmaster('disconnect', 'us'), sentence);
  });

  test('one that is not needed loses what was made, and keeps its members', async () => {
    await hub.delete(federation.path);
    await waitFor(async () => (await hub.find(federation.path)) === undefined, { what: 'it to be gone', timeoutMs });
    const uid = (await federation.member('us'))?.metadata.uid;
    const token = await registeredToken('us');
    await ringmaster('disconnect', 'us');
    assert.ok(uid !== undefined && (await federation.member('us'))?.metadata.uid === uid);
    assert.equal(await hub.find(`/api/v1/namespaces/${own}/secrets/us`), undefined);
    const { api } = regions.region('us');
    assert.deepEqual(await anchors('us'), []);
    assert.equal(await api.find(`/api/v1/namespaces/${own}/serviceaccounts/${account}`), undefined);
    for (const kind of ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings']) {
      const left = await api.list(`${rbac}/${kind}`);
      assert.ok(left.every(({ metadata }) => !metadata.name.startsWith('ringmaster')));
    }
    await waitFor(async () => (await answerTo(token)) === 401, { what: 'its token to be refused', timeoutMs });
    await ringmaster('disconnect', 'us', '--context', 'us');
    await ringmaster('disconnect', 'eu', '--hub-only');
    assert.equal((await anchors('eu')).length, 1);
  });

  test('a token that never ends is made, rotated and revoked in the same way', async () => {
    const said = await ringmaster('connect', '--context', 'us', '--long-lived-token');
    assert.match(said, /its token holds until it is revoked/);
    const before = await registeredToken('us');
    assert.equal(await answerTo(before), 200);
    await ringmaster('rotate', '--all', '--revoke-after', '0s');
    const now = await registeredToken('us');
    assert.notEqual(now, before);
    assert.equal(readServiceAccountToken(now)?.expiresAtMs, undefined);
    assert.equal(await answerTo(now), 200);
    await waitFor(async () => (await answerTo(before)) === 401, { what: 'the old token to be refused', timeoutMs });
  });
});
