import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProxies } from '../proxy/controller-proxies.ts';
import { holdWrites } from '../proxy/hold.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';
import { assertFoundedOnce } from './one-founder.ts';
import { assertOneUntouchedRing } from './one-ring.ts';

const cases = [
  { region: 'eu', role: 'the region that founds the ring' },
  { region: 'us', role: 'a region that joins the ring' },
] as const;

suite('our seeds reach a member’s status only after its operator has stored its own and its node runs', () => {
  let regions: Regions;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us'] });
    await installCrd(regions, 'eu');
    for (const { region } of cases) await regions.prepareNamespace(`late-${region}`, { pace: 'true' });
  });
  after(() => regions?.stop());

  for (const { region, role } of cases) {
    test(`in ${role}: no pod is restarted, no StatefulSet changed, one ring`, async () => {
      const federation = new Federation(regions, `late-${region}`, { name: `late${region}` });
      const proxies = await ControllerProxies.start({
        targets: regions.all.map(({ controlPlane }) => controlPlane),
        directory: regions.directory,
        name: federation.name,
        namespace: federation.namespace,
      });
      const late = holdWrites(
        proxies,
        (write) => write.resource === 'cassandraclusters/status' && write.region === region,
      );
      const controller = new ControllerProcess(regions, {
        kubeconfig: proxies.kubeconfig,
        name: federation.name,
        leaderElect: false,
      });
      try {
        await federation.apply();
        const own = await operatorsOwnSeeds(federation, region);
        assert.ok(late.held.length > 0, 'our seeds were held back');
        assert.ok(
          own.every((seed) => seed.endsWith(`.${federation.namespace}`)),
          `the operator's own seeds are local names: ${own.join(', ')}`,
        );
        late.release();
        await federation.ready();
        const member = await federation.member(region);
        assert.equal(member?.status.seedlist.length, 2);
        assert.ok(member.status.seedlist.every((seed) => seed.endsWith('.db.example.net')));
        await assertOneUntouchedRing(federation, 2);
        await assertFoundedOnce(federation, 'eu');
      } finally {
        await controller.kill();
        await proxies.close();
      }
    });
  }
});

/** Waits until the region's operator has stored seeds, made its StatefulSet, and its pod is Ready; resolves with the seeds. */
function operatorsOwnSeeds(federation: Federation, region: string): Promise<string[]> {
  return waitFor(
    async () => {
      const [pod] = await federation.pods(region);
      const ready = pod?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
      const seeds = (await federation.member(region))?.status?.seedlist ?? [];
      return ready && seeds.length > 0 ? seeds : false;
    },
    { what: `${region}'s node to run with its operator's own seeds in status`, timeoutMs: formationTimeoutMs },
  );
}
