import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingRefused } from './controller-account.ts';
import { HarnessError } from './errors.ts';
import { writeKubeconfig, writeKubectlWrapper } from './kubeconfig.ts';
import type { NodeKind } from './kubelet/node-process.ts';
import { Network, type CutScope, type CutStyle } from './network.ts';
import { Region, type NamespaceOptions } from './region.ts';
import { Run, type RunProcess } from './run/run.ts';
import { prepareToolchain } from './toolchain.ts';

export { ApiError, ApiServer, type ApiObject, type WatchEvent } from './api-server.ts';
export { controllerUser, type ControllerAccount } from './controller-account.ts';
export { HarnessError } from './errors.ts';
export { Region, type NamespaceOptions } from './region.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';

export interface StartOptions {
  /** Names of the regions, also of their contexts; lower case, short. The first one is the hub by custom. */
  readonly regions: readonly string[];
  /** What pods run unless their namespace says otherwise; default `cassandra`. */
  readonly nodes?: NodeKind;
  /** Ends the start early; what was made is removed. */
  readonly signal?: AbortSignal;
}

/** Several real regions on this machine, in a network of their own. */
export class Regions {
  /** Unique over all runs. */
  readonly runId: string;
  /** Everything the run writes; gone after {@link stop}. */
  readonly directory: string;
  /** One context per region, with the rights of `admin`. */
  readonly kubeconfig: string;
  /** The same contexts for the controller: with a ServiceAccount of its own, and no more rights than its roles give. */
  readonly controllerKubeconfig: string;
  /** A `kubectl` that uses {@link kubeconfig}. */
  readonly kubectl: string;
  readonly all: readonly Region[];
  readonly #run: Run;
  readonly #network: Network;

  constructor(run: Run, network: Network, regions: readonly Region[], kubectl: readonly string[]) {
    this.runId = run.id;
    this.directory = run.directory;
    this.kubeconfig = join(run.directory, 'kubeconfig');
    this.controllerKubeconfig = join(run.directory, 'ringmaster.kubeconfig');
    this.kubectl = join(run.directory, 'bin', 'kubectl');
    this.all = regions;
    this.#run = run;
    this.#network = network;
    const planes = regions.map(({ controlPlane }) => controlPlane);
    writeKubeconfig(this.kubeconfig, 'admin', planes);
    writeKubeconfig(this.controllerKubeconfig, 'ringmaster', planes);
    mkdirSync(join(run.directory, 'bin'));
    writeKubectlWrapper(this.kubectl, kubectl, this.kubeconfig);
  }

  /** @throws HarnessError UnknownRegion */
  region(name: string): Region {
    const region = this.all.find((each) => each.name === name);
    if (!region) throw new HarnessError('UnknownRegion', `There is no region ${name} in this run.`);
    return region;
  }

  /** In every region: a namespace, the ServiceAccount of CassKop's pods, and a regional operator. */
  async prepareNamespace(namespace: string, options: NamespaceOptions = {}): Promise<void> {
    await Promise.all(this.all.map((region) => region.prepareNamespace(namespace, options)));
  }

  /** Cuts a region's pods off from all other regions, both ways; see {@link Network.cut}. */
  cut(region: string, style: CutStyle = 'blackhole', scope: CutScope = 'regions'): Promise<void> {
    return this.#network.cut(region, style, scope);
  }

  heal(region: string): Promise<void> {
    return this.#network.heal(region);
  }

  /** Cuts the way between two regions only. */
  cutBetween(one: string, other: string, style: CutStyle = 'blackhole'): Promise<void> {
    return this.#network.cutBetween(one, other, style);
  }

  healBetween(one: string, other: string): Promise<void> {
    return this.#network.healBetween(one, other);
  }

  /** Starts a process of a test or of the demo, in the root namespace; it is recorded, and ends with the run. */
  spawn(argv: readonly string[], options: { log: string; env?: NodeJS.ProcessEnv }): RunProcess {
    return this.#run.spawn(argv, options);
  }

  /**
   * Ends everything and removes every trace.
   * @throws HarnessError ControllerRefused, when all is gone, if the controller lacked a right.
   */
  async stop(): Promise<void> {
    await Promise.all(this.all.map((region) => region.close()));
    try {
      assertNothingRefused(this.all.map(({ controlPlane }) => controlPlane));
    } finally {
      await this.#run.stop();
    }
  }
}

/**
 * Starts regions side by side and resolves when all serve: a few seconds, or minutes the first time on a machine, when
 * the control plane is built. Needs Linux and root; {@link prepareToolchain} says what else.
 * @throws HarnessError; nothing is left behind then.
 */
export async function startRegions(options: StartOptions): Promise<Regions> {
  const signal = options.signal ?? new AbortController().signal;
  const nodes = options.nodes ?? 'cassandra';
  const toolchain = await prepareToolchain({ cassandra: nodes === 'cassandra' }, signal);
  const run = await Run.start();
  try {
    const network = await Network.create(run, options.regions);
    const dnsDirectory = join(run.directory, 'dns');
    const starts = network.regions.map((region) =>
      Region.start({ run, network: region, toolchain, nodes, regions: options.regions, dnsDirectory }, signal),
    );
    const settled = await Promise.allSettled(starts);
    const failed = settled.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
    return new Regions(run, network, await Promise.all(starts), toolchain.controlPlane.kubectl);
  } catch (error) {
    await run.stop();
    throw error;
  }
}
