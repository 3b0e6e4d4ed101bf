import type { Timer } from '../../../src/edges/clock.ts';
import { schedule } from './actor-clock.ts';
import { settingsOf, type PodSettings } from './bootstrap-container.ts';
import { emptyDisk, type NodeDisk } from './cassandra/node-disk.ts';
import type { CassandraNode } from './cassandra/node.ts';
import { kinds } from './cluster-access.ts';
import { decideBootstrap, type SeedAnswer } from './guard-decision.ts';
import type { KubeletContext } from './kubelet.ts';
import { resolverFails } from './names.ts';
import {
  cannotBePulled,
  initializing,
  nodeName,
  podStatus,
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
 * One pod on its node, from its creation to its end: volumes, address, init container, Cassandra, readiness. What it
 * waits for wakes it; nothing runs meanwhile.
 */
export class PodRun {
  readonly #context: KubeletContext;
  readonly #settings: PodSettings | undefined;
  #pod: Pod;
  #record: PodRecord;
  #stage: 'volumes' | 'sandbox' | 'bootstrap' | 'node' | 'terminating' | 'gone' = 'volumes';
  #timer: Timer | undefined;
  /** For what goes on beside the stage: readiness, and a new view of the ConfigMap. */
  #probe: Timer | undefined;
  #refresh: Timer | undefined;
  #configMap: Readonly<Record<string, string>> | undefined;
  #emptyDirectory: NodeDisk | undefined;
  #bootstrapStartedMs = 0;
  #seeds: readonly string[] = [];
  #node: CassandraNode | undefined;
  #failures = 0;

  constructor(context: KubeletContext, pod: Pod) {
    this.#context = context;
    this.#pod = pod;
    this.#settings = settingsOf(pod);
    this.#record = { address: undefined, startedAt: context.timestamp(), bootstrap: notYet, node: notYet };
    this.#mount();
  }

  get pod(): Pod {
    return this.#pod;
  }

  get address(): string | undefined {
    return this.#record.address;
  }

  /** Cassandra's process, while there is one. */
  get node(): CassandraNode | undefined {
    return this.#node;
  }

  /** The object changed. */
  see(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined && this.#stage !== 'terminating') this.#terminate();
  }

  /** The object is gone, however that came about: so is what ran. */
  gone(): void {
    this.#stop('gone');
    this.#node?.crash();
    if (this.#emptyDirectory) this.#context.network.diskLost(this.#emptyDirectory);
    this.#record = { ...this.#record, address: undefined };
  }

  /** A volume or ConfigMap that it needs may be there now. */
  volumesChanged(): void {
    if (this.#stage === 'volumes') this.#mount();
  }

  /** The ConfigMap `name` was created or changed. */
  configMapChanged(name: string): void {
    if (name !== this.#settings?.configMap?.name) return;
    if (this.#stage === 'volumes') {
      const { random, timing, clock } = this.#context;
      this.#timer ??= schedule(clock, draw(random, timing.mountRetryMs), () => this.#mount());
    } else if (this.#stage === 'sandbox' || this.#stage === 'bootstrap') {
      const { random, timing, clock } = this.#context;
      this.#refresh ??= schedule(clock, draw(random, timing.configMapMs), () => {
        this.#refresh = undefined;
        this.#configMap = this.#findConfigMap()?.data ?? this.#configMap;
        this.surroundingsChanged();
      });
    }
  }

  /** Something in the ring, the network or the DNS changed: the init container may decide otherwise at its next look. */
  surroundingsChanged(): void {
    if (this.#stage === 'bootstrap') this.#lookAgain();
    else if (this.#stage === 'node' && !this.#record.node.ready) this.#awaitReady();
  }

  /** The machine restarts the pod: a new address, and everything from the beginning, with the same volumes or empty ones. */
  restart(wipeDisk: boolean): void {
    if (this.#stage === 'terminating' || this.#stage === 'gone') return;
    this.#stop('volumes');
    this.#node?.crash();
    this.#node = undefined;
    if (wipeDisk) this.#wipe();
    const restarts = this.#record.node.restarts + ('running' in this.#record.node.state ? 1 : 0);
    this.#record = { ...this.#record, address: undefined, bootstrap: notYet, node: { ...notYet, restarts } };
    this.#report();
    this.#mount();
  }

  /** Cassandra's process dies; the pod stays. */
  crashNode(): void {
    if (!this.#node || this.#node.hasEnded) return;
    this.#node.crash();
    this.#ended('killed');
  }

  #stop(stage: 'volumes' | 'terminating' | 'gone'): void {
    this.#stage = stage;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#probe?.cancel();
    this.#probe = undefined;
    this.#refresh?.cancel();
    this.#refresh = undefined;
  }

  #wipe(): void {
    const { namespace } = this.#pod.metadata;
    for (const claim of claimsOf(this.#pod)) this.#context.volumes.wipe(namespace, claim);
    if (this.#emptyDirectory) this.#context.network.diskLost(this.#emptyDirectory);
    this.#emptyDirectory = undefined;
  }

  /** Waits for volumes and ConfigMap, then for the sandbox. */
  #mount(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { namespace } = this.#pod.metadata;
    const { clock, random, timing, volumes } = this.#context;
    if (claimsOf(this.#pod).some((claim) => !volumes.diskOf(namespace, claim))) return;
    const configMap = this.#findConfigMap();
    if (this.#settings?.configMap?.optional === false && !configMap) return;
    this.#configMap = configMap?.data ?? (this.#settings?.configMap && {});
    this.#stage = 'sandbox';
    this.#timer = schedule(clock, draw(random, timing.sandboxMs), () => this.#begin());
  }

  #findConfigMap(): ConfigMap | undefined {
    const source = this.#settings?.configMap;
    return source && this.#context.access.find(kinds.configMaps, this.#pod.metadata.namespace, source.name);
  }

  /** The pod has an address, and its init containers run. */
  #begin(): void {
    this.#timer = undefined;
    this.#record = { ...this.#record, address: this.#context.takeAddress() };
    if (!this.#settings || this.#pod.spec.initContainers?.some(cannotBePulled)) {
      this.#stage = 'node';
      this.#report();
      return;
    }
    this.#startBootstrap();
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
    const { clock, random, timing } = this.#context;
    const elapsedMs = clock.monotonic() - this.#bootstrapStartedMs;
    const decision = decideBootstrap({
      configMap: this.#configMap,
      pod: this.#pod.metadata.name,
      hostName: this.#hostName(),
      address: this.#record.address ?? '',
      clusterName: this.#settings?.clusterName ?? '',
      seeds: this.#settings?.seeds ?? '',
      elapsedSeconds: elapsedMs / 1000,
      ask: (seed) => this.#ask(seed),
    });
    if (decision.kind === 'wait') {
      const { untilSeconds } = decision;
      if (untilSeconds !== undefined) this.#plan(Math.ceil((untilSeconds * 1000 - elapsedMs) / roundMs) * roundMs);
      return;
    }
    const exitCode = decision.kind === 'fail' ? 1 : 0;
    const state = this.#terminated(exitCode, exitCode === 0 ? undefined : 'the seeds are not what they should be');
    if (decision.kind === 'fail') {
      const { restarts } = this.#record.bootstrap;
      this.#update({ bootstrap: { state, last: state, restarts: restarts + 1, ready: false } });
      this.#timer = schedule(clock, this.#backOff(), () => {
        this.#timer = undefined;
        this.#startBootstrap();
      });
      return;
    }
    this.#failures = 0;
    this.#seeds = decision.seeds;
    if (decision.alone !== undefined) this.#context.startedAlone(this.#pod.metadata.name, decision.alone);
    this.#stage = 'node';
    this.#record = { ...this.#record, bootstrap: { ...this.#record.bootstrap, state, ready: true } };
    if (this.#pod.spec.containers.some((each) => each.name === nodeName && cannotBePulled(each))) {
      this.#report();
      return;
    }
    this.#timer = schedule(clock, draw(random, timing.containerMs), () => this.#startNode());
  }

  #ask(seed: string): SeedAnswer {
    const { resolve, network, region } = this.#context;
    const address = resolve(seed, this.#pod.metadata.namespace);
    if (address === resolverFails) return { kind: 'resolverFails' };
    const node = address === undefined ? undefined : network.reaches(region, address);
    if (!node || node.jolokia === 'closed') return { kind: 'silent' };
    if (node.jolokia === 'empty') return { kind: 'open' };
    return { kind: 'cassandra', mode: node.mode, clusterName: node.options.clusterName, hostId: node.hostId };
  }

  #hostName(): string {
    const { name, namespace } = this.#pod.metadata;
    return `${name}.${this.#pod.spec.subdomain}.${namespace}.svc.cluster.local`;
  }

  #startNode(): void {
    this.#timer = undefined;
    const { network, region, resolve } = this.#context;
    const { name, namespace } = this.#pod.metadata;
    const settings = this.#settings;
    const { address } = this.#record;
    if (!settings || address === undefined) return;
    const ownName = this.#hostName();
    this.#node = network.start({
      name,
      region,
      address,
      clusterName: settings.configuredName,
      datacenter: settings.datacenter,
      rack: settings.rack,
      seeds: this.#seeds,
      resolve: (seed) => {
        const found = seed === ownName ? address : resolve(seed, namespace);
        return found === resolverFails ? undefined : found;
      },
      disk: this.#disk(),
      onExit: (reason) => this.#ended(reason),
    });
    const state = { running: { startedAt: this.#context.timestamp() } };
    this.#update({ node: { ...this.#record.node, state, ready: false } });
  }

  /** The claim that cassandra mounts, else a directory that lives as long as the pod. */
  #disk(): NodeDisk {
    const { namespace } = this.#pod.metadata;
    const [claim] = claimsOf(this.#pod);
    const disk = claim === undefined ? undefined : this.#context.volumes.diskOf(namespace, claim);
    return disk ?? (this.#emptyDirectory ??= emptyDisk());
  }

  /** CassKop's probe finds the node's own address among LiveNodes, which is there from the join on, and for good. */
  #awaitReady(): void {
    const { clock, random, timing } = this.#context;
    if (this.#probe || !this.#node || this.#node.hasEnded || this.#node.mode === 'STARTING') return;
    this.#probe = schedule(clock, draw(random, timing.probeMs), () => {
      this.#probe = undefined;
      if (this.#stage === 'node' && this.#node && !this.#node.hasEnded) {
        this.#update({ node: { ...this.#record.node, ready: true } });
      }
    });
  }

  #ended(reason: string): void {
    if (this.#stage !== 'node') return;
    this.#probe?.cancel();
    this.#probe = undefined;
    const last = this.#terminated(3, reason);
    const { restarts } = this.#record.node;
    const state = { waiting: { reason: 'CrashLoopBackOff', message: reason } };
    this.#update({ node: { state, last, restarts: restarts + 1, ready: false } });
    this.#timer = schedule(this.#context.clock, this.#backOff(), () => this.#startNode());
  }

  #backOff(): number {
    const { first, most } = this.#context.timing.backOffMs;
    return Math.min(most, first * 2 ** this.#failures++);
  }

  #terminate(): void {
    const { clock, random, timing } = this.#context;
    this.#stop('terminating');
    this.#node?.stop();
    this.#timer = schedule(clock, draw(random, timing.terminationMs), () => {
      this.#context.access.remove(kinds.pods, this.#pod, { gracePeriodSeconds: 0 });
    });
  }

  #terminated(exitCode: number, message: string | undefined) {
    const now = this.#context.timestamp();
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    return {
      terminated: { exitCode, reason, ...(message !== undefined && { message }), startedAt: now, finishedAt: now },
    };
  }

  #update(change: Partial<PodRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#report();
  }

  #report(): void {
    if (this.#stage === 'gone') return;
    const { access, timestamp } = this.#context;
    const stored = access.find(kinds.pods, this.#pod.metadata.namespace, this.#pod.metadata.name);
    if (stored?.metadata.uid !== this.#pod.metadata.uid) return;
    access.putStatus(kinds.pods, stored, podStatus(stored, this.#record, timestamp()));
  }
}
