import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { type ApiObject, controllerUser, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { writesBy } from './audit-log.ts';
import { ControllerProcess } from './controller-process.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';

const namespace = 'copied';
const secrets = `/api/v1/namespaces/${namespace}/secrets`;
const passwords = { first: 'correct-horse', second: 'battery-staple' };
const variables = [
  { name: 'BACKUP_PASSWORD', valueFrom: { secretKeyRef: { name: 'backup', key: 'password' } } },
  { name: 'NOT_THERE', valueFrom: { configMapKeyRef: { name: 'tuning', key: 'heap', optional: true } } },
];

interface Secret extends ApiObject {
  type?: string;
  data?: Record<string, string>;
}

suite('Secrets that the template names', () => {
  let regions: Regions;
  let federation: Federation;
  let controller: ControllerProcess;

  before(async () => {
    regions = await startRegions({ regions: ['eu', 'us', 'ap'], nodes: 'light' });
    await installCrd(regions, 'eu');
    await regions.prepareNamespace(namespace);
    federation = new Federation(regions, namespace);
    controller = new ControllerProcess(regions);
  });
  after(async () => {
    await controller?.stop();
    await regions?.stop();
  });

  function apply(fields: Record<string, unknown>): Promise<unknown> {
    const { template } = federation.smallestSpec() as { template: { spec: object } };
    return federation.apply({ template: { spec: { ...template.spec, ...fields } } });
  }

  /** As a person does, whose kubectl notes the whole object in an annotation of it. */
  function write(region: string, name: string, data: Record<string, string>, type = 'Opaque'): Promise<unknown> {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ stringData: data }) };
    const metadata = { name, namespace, annotations };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, type, stringData: data };
    return federation.api(region).apply(`${secrets}/${name}`, 'kubectl', object);
  }

  function secretIn(region: string, name: string): Promise<Secret | undefined> {
    return federation.api(region).find<Secret>(`${secrets}/${name}`);
  }

  async function passwordIn(region: string): Promise<string> {
    const { data } = (await secretIn(region, 'backup')) ?? {};
    return Buffer.from(data?.['password'] ?? '', 'base64').toString();
  }

  function writesIn(region: string): string[] {
    return writesBy(regions.region(region).auditLog, controllerUser)
      .filter((each) => each.namespace === namespace && each.status < 300)
      .map(({ verb, what }) => `${verb} ${what}`);
  }

  test('one that is missing is said, with what to type, and nothing is founded', async () => {
    await apply({ envVars: variables });
    const { message } = await federation.waitForCondition('Stalled', 'True', { reason: 'PreconditionMissing' });
    assert.match(message, /spec\.template\.spec\.envVars\[0\]\.valueFrom\.secretKeyRef\.name/);
    assert.match(message, /kubectl create secret generic backup -n copied --from-literal=password=/);
    assert.equal(await federation.member('eu'), undefined);
  });

  test('is there before the member is; what somebody else has under its name is left alone, and the others go on', async () => {
    await write('us', 'backup', { password: 'of somebody else' });
    await write('eu', 'backup', { password: passwords.first });
    const held = { reason: 'ForeignMember', region: 'us', timeoutMs: formationTimeoutMs };
    const { message } = await federation.waitForCondition('Applied', 'False', held);
    assert.match(message, /region us holds a Secret backup .* is not ours.*kubectl delete secret backup -n copied/);
    await waitFor(async () => (await federation.region('ap'))?.stage === 'Running', {
      what: 'ap to be in the ring',
      timeoutMs: formationTimeoutMs,
    });
    assert.equal(await federation.member('us'), undefined);
    assert.equal(await passwordIn('us'), 'of somebody else');

    await federation.api('us').delete(`${secrets}/backup`);
    await federation.ready();
    for (const region of ['us', 'ap']) {
      assert.equal(await passwordIn(region), passwords.first);
      const order = writesIn(region);
      const [copy, member] = ['secrets/backup', 'cassandraclusters/orders'].map((what) =>
        order.indexOf(`patch ${what}`),
      );
      assert.ok(copy !== undefined && member !== undefined && copy >= 0 && copy < member, order.join('\n'));
    }
  });

  test('in the hub itself the original is used as it is', async () => {
    assert.deepEqual(
      writesIn('eu').filter((each) => each.includes('secrets')),
      [],
    );
    const { metadata } = (await secretIn('eu', 'backup')) ?? assert.fail();
    assert.equal(metadata.labels, undefined);
  });

  test('an edit reaches the copies, and no pod restarts for it', async () => {
    const ran = await federation.whatRuns();
    await write('eu', 'backup', { password: passwords.second });
    for (const region of ['us', 'ap']) {
      await waitFor(async () => (await passwordIn(region)) === passwords.second, {
        what: `the new password in ${region}`,
        timeoutMs: formationTimeoutMs,
      });
    }
    await federation.ready();
    assert.deepEqual(await federation.whatRuns(), ran);
  });

  test('one that is named later is copied before the members are changed', async () => {
    await write('eu', 'registry', { '.dockerconfigjson': '{"auths":{}}' }, 'kubernetes.io/dockerconfigjson');
    await apply({ envVars: variables, imagePullSecret: { name: 'registry' } });
    await federation.ready();
    for (const region of ['us', 'ap']) {
      assert.equal((await secretIn(region, 'registry'))?.type, 'kubernetes.io/dockerconfigjson');
      assert.deepEqual((await federation.member(region))?.spec['imagePullSecret'], { name: 'registry' });
      const order = writesIn(region);
      const copied = order.indexOf('patch secrets/registry');
      assert.ok(order.indexOf('patch cassandraclusters/orders', copied) > copied, order.join('\n'));
    }
  });

  test('a copy that nothing names any more is deleted, the original stays, and so does what is not ours', async () => {
    await write('us', 'unrelated', { token: 'of somebody else' });
    // Along with another field, so that one apply changes that one and leaves this one out.
    const resources = { cpu: '400m', memory: '1Gi' };
    await apply({ envVars: variables, resources: { requests: resources, limits: resources } });
    await federation.ready();
    for (const region of ['us', 'ap']) {
      await waitFor(async () => (await secretIn(region, 'registry')) === undefined, {
        what: `the copy in ${region} to go`,
        timeoutMs: formationTimeoutMs,
      });
      assert.equal(await passwordIn(region), passwords.second);
    }
    await apply({ envVars: variables });
    await federation.ready();
    assert.ok(await secretIn('eu', 'registry'));
    assert.ok(await secretIn('us', 'unrelated'));
  });

  test('what is in them stands in no log, no status, no event and no annotation of ours', async () => {
    const events = await federation.hub.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    const copies = await Promise.all(['us', 'ap'].map((region) => secretIn(region, 'backup')));
    const members = await Promise.all(['eu', 'us', 'ap'].map((region) => federation.member(region)));
    const annotated = [...copies, ...members].map((each) => each?.metadata.annotations);
    const told = JSON.stringify([await federation.get(), events, annotated]) + readFileSync(controller.logFile, 'utf8');
    assert.match(told, /create the copy of Secret backup in region us/);
    for (const password of Object.values(passwords)) {
      assert.ok(!told.includes(password));
      assert.ok(!told.includes(Buffer.from(password).toString('base64')));
    }
  });
});
