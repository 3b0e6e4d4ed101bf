import PQueue from 'p-queue';
import { sleep, type Clock, type Timer } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { FailureKind, QueueMetrics } from '../telemetry/metrics.ts';

/** What a run of a key asks for next; nothing means: wait for the next event. */
export interface ProcessResult {
  /** Run the key again after so many milliseconds, unless something adds it sooner. */
  requeueAfterMs?: number;
}

export interface WorkQueueOptions {
  /** For messages. */
  name: string;
  /** How many keys are processed at once; at least 1. */
  concurrency: number;
  /**
   * Does the work for one key. Returning forgets the key's failures; throwing means: try again, later each time. `signal`
   * aborts when the queue shuts down; a run that ends by it is no failure.
   */
  process: (key: string, signal: AbortSignal) => Promise<ProcessResult | void>;
  /**
   * Told of each failure before the key is added again; `failures` counts those in a row, this one included. Must not
   * throw.
   */
  onFailure: (key: string, error: unknown, failures: number) => void;
  /** Which kind of failure an error is, default `usual`. A terminal one is tried again after the longest wait only. Must not throw. */
  kindOf?: (error: unknown) => FailureKind;
  clock: Clock;
  random: Random;
  metrics?: QueueMetrics;
  /** The wait after a key's first failure, milliseconds, default 5; it doubles with each failure in a row. */
  retryFirstMs?: number;
  /** The longest wait after a failure, milliseconds, default 1 000 000 (controller-runtime's figure, about 16 minutes). */
  retryMaxMs?: number;
}

const retryDefaultMaxMs = 1_000_000;

/**
 * A key that took long to process rests for a multiple of that before it is processed again, so that what happens
 * meanwhile is seen in one go: a hundred regions that answer one after the other are no reason for a hundred passes.
 * Milliseconds.
 */
const restFactor = 2;
const restMaxMs = 50;

/** Events of users go first; what a start or a resync adds comes after them. */
export const eventPriority = 0;
export const backgroundPriority = -100;

/**
 * Where a key is. Absent: idle.
 * waiting: handed to the executor, not begun.
 * running: being processed; `again` is set when it was added meanwhile, and it then waits once more afterwards.
 */
type Entry =
  | { kind: 'waiting'; priority: number; addedAt: number; started: boolean }
  | { kind: 'running'; startedAt: number; again: { priority: number; addedAt: number } | undefined };

