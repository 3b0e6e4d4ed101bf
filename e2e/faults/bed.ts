import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { defaultServiceAccount } from '../../src/cli/rbac.ts';
import { type ApiObject, type Regions, startRegions, waitFor } from '../harness/index.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { type ControllerOptions, ControllerProcess } from '../ring/controller-process.ts';
import { type Condition, Federation, installCrd } from '../ring/federation.ts';
import type { Row } from './table.ts';

export const hub = 'hub';
export const members = ['eu', 'us', 'ap'] as const;
export type Member = (typeof members)[number];

const namespace = 'faults';
/** Longest wait for anything on a busy machine, milliseconds. */
const timeoutMs = 240_000;
/** How long a region's API server may take to say what it holds, milliseconds. */
const answerMs = 2_000;
/** So long without a connection that comes or goes is calm, milliseconds. */
const quietMs = 5_000;
/** How many edits are measured before a fault and while it lasts. */
const editsMeasured = 5;
/** What healthy regions may take longer for an edit while another one has a fault, before that counts as harm. */
const slower = { times: 4, byMs: 1_000 } as const;

/** One fault: how it begins, what the status has to say of it, how it ends. */
export interface Fault {
  readonly name: string;
  /** The region that has it. */
  readonly region: Member;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** What Reachable of that region has to say; undefined: the fault is one that nobody need notice. */
  readonly says?: { readonly status: 'False' | 'Unknown'; readonly reason: RegExp };
  /** Whether an edit gets through to that region while the fault lasts; default false. */
  readonly letsThrough?: boolean;
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
      await bed.federation.apply({ regions: members.map((name) => ({ name })) });
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

  /** Writes the controller's kubeconfig, with `tokens` in place of those of the regions they name. */
  register(tokens: Readonly<Record<string, string>> = {}): void {
    const clusters = this.regions.all.map(({ name, controlPlane }) => ({
      name,
      cluster: {
        server: this.proxy(name).url,
        'certificate-authority-data': Buffer.from(controlPlane.authority).toString('base64'),
      },
    }));
    const users = this.regions.all.map(({ name, controlPlane }) => ({
      name,
      user: { token: tokens[name] ?? controlPlane.tokens.ringmaster },
    }));
    const contexts = this.regions.all.map(({ name }) => ({
      name,
      context: { cluster: name, user: name, namespace: defaultServiceAccount.namespace },
    }));
    const config = { apiVersion: 'v1', kind: 'Config', 'current-context': hub, clusters, users, contexts };
    writeFileSync(this.#kubeconfig, stringify(config), { mode: 0o600 });
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
    await this.federation.apply({ regions: members.map((name) => ({ name })), seeds });
    return String(guardWaitSeconds);
  }

  /** Waits until an edit has arrived in all of these regions. */
  async untilArrived(value: string, regions: readonly string[]): Promise<void> {
    await Promise.all(
      regions.map((region) =>
        waitFor(async () => (await this.#arrivedIn(region)) === value, {
          what: `an edit to arrive in ${region}`,
          timeoutMs,
          intervalMs: 10,
        }),
      ),
    );
  }

  /** Milliseconds from an edit to the last of these regions having it: the median of several, so that one slow moment of the machine is not taken for a fault. */
  async latencyOfEdits(regions: readonly string[]): Promise<number> {
    const times: number[] = [];
    for (let count = 0; count < editsMeasured; count++) {
      const started = performance.now();
      await this.untilArrived(await this.edit(), regions);
      times.push(performance.now() - started);
    }
    return times.sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
  }

  /**
   * Begins a fault, and asserts that the other regions do not notice, that the status says what is so, that once it is
   * over all comes right with the same controller, and that what was edited meanwhile is not lost.
   */
  async suffer(fault: Fault): Promise<Row> {
    const { name, region, begin, end, says, letsThrough = false } = fault;
    const healthy = members.filter((each) => each !== region);
    const { controller } = this;
    const beforeMs = await this.latencyOfEdits(healthy);
    await begin();
    let duringMs: number;
    let said: Condition | undefined;
    let last: string;
    try {
      duringMs = await this.latencyOfEdits(healthy);
      if (says) said = await this.#untilSaid(region, says);
      last = await this.edit();
      await this.untilArrived(last, letsThrough ? members : healthy);
      if (!letsThrough) {
        assert.notEqual(await this.#arrivedIn(region), last, `${name}: there is no fault`);
      }
    } finally {
      await end();
    }
    const ended = performance.now();
    await this.untilArrived(last, members);
    const recoveryMs = performance.now() - ended;
    assert.ok(controller.running && controller === this.controller, 'it is the same controller');
    const row = { fault: name, beforeMs, duringMs, recoveryMs, says: said ? `${said.status}, ${said.reason}` : '-' };
    this.rows.push(row);
    assert.ok(
      duringMs <= beforeMs * slower.times + slower.byMs,
      `${name}: an edit took ${Math.round(duringMs)} ms in healthy regions, ${Math.round(beforeMs)} ms before`,
    );
    return row;
  }

  #startController(name: string): ControllerProcess {
    const common = { kubeconfig: this.#kubeconfig, contexts: [hub, ...members], name };
    return new ControllerProcess(this.regions, { ...common, ...this.#controllerOptions });
  }

  get #kubeconfig(): string {
    return join(this.regions.directory, 'faults.kubeconfig');
  }

  /** Undefined if the region's API server itself does not answer. */
  async #arrivedIn(region: string): Promise<string | undefined> {
    const path = `/api/v1/namespaces/${namespace}/configmaps/${this.federation.name}-ringmaster`;
    const guard = await this.federation
      .api(region)
      .find<ApiObject & { data?: Record<string, string> }>(path, AbortSignal.timeout(answerMs))
      .catch(() => undefined);
    return guard?.data?.['guard_wait_seconds'];
  }

  #untilSaid(region: string, says: NonNullable<Fault['says']>): Promise<Condition> {
    return waitFor(
      async () => {
        const found = await this.federation.condition('Reachable', region);
        if (found?.status === says.status && says.reason.test(found.reason)) return found;
        throw new Error(JSON.stringify(found));
      },
      { what: `region ${region} to be said unreachable (${String(says.reason)})`, timeoutMs },
    );
  }
}
