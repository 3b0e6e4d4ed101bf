import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { stringify } from 'yaml';
import {
  ApiError,
  type ApiObject,
  type ApiServer,
  type Region,
  type Regions,
  startRegions,
  waitFor,
} from '../harness/index.ts';
import { command } from '../harness/run/command.ts';
import { main } from '../ring/controller-process.ts';
import { Federation } from '../ring/federation.ts';
import { fullValues } from './full-values.ts';
import { chart, findHelm, type Helm } from './helm.ts';
import { buildImage, type Image, repository } from './image.ts';
import { type ControllerPod, PodProcess } from './pod-process.ts';

// What ServiceAccounts of this namespace read is in the harness's audit log, too.
const namespace = 'audited';
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/ringmaster`;
const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

suite('an installation by the chart', () => {
  let regions: Regions;
  let hub: Region;
  let api: ApiServer;
  let helm: Helm;
  let image: Image;
  let notes: string;
  let running: PodProcess[] = [];

  const upgrade = (...args: string[]): Promise<string> =>
    helm(['upgrade', 'ringmaster', chart, '-n', namespace, '--reset-then-reuse-values', ...args], {
      kubeconfig: regions.kubeconfig,
    });
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    command(regions.kubectl, args, {
      cwd: regions.directory,
      timeoutMs: 600_000,
      ...(input !== undefined && { input }),
    });
  /** Does what the notes say, in the words of the notes. */
  const follow = async (line: RegExp): Promise<string> => {
    const found = notes.split('\n').find((each) => /^ {5}\S/.test(each) && line.test(each));
    assert.ok(found, `the notes have no line with ${line}:\n${notes}`);
    const [program, ...args] = found
      .trim()
      .replaceAll("'", '')
      .replaceAll('CHART', chart)
      .replace('HUB', 'hub')
      .split(' ');
    const { kubeconfig } = regions;
    if (program === 'helm') return helm(args, { kubeconfig });
    if (program === 'kubectl') return kubectl(args);
    return command(process.execPath, [main, ...args], { env: { ...process.env, KUBECONFIG: kubeconfig } });
  };
  const pods = async (place = namespace): Promise<ControllerPod[]> => {
    const all = await api.list<ControllerPod>(`/api/v1/namespaces/${place}/pods`);
    return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };
  const podsOf = (count: number, place = namespace): Promise<ControllerPod[]> =>
    waitFor(
      async () => {
        const all = await pods(place);
        return all.length === count && all;
      },
      { what: `${count} pods in ${place}`, timeoutMs: 300_000 },
    );
  const holder = async (): Promise<string> => {
    const lease = await api.find<ApiObject & { spec: { holderIdentity?: string } }>(leasePath);
    return lease?.spec.holderIdentity ?? '';
  };
  const leads = ({ logFile }: PodProcess): boolean => readFileSync(logFile, 'utf8').includes('"message":"leads"');

  before(async () => {
    helm = await findHelm(new AbortController().signal);
    regions = await startRegions({ regions: ['hub', 'us'], nodes: 'light' });
    hub = regions.region('hub');
    ({ api } = hub);
    const images = join(regions.directory, 'image');
    mkdirSync(images, { mode: 0o755 });
    // A user other than root has to get to the files of the image and of the pods.
    chmodSync(regions.directory, 0o755);
    image = await buildImage(images);
    await regions.prepareNamespace('cassandra', { nodes: 'light', pace: 'fast' });
    await api.post('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: restricted },
    });
    const install = ['install', 'ringmaster', chart, '-n', namespace];
    notes = await helm(install, { kubeconfig: regions.kubeconfig });
  });
  after(async () => {
    await Promise.all(running.map((pod) => pod.stop()));
    await regions?.stop();
  });

  test('comes to two pods that a namespace with restricted pods lets in, and it does refuse others', async () => {
    const [pod] = await podsOf(2);
    assert.ok(pod);
    const { containers, ...spec } = pod.spec as ControllerPod['spec'] & { securityContext?: object };
    const rooted = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'rooted' },
      spec: {
        ...spec,
        securityContext: {},
        containers: containers.map(({ ...each }) => ({ ...each, securityContext: {} })),
      },
    };
    await assert.rejects(
      api.post(`/api/v1/namespaces/${namespace}/pods`, rooted),
      (error) =>
        error instanceof ApiError && error.status === 403 && /violates PodSecurity "restricted/.test(error.message),
    );
  });

  test('runs: both pods get ready with the rights of their ServiceAccount, and one of them leads', async () => {
    const places = [hub, regions.region('us')];
    for (const [index, pod] of (await podsOf(2)).entries())
      running.push(await PodProcess.start(pod, { regions, cluster: hub, network: places[index] ?? hub, image }));
    await Promise.all(running.map((pod) => pod.untilReady()));
    await waitFor(() => running.some(leads), { what: 'one of the pods to lead', timeoutMs: 300_000 });
    assert.equal(running.filter(leads).length, 1);
    assert.notEqual(await holder(), '');
    assert.match(await follow(/rollout status/), /successfully rolled out/);
    assert.equal(await running[0]?.get({ httpGet: { path: '/ui/', port: 'http' } }), 200, 'with its page');
  });

  test('brings a federation up for who does what its notes say', async () => {
    const federation = new Federation(regions, 'cassandra', { hub: 'hub' });
    const orders = {
      apiVersion: 'ringmaster.dev/v1alpha1',
      kind: 'MultiCassandraCluster',
      metadata: { name: federation.name, namespace: 'cassandra' },
      spec: { ...federation.smallestSpec(), regions: [{ name: 'us' }] },
    };
    writeFileSync(join(regions.directory, 'orders.yaml'), stringify(orders));
    await follow(/helm upgrade/);
    // The harness gives an account of its own rights under the same names; a region that nobody has prepared has none.
    const kinds = 'clusterrole,clusterrolebinding,role,rolebinding';
    await kubectl(['--context', 'us', '-n', 'cassandra', 'delete', kinds, 'ringmaster-region']);
    await follow(/ringmaster connect/);
    await follow(/kubectl apply -f orders.yaml/);
    await kubectl(['-n', 'cassandra', 'wait', 'mcc/orders', '--for=condition=Ready', '--timeout=500s']);
    assert.match(await follow(/kubectl get multicassandraclusters/), /orders/);
    await follow(/kubectl apply --server-side --force-conflicts/);
  });

  test('was refused nothing that it asked of the hub', () => {
    const user = `system:serviceaccount:${namespace}:ringmaster`;
    const asked = readFileSync(hub.auditLog, 'utf8')
      .split('\n')
      .filter((line) => line.includes(user))
      .map((line) => JSON.parse(line) as AuditedRequest);
    assert.ok(
      asked.some(({ verb }) => verb === 'list'),
      'what it reads is in the log',
    );
    const refused = asked.filter(({ annotations }) => annotations?.['authorization.k8s.io/decision'] === 'forbid');
    assert.deepEqual(
      refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
      [],
    );
  });

  test('may not do what it has no need of', async () => {
    const user = `system:serviceaccount:${namespace}:ringmaster`;
    const may = async (...args: string[]): Promise<string> =>
      (await kubectl(['auth', 'can-i', '--as', user, ...args]).catch((error: Error) => error.message)).trim();
    assert.equal(await may('patch', 'multicassandraclusters.ringmaster.dev/orders', '-n', 'cassandra'), 'yes');
    for (const what of [
      ['delete', 'multicassandraclusters.ringmaster.dev/orders', '-n', 'cassandra'],
      ['get', 'secrets', '-n', 'kube-system'],
      ['create', 'secrets', '-n', namespace],
      ['list', 'pods', '-n', 'cassandra'],
      ['create', 'pods', '-n', namespace],
      ['update', 'leases.coordination.k8s.io', '-n', 'kube-system'],
    ])
      assert.match(await may(...what), /no$/, what.join(' '));
  });

  test('is understood by the API server with every value set, and every namespace there', async () => {
    for (const name of ['orders', 'billing']) await api.post('/api/v1/namespaces', { metadata: { name } });
    for (const [values, release] of [
      [{}, 'second'],
      [fullValues, 'third'],
      [{ replicas: 1, leaderElection: { enabled: false }, networkPolicy: { enabled: false } }, 'fourth'],
    ] as const) {
      const yaml = await helm(['template', release, chart, '-n', namespace, '--values', '-'], {
        input: stringify(values),
      });
      const said = await kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], yaml);
      assert.match(said, /deployment\.apps\/.* serverside-applied \(server dry run\)/);
    }
  });

  test('gets its ServiceMonitor once the cluster knows that kind', async () => {
    const enable = ['--set', 'metrics.serviceMonitor.enabled=true'];
    assert.match(await upgrade(...enable), /There is no ServiceMonitor: this cluster does not know/);
    await hub.applyCrd(serviceMonitorCrd);
    assert.doesNotMatch(await upgrade(...enable), /There is no ServiceMonitor/);
    assert.ok(await api.find(`/apis/monitoring.coreos.com/v1/namespaces/${namespace}/servicemonitors/ringmaster`));
  });

  test('goes down to one replica, which leads when the other has given its Lease back', async () => {
    await upgrade('--set', 'replicas=1');
    const [left] = await podsOf(1);
    const stopped = running.filter(({ name }) => name !== left?.metadata.name);
    running = running.filter(({ name }) => name === left?.metadata.name);
    assert.deepEqual([stopped.length, running.length], [1, 1]);
    assert.deepEqual(await Promise.all(stopped.map((pod) => pod.stop())), [0]);
    await waitFor(() => running.every(leads), { what: 'the other pod to lead', timeoutMs: 300_000 });
    assert.notEqual(await holder(), '');
  });

  test('goes without a trace, but for the CRD and what people made of it', async () => {
    const [pod] = running.splice(0);
    await helm(['uninstall', 'ringmaster', '-n', namespace], { kubeconfig: regions.kubeconfig });
    assert.equal(await pod?.stop(), 0);
    await podsOf(0);
    const kinds = 'all,sa,roles,rolebindings,clusterroles,clusterrolebindings,netpol,pdb';
    const left = await kubectl(['get', kinds, '-A', '-o', 'name', '-l', 'app.kubernetes.io/instance=ringmaster']);
    assert.equal(left, '');
    assert.match(await kubectl(['-n', 'cassandra', 'get', 'mcc', 'orders', '-o', 'name']), /orders/);
  });

  test('can be made by kustomize as well, and its pods run', async () => {
    const folder = join(repository, 'deploy/kustomize/base');
    const place = 'ringmaster-system';
    await kubectl(['apply', '--server-side', '--force-conflicts', '-k', folder]);
    const { metadata } = await api.get(`/api/v1/namespaces/${place}`);
    assert.equal(metadata.labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
    const [pod] = await podsOf(2, place);
    assert.ok(pod);
    running = [await PodProcess.start(pod, { regions, cluster: hub, network: hub, image })];
    await running[0]?.untilReady();
    await waitFor(() => running.every(leads), { what: 'it to lead', timeoutMs: 300_000 });
  });
});

interface AuditedRequest {
  verb: string;
  requestURI: string;
  annotations?: Record<string, string>;
}

/** As much of the Prometheus operator's kind as it takes for the API server to know it. */
const serviceMonitorCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind: 'ServiceMonitor', plural: 'servicemonitors' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
