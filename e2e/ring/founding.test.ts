import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { type ApiObject, type Regions, startRegions } from '../harness/index.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, installCrd } from './federation.ts';
import { assertOneUntouchedRing } from './one-ring.ts';

const casskopCrdFile = join(import.meta.dirname, '../casskop/crds/cassandraclusters.yaml');
const euAndUs = { regions: [{ name: 'eu' }, { name: 'us' }] };
const euAndAp = { regions: [{ name: 'eu' }, { name: 'ap' }] };

suite('what keeps a ring from being founded, and lets it be founded', () => {
  let regions: Regions;
  let controller: ControllerProcess;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us', 'ap'], nodes: 'light' });
    await installCrd(regions, 'eu');
    // ap begins as a bare cluster, which one test completes step by step.
    await api('ap').delete('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cassandraclusters.db.orange.com');
    controller = new ControllerProcess(regions);
  });
  after(() => regions?.stop());

  function api(region: string): Regions['all'][number]['api'] {
    return regions.region(region).api;
  }

  /** Asserts that a federation has written nothing at all to any region. */
  async function assertNothingWritten(federation: Federation): Promise<void> {
    assert.equal((await federation.get()).status?.ring, undefined);
    assert.deepEqual(federation.writesToRegions(), []);
  }

  suite('leftovers of an old ring', () => {
    let federation: Federation;
    const labels = { cassandracluster: 'orders' };

    before(async () => {
      for (const name of ['eu', 'us']) await regions.region(name).prepareNamespace('leftovers');
      federation = new Federation(regions, 'leftovers');
    });

    test('stop it with a sentence that names them', async () => {
      await api('us').post('/api/v1/namespaces/leftovers/persistentvolumeclaims', {
        metadata: { name: 'data-orders-us-rack1-0', labels },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      });
      await api('us').post('/apis/apps/v1/namespaces/leftovers/statefulsets', {
        metadata: { name: 'orders-us-rack1' },
        spec: {
          replicas: 0,
          serviceName: 'orders',
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'cassandra', image: 'cassandra:5.0.8' }] } },
        },
      });
      await federation.apply(euAndUs);
      const { message } = await federation.waitForCondition('Stalled', 'True', { reason: 'LeftoversFound' });
      assert.match(message, /^region us already holds .* in namespace leftovers/);
      assert.match(message, /StatefulSet orders-us-rack1\b/);
      assert.match(message, /PersistentVolumeClaim data-orders-us-rack1-0/);
      await assertNothingWritten(federation);
    });

    test('stop it until the last of them is gone', async () => {
      await api('us').delete('/apis/apps/v1/namespaces/leftovers/statefulsets/orders-us-rack1');
      await federation.waitForCondition('Stalled', 'True', { message: /already holds PersistentVolumeClaim data-/ });
      await assertNothingWritten(federation);
      await api('us').delete('/api/v1/namespaces/leftovers/persistentvolumeclaims/data-orders-us-rack1-0');
      await federation.ready();
      await assertOneUntouchedRing(federation, 2);
    });
  });

  test('a CassandraCluster that is not ours is left untouched, and the status says so', async () => {
    await regions.region('eu').prepareNamespace('foreign');
    // Without CassKop, which would write to the object itself.
    await regions.region('us').prepareNamespace('foreign', { operator: false });
    const path = '/apis/db.orange.com/v2/namespaces/foreign/cassandraclusters';
    const theirs = await api('us').post(path, {
      apiVersion: 'db.orange.com/v2',
      kind: 'CassandraCluster',
      metadata: { name: 'orders' },
      spec: { cassandraImage: 'cassandra:4.0.19', nodesPerRacks: 1 },
    });
    const federation = new Federation(regions, 'foreign');
    await federation.apply(euAndUs);
    const message = /region us .* CassandraCluster .* not ours/;
    await federation.waitForCondition('Stalled', 'True', { reason: 'ForeignMember', message });
    await federation.waitForCondition('Applied', 'False', { reason: 'ForeignMember', region: 'us' });
    await assertNothingWritten(federation);
    const { resourceVersion } = (await federation.member('us'))?.metadata ?? {};
    assert.equal(resourceVersion, theirs.metadata.resourceVersion);
    assert.equal(await federation.member('eu'), undefined);
  });

  test('a misspelt field of the template is refused with its path, and nothing is written', async () => {
    for (const name of ['eu', 'us']) await regions.region(name).prepareNamespace('misspelt', { operator: false });
    const federation = new Federation(regions, 'misspelt');
    const { template } = federation.smallestSpec() as { template: { spec: Record<string, unknown> } };
    const { cassandraImage, ...rest } = template.spec;
    await federation.apply({ ...euAndUs, template: { spec: { ...rest, cassandraImagee: cassandraImage } } });
    const message = /spec\.template\.spec\.cassandraImagee: .*cassandraImage\b/;
    await federation.waitForCondition('Accepted', 'False', { reason: 'Invalid', message });
    await federation.waitForCondition('Ready', 'False', { reason: 'NotAccepted' });
    await assertNothingWritten(federation);
  });

  test('what a region lacks is said, one thing after the other, and it joins once all is there', async () => {
    await regions.region('eu').prepareNamespace('bare');
    const federation = new Federation(regions, 'bare');
    await regions.region('ap').controlPlane.account.admit('bare');
    await federation.apply(euAndAp);
    const untilLacking = async (what: RegExp): Promise<void> => {
      const reason = 'PreconditionMissing';
      await federation.waitForCondition('Applied', 'False', { region: 'ap', reason, message: what });
      await federation.waitForCondition('Stalled', 'True', { reason, message: what });
    };
    await untilLacking(/region ap lacks the CustomResourceDefinition cassandraclusters\.db\.orange\.com/);
    await regions.region('ap').applyCrd(parse(readFileSync(casskopCrdFile, 'utf8')) as ApiObject);
    await untilLacking(/region ap lacks the namespace bare/);
    await api('ap').post('/api/v1/namespaces', { metadata: { name: 'bare' } });
    await regions.region('ap').controlPlane.account.admit('bare');
    await untilLacking(/region ap lacks the ServiceAccount cassandra-cluster-node in namespace bare/);
    assert.equal((await federation.region('ap'))?.stage, 'Waiting');
    assert.equal(await federation.guard('ap'), undefined);
    await regions.region('ap').prepareNamespace('bare');
    await federation.ready();
    await assertOneUntouchedRing(federation, 2);
  });

  test('a region that is down when the controller starts is waited for by name, and the controller runs', async () => {
    await regions.prepareNamespace('down');
    await controller.stop();
    await regions.region('ap').controlPlane.kill();
    controller = new ControllerProcess(regions, { name: 'with-one-down' });
    const federation = new Federation(regions, 'down');
    await federation.apply(euAndAp);
    const message = /waiting for ap \(context ap: /;
    await federation.waitForCondition('Reconciling', 'True', { message });
    await federation.waitForCondition('RegionsReachable', 'False', { message: /^ap: / });
    await federation.waitForCondition('Ready', 'Unknown', { reason: 'RegionsUnreachable' });
    await federation.waitForCondition('Reachable', 'True', { region: 'eu' });
    await federation.waitForCondition('Reachable', 'False', { region: 'ap' });
    await assertNothingWritten(federation);
    // Meanwhile the other rings are looked after: this one's status is soon there again.
    const other = new Federation(regions, 'leftovers');
    await other.forgetStatus();
    await other.ready();

    await regions.region('ap').controlPlane.up(AbortSignal.timeout(120_000));
    await federation.ready();
    await assertOneUntouchedRing(federation, 2);
    assert.ok(controller.running);
  });
});
