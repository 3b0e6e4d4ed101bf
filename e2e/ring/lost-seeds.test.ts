import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';
import { untilOneRing } from './one-ring.ts';

const namespace = 'lost';
const [eu, us] = ['orders-eu-rack1-0', 'orders-us-rack1-0'];

suite('a pod in its own list of seeds that loses the others', () => {
  let regions: Regions;
  let federation: Federation;
  let go: string;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'] });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace);
    go = join(regions.directory, 'go');
    await federation.hub.post(`/api/v1/namespaces/${namespace}/configmaps`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'scripts' },
      data: { 'post_run.sh': `case $(hostname) in ${us}) until [ -e '${go}' ]; do sleep 0.1; done ;; esac` },
    });
    new ControllerProcess(regions);
    const { template, seeds } = federation.smallestSpec() as { template: { spec: object }; seeds: object };
    await federation.apply({
      template: { spec: { ...template.spec, configMapName: 'scripts' } },
      seeds: { ...seeds, guardWaitSeconds: 5 },
    });
  });
  after(() => regions?.stop());

  function untilNodeSays(pattern: RegExp): Promise<unknown> {
    return waitFor(
      () => {
        const log = regions.region('us').nodeLog(namespace, us);
        if (!pattern.test(log)) throw new Error(log.slice(-3000));
        return true;
      },
      { what: `the node of ${us} to say ${String(pattern)}`, timeoutMs: formationTimeoutMs },
    );
  }

  async function restarts(): Promise<number> {
    const pod = (await federation.pods('us')).find((each) => each.metadata.name === us);
    return pod?.status.containerStatuses?.find((each) => each.name === 'cassandra')?.restartCount ?? 0;
  }

  async function untilReplaced(act: () => Promise<unknown>): Promise<void> {
    const [before] = await federation.pods('us');
    await act();
    await waitFor(async () => (await federation.pods('us')).some((pod) => pod.metadata.uid !== before?.metadata.uid), {
      what: `${us} to be replaced`,
      timeoutMs: formationTimeoutMs,
    });
  }

  /** Asserts that no node of the pod as it is now ever took part in a ring. */
  function assertNeverInARing(): void {
    assert.doesNotMatch(regions.region('us').nodeLog(namespace, us), /Finish joining ring|state jump to NORMAL/);
  }

  test('does not start a ring when they are gone after the guard has let it through', async () => {
    await federation.untilBootstrapSays('us', us, new RegExp(`${us} joins: ${eu}\\S+ is NORMAL`));
    await regions.cut('us');
    writeFileSync(go, '');
    await untilNodeSays(/Unable to gossip with any peers/);
    await waitFor(async () => (await restarts()) > 0, { what: 'a restart', timeoutMs: formationTimeoutMs });
    assertNeverInARing();
  });

  test('joins as soon as one is back, and streams first although it is among the seeds of the others', async () => {
    await regions.heal('us');
    await federation.ready();
    await untilOneRing(federation, 2);
    assert.match(regions.region('us').nodeLog(namespace, us), /Starting to bootstrap/);
  });

  test('starts alone with its data once it has waited', async () => {
    await regions.cut('us');
    await untilReplaced(() => regions.region('us').deletePod(namespace, us));
    await untilNodeSays(/this node is already bootstrapped/);
    await waitFor(
      async () => (await federation.ask('us', us, 'OperationMode,LocalHostId'))['OperationMode'] === 'NORMAL',
      { what: `${us} to run alone`, timeoutMs: formationTimeoutMs },
    );
    await regions.heal('us');
    await untilOneRing(federation, 2);
  });

  test('does not start alone with an empty disk', async () => {
    await regions.cut('us');
    await untilReplaced(() => regions.region('us').wipePod(namespace, us));
    await federation.untilBootstrapSays('us', us, /starts without a seed/);
    await untilNodeSays(/Replacing a node without bootstrapping/);
    await waitFor(async () => (await restarts()) > 0, { what: 'a restart', timeoutMs: formationTimeoutMs });
    assertNeverInARing();
  });

  test('is known to have lost its disk when it is started again with a seed that lives', async () => {
    await regions.heal('us');
    await untilReplaced(() => regions.region('us').deletePod(namespace, us));
    await federation.waitForCondition('Stalled', 'True', { reason: 'DataLossSuspected' });
  });
});
