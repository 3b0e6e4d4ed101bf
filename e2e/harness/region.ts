import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type ApiObject, type ApiServer } from './api-server.ts';
import { ControlPlane } from './control-plane.ts';
import { outageFile } from './dns/zone.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { NodeKind } from './kubelet/node-process.ts';
import type { RegionNetwork } from './network.ts';
import type { RegionAgentOptions } from './region-agent.ts';
import { RegionalOperator, type Pace } from './regional-operator.ts';
import type { Run } from './run/run.ts';
import type { Toolchain } from './toolchain.ts';
import { waitFor } from './wait-for.ts';

const crdDirectory = join(import.meta.dirname, '../casskop/crds');
const agent = join(import.meta.dirname, 'region-agent.ts');
const nodeServiceAccount = 'cassandra-cluster-node';

export interface RegionOptions {
  readonly run: Run;
  readonly network: RegionNetwork;
  readonly toolchain: Toolchain;
  readonly nodes: NodeKind;
  readonly regions: readonly string[];
  readonly dnsDirectory: string;
}

export interface NamespaceOptions {
  /** Kind of node for pods of this namespace; default: the run's. */
  readonly nodes?: NodeKind;
  /** Whether a regional operator looks after it; default true. */
  readonly operator?: boolean;
  /** Pace of the stand-in; default `fast`. */
  readonly pace?: Pace;
}

/** One region: a control plane, an agent that plays nodes and DNS, and regional operators. */
export class Region {
  readonly name: string;
  readonly network: RegionNetwork;
  readonly controlPlane: ControlPlane;
  /** Everything of the region: logs, pods' output, volumes. */
  readonly directory: string;
  readonly #options: RegionOptions;
  readonly #operators = new Map<string, RegionalOperator>();
  #operatorsStarted = 0;

  private constructor(options: RegionOptions, controlPlane: ControlPlane, directory: string) {
    this.name = options.network.name;
    this.network = options.network;
    this.controlPlane = controlPlane;
    this.directory = directory;
    this.#options = options;
  }

