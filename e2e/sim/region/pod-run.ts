import type { Timer } from '../../../src/edges/clock.ts';
import { schedule } from './actor-clock.ts';
import { settingsOf, type PodSettings } from './bootstrap-container.ts';
import { CassandraContainer } from './cassandra-container.ts';
import { emptyDisk, type NodeDisk } from './cassandra/node-disk.ts';
import type { CassandraNode } from './cassandra/node.ts';
import { kinds } from './cluster-access.ts';
import { decideBootstrap, type NodeSettings, type SeedAnswer } from './guard-decision.ts';
import type { KubeletContext } from './kubelet.ts';
import { resolverFails } from './names.ts';
import {
  BackOff,
  cannotBePulled,
  initializing,
  nodeName,
  podStatus,
  terminated,
  unschedulableStatus,
  type ContainerRecord,
  type PodRecord,
} from './pod-status.ts';
import { draw } from './timing.ts';
import { claimsOf } from './volume-controller.ts';
import type { ConfigMap, Pod } from './workload-objects.ts';

/** pre_run.sh looks again after so long. */
const roundMs = 2_000;
const notYet: ContainerRecord = { state: initializing, restarts: 0, ready: false };

/**
 * One pod on its node, from its creation to its end: volumes, address, init container, Cassandra. What it waits for
 * wakes it; nothing runs meanwhile.
 */
export class PodRun {
  readonly #context: KubeletContext;
  readonly #settings: PodSettings | undefined;
  #pod: Pod;
  #record: PodRecord;
  #stage: 'volumes' | 'sandbox' | 'bootstrap' | 'node' | 'terminating' | 'gone' = 'volumes';
  #timer: Timer | undefined;
  /** For a new view of the ConfigMap, beside the stage. */
  #refresh: Timer | undefined;
  #configMap: Readonly<Record<string, string>> | undefined;
  #emptyDirectory: NodeDisk | undefined;
  #bootstrapStartedMs = 0;
  readonly #bootstrapBackOff: BackOff;
  #cassandra: CassandraContainer | undefined;

