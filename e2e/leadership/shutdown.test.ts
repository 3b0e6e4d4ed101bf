import assert from 'node:assert/strict';
import { afterEach, after, before, beforeEach, suite, test } from 'node:test';
import { type ApiObject, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { ControllerProxies } from '../proxy/controller-proxies.ts';
import { type Hold, holdWrites } from '../proxy/hold.ts';
import type { Write } from '../proxy/write.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import { Replica } from './replica.ts';

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/ringmaster-system/leases/ringmaster';
const drainMs = 10_000;
/** What a busy machine may add. */
const slackMs = 5_000;

suite('a controller that is asked to stop while a write of it is on its way', () => {
  let regions: Regions;
  let federation: Federation;
  let proxies: ControllerProxies;
  let controller: Replica;
  let hold: Hold;
  let starts = 0;

  before(async () => {
    regions = await startRegions({ regions: ['eu'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace('cassandra', { nodes: 'light', pace: 'fast' });
    federation = new Federation(regions, 'cassandra');
    await federation.apply();
  });
  after(() => regions?.stop());

  beforeEach(async () => {
    starts += 1;
    proxies = await ControllerProxies.start({
      targets: regions.all.map(({ controlPlane }) => controlPlane),
      directory: regions.directory,
      name: `stopped-${starts}`,
    });
    controller = new Replica(regions, `stopped-${starts}`, 'ringmaster', { kubeconfig: proxies.kubeconfig });
    await controller.untilLeads();
    await federation.ready();
    hold = holdWrites(proxies, ({ resource }) => resource === 'configmaps');
    const seeds = federation.smallestSpec()['seeds'] as object;
    await federation.apply({ seeds: { ...seeds, guardWaitSeconds: 100 + starts } });
    await waitFor(() => hold.held.length > 0, { what: 'a write to be on its way', timeoutMs: 300_000, intervalMs: 20 });
    controller.process.signal('SIGTERM');
  });
  afterEach(async () => {
    await controller.process.kill();
    await proxies.close();
  });

  const holder = async (): Promise<string> =>
    (await regions.region('eu').api.get<ApiObject & { spec: { holderIdentity?: string } }>(leasePath)).spec
      .holderIdentity ?? '';

  test('is not ready, finishes that write, gives the Lease back and ends with code 0', async () => {
    await waitFor(async () => (await controller.get('/readyz')).status === 503, {
      what: 'no readiness',
      timeoutMs: 5_000,
    });
    assert.notEqual(await holder(), '', 'it leads until its write is through');
    hold.release();
    assert.equal(await controller.process.ended(), 0);
    assert.equal(await holder(), '');
    const guard = await federation.guard('eu');
    assert.match(JSON.stringify(guard?.data), new RegExp(String(100 + starts)));
    const ofRegion = ({ resource }: Write): boolean =>
      resource !== 'leases' && resource !== 'events' && !resource.startsWith('multicassandraclusters');
    assert.equal(proxies.writes.findLast(ofRegion), hold.held[0], 'nothing was written to the region after it');
  });

  test('gives up a write that takes too long, and ends with code 0 within ten seconds', async () => {
    const since = performance.now();
    assert.equal(await controller.process.ended(), 0);
    assert.ok(performance.now() - since < drainMs + slackMs);
    assert.equal(await holder(), '');
  });

  test('ends at once with code 1 when it is asked again', async () => {
    const since = performance.now();
    await waitFor(async () => (await controller.get('/readyz')).status === 503, {
      what: 'no readiness',
      timeoutMs: 5_000,
    });
    controller.process.signal('SIGTERM');
    assert.equal(await controller.process.ended(), 1);
    assert.ok(performance.now() - since < slackMs);
  });
});