  /** Starts it; resolves when its API server serves CassKop's resources and pods are looked after. */
  static async start(options: RegionOptions, signal: AbortSignal): Promise<Region> {
    const { run, network, toolchain } = options;
    const directory = join(run.directory, network.name);
    const plane = await ControlPlane.start(
      run,
      network,
      toolchain.controlPlane,
      join(directory, 'control-plane'),
      signal,
    );
    const region = new Region(options, plane, directory);
    writeKubeconfig(region.#file('kubeconfig'), 'admin', [plane]);
    writeKubeconfig(region.#file('kubelet.kubeconfig'), 'kubelet', [plane]);
    writeKubeconfig(region.#file('regional-operator.kubeconfig'), 'regional-operator', [plane]);
    region.#startAgent();
    await region.applyOperatorCrds(signal);
    return region;
  }

  /** Client with the rights of `admin`. */
  get api(): ApiServer {
    return this.controlPlane.api;
  }

  get url(): string {
    return this.controlPlane.url;
  }

  /** One JSON object a line; `user.username` is one of the users in kubeconfig.ts, or `controllerUser`. */
  get auditLog(): string {
    return this.controlPlane.auditLog;
  }

  /** Makes a namespace that the controller may use, the ServiceAccount that CassKop's pods run as, and the namespace's regional operator. */
  async prepareNamespace(namespace: string, options: NamespaceOptions = {}): Promise<void> {
    const labels = options.nodes ? { 'harness.ringmaster.dev/nodes': options.nodes } : {};
    await this.api.apply(`/api/v1/namespaces/${namespace}`, 'harness', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels },
    });
    await this.api.apply(`/api/v1/namespaces/${namespace}/serviceaccounts/${nodeServiceAccount}`, 'harness', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: nodeServiceAccount, namespace },
    });
    await this.controlPlane.account.admit(namespace);
    if (options.operator !== false) await this.startOperator(namespace, options.pace ?? 'fast');
  }

  /** Starts CassKop (CASSKOP_BIN) or its stand-in for a namespace, if it does not run yet. */
  async startOperator(namespace: string, pace: Pace = 'fast'): Promise<void> {
    if (this.#operators.has(namespace)) return;
    const operator = await RegionalOperator.start(this.#options.run, this.api, {
      region: this.name,
      networkNamespace: this.network.namespace,
      namespace,
      kubeconfig: this.#file('regional-operator.kubeconfig'),
      pace,
      directory: this.#file(`operator-${namespace}`),
      index: this.#operatorsStarted++,
    });
    this.#operators.set(namespace, operator);
  }

  async stopOperator(namespace: string): Promise<void> {
    await this.#operators.get(namespace)?.stop();
    this.#operators.delete(namespace);
  }

  /** From now on the region's DNS answers nothing but SERVFAIL: "Temporary failure in name resolution". */
  breakDns(): void {
    writeFileSync(outageFile(this.#options.dnsDirectory, this.name), '');
  }

  repairDns(): void {
    rmSync(outageFile(this.#options.dnsDirectory, this.name), { force: true });
  }

  /** What a pod's init container has said so far; the newest pod of that name. */
  bootstrapLog(namespace: string, pod: string): string {
    return this.#podFile(namespace, pod, 'bootstrap.log');
  }

  /** What a pod's node has said so far; the newest pod of that name. */
  nodeLog(namespace: string, pod: string): string {
    return this.#podFile(namespace, pod, 'cassandra.log');
  }

  /** Deletes a pod; its StatefulSet makes it again, with another address and the same volume. */
  async deletePod(namespace: string, pod: string): Promise<void> {
    await this.api.delete(`/api/v1/namespaces/${namespace}/pods/${pod}`);
  }

  /** Ends a pod's node with SIGKILL, as a crash does; the kubelet starts the container again. */
  crashNode(namespace: string, pod: string): void {
    const pid = Number(this.#podFile(namespace, pod, 'node.pid'));
    process.kill(pid, 'SIGKILL');
  }

  /** Deletes a pod together with its claim `data-<pod>`: it comes back with an empty disk. */
  async wipePod(namespace: string, pod: string): Promise<void> {
    await this.api.delete(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/data-${pod}`);
    await this.deletePod(namespace, pod);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#operators.values()].map((operator) => operator.stop()));
    await this.api.close();
  }

  #file(name: string): string {
    return join(this.directory, name);
  }

  #podFile(namespace: string, pod: string, name: string): string {
    const pods = this.#file('pods');
    const directories = readdirSync(pods, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith(`${namespace}_${pod}_`))
      .map((entry) => join(pods, entry.name, name))
      .filter((file) => existsSync(file));
    // Written in the order in which the pods lived; the last one written to is the newest.
    const newest = directories.sort((one, other) => modified(other) - modified(one))[0];
    return newest === undefined ? '' : readFileSync(newest, 'utf8');
  }

  #startAgent(): void {
    const { run, network, toolchain, nodes, regions, dnsDirectory } = this.#options;
    const options: RegionAgentOptions = {
      region: this.name,
      directory: this.directory,
      hostAddress: network.apiServerAddress,
      podAddresses: network.podAddresses,
      nodes,
      probeTools: toolchain.probeTools,
      kubeconfig: this.#file('kubelet.kubeconfig'),
      dnsDirectory,
      regions,
      ...(toolchain.cassandra && { cassandra: toolchain.cassandra }),
    };
    mkdirSync(dnsDirectory, { recursive: true });
    writeFileSync(this.#file('agent.json'), JSON.stringify(options));
    const started = run.spawn([process.execPath, agent, this.#file('agent.json')], {
      log: this.#file('agent.log'),
      namespace: network.namespace,
    });
    started.child.once('exit', (code, signal) => {
      // SIGKILL is how a run ends it.
      if (signal !== 'SIGKILL')
        console.error(`region ${this.name}: its agent ended (${code ?? signal}), see ${this.#file('agent.log')}`);
    });
  }

  /** Applies CassKop's CustomResourceDefinitions, as its installation does. */
  async applyOperatorCrds(signal: AbortSignal = AbortSignal.timeout(60_000)): Promise<void> {
    const files = existsSync(crdDirectory) ? readdirSync(crdDirectory).filter((name) => name.endsWith('.yaml')) : [];
    const crds = files
      .flatMap((name) => parseAllDocuments(readFileSync(join(crdDirectory, name), 'utf8')))
      .map((document) => document.toJS() as ApiObject | null)
      .filter((object): object is ApiObject => object?.kind === 'CustomResourceDefinition');
    for (const crd of crds) await this.applyCrd(crd, signal);
  }

  /** Applies a CustomResourceDefinition and waits until it is served. */
  async applyCrd(crd: ApiObject, signal: AbortSignal = AbortSignal.timeout(60_000)): Promise<void> {
    const { name } = crd.metadata;
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    await this.api.apply(path, 'harness', crd, signal);
    await waitFor(
      async () => {
        const { status } = await this.api.get<
          ApiObject & { status?: { conditions?: { type: string; status: string }[] } }
        >(path, signal);
        return status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True');
      },
      { what: `region ${this.name} to serve ${name}`, timeoutMs: 60_000, intervalMs: 50, signal },
    );
  }
}

function modified(file: string): number {
  return statSync(file).mtimeMs;
}