  constructor(context: KubeletContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.#settings = settingsOf(pod);
    this.#record = { address: undefined, startedAt: context.timestamp(), bootstrap: notYet, node: notYet };
    this.#bootstrapBackOff = new BackOff(context.timing.backOffMs);
    this.mount();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get address(): string | undefined {
    return this.#record.address;
  }

  /** The last process of Cassandra, which may have ended; undefined before the first. */
  get node(): CassandraNode | undefined {
    return this.#cassandra?.node;
  }

  /** The object changed. */
  see(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined && this.#stage !== 'terminating') this.#terminate();
  }

  /** The object is gone, however that came about: so is what ran. */
  gone(): void {
    this.#stop('gone');
    this.#cassandra?.end('crash');
    if (this.#emptyDirectory) this.#context.network.diskLost(this.#emptyDirectory);
    this.#record = { ...this.#record, address: undefined };
  }

  /** Gets its sandbox if a machine has room for it, and its volumes and its ConfigMap are there. */
  mount(): void {
    if (this.#stage !== 'volumes') return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { namespace } = this.#pod.metadata;
    const { clock, random, timing, volumes } = this.#context;
    if (!this.#context.hasRoom()) {
      if (this.#pod.status?.conditions?.[0]?.reason !== 'Unschedulable') {
        this.#putStatus(unschedulableStatus(this.#context.timestamp()));
      }
      return;
    }
    if (claimsOf(this.#pod).some((claim) => !volumes.diskOf(namespace, claim))) return;
    const configMap = this.#findConfigMap();
    if (this.#settings?.configMap?.optional === false && !configMap) return;
    this.#configMap = configMap?.data ?? (this.#settings?.configMap && {});
    this.#stage = 'sandbox';
    this.#timer = schedule(clock, draw(random, timing.sandboxMs), () => this.#begin());
  }

  /** The ConfigMap `name` was created or changed. */
  configMapChanged(name: string): void {
    if (name !== this.#settings?.configMap?.name) return;
    const { random, timing, clock } = this.#context;
    if (this.#stage === 'volumes') {
      this.#timer ??= schedule(clock, draw(random, timing.mountRetryMs), () => this.mount());
    } else if (this.#stage === 'sandbox' || this.#stage === 'bootstrap') {
      this.#refresh ??= schedule(clock, draw(random, timing.configMapMs), () => {
        this.#refresh = undefined;
        this.#configMap = this.#findConfigMap()?.data ?? this.#configMap;
        this.surroundingsChanged();
      });
    }
  }

  /** Something in the ring, the network or the names changed: who waits may not have to any more. */
  surroundingsChanged(): void {
    if (this.#stage === 'bootstrap') this.#lookAgain();
    else if (this.#stage === 'node') this.#cassandra?.surroundingsChanged();
  }

  /** The machine restarts the pod: a new address, everything from the beginning, with the same disk or an empty one. */
  restart(wipeDisk: boolean): void {
    if (this.#stage === 'terminating' || this.#stage === 'gone') return;
    const { node } = this.#record;
    this.#stop('volumes');
    this.#cassandra?.end('crash');
    this.#cassandra = undefined;
    if (wipeDisk) this.#wipe();
    const restarts = node.restarts + ('running' in node.state ? 1 : 0);
    this.#update({ address: undefined, bootstrap: notYet, node: { ...notYet, restarts } });
    this.mount();
  }

  /** Cassandra's process dies; the pod stays. */
  crashNode(): void {
    this.#cassandra?.crash();
  }

  #stop(stage: 'volumes' | 'terminating' | 'gone'): void {
    this.#stage = stage;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#refresh?.cancel();
    this.#refresh = undefined;
  }

  #wipe(): void {
    const { namespace } = this.#pod.metadata;
    for (const claim of claimsOf(this.#pod)) this.#context.volumes.wipe(namespace, claim);
    if (this.#emptyDirectory) this.#context.network.diskLost(this.#emptyDirectory);
    this.#emptyDirectory = undefined;
  }

  #findConfigMap(): ConfigMap | undefined {
    const source = this.#settings?.configMap;
    return source && this.#context.access.find(kinds.configMaps, this.#pod.metadata.namespace, source.name);
  }

  /** The pod has an address, and its init containers run. */
  #begin(): void {
    this.#timer = undefined;
    this.#record = { ...this.#record, address: this.#context.takeAddress() };
    if (this.#settings && !this.#pod.spec.initContainers?.some(cannotBePulled)) {
      this.#startBootstrap();
      return;
    }
    this.#stage = 'node';
    this.#update({});
  }

  #startBootstrap(): void {
    this.#stage = 'bootstrap';
    this.#bootstrapStartedMs = this.#context.clock.monotonic();
    const state = { running: { startedAt: this.#context.timestamp() } };
    this.#update({ bootstrap: { ...this.#record.bootstrap, state } });
    this.#plan(0);
  }

  #plan(delayMs: number): void {
    this.#timer ??= schedule(this.#context.clock, delayMs, () => this.#decide());
  }

  /** At the next round of pre_run.sh, which may be waiting for a time that lies further ahead. */
  #lookAgain(): void {
    if (!('running' in this.#record.bootstrap.state)) return;
    const elapsed = this.#context.clock.monotonic() - this.#bootstrapStartedMs;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#plan(roundMs - (elapsed % roundMs));
  }

  #decide(): void {
    this.#timer = undefined;
    const { clock, timestamp } = this.#context;
    const settings = this.#settings;
    const { address, bootstrap } = this.#record;
    if (!settings || address === undefined) return;
    const elapsedMs = clock.monotonic() - this.#bootstrapStartedMs;
    const decision = decideBootstrap({
      configMap: this.#configMap,
      pod: this.#pod.metadata.name,
      hostName: this.#hostName(),
      address,
      clusterName: settings.clusterName,
      seeds: settings.seeds,
      elapsedSeconds: elapsedMs / 1000,
      ask: (seed) => this.#ask(seed),
    });
    if (decision.kind === 'wait') {
      const { untilSeconds } = decision;
      if (untilSeconds !== undefined) this.#plan(Math.ceil((untilSeconds * 1000 - elapsedMs) / roundMs) * roundMs);
      return;
    }
    if (decision.kind === 'fail') {
      const state = terminated(1, timestamp(), decision.reason);
      this.#update({ bootstrap: { state, last: state, restarts: bootstrap.restarts + 1, ready: false } });
      this.#timer = schedule(clock, this.#bootstrapBackOff.next(), () => {
        this.#timer = undefined;
        this.#startBootstrap();
      });
      return;
    }
    this.#bootstrapBackOff.reset();
    if (decision.alone !== undefined) this.#context.startedAlone(this.#pod.metadata.name, decision.alone);
    this.#record = { ...this.#record, bootstrap: { ...bootstrap, state: terminated(0, timestamp()), ready: true } };
    this.#startCassandra(settings, address, decision.settings);
  }

  #ask(seed: string): SeedAnswer {
    const { resolve, network, region } = this.#context;
    const address = resolve(seed, this.#pod.metadata.namespace);
    if (address === resolverFails) return { kind: 'resolverFails' };
    const node = address === undefined ? undefined : network.reaches(region, address);
    if (!node || node.jolokia === 'closed') return { kind: 'silent' };
    if (node.jolokia === 'empty') return { kind: 'open' };
    const { mode, hostId, options, view } = node;
    const hasJoining = mode !== 'STARTING' && view.ring.some(({ status }) => status === 'BOOT');
    return { kind: 'cassandra', mode, clusterName: options.clusterName, hostId, hasJoining };
  }

  #hostName(): string {
    const { name, namespace } = this.#pod.metadata;
    return `${name}.${this.#pod.spec.subdomain}.${namespace}.svc.cluster.local`;
  }

  #startCassandra(settings: PodSettings, address: string, node: NodeSettings): void {
    this.#stage = 'node';
    if (this.#pod.spec.containers.some((each) => each.name === nodeName && cannotBePulled(each))) {
      this.#update({});
      return;
    }
    const { name, namespace } = this.#pod.metadata;
    const { restarts } = this.#record.node;
    const hostName = this.#hostName();
    this.#cassandra = new CassandraContainer(
      this.#context,
      { pod: name, namespace, hostName, address, settings, node, disk: this.#disk(), restarts },
      (record) => this.#update({ node: record }),
    );
  }

  /** The claim that cassandra mounts, else a directory that lives as long as the pod. */
  #disk(): NodeDisk {
    const { namespace } = this.#pod.metadata;
    const [claim] = claimsOf(this.#pod);
    const disk = claim === undefined ? undefined : this.#context.volumes.diskOf(namespace, claim);
    return disk ?? (this.#emptyDirectory ??= emptyDisk());
  }

  #terminate(): void {
    const { clock, random, timing, access } = this.#context;
    this.#stop('terminating');
    this.#cassandra?.end('stop');
    this.#timer = schedule(clock, draw(random, timing.terminationMs), () => {
      // As a kubelet does: first it says that the pod has ended, then it cleans up, and only then the object goes.
      const node = { ...this.#record.node, ready: false };
      this.#putStatus(podStatus(this.#pod, { ...this.#record, node }, this.#context.timestamp()));
      this.#timer = schedule(clock, draw(random, timing.cleanUpMs), () => {
        access.remove(kinds.pods, this.#pod, { gracePeriodSeconds: 0 });
      });
    });
  }

  #update(change: Partial<PodRecord>): void {
    this.#record = { ...this.#record, ...change };
    if (this.#stage === 'terminating' || this.#stage === 'gone') return;
    this.#putStatus(podStatus(this.#pod, this.#record, this.#context.timestamp()));
  }

  #putStatus(status: object): void {
    const { access } = this.#context;
    const { namespace, name, uid } = this.#pod.metadata;
    const stored = access.find(kinds.pods, namespace, name);
    if (stored?.metadata.uid === uid) access.putStatus(kinds.pods, stored, status);
  }
}
