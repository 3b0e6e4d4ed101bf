import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { casskopDeployment } from '../cli/casskop-deployment.ts';
import { buildImage, type Image } from '../deploy/image.ts';
import { findHelmProgram } from '../deploy/helm.ts';
import { type ControllerPod, PodProcess } from '../deploy/pod-process.ts';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import type { ApiServer } from '../harness/api-server.ts';
import { command } from '../harness/run/command.ts';
import { main } from '../ring/controller-process.ts';
import { stepsOf, withOutputs, withoutAccidents, withoutNoise } from './console-page.ts';

const checkout = join(import.meta.dirname, '../..');
const pageFile = join(checkout, 'docs/getting-started.md');
const namespace = 'ringmaster-system';
const stepTimeoutMs = 20 * 60_000;

/** `WRITE_DOCS=1` writes what the commands print into the page, in place of comparing the two. */
const writes = process.env['WRITE_DOCS'] !== undefined;

suite('docs/getting-started.md', () => {
  let regions: Regions;
  let image: Image;
  let environment: NodeJS.ProcessEnv;
  const pods: PodProcess[] = [];

  before(async () => {
    const helm = await findHelmProgram(new AbortController().signal);
    regions = await startRegions({ regions: ['hub', 'eu', 'us'], nodes: 'light' });
    chmodSync(regions.directory, 0o755);
    const images = join(regions.directory, 'image');
    mkdirSync(images, { mode: 0o755 });
    image = await buildImage(images);
    await regions.prepareNamespace('cassandra', { nodes: 'light', pace: 'fast' });
    await Promise.all(regions.all.map(({ api }) => forgetController(api)));
    for (const name of ['eu', 'us'])
      await regions
        .region(name)
        .api.apply(
          '/apis/apps/v1/namespaces/cassandra/deployments/casskop',
          'helm',
          casskopDeployment('cassandra', '2.3.3'),
        );
    const programs = join(regions.directory, 'programs');
    mkdirSync(programs);
    const script = (name: string, line: string): void =>
      writeFileSync(join(programs, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
    script('ringmaster', `${process.execPath} ${main}`);
    script('helm', helm);
    const path = [programs, dirname(regions.kubectl), process.env['PATH']].join(':');
    environment = { PATH: path, HOME: regions.directory, KUBECONFIG: regions.kubeconfig };
    const folder = join(regions.directory, 'deploy/helm');
    mkdirSync(folder, { recursive: true });
    await command('cp', ['-r', join(checkout, 'deploy/helm/ringmaster'), folder]);
    const [, orders = ''] = /^```yaml\n(.*?)^```$/ms.exec(readFileSync(pageFile, 'utf8')) ?? [];
    writeFileSync(join(regions.directory, 'orders.yaml'), orders);
  });
  after(async () => {
    await Promise.all(pods.map((pod) => pod.stop()));
    await regions?.stop();
  });

  /** What the harness gives the controller beforehand is what the page has people make. */
  async function forgetController(api: ApiServer): Promise<void> {
    const roles = '/apis/rbac.authorization.k8s.io/v1';
    const ofMembers = `${roles}/namespaces/cassandra`;
    const given = [
      `${roles}/clusterrolebindings`,
      `${roles}/clusterroles`,
      `${ofMembers}/rolebindings`,
      `${ofMembers}/roles`,
    ];
    for (const path of given) await api.delete(`${path}/ringmaster-region`);
    const place = `/api/v1/namespaces/${namespace}`;
    await api.delete(place);
    await waitFor(async () => (await api.find(place)) === undefined, {
      what: `${namespace} to be gone`,
      timeoutMs: 60_000,
    });
  }

  /** Nobody but a kubelet starts what the chart has made. */
  async function runPods(): Promise<void> {
    const hub = regions.region('hub');
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const made = await waitFor(
      async () => {
        const all = await hub.api.list<ControllerPod>(path);
        return all.length === 2 && all;
      },
      { what: 'the pods of the chart', timeoutMs: 300_000 },
    );
    for (const [index, pod] of made.entries()) {
      const network = index === 0 ? hub : regions.region('us');
      pods.push(await PodProcess.start(pod, { regions, cluster: hub, network, image }));
    }
    await Promise.all(pods.map((pod) => pod.untilReady()));
  }

  test('every command does what the page says, in its order', async () => {
    const page = readFileSync(pageFile, 'utf8');
    const outputs: string[] = [];
    for (const { command: line, output } of stepsOf(page)) {
      const said = await command('bash', ['-c', `${line} 2>&1`], {
        cwd: regions.directory,
        env: environment,
        timeoutMs: stepTimeoutMs,
      });
      outputs.push(withoutNoise(said));
      if (!writes) assert.equal(withoutAccidents(withoutNoise(said).trim()), withoutAccidents(output), line);
      if (line.startsWith('helm install')) await runPods();
    }
    if (writes) writeFileSync(pageFile, withOutputs(page, outputs));
  });
});
