import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import { type ApiObject, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { type ControllerOptions, ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd } from '../ring/federation.ts';
import type { Row } from './table.ts';

export const hub = 'hub';
export const members = ['eu', 'us', 'ap'] as const;
export type Member = (typeof members)[number];

const namespace = 'faults';
/** What {@link Bed.edit} changes, as a region's guard spells it. */
const waitKey = 'guard_wait_seconds';
/** Longest wait for anything on a busy machine, milliseconds. */
export const timeoutMs = 240_000;
/** How long a region's API server may take to say what it holds, milliseconds. */
const answerMs = 2_000;
/** So long without a connection that comes or goes is calm, milliseconds. */
const quietMs = 3_000;
/** How many edits are measured before a fault and while it lasts. */
const editsMeasured = 5;

/** How the controller reaches a region, where that is not the region's own way. */
export interface Registration {
  readonly token?: string;
  /** PEM. */
  readonly authority?: string;
}

/** A hub and three regions with a ring of light nodes, and a controller that reaches each of them through a proxy. */
export class Bed {
  readonly regions: Regions;
  readonly federation: Federation;
  readonly proxies: ReadonlyMap<string, TcpProxy>;
  readonly rows: Row[] = [];
  controller: ControllerProcess;
  readonly #controllerOptions: Pick<ControllerOptions, 'env'>;
  #waitSeconds = 1_000;
  #controllers = 1;

  private constructor(
    regions: Regions,
    federation: Federation,
    proxies: ReadonlyMap<string, TcpProxy>,
    controllerOptions: Pick<ControllerOptions, 'env'>,
  ) {
    this.regions = regions;
    this.federation = federation;
    this.proxies = proxies;
    this.#controllerOptions = controllerOptions;
    this.register();
    this.controller = this.#startController('main');
  }

  /** Resolves when the ring has formed. `environment` of the controller: from the directory of the run. */
  static async start(environment?: (directory: string) => NodeJS.ProcessEnv): Promise<Bed> {
    const regions = await startRegions({ regions: [hub, ...members], nodes: 'light' });
    try {
      await installCrd(regions, hub);
      await regions.region(hub).prepareNamespace(namespace, { operator: false });
      await Promise.all(members.map((name) => regions.region(name).prepareNamespace(namespace)));
      const proxies = new Map<string, TcpProxy>();
      for (const { name, url } of regions.all) proxies.set(name, await TcpProxy.start(url));
      const options = environment ? { env: environment(regions.directory) } : {};
      const bed = new Bed(regions, new Federation(regions, namespace, { hub }), proxies, options);
      await bed.edit();
      await bed.federation.ready();
      return bed;
    } catch (error) {
      await regions.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.close()));
    await this.regions.stop();
  }

  proxy(name: string): TcpProxy {
    const proxy = this.proxies.get(name);
    if (!proxy) throw new Error(`there is no proxy for ${name}`);
    return proxy;
  }

  /** Writes the controller's kubeconfig. */
  register(registrations: Readonly<Record<string, Registration>> = {}): void {
    const clusters = this.regions.all.map(({ name, controlPlane }) => ({
      name,
      cluster: {
        server: this.proxy(name).url,
        'certificate-authority-data': Buffer.from(registrations[name]?.authority ?? controlPlane.authority).toString(
          'base64',
        ),
      },
    }));
    const users = this.regions.all.map(({ name, controlPlane }) => ({
      name,
      user: { token: registrations[name]?.token ?? controlPlane.tokens.ringmaster },
    }));
    const contexts = this.regions.all.map(({ name }) => ({
      name,
      context: { cluster: name, user: name, namespace: defaultServiceAccount.namespace },
    }));
    const config = { apiVersion: 'v1', kind: 'Config', 'current-context': hub, clusters, users, contexts };
    writeFileSync(this.#kubeconfig, stringify(config), { mode: 0o600 });
  }

  /** Resolves when the controller reaches a region in the way that `change` registers. */
  async registered(region: string, change: () => void): Promise<void> {
    const times = (): number =>
      this.controller.log().filter((line) => line['region'] === region && /registered now/.test(line.message)).length;
    const before = times();
    change();
    await waitFor(() => times() > before, { what: `another registration of ${region} to be in use`, timeoutMs });
  }

  /** Another controller in place of the one that ran; it is asked to stop first. */
  async restartController(betweenThem: () => Promise<void>): Promise<void> {
    await this.controller.stop();
    await betweenThem();
    this.#controllers += 1;
    this.controller = this.#startController(`number-${this.#controllers}`);
  }

  /**
   * Waits until nothing of an earlier fault is left: all is Ready, an edit has arrived everywhere, no connection lost
   * bytes, and for a while none is opened or closed. Unless told not to, it ends those that lost bytes, which otherwise
   * stay for minutes.
   */
  async untilCalm(options: { resetMute?: boolean } = {}): Promise<void> {
    const proxies = [...this.proxies.values()];
    if (options.resetMute ?? true) for (const proxy of proxies) proxy.resetMute();
    await this.untilArrived(await this.edit(), members);
    // A region that has just come back is Ready before it is called reachable again.
    await this.federation.waitForCondition('RegionsReachable', 'True', { timeoutMs });
    await this.federation.waitForCondition('Ready', 'True', { timeoutMs });
    const seen = (): string => proxies.map(({ accepted, connections }) => `${accepted} ${connections}`).join();
    let [last, since] = [seen(), performance.now()];
    await waitFor(
      () => {
        if (seen() !== last) [last, since] = [seen(), performance.now()];
        return performance.now() - since >= quietMs && proxies.every(({ mute }) => mute === 0);
      },
      { what: 'connections to be opened and closed no more', timeoutMs },
    );
  }

  /** Edits what needs no restart of any node, and resolves with that edit's value. */
  async edit(): Promise<string> {
    const guardWaitSeconds = ++this.#waitSeconds;
    const seeds = { ...(this.federation.smallestSpec()['seeds'] as object), guardWaitSeconds };
    // Members are those of an object that was deleted, once a CRD was.
    await this.federation.apply({
      regions: members.map((name) => ({ name })),
      seeds,
      adoptionPolicy: 'IfUnchanged',
    });
    return String(guardWaitSeconds);
  }

  /** Spoils the guard of a region, and resolves when the controller, who has to hear of it, has mended it. */
  async untilMended(region: string): Promise<void> {
    const { data = {} } = (await this.federation.guard(region)) ?? {};
    const [key = ''] = Object.keys(data).filter((each) => each !== waitKey);
    await this.federation.api(region).patch(this.#guardPath, 'merge', { data: { [key]: 'spoilt' } });
    await waitFor(async () => (await this.federation.guard(region))?.data?.[key] === data[key], {
      what: `the guard of ${region} to be mended`,
      timeoutMs,
      intervalMs: 10,
    });
  }

  /** Waits until an edit has arrived in all of these regions. */
  async untilArrived(value: string, regions: readonly string[]): Promise<void> {
    await Promise.all(
      regions.map((region) =>
        waitFor(async () => (await this.arrivedIn(region)) === value, {
          what: `an edit to arrive in ${region}`,
          timeoutMs,
          intervalMs: 10,
        }),
      ),
    );
  }

  /**
   * Milliseconds from an edit to the last of these regions having it: the median of several, so that one slow moment of
   * the machine is not taken for a fault.
   */
  async latencyOfEdits(regions: readonly string[]): Promise<number> {
    const times: number[] = [];
    for (let count = 0; count < editsMeasured; count++) {
      const started = performance.now();
      await this.untilArrived(await this.edit(), regions);
      times.push(performance.now() - started);
    }
    return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
  }

  #startController(name: string): ControllerProcess {
    const common = { kubeconfig: this.#kubeconfig, contexts: [hub, ...members], name };
    return new ControllerProcess(this.regions, { ...common, ...this.#controllerOptions });
  }

  get #kubeconfig(): string {
    return join(this.regions.directory, 'faults.kubeconfig');
  }

  /** The edit that a region has; undefined if the region's API server itself does not answer. */
  async arrivedIn(region: string): Promise<string | undefined> {
    const guard = await this.federation
      .api(region)
      .find<ApiObject & { data?: Record<string, string> }>(this.#guardPath, AbortSignal.timeout(answerMs))
      .catch(() => undefined);
    return guard?.data?.[waitKey];
  }

  get #guardPath(): string {
    return `/api/v1/namespaces/${namespace}/configmaps/${this.federation.name}-ringmaster`;
  }
}
