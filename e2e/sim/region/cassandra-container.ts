import type { Timer } from '../../../src/edges/clock.ts';
import { schedule } from './actor-clock.ts';
import type { PodSettings } from './bootstrap-container.ts';
import type { NodeDisk } from './cassandra/node-disk.ts';
import type { CassandraNode } from './cassandra/node.ts';
import type { NodeSettings } from './guard-decision.ts';
import type { KubeletContext } from './kubelet.ts';
import { resolverFails } from './names.ts';
import { BackOff, terminated, type ContainerRecord } from './pod-status.ts';
import { draw } from './timing.ts';

export interface CassandraContainerOptions {
  readonly pod: string;
  readonly namespace: string;
  /** What `hostname -f` prints. */
  readonly hostName: string;
  readonly address: string;
  readonly settings: PodSettings;
  /** As the init container left them. */
  readonly node: NodeSettings;
  readonly disk: NodeDisk;
  /** How often the container was started again before, in another sandbox of its pod. */
  readonly restarts: number;
}

/**
 * Container `cassandra` in one sandbox of its pod: runs Cassandra, again and again if it must, and reports whether it
 * is ready.
 */
export class CassandraContainer {
  readonly #context: KubeletContext;
  readonly #options: CassandraContainerOptions;
  readonly #report: (record: ContainerRecord) => void;
  readonly #backOff: BackOff;
  #node: CassandraNode | undefined;
  #record: ContainerRecord;
  #start: Timer | undefined;
  #probe: Timer | undefined;

  constructor(context: KubeletContext, options: CassandraContainerOptions, report: (record: ContainerRecord) => void) {
    this.#context = context;
    this.#options = options;
    this.#report = report;
    this.#backOff = new BackOff(context.timing.backOffMs);
    const state = { waiting: { reason: 'PodInitializing' } };
    this.#record = { state, restarts: options.restarts, ready: false };
    this.#start = schedule(context.clock, draw(context.random, context.timing.containerMs), () => this.#run());
  }

  /** The last process that ran; it may have ended. */
  get node(): CassandraNode | undefined {
    return this.#node;
  }

  /** CassKop's probe finds the node's own address among LiveNodes, which is there from the join on, and for good. */
  surroundingsChanged(): void {
    const { clock, random, timing } = this.#context;
    if (this.#record.ready || this.#probe || !this.#node || this.#node.hasEnded || this.#node.mode === 'STARTING')
      return;
    this.#probe = schedule(clock, draw(random, timing.probeMs), () => {
      this.#probe = undefined;
      this.#update({ ready: true });
    });
  }

  /** Cassandra's process dies. */
  crash(): void {
    if (!this.#node || this.#node.hasEnded) return;
    this.#node.crash();
    this.#ended('killed');
  }

  /** Ends it for good: in an orderly way, or because its machine is gone. */
  end(how: 'stop' | 'crash'): void {
    this.#start?.cancel();
    this.#probe?.cancel();
    this.#node?.[how]();
  }

  #run(): void {
    const { network, region, resolve } = this.#context;
    const { pod, namespace, hostName, address, settings, node, disk } = this.#options;
    this.#node = network.start({
      name: pod,
      region,
      address,
      clusterName: settings.configuredName,
      datacenter: settings.datacenter,
      rack: settings.rack,
      ...node,
      resolve: (seed) => {
        const found = seed === hostName ? address : resolve(seed, namespace);
        return found === resolverFails ? undefined : found;
      },
      disk,
      onExit: (reason) => this.#ended(reason),
    });
    this.#update({ state: { running: { startedAt: this.#context.timestamp() } } });
  }

  #ended(reason: string): void {
    this.#probe?.cancel();
    this.#probe = undefined;
    const last = terminated(3, this.#context.timestamp(), reason);
    const state = { waiting: { reason: 'CrashLoopBackOff', message: reason } };
    this.#start = schedule(this.#context.clock, this.#backOff.next(), () => this.#run());
    this.#update({ state, last, restarts: this.#record.restarts + 1, ready: false });
  }

  #update(change: Partial<ContainerRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#report(this.#record);
  }
}