/**
 * A queue of keys in the manner of client-go's: however often a key is added before it runs, it runs once; it never
 * runs twice at the same time; added while it runs, it runs once more afterwards. Retries wait longer and longer, each
 * key for itself. Within a priority, first come, first served.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #executor: PQueue;
  readonly #entries = new Map<string, Entry>();
  readonly #timers = new Map<string, { at: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  /** By key: until when it rests, monotonic milliseconds. */
  readonly #rests = new Map<string, number>();
  readonly #stop = new AbortController();

  constructor(options: WorkQueueOptions) {
    if (!Number.isInteger(options.concurrency) || options.concurrency < 1) {
      throw new RangeError(`concurrency: expected an integer of at least 1, got ${options.concurrency}`);
    }
    this.#options = options;
    this.#executor = new PQueue({ concurrency: options.concurrency });
    options.metrics?.observe(() => ({
      waiting: this.#waitingByPriority(),
      runningMs: this.running.map((each) => each.forMs),
      concurrency: options.concurrency,
    }));
  }

  /** Keys that wait for their turn now; those that wait for a time are not counted. */
  get waiting(): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (entry.kind === 'waiting' || entry.again) count++;
    return count;
  }

  #waitingByPriority(): Map<number, number> {
    const counts = new Map([
      [eventPriority, 0],
      [backgroundPriority, 0],
    ]);
    for (const entry of this.#entries.values()) {
      const priority = entry.kind === 'waiting' ? entry.priority : entry.again?.priority;
      if (priority !== undefined) counts.set(priority, (counts.get(priority) ?? 0) + 1);
    }
    return counts;
  }

  /** Keys being processed, and for how many milliseconds. */
  get running(): { key: string; forMs: number }[] {
    const now = this.#options.clock.monotonic();
    return [...this.#entries].flatMap(([key, entry]) =>
      entry.kind === 'running' ? [{ key, forMs: now - entry.startedAt }] : [],
    );
  }

  /** Runs `key` as soon as it is its turn. A key that already waits keeps its place, or moves up to `priority`. */
  add(key: string, priority: number = eventPriority): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelTimer(key);
    const entry = this.#entries.get(key);
    const addedAt = this.#options.clock.monotonic();
    if (entry?.kind === 'running') {
      entry.again = {
        priority: Math.max(priority, entry.again?.priority ?? priority),
        addedAt: entry.again?.addedAt ?? addedAt,
      };
    } else if (entry) {
      if (priority <= entry.priority) return;
      entry.priority = priority;
      if (!entry.started) this.#executor.setPriority(key, priority);
    } else {
      const restMs = (this.#rests.get(key) ?? addedAt) - addedAt;
      if (restMs > 0) {
        this.addAfter(key, restMs, priority);
        return;
      }
      this.#rests.delete(key);
      this.#options.metrics?.added();
      this.#enqueue(key, priority, addedAt);
    }
  }

  /** Adds `key` after `delayMs` milliseconds. A key has one timer: the earliest wins, and an `add` replaces it. */
  addAfter(key: string, delayMs: number, priority: number = eventPriority): void {
    if (this.#stop.signal.aborted) return;
    if (delayMs <= 0) {
      this.add(key, priority);
      return;
    }
    const entry = this.#entries.get(key);
    if (entry?.kind === 'waiting' || entry?.again) return;
    const at = this.#options.clock.monotonic() + delayMs;
    const set = this.#timers.get(key);
    if (set && set.at <= at) return;
    set?.timer.cancel();
    const timer = this.#options.clock.timer(delayMs, () => this.add(key, priority));
    this.#timers.set(key, { at, timer });
  }

  /** Adds `key` after a wait that doubles with each call until `forget`, with jitter between half and all of it. */
  addRateLimited(key: string): void {
    const { retryFirstMs = 5, retryMaxMs = retryDefaultMaxMs, random, metrics } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    metrics?.retried();
    const waitMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(failures, 32));
    this.addAfter(key, waitMs * (0.5 + random.next() / 2));
  }

  /** Lets the next failure of `key` count as its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How many failures of `key` came in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Resolves when no key waits for its turn and none runs. Keys that wait for a time do not hold it up. */
  async drain(): Promise<void> {
    while (this.#entries.size > 0) await this.#executor.onIdle();
  }

  /**
   * Takes nothing more, drops what waits, aborts what runs, and waits for it at most `deadlineMs` milliseconds.
   * Resolves with the keys that still run then; empty is a clean end.
   */
  async shutDown(deadlineMs: number): Promise<string[]> {
    this.#stop.abort(new DOMException(`queue ${this.#options.name} shuts down`, 'AbortError'));
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#executor.clear();
    for (const [key, entry] of this.#entries) if (entry.kind === 'waiting') this.#entries.delete(key);
    const ended = new AbortController();
    const deadline = sleep(this.#options.clock, deadlineMs, ended.signal).catch(() => undefined);
    await Promise.race([this.#executor.onPendingZero(), deadline]);
    ended.abort();
    return this.running.map((each) => each.key);
  }

  #enqueue(key: string, priority: number, addedAt: number): void {
    const entry: Entry = { kind: 'waiting', priority, addedAt, started: false };
    this.#entries.set(key, entry);
    this.#executor
      .add(
        async () => {
          entry.started = true;
          // The executor may begin inside `add`; who adds must never find itself inside the work.
          await Promise.resolve();
          if (!this.#stop.signal.aborted) await this.#run(key, entry.addedAt);
        },
        { id: key, priority },
      )
      // Only `clear` rejects: the key was dropped, as it should be.
      .catch(() => undefined);
  }

  async #run(key: string, addedAt: number): Promise<void> {
    const { clock, process, onFailure, kindOf, retryMaxMs = retryDefaultMaxMs, metrics } = this.#options;
    const startedAt = clock.monotonic();
    const running: Entry = { kind: 'running', startedAt, again: undefined };
    this.#entries.set(key, running);
    metrics?.started(startedAt - addedAt);
    let result: 'success' | 'requeue_after' | 'error' = 'success';
    let failure: FailureKind | undefined;
    let next = (): void => undefined;
    try {
      const { requeueAfterMs } = (await process(key, this.#stop.signal)) ?? {};
      this.forget(key);
      if (requeueAfterMs !== undefined) {
        result = 'requeue_after';
        next = () => this.addAfter(key, requeueAfterMs);
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      result = 'error';
      failure = kindOf?.(error) ?? 'usual';
      next = () => (failure === 'terminal' ? this.addAfter(key, retryMaxMs) : this.addRateLimited(key));
      onFailure(key, error, this.failures(key) + 1);
    } finally {
      const finishedAt = clock.monotonic();
      const tookMs = finishedAt - startedAt;
      metrics?.finished(result, tookMs, failure);
      const again = this.#again(key);
      this.#entries.delete(key);
      if (tookMs > 0) this.#rests.set(key, finishedAt + Math.min(tookMs * restFactor, restMaxMs));
      if (again && !this.#stop.signal.aborted) {
        if (tookMs > 0) this.add(key, again.priority);
        else {
          metrics?.added();
          this.#enqueue(key, again.priority, again.addedAt);
        }
      }
      next();
    }
  }

  #again(key: string): { priority: number; addedAt: number } | undefined {
    const entry = this.#entries.get(key);
    return entry?.kind === 'running' ? entry.again : undefined;
  }

  #cancelTimer(key: string): void {
    this.#timers.get(key)?.timer.cancel();
    this.#timers.delete(key);
  }
}
