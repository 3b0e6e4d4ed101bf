import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { type ApiObject, type ApiServer, type Region, type Regions, waitFor } from '../harness/index.ts';
import type { RunProcess } from '../harness/run/run.ts';
import { containerCommand } from './container.ts';
import type { Image } from './image.ts';

/** Where Kubernetes puts a pod's ServiceAccount. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenSeconds = 3600;

interface Container {
  args: string[];
  env?: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  livenessProbe: Probe;
  readinessProbe: Probe;
  volumeMounts?: { name: string; mountPath: string }[];
}

interface Probe {
  httpGet: { path: string; port: string };
}

export interface ControllerPod extends ApiObject {
  spec: {
    serviceAccountName: string;
    terminationGracePeriodSeconds: number;
    containers: [Container];
    volumes?: { name: string; secret?: { secretName: string } }[];
  };
}

export interface PodProcessOptions {
  readonly regions: Regions;
  /** Whose API server holds the pod. */
  readonly cluster: Region;
  /** In whose network it runs: each pod needs one of its own, for its ports. */
  readonly network: Region;
  readonly image: Image;
}

/**
 * A pod of the controller, run as a kubelet would: its container's arguments and variables on the image's files, its
 * ServiceAccount's token, its Secrets, its probes, and its status written back.
 */
export class PodProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #pod: ControllerPod;
  readonly #api: ApiServer;
  readonly #address: string;
  readonly #process: RunProcess;

  private constructor(pod: ControllerPod, api: ApiServer, address: string, logFile: string, process: RunProcess) {
    this.name = pod.metadata.name;
    this.#pod = pod;
    this.#api = api;
    this.#address = address;
    this.logFile = logFile;
    this.#process = process;
  }

  static async start(pod: ControllerPod, { regions, cluster, network, image }: PodProcessOptions): Promise<PodProcess> {
    const { name } = pod.metadata;
    const [container] = pod.spec.containers;
    const folder = join(regions.directory, `pod-${name}`);
    mkdirSync(folder, { mode: 0o755 });
    const mounts: Record<string, string> = { [serviceAccountFolder]: join(folder, 'account') };
    await writeServiceAccount(pod, cluster.api, join(folder, 'account'));
    for (const { name: volume, mountPath } of container.volumeMounts ?? []) {
      if (mountPath in mounts) continue;
      const secretName = pod.spec.volumes?.find((each) => each.name === volume)?.secret?.secretName;
      if (secretName === undefined)
        throw new Error(`pod ${name}: only volumes of Secrets are known here, not ${volume}`);
      mounts[mountPath] = join(folder, volume);
      await writeSecret(pod, secretName, cluster.api, join(folder, volume));
    }
    const env = Object.fromEntries((container.env ?? []).map((each) => [each.name, each.value]));
    const { hostname, port } = new URL(cluster.url);
    const own = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const command = containerCommand({
      image,
      args: container.args,
      hostname: name,
      env: { ...own, ...env },
      mounts,
    });
    const logFile = join(folder, 'log');
    const process = regions.spawn(['ip', 'netns', 'exec', network.network.namespace, ...command], { log: logFile });
    const [address = ''] = network.network.podAddresses.slice(-1);
    return new PodProcess(pod, cluster.api, address, logFile, process);
  }

  /** Waits until its probes succeed, and tells the API server that it is ready. */
  async untilReady(): Promise<void> {
    const [{ livenessProbe, readinessProbe }] = this.#pod.spec.containers;
    for (const probe of [livenessProbe, readinessProbe])
      await waitFor(async () => (await this.get(probe)) === 200, {
        what: `${probe.httpGet.path} of pod ${this.name}, whose log is ${this.logFile}`,
        timeoutMs: 300_000,
        giveUp: () => (this.#process.child.exitCode === null ? undefined : 'it has ended'),
      });
    const condition = (type: string): object => ({ type, status: 'True' });
    const { namespace = '' } = this.#pod.metadata;
    await this.#api.patch(`/api/v1/namespaces/${namespace}/pods/${this.name}/status`, 'merge', {
      status: { phase: 'Running', conditions: ['Ready', 'ContainersReady', 'Initialized'].map(condition) },
    });
  }

  /** Asks what a probe asks; resolves with the status of the answer. */
  async get({ httpGet: { path, port } }: Probe): Promise<number> {
    const [{ ports }] = this.#pod.spec.containers;
    const number = ports.find((each) => each.name === port)?.containerPort;
    const { statusCode, body } = await request(`http://${this.#address}:${number}${path}`);
    await body.dump();
    return statusCode;
  }

  /** Stops it as a kubelet does; resolves with its exit code. @throws WaitTimedOut after the pod's grace period. */
  async stop(): Promise<number | null> {
    const { child } = this.#process;
    child.kill('SIGTERM');
    await waitFor(() => child.exitCode !== null || child.signalCode !== null, {
      what: `pod ${this.name} to stop`,
      timeoutMs: this.#pod.spec.terminationGracePeriodSeconds * 1000,
    });
    return child.exitCode;
  }
}

async function writeServiceAccount(pod: ControllerPod, api: ApiServer, folder: string): Promise<void> {
  const { name, uid, namespace = '' } = pod.metadata;
  const { status } = await api.post<ApiObject & { status: { token: string } }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName}/token`,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: tokenSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
    },
  );
  const { data } = await api.get<ApiObject & { data: Record<string, string> }>(
    `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`,
  );
  writeFiles(folder, { token: status.token, namespace, 'ca.crt': data['ca.crt'] ?? '' });
}

async function writeSecret(pod: ControllerPod, name: string, api: ApiServer, folder: string): Promise<void> {
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/secrets/${name}`;
  const { data } = await api.get<ApiObject & { data: Record<string, string> }>(path);
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  writeFiles(folder, Object.fromEntries(decoded) as Record<string, string>);
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { mode: 0o755 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o644 });
}
