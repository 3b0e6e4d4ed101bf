import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import { writeKubeconfig } from '../harness/kubeconfig.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { type ApiObject, type ApiServer, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ApiProxy } from '../proxy/api-proxy.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { untouchedWrites } from '../proxy/write.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import { Registrar, registerBySecret } from './registrar.ts';

const [orders, outsiders, secrets] = ['orders', 'outsiders', defaultServiceAccount.namespace];
/** How long anything may take on a busy machine before it counts as failed, milliseconds. */
const timeoutMs = 300_000;

suite('regions that come, change and go while the controller runs', () => {
  let regions: Regions;
  let federation: Federation;
  let hub: ApiServer;
  let registrar: Registrar;
  let controller: ControllerProcess;
  let kubeconfig: string;
  const closing: (() => Promise<void>)[] = [];

  /** Registers region us anew, by the one Secret it has. */
  function register(text: string, annotations: Record<string, string> = {}): Promise<void> {
    return registerBySecret(hub, secrets, 'us', text, annotations);
  }

  async function removeSecret(name: string, namespace: string = secrets): Promise<void> {
    await hub.delete(`/api/v1/namespaces/${namespace}/secrets/${name}`);
  }

  function log(pattern: RegExp): number {
    return controller.log().filter((line) => pattern.test(JSON.stringify(line))).length;
  }

  /** Waits until the log has one more line like this than `before`. */
  async function untilLog(pattern: RegExp, before: number): Promise<void> {
    await waitFor(() => log(pattern) > before, { what: `the log to say ${String(pattern)}`, timeoutMs });
  }

  const rotated =
    /reached in the way it is registered now.*"region":"us"|"region":"us".*reached in the way it is registered now/;

  /** Since when region us can be reached, as far as the status says. */
  async function reachableSince(): Promise<unknown> {
    const found = await federation.condition('Reachable', 'us');
    return found?.status === 'True' ? (found as { lastTransitionTime?: string }).lastTransitionTime : undefined;
  }

  /** Does `change`, waits until the region is reached in the new way, and asserts that nothing had to be listed for it. */
  async function withoutRelist(change: () => Promise<void>): Promise<void> {
    const [lists, times] = [registrar.lists(), log(rotated)];
    await change();
    await untilLog(rotated, times);
    const message = /^the API server answers$/;
    await federation.waitForCondition('Reachable', 'True', { region: 'us', timeoutMs, message });
    await assertFollows();
    assert.equal(registrar.lists() - lists, 0, 'nothing is listed again');
    assert.ok(controller.running);
  }

  /** The same, while the old way still works: the region is never said to be away. */
  async function unnoticed(change: () => Promise<void>): Promise<void> {
    const since = await reachableSince();
    assert.ok(since);
    await withoutRelist(change);
    assert.equal(await reachableSince(), since);
  }

  /** Asserts that the controller hears of what happens in region us: it mends its guard. */
  async function assertFollows(): Promise<void> {
    const path = `/api/v1/namespaces/${orders}/configmaps/${federation.name}-ringmaster`;
    const api = regions.region('us').api;
    const before = await api.get<ApiObject & { data: Record<string, string> }>(path);
    const [key = ''] = Object.keys(before.data);
    await api.patch(path, 'merge', { data: { [key]: 'spoilt' } });
    await waitFor(async () => (await federation.guard('us'))?.data?.[key] === before.data[key], {
      what: 'the guard of region us to be mended',
      timeoutMs,
    });
  }

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    hub = regions.region('eu').api;
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(orders);
    await regions.prepareNamespace(outsiders, { operator: false });
    await regions.region('eu').prepareNamespace(secrets, { operator: false });
    registrar = await Registrar.create(regions.region('us'), 'ringmaster', [orders, outsiders]);
    federation = new Federation(regions, orders);
    kubeconfig = join(regions.directory, 'hub-only.kubeconfig');
    writeKubeconfig(kubeconfig, 'ringmaster', [regions.region('eu').controlPlane]);
    controller = new ControllerProcess(regions, {
      kubeconfig,
      contexts: [],
      arguments: ['--secrets-namespace', secrets],
    });
    await controller.port();
  });
  after(async () => {
    await Promise.all(closing.map((close) => close()));
    await regions?.stop();
  });

  test('a region that nobody has registered is said to be unknown, and joins as soon as its Secret is there', async () => {
    await federation.apply();
    const reason = 'UnknownContext';
    await federation.waitForCondition('Reachable', 'False', {
      region: 'us',
      reason,
      message: /no region us/,
      timeoutMs,
    });
    const { token } = await registrar.token();
    await register(registrar.kubeconfig(token));
    await federation.ready();
    assert.ok(registrar.lists() > 0, 'what is counted here is there to be counted');
  });

  test('a token that was revoked is rotated without a relist', async () => {
    const first = await registrar.token();
    await unnoticed(() => register(registrar.kubeconfig(first.token)));
    await first.revoke();
    await federation.waitForCondition('Reachable', 'False', { region: 'us', reason: 'Unauthorized', timeoutMs });
    const dead = await registrar.token();
    await dead.revoke();
    await register(registrar.kubeconfig(dead.token));
    const message = /401[^]*; what is registered now does not work: .*401/;
    await federation.waitForCondition('Reachable', 'False', { region: 'us', message, timeoutMs });
    const second = await registrar.token();
    await withoutRelist(() => register(registrar.kubeconfig(second.token)));
    await federation.ready();
  });

  test('so is the address of its API server', async () => {
    const forwarder = await TcpProxy.start(regions.region('us').url);
    closing.push(() => forwarder.close());
    const { token } = await registrar.token();
    await unnoticed(() => register(registrar.kubeconfig(token, { url: forwarder.url })));
    assert.ok(forwarder.accepted > 0);
  });

  test('so is its authority; until the server has its certificate, the old one goes on and that is said', async () => {
    const target = regions.region('us').controlPlane;
    const proxied = async (name: string): Promise<{ url: string; authority: string }> => {
      const certificates = await makeCertificates(name, ['127.0.0.1']);
      const rewrite = (path: string): string => path;
      const proxy = await ApiProxy.start({ target, certificates, rewrite, writes: untouchedWrites });
      closing.push(() => proxy.close());
      return { url: proxy.url, authority: certificates.authority };
    };
    const [old, next] = await Promise.all([proxied('old'), proxied('next')]);
    const forwarder = await TcpProxy.start(old.url);
    closing.push(() => forwarder.close());
    const { token } = await registrar.token();
    const { url } = forwarder;
    await unnoticed(() => register(registrar.kubeconfig(token, { url, authority: old.authority })));
    await withoutRelist(async () => {
      await register(registrar.kubeconfig(token, { url, authority: next.authority }));
      await federation.waitForCondition('Reachable', 'True', {
        region: 'us',
        message: /registered before: what is registered now does not work: .*certificate/,
        timeoutMs,
      });
      forwarder.leadTo(next.url);
    });
  });

  test('so are the credentials of the hub', async () => {
    const pattern =
      /reached in the way it is registered now.*"region":"eu"|"region":"eu".*reached in the way it is registered now/;
    const before = log(pattern);
    const { name, url, authority, tokens, account } = regions.region('eu').controlPlane;
    const { token } = await account.revocableToken();
    writeKubeconfig(kubeconfig, 'ringmaster', [{ name, url, authority, tokens: { ...tokens, ringmaster: token } }]);
    await untilLog(pattern, before);
    await federation.apply({ adoptionPolicy: 'IfUnchanged' });
    await federation.ready();
    writeFileSync(kubeconfig, 'contexts: {half');
    await untilLog(/hub-only\.kubeconfig: is not/, 0);
    await federation.apply();
    await federation.ready();
    writeKubeconfig(kubeconfig, 'ringmaster', [regions.region('eu').controlPlane]);
    await untilLog(pattern, before + 1);
  });

  test('a kubeconfig that wants to run a program is refused by name, runs nothing, and the old one goes on', async () => {
    const file = join(regions.directory, 'has-run');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'touch',
      args: [file],
      interactiveMode: 'Never',
    };
    await register(registrar.kubeconfig('', { user: { exec } }));
    await federation.waitForCondition('Reachable', 'True', {
      region: 'us',
      message: /user\.exec is not allowed/,
      timeoutMs,
    });
    await registerBySecret(hub, secrets, 'ap', registrar.kubeconfig('', { user: { exec } }));
    const other = new Federation(regions, orders, { name: 'executed' });
    await other.apply({ regions: [{ name: 'eu' }, { name: 'ap' }] });
    const reason = 'RegistrationRefused';
    await other.waitForCondition('Reachable', 'False', {
      region: 'ap',
      reason,
      message: /user\.exec is not allowed/,
      timeoutMs,
    });
    assert.ok(!existsSync(file));
    await hub.delete(other.path);
    await removeSecret('ap');
    const { token } = await registrar.token();
    await withoutRelist(() => register(registrar.kubeconfig(token)));
  });

  suite('nobody gets beyond what a registration allows', () => {
    /** Applies a federation, waits until region us is said to be closed to it, and asserts that nothing was asked there. */
    async function assertRefused(
      namespace: string,
      region: Record<string, string>,
      options: { reason?: string; message?: RegExp; asked?: string } = {},
    ): Promise<void> {
      const { reason = 'NamespaceNotAllowed', message, asked = namespace } = options;
      const tried = new Federation(regions, namespace, { name: 'intruder' });
      const before = requestsIn(asked);
      await tried.apply({ regions: [{ name: 'eu' }, { name: 'us', ...region }] });
      await tried.waitForCondition('Reachable', 'False', {
        region: 'us',
        reason,
        timeoutMs,
        ...(message && { message }),
      });
      assert.deepEqual(requestsIn(asked) - before, 0, `requests in namespace ${asked}`);
      await hub.delete(tried.path);
    }

    function requestsIn(asked: string): number {
      return registrar.requests().filter(({ namespace }) => namespace === asked).length;
    }

    before(async () => {
      const { token } = await registrar.token();
      await register(registrar.kubeconfig(token), { 'ringmaster.dev/hub-namespaces': orders });
      await federation.waitForCondition('Reachable', 'True', { region: 'us', timeoutMs });
    });

    test('a namespace of the hub for which the region is not registered', async () => {
      await assertRefused(outsiders, {}, { message: /does not let namespace "outsiders" of the hub/ });
      await assertRefused(outsiders, { namespace: orders }, { message: /of the hub/, asked: outsiders });
    });

    test('another namespace of the region than the own one', async () => {
      await assertRefused(orders, { namespace: outsiders }, { message: /"outsiders" of us/, asked: outsiders });
      await assertRefused(orders, { namespace: 'kube-public' }, { asked: 'kube-public' });
    });

    test('names that lead somewhere else: the API server refuses them', async () => {
      for (const namespace of ['a/b', '..', 'Orders', '', '*', 'orders/pods', 'orders%2f..']) {
        const tried = new Federation(regions, orders, { name: 'tricky' });
        await assert.rejects(
          tried.apply({ regions: [{ name: 'eu' }, { name: 'us', namespace }] }),
          /namespace/,
          namespace,
        );
      }
    });

    test('a ConfigMap with scripts that is in another namespace of the hub', async () => {
      await hub.apply(`/api/v1/namespaces/${outsiders}/configmaps/scripts`, 'kubectl', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'scripts', namespace: outsiders },
        data: { 'pre_run.sh': 'echo stolen' },
      });
      for (const name of [
        'scripts',
        `../../${outsiders}/configmaps/scripts`,
        `scripts,metadata.namespace=${outsiders}`,
      ]) {
        const tried = new Federation(regions, orders, { name: 'thief' });
        const spec = tried.smallestSpec() as { template: { spec: object } };
        await tried.apply({
          regions: [{ name: 'eu' }],
          template: { spec: { ...spec.template.spec, configMapName: name } },
        });
        await waitFor(
          async () => {
            const { status } = await tried.get();
            const stopped = status?.conditions?.find(({ type, status: is }) => is === 'False' && type === 'Accepted');
            const stalled = status?.conditions?.find(({ type, status: is }) => is === 'True' && type === 'Stalled');
            return stopped ?? stalled;
          },
          { what: `the scripts ${name} to be missing`, timeoutMs },
        );
        assert.equal(await tried.guard('eu'), undefined);
        await hub.delete(tried.path);
      }
    });

    test('a Secret outside of the namespace for Secrets', async () => {
      const { token } = await registrar.token();
      await registerBySecret(hub, outsiders, 'rogue', registrar.kubeconfig(token));
      const tried = new Federation(regions, outsiders, { name: 'intruder' });
      await tried.apply({ regions: [{ name: 'eu' }, { name: 'us', context: 'rogue' }] });
      const message = /no region rogue is registered.*there are eu$/;
      await tried.waitForCondition('Reachable', 'False', {
        region: 'us',
        reason: 'UnknownContext',
        message,
        timeoutMs,
      });
      await hub.delete(tried.path);
      await removeSecret('rogue', outsiders);
    });

    test('a Secret that takes the name of another one’s region', async () => {
      const { token } = await registrar.token();
      const text = registrar.kubeconfig(token);
      await registerBySecret(hub, secrets, 'a-thief', text, { 'ringmaster.dev/region': 'us' });
      await untilLog(/a-thief: region us is registered by Secret ringmaster-system\/us already/, 0);
      await assertRefused(outsiders, {});
      await removeSecret('a-thief');
    });

    test('whoever was let in and is not any more', async () => {
      const { token } = await registrar.token();
      const text = registrar.kubeconfig(token);
      await register(text, { 'ringmaster.dev/hub-namespaces': outsiders });
      const message = /does not let namespace "orders" of the hub/;
      await federation.waitForCondition('Reachable', 'False', {
        region: 'us',
        reason: 'NamespaceNotAllowed',
        message,
        timeoutMs,
      });
      assert.ok(await federation.member('us'), 'its member stays as it is');
      await register(text);
      await federation.ready();
    });
  });

  test('a context that leads to another cluster is not followed, and nothing is written there', async () => {
    const elsewhere = await Registrar.create(regions.region('eu'), 'elsewhere', [orders, outsiders]);
    const { token } = await elsewhere.token();
    await register(elsewhere.kubeconfig(token));
    await federation.waitForCondition('Reachable', 'False', { region: 'us', reason: 'IdentityChanged', timeoutMs });
    const writes = elsewhere.requests().filter(({ verb }) => !['get', 'list', 'watch'].includes(verb));
    assert.deepEqual(writes, []);
    await register(registrar.kubeconfig((await registrar.token()).token));
    await federation.ready();
  });

  test('a region whose Secret is removed is unknown, and everything in it stays as it is', async () => {
    const before = await regionAsItIs();
    await removeSecret('us');
    await federation.waitForCondition('Reachable', 'False', { region: 'us', reason: 'UnknownContext', timeoutMs });
    assert.deepEqual(await regionAsItIs(), before);
    const status = await federation.region('us');
    assert.equal(status?.nodes, 1, 'what was last known of it is remembered');
    await register(registrar.kubeconfig((await registrar.token()).token));
    await federation.ready();
    assert.deepEqual(await regionAsItIs(), before);
    assert.ok(controller.running);
  });

  async function regionAsItIs(): Promise<unknown> {
    const uid = (object: ApiObject | undefined): unknown => [object?.metadata.uid, object?.metadata.generation];
    const sets = (await federation.statefulSets('us')).map(uid);
    const pods = (await federation.pods('us')).map((pod) => pod.metadata.uid);
    return { member: uid(await federation.member('us')), sets, pods };
  }
});
