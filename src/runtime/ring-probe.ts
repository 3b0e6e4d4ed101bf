import type { Clock } from '../edges/clock.ts';
import { sleep, withDeadline } from '../edges/clock.ts';
import PQueue from 'p-queue';
import { isSameJson } from '../api/json.ts';
import type { Pace } from '../federation/pace.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { readNodeView, readReplication } from '../ring/jolokia.ts';
import { userKeyspaces } from '../ring/keyspaces.ts';
import type { NodeView } from '../ring/view.ts';

export interface RingProbeOptions {
  client: Pick<KubeClient, 'podProxyGet'>;
  clock: Clock;
  namespace: string;
  /** The pods whose nodes may answer now: Ready ones. */
  readyPods: () => readonly KubeObject[];
  /** Called after a round that learnt something new. */
  onChange: () => void;
}

/** Milliseconds between two rounds at each pace of the plan. */
export const probePaceMs = { fast: 400, writing: 60_000, slow: 5_000, quiet: 60_000 } as const satisfies Record<
  Pace,
  number
>;
/** A burst of events must not become a burst of rounds. Milliseconds. */
const shortestPauseMs = 100;
/** A node that does not answer within this is not heard in this round. Milliseconds. */
const answerDeadlineMs = 5_000;
const parallelQuestions = 8;
/** Each keyspace costs a request, and people alter few of them. Milliseconds. */
const replicationMaxAgeMs = 5_000;

/** Asks the nodes of one namespace, round after round, what they see of their ring. Views cannot be watched. */
export class RingProbe {
  readonly #options: RingProbeOptions;
  /** By pod uid: a pod of the same name is another node's process. */
  readonly #views = new Map<string, NodeView>();
  readonly #failures = new Map<string, string>();
  readonly #lane = new PQueue({ concurrency: parallelQuestions });
  #replication: Record<string, string> | undefined;
  #replicationReadAt = -Infinity;
  /** Aborts what is being read of the replication. */
  #readStop = new AbortController();
  /** Of what the last round left. */
  #lastDigest = this.#digest();
  #pace: Pace = 'fast';
  #wake = new AbortController();

  constructor(options: RingProbeOptions) {
    this.#options = options;
  }

  view(pod: KubeObject): NodeView | undefined {
    return this.#views.get(pod.metadata.uid ?? '');
  }

  unreadable(pod: KubeObject): string | undefined {
    return this.#failures.get(pod.metadata.uid ?? '');
  }

  get replication(): Readonly<Record<string, string>> | undefined {
    return this.#replication;
  }

  /** Keyspaces were altered: how they are replicated is not known before it has been read anew. */
  forgetReplication(): void {
    this.#replication = undefined;
    this.#readStop.abort();
    this.#readStop = new AbortController();
    this.nudge();
  }

  /** Sets the pace; a faster one begins a round at once. */
  set pace(pace: Pace) {
    if (probePaceMs[pace] < probePaceMs[this.#pace]) this.nudge();
    this.#pace = pace;
  }

  /** Begins the next round now: a pod came or went. */
  nudge(): void {
    this.#wake.abort();
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#round(signal);
      try {
        await sleep(this.#options.clock, probePaceMs[this.#pace], AbortSignal.any([signal, this.#wake.signal]));
      } catch {
        // Woken or stopped; the loop's condition tells which.
        if (!signal.aborted) await sleep(this.#options.clock, shortestPauseMs, signal).catch(() => undefined);
      }
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, readyPods, onChange } = this.#options;
    const pods = readyPods();
    const present = new Set(pods.map((pod) => pod.metadata.uid ?? ''));
    for (const uid of [...this.#views.keys(), ...this.#failures.keys()]) {
      if (present.has(uid)) continue;
      this.#views.delete(uid);
      this.#failures.delete(uid);
    }
    await Promise.all(
      pods.map((pod) =>
        this.#lane.add(async () => {
          using deadline = withDeadline(clock, answerDeadlineMs, signal);
          await this.#ask(pod, deadline.signal);
        }),
      ),
    );
    if (signal.aborted) return;
    await this.#readReplication(pods, signal);
    const before = this.#lastDigest;
    this.#lastDigest = this.#digest();
    if (this.#lastDigest !== before) onChange();
  }

  async #ask(pod: KubeObject, signal: AbortSignal): Promise<void> {
    const { client, clock, namespace } = this.#options;
    const uid = pod.metadata.uid ?? '';
    try {
      const view = await readNodeView(client, namespace, pod.metadata.name, clock.monotonic(), signal);
      const before = this.#views.get(uid);
      const same = before && isSameJson(before.hosts, view.hosts);
      this.#views.set(uid, same ? { ...view, hostsSinceMs: before.hostsSinceMs } : view);
      this.#failures.delete(uid);
    } catch (error) {
      // What the node last said stays until it is too old; that it said nothing now is known beside it.
      this.#failures.set(uid, error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Replication matters only once there is data; then one node's word is enough, since schema is ring-wide. Keyspaces that
   * are new are read at once, and what is known is read again after a while.
   */
  async #readReplication(pods: readonly KubeObject[], signal: AbortSignal): Promise<void> {
    const { client, clock, namespace } = this.#options;
    const pod = pods.find((each) => this.view(each)?.operationMode === 'NORMAL' && !this.unreadable(each));
    const keyspaces = pod && this.view(pod)?.keyspaces;
    if (!pod || !keyspaces || userKeyspaces(keyspaces).length === 0 || this.#pace === 'quiet') return;
    const startedAt = clock.monotonic();
    const known = this.#replication;
    const isFresh = startedAt - this.#replicationReadAt < replicationMaxAgeMs;
    if (known && isFresh && keyspaces.every((each) => known[each] !== undefined)) return;
    const stop = this.#readStop.signal;
    using deadline = withDeadline(clock, answerDeadlineMs, AbortSignal.any([signal, stop]));
    try {
      const entries: [string, string][] = [];
      for (const keyspace of keyspaces) {
        const { name } = pod.metadata;
        entries.push([keyspace, await readReplication(client, namespace, name, keyspace, deadline.signal)]);
      }
      stop.throwIfAborted();
      this.#replication = Object.fromEntries(entries);
      this.#replicationReadAt = startedAt;
    } catch {
      // Not known this time; the gate that needs it stays closed.
      this.#replication = undefined;
    }
  }

  /** Everything the planner reads from here but the time of it. */
  #digest(): string {
    const views = [...this.#views.values()].map((view) => ({ ...view, observedAtMs: 0, hostsSinceMs: 0 }));
    return JSON.stringify([views, [...this.#failures], this.#replication]);
  }
}
