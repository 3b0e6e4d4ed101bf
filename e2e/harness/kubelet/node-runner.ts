import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startNode, type NodeInput } from './node-process.ts';
import { restartDelayMs, terminated, timestamp, type ContainerRecord } from './pod-status.ts';
import { isReady } from './readiness.ts';
import { ended, signalGroup, type Sandbox } from './sandbox.ts';

const probeIntervalStartingMs = 300;
const probeIntervalReadyMs = 2_000;

/** Container `cassandra` of one pod: keeps a node running, starts it again when it ends, and reports how it is. */
export class NodeRunner {
  readonly #input: NodeInput;
  readonly #sandbox: Sandbox;
  readonly #files: { readonly log: string; readonly pid: string };
  readonly #report: (record: ContainerRecord) => void;
  #record: ContainerRecord = { state: { waiting: { reason: 'PodInitializing' } }, restarts: 0, ready: false };
  #node: ChildProcess | undefined;

  /** `files`: where the node's output and its process id go. */
  constructor(
    input: NodeInput,
    sandbox: Sandbox,
    files: { log: string; pid: string },
    report: (record: ContainerRecord) => void,
  ) {
    this.#input = input;
    this.#sandbox = sandbox;
    this.#files = files;
    this.#report = report;
  }

  /** Runs it until `signal` aborts, and then until the node has ended; {@link stop} ends it. */
  async run(signal: AbortSignal): Promise<void> {
    mkdirSync(this.#input.dataDirectory, { recursive: true });
    mkdirSync(this.#input.logDirectory, { recursive: true });
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      const startedAt = timestamp();
      const node = startNode(this.#input, this.#sandbox, this.#files.log);
      this.#node = node;
      writeFileSync(this.#files.pid, String(node.pid));
      this.#update({ state: { running: { startedAt } }, ready: false });
      const running = new AbortController();
      const gone = ended(node).finally(() => running.abort(new Error('the node ended')));
      await this.#probe(AbortSignal.any([signal, running.signal]));
      const state = terminated(await gone, startedAt);
      this.#node = undefined;
      this.#update({ state, ready: false });
      await delay(restartDelayMs(attempt), undefined, { signal });
      this.#update({ last: state, restarts: this.#record.restarts + 1 });
    }
  }

  /** SIGTERM, upon which Cassandra drains itself, and SIGKILL when that takes longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#node) return;
    const gone = ended(this.#node);
    signalGroup(this.#node, 'SIGTERM');
    await Promise.race([gone, delay(graceMs, undefined, { ref: false })]);
    this.kill();
  }

  kill(): void {
    if (this.#node) signalGroup(this.#node, 'SIGKILL');
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { address, credentials } = this.#input;
    while (!signal.aborted) {
      const ready = await isReady(address, credentials, signal);
      if (signal.aborted) return;
      if (ready !== this.#record.ready) this.#update({ ready });
      const intervalMs = ready ? probeIntervalReadyMs : probeIntervalStartingMs;
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #update(change: Partial<ContainerRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#report(this.#record);
  }
}
