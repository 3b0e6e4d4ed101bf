import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRack } from '../hand-written.ts';
import { startRegions, waitFor, type ApiObject, type Region, type Regions } from '../index.ts';
import type { Claim, Condition } from './objects.ts';

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state: Partial<
    Record<'waiting', { reason: string }> & Record<'running', object> & Record<'terminated', { exitCode: number }>
  >;
  lastState: Partial<Record<'terminated', { exitCode: number }>>;
}
interface ObservedPod extends ApiObject {
  status: {
    phase: string;
    podIP?: string;
    conditions?: Condition[];
    initContainerStatuses?: ContainerStatus[];
    containerStatuses?: ContainerStatus[];
  };
}

describe('the kubelet of a region', () => {
  const namespace = 'cass';
  const rack = { namespace, datacenter: 'eu', rack: 'r1', replicas: 1 };
  const timeoutMs = 60_000;
  let regions: Regions;
  let eu: Region;

  before(async () => {
    regions = await startRegions({ regions: ['eu'], nodes: 'light' });
    eu = regions.region('eu');
    await regions.prepareNamespace(namespace, { operator: false });
  });
  after(() => regions.stop());

  /** Waits until a pod is as `holds` says; a failure shows its status. */
  function untilPod(name: string, what: string, holds: (pod: ObservedPod) => unknown): Promise<ObservedPod> {
    return waitFor(
      async () => {
        const pod = await eu.api.get<ObservedPod>(`/api/v1/namespaces/${namespace}/pods/${name}`);
        if (!holds(pod)) throw new Error(JSON.stringify(pod.status));
        return pod;
      },
      { what: `${name} ${what}`, timeoutMs },
    );
  }

  const isReady = ({ status }: ObservedPod): boolean =>
    status.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') === true;
  const bootstrap = ({ status }: ObservedPod): ContainerStatus | undefined => status.initContainerStatuses?.at(-1);
  const node = ({ status }: ObservedPod): ContainerStatus | undefined =>
    status.containerStatuses?.find(({ name }) => name === 'cassandra');

  async function createScripts(name: string, data: Record<string, string>): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
    await eu.api.post(`/api/v1/namespaces/${namespace}/configmaps`, body);
  }

  test('runs the scripts of the ConfigMap in the pod: its names, its environment, its tools', async () => {
    const script = `
      echo "short $(hostname), full $(hostname -f), dc $CASSANDRA_DC, ip $POD_IP"
      "$CASSANDRA_TOOLS/curl" --version > /dev/null && echo "curl works"
      getent hosts pod-names-eu-r1-0.eu.db.example.net`;
    await createScripts('scripts-names', {
      'pre_run.sh': script,
      'post_run.sh': 'cat "$CASSANDRA_CONF/cassandra.yaml"',
    });
    await createRack(eu, { ...rack, cluster: 'pod-names', seeds: ['nobody.example.net'], configMap: 'scripts-names' });
    const pod = await untilPod('pod-names-eu-r1-0', 'to be ready', isReady);
    const log = eu.bootstrapLog(namespace, 'pod-names-eu-r1-0');
    const full = 'pod-names-eu-r1-0.pod-names.cass.svc.cluster.local';
    assert.match(log, new RegExp(`short pod-names-eu-r1-0, full ${full}, dc eu, ip ${pod.status.podIP}\n`));
    assert.match(log, /curl works/);
    assert.match(log, new RegExp(`^${pod.status.podIP} +pod-names-eu-r1-0.eu.db.example.net`, 'm'));
    // No seed answers, so the pod takes itself: what the guard is there to prevent.
    assert.match(log, new RegExp(`- seeds: "${full}"`));
  });

  test('starts a failed init container again, counts it, and shows it a changed ConfigMap', async () => {
    await createScripts('scripts-fail', { 'pre_run.sh': 'exit 3' });
    await createRack(eu, { ...rack, cluster: 'fails', seeds: [], configMap: 'scripts-fail' });
    const failed = await untilPod('fails-eu-r1-0', 'to fail twice', (pod) => (bootstrap(pod)?.restartCount ?? 0) >= 2);
    assert.equal(bootstrap(failed)?.lastState.terminated?.exitCode, 3);
    assert.equal(failed.status.phase, 'Pending');
    assert.ok(failed.status.podIP);
    const path = `/api/v1/namespaces/${namespace}/configmaps/scripts-fail`;
    await eu.api.patch(path, 'merge', { data: { 'pre_run.sh': 'until [ -e "$CONFIGMAP/go" ]; do sleep 0.2; done' } });
    await untilPod('fails-eu-r1-0', 'to wait in its init container', (pod) => bootstrap(pod)?.state.running);
    await eu.api.patch(path, 'merge', { data: { go: '' } });
    const ready = await untilPod('fails-eu-r1-0', 'to be ready', isReady);
    assert.equal(bootstrap(ready)?.state.terminated?.exitCode, 0);
  });

  test('waits for a ConfigMap that does not exist yet', async () => {
    await createRack(eu, { ...rack, cluster: 'waits', seeds: [], configMap: 'scripts-late' });
    const waiting = await untilPod('waits-eu-r1-0', 'to wait', (pod) => bootstrap(pod)?.state.waiting);
    assert.ok(!isReady(waiting));
    await createScripts('scripts-late', { 'pre_run.sh': 'true' });
    await untilPod('waits-eu-r1-0', 'to be ready', isReady);
  });

  test('fails closed while DNS cannot tell, and only then', async () => {
    eu.breakDns();
    await createRack(eu, { ...rack, cluster: 'no-dns', seeds: ['seed.db.example.net'] });
    const failed = await untilPod('no-dns-eu-r1-0', 'to fail', (pod) => (bootstrap(pod)?.restartCount ?? 0) >= 1);
    assert.equal(bootstrap(failed)?.lastState.terminated?.exitCode, 1);
    eu.repairDns();
    await untilPod('no-dns-eu-r1-0', 'to be ready', isReady);
  });

  test('starts a crashed node again and counts it', async () => {
    await createRack(eu, { ...rack, cluster: 'crashes', seeds: [] });
    const before = await untilPod('crashes-eu-r1-0', 'to be ready', isReady);
    assert.equal(node(before)?.restartCount, 0);
    eu.crashNode(namespace, 'crashes-eu-r1-0');
    const after = await untilPod(
      'crashes-eu-r1-0',
      'to be ready again',
      (pod) => isReady(pod) && node(pod)?.restartCount === 1,
    );
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.equal(node(after)?.lastState.terminated?.exitCode, 137);
  });

  test('gives a pod that comes back another address and the same volume, and an empty one when wiped', async () => {
    await createRack(eu, { ...rack, cluster: 'moves', seeds: [] });
    const name = 'moves-eu-r1-0';
    const claim = async (): Promise<Claim> =>
      eu.api.get<Claim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/data-${name}`);
    const first = await untilPod(name, 'to be ready', isReady);
    const volume = (await claim()).spec.volumeName;
    await eu.deletePod(namespace, name);
    const second = await untilPod(
      name,
      'to come back',
      (pod) => isReady(pod) && pod.metadata.uid !== first.metadata.uid,
    );
    assert.notEqual(second.status.podIP, first.status.podIP);
    assert.equal((await claim()).spec.volumeName, volume);
    await eu.wipePod(namespace, name);
    await untilPod(name, 'to come back', (pod) => isReady(pod) && pod.metadata.uid !== second.metadata.uid);
    assert.notEqual((await claim()).spec.volumeName, volume);
    await waitFor(async () => !(await eu.api.find(`/api/v1/persistentvolumes/${volume}`)), {
      what: 'the old volume to be removed',
      timeoutMs,
    });
  });

  test('a pod that is deleted says that it has ended, and is counted out, before its object goes', async () => {
    await createRack(eu, { ...rack, cluster: 'ends', seeds: [], replicas: 2 });
    const [first, last] = ['ends-eu-r1-0', 'ends-eu-r1-1'];
    for (const name of [first, last]) await untilPod(name, 'to be ready', isReady);
    const set = `/apis/apps/v1/namespaces/${namespace}/statefulsets/ends-eu-r1`;
    const count = async (): Promise<number> =>
      (await eu.api.get<ApiObject & { status: { readyReplicas?: number } }>(set)).status.readyReplicas ?? 0;
    await waitFor(async () => (await count()) === 2, { what: 'both pods to be counted', timeoutMs });
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const { resourceVersion = '' } = (await eu.api.get(`${pods}/${last}`)).metadata;
    await eu.api.patch(set, 'merge', { spec: { replicas: 1 } });
    const said: boolean[] = [];
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(timeoutMs)]);
    const events = eu.api.watch<ObservedPod>(pods, resourceVersion, signal);
    await assert.rejects(async () => {
      for await (const { type, object } of events) {
        if (object.metadata.name !== last) continue;
        if (type === 'DELETED') stop.abort();
        else if (object.metadata.deletionTimestamp !== undefined) said.push(isReady(object));
      }
    });
    assert.ok(stop.signal.aborted, 'its object is gone');
    assert.equal(await count(), 1);
    assert.deepEqual([said[0], said.at(-1)], [true, false]);
  });

  test('cannot pull an image that does not exist', async () => {
    await createRack(eu, { ...rack, cluster: 'no-image', seeds: [], image: 'cassandra:does-not-exist' });
    const pod = await untilPod(
      'no-image-eu-r1-0',
      'to fail',
      (each) => node(each)?.state.waiting?.reason === 'ImagePullBackOff',
    );
    assert.ok(!isReady(pod));
    await eu.deletePod(namespace, 'no-image-eu-r1-0');
    await untilPod('no-image-eu-r1-0', 'to be replaced', (each) => each.metadata.uid !== pod.metadata.uid);
  });

  test('leaves pods that are not of Cassandra alone', async () => {
    const spec = { containers: [{ name: 'other', image: 'other:1' }] };
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await eu.api.post(path, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' }, spec });
    await createRack(eu, { ...rack, cluster: 'later', seeds: [] });
    await untilPod('later-eu-r1-0', 'to be ready', isReady);
    const other = await eu.api.get<ObservedPod>(`${path}/other`);
    assert.equal(other.status.podIP, undefined);
  });

  test('goes on through an outage of the control plane', async () => {
    await createRack(eu, { ...rack, cluster: 'outage', seeds: [] });
    const before = await untilPod('outage-eu-r1-0', 'to be ready', isReady);
    await eu.controlPlane.kill();
    await eu.controlPlane.up(AbortSignal.timeout(timeoutMs));
    const after = await untilPod('outage-eu-r1-0', 'to be ready', isReady);
    assert.equal(after.status.podIP, before.status.podIP);
    eu.crashNode(namespace, 'outage-eu-r1-0');
    await untilPod('outage-eu-r1-0', 'to restart', (pod) => isReady(pod) && node(pod)?.restartCount === 1);
  });
});
