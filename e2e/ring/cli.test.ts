import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { request } from 'undici';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess, main } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';

/** How long the controller may take to stop, milliseconds: what it lets reconciles take to end, and some. */
const stopTimeoutMs = 15_000;

suite('ringmaster run', () => {
  let regions: Regions;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await Promise.all(regions.all.map(({ controlPlane }) => controlPlane.account.admit('default')));
  });
  after(() => regions?.stop());

  /** Runs `ringmaster run` with these arguments to its end. */
  function run(...args: string[]): Promise<{ code: unknown; stderr: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, 'run', '--port', '0', ...args],
        { timeout: 60_000, encoding: 'utf8' },
        (error, _stdout, stderr) => resolve({ code: error ? error.code : 0, stderr }),
      );
    });
  }

  async function get(port: number, path: string): Promise<{ status: number; text: string }> {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`);
    return { status: statusCode, text: await body.text() };
  }

  /** Stops it as Kubernetes does, and asserts that it ends well and soon. */
  async function assertStops(controller: ControllerProcess): Promise<void> {
    const stopped = controller.stop();
    const late = AbortSignal.timeout(stopTimeoutMs);
    const code = await Promise.race([stopped, once(late, 'abort').then(() => 'not within the time')]);
    assert.equal(code, 0);
  }

  suite('ends with code 2 and one sentence', () => {
    async function assertRefused(args: string[], sentence: RegExp): Promise<void> {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^ringmaster: /);
      assert.match(stderr, sentence);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }

    test('for a context that the kubeconfig does not have, naming those it has', async () => {
      const args = ['--kubeconfig', regions.controllerKubeconfig, '--context', 'eu', '--context', 'mars'];
      await assertRefused(args, /unknown context "mars"; .*ringmaster\.kubeconfig define: eu, us$/m);
    });

    test('for a hub that is none of the contexts', async () => {
      const args = ['--kubeconfig', regions.controllerKubeconfig, '--context', 'eu', '--hub', 'mars'];
      await assertRefused(args, /mars/);
    });

    test('for a kubeconfig that is not there, or is something else, and a directory without any', async () => {
      const missing = join(regions.directory, 'nowhere.kubeconfig');
      await assertRefused(['--kubeconfig', missing], /nowhere\.kubeconfig: there is no such file/);
      const empty = join(regions.directory, 'empty');
      mkdirSync(empty);
      await assertRefused(['--kubeconfig', empty], /--kubeconfig .*empty: there is no context to be the hub/);
      const garbage = join(regions.directory, 'garbage.kubeconfig');
      writeFileSync(garbage, 'contexts: {eu: [');
      await assertRefused(['--kubeconfig', garbage], /garbage\.kubeconfig: is not YAML/);
    });

    test('for a rule of --allow that is none, and for a namespace that cannot be', async () => {
      const known = ['--kubeconfig', regions.controllerKubeconfig];
      await assertRefused([...known, '--allow', 'eu'], /--allow eu: .* is not NAME=HUB_NAMESPACES/);
      await assertRefused([...known, '--allow', 'eu=a,B'], /--allow eu=a,B: "B" is no name of a namespace/);
      await assertRefused([...known, '--secrets-namespace', 'a/b'], /--secrets-namespace "a\/b"/);
      await assertRefused([...known, '--in-cluster'], /--in-cluster: .*KUBERNETES_SERVICE_HOST is not set/);
    });

    test('for a hub without the CRD, with the command that installs it', async () => {
      const args = ['--kubeconfig', regions.controllerKubeconfig, '--context', 'us', '--context', 'eu'];
      await regions.region('us').controlPlane.account.makeHub();
      await assertRefused(
        args,
        /hub \(context us\) does not know MultiCassandraClusters; install the CRD first: ringmaster crds \|/,
      );
    });

    test('for a port that somebody else has', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const args = ['--kubeconfig', regions.controllerKubeconfig, '--context', 'eu', '--port', String(port)];
      await assertRefused(args, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      server.close();
    });
  });

  test('answers on /healthz, /readyz and /metrics, and ends with code 0 when it is asked to', async () => {
    const controller = new ControllerProcess(regions, { name: 'probed' });
    const port = await controller.port();
    assert.deepEqual(await get(port, '/healthz'), { status: 200, text: 'ok\n' });
    await waitFor(async () => (await get(port, '/readyz')).status === 200, { what: 'readiness', timeoutMs: 300_000 });
    const up = (region: string): RegExp => new RegExp(`^ringmaster_region_up\\{.*"${region}".*\\} 1$`, 'm');
    await waitFor(
      async () => {
        const { status, text } = await get(port, '/metrics');
        assert.equal(status, 200);
        for (const region of ['eu', 'us']) assert.match(text, up(region));
        return true;
      },
      { what: 'metrics that say that both regions are up', timeoutMs: 300_000 },
    );
    await assertStops(controller);
    assert.ok(controller.log().some(({ message }) => message === 'ringmaster has stopped'));
  });

  test('runs with a region that is dead at its start', async () => {
    await regions.region('us').controlPlane.kill();
    const controller = new ControllerProcess(regions, { name: 'one-dead' });
    const port = await controller.port();
    await waitFor(async () => (await get(port, '/readyz')).status === 200, { what: 'readiness', timeoutMs: 300_000 });
    const federation = new Federation(regions, 'default');
    await federation.apply();
    await federation.waitForCondition('RegionsReachable', 'False', { message: /^us: / });
    await federation.waitForCondition('Reachable', 'True', { region: 'eu' });
    assert.match((await get(port, '/metrics')).text, /^ringmaster_region_up\{.*"us".*\} 0$/m);
    await assertStops(controller);
  });

  test('waits for a hub that is dead at its start, unready, and can be stopped', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const controller = new ControllerProcess(regions, { name: 'hub-dead', contexts: ['us', 'eu'], port });
    await waitFor(async () => (await get(port, '/healthz')).status === 200, { what: 'life', timeoutMs: 300_000 });
    assert.equal((await get(port, '/readyz')).status, 503);
    await waitFor(() => controller.log().some(({ message }) => /hub does not answer yet/.test(message)), {
      what: 'the log to say that the hub does not answer',
      timeoutMs: 300_000,
    });
    await assertStops(controller);
  });
});
