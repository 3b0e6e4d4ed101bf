import PQueue from 'p-queue';
import { type Clock, sleep } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { Outcome } from '../federation/execute.ts';
import { type Intent, isSameWrite } from '../federation/intents.ts';

/** One region's part of a plan. */
export interface Turn {
  readonly key: string;
  readonly region: string;
  /** Turns of one lane share its few places: one lane for each cluster. */
  readonly lane: string;
  /** In order; at least one. */
  readonly intents: readonly Intent[];
  /** Sends them, in order, until one fails. Returning without outcomes is no failure. */
  readonly send: (signal: AbortSignal) => Promise<Outcome[]>;
}

export interface TurnsOptions {
  clock: Clock;
  random: Random;
  /** Called when a turn is over, before the region counts as free again. Must not wait. */
  onOutcomes: (turn: Turn, outcomes: readonly Outcome[]) => void;
  /** Called when the region may be planned for again: now, or `afterMs` milliseconds later. Must not wait. */
  onEnd: (key: string, afterMs: number) => void;
  /** A turn that ended with something else than an answer: a mistake in the program. */
  onMistake: (turn: Turn, error: unknown) => void;
}

/** Turns that one cluster serves at once. */
const perLane = 4;
/** The wait before the same write is tried again, milliseconds; it doubles with each failure in a row. */
const retryFirstMs = 20;
/** The first wait of one that costs nodes a login. */
const loginRetryFirstMs = 2_000;
const retryMaxMs = 30_000;

/**
 * Sends what plans ask for, so that nobody waits for a slow region but itself: each key has at most one turn in each
 * region at a time, and turns in one cluster take no place from those in another. A write that failed is not tried
 * again before a wait that grows with each failure; another one is.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #lanes = new Map<string, PQueue>();
  readonly #underWay = new Set<string>();
  readonly #failed = new Map<string, { intent: Intent; count: number; until: number }>();
  readonly #stop = new AbortController();
  #stopping = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** A turn that is under way ends with the write it is at. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  /** Whether nobody can say what the region holds because a turn of `key` is on its way there. */
  isUnderWay(key: string, region: string): boolean {
    return this.#underWay.has(idOf(key, region));
  }

  /**
   * Begins a turn and returns at once. Answers undefined, or in how many milliseconds to ask again: its first write is
   * the one that failed a moment ago.
   */
  begin(turn: Turn): number | undefined {
    const id = idOf(turn.key, turn.region);
    const failed = this.#failed.get(id);
    const leftMs = failed ? failed.until - this.#options.clock.monotonic() : 0;
    if (this.#stopping || this.#underWay.has(id)) return undefined;
    const [first] = turn.intents;
    if (failed && leftMs > 0 && first && isSameWrite(failed.intent.write, first.write)) return leftMs;
    let lane = this.#lanes.get(turn.lane);
    if (!lane) this.#lanes.set(turn.lane, (lane = new PQueue({ concurrency: perLane })));
    this.#underWay.add(id);
    // Only `clear` rejects: the turn was dropped, as it should be.
    lane.add(() => this.#take(turn, id)).catch(() => undefined);
    return undefined;
  }

  /** Failures of a key that is gone count no more. */
  forget(key: string): void {
    for (const id of this.#failed.keys()) if (id.startsWith(`${key} `)) this.#failed.delete(id);
  }

  /** Begins nothing more, and resolves when no turn is under way; after `deadlineMs` milliseconds those that are get aborted. */
  async shutDown(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    for (const lane of this.#lanes.values()) lane.clear();
    const idle = Promise.all([...this.#lanes.values()].map((lane) => lane.onIdle()));
    const ended = new AbortController();
    await Promise.race([idle, sleep(this.#options.clock, deadlineMs, ended.signal).catch(() => undefined)]);
    ended.abort();
    this.#stop.abort(new DOMException('the controller stops', 'AbortError'));
    await idle;
  }

  async #take(turn: Turn, id: string): Promise<void> {
    const { clock, random, onOutcomes, onEnd, onMistake } = this.#options;
    let failure: Intent | undefined;
    try {
      const outcomes = await turn.send(this.#stop.signal);
      failure = outcomes.find(({ error }) => error)?.intent;
      onOutcomes(turn, outcomes);
    } catch (error) {
      failure = turn.intents[0];
      if (!this.#stop.signal.aborted) onMistake(turn, error);
    }
    let waitMs = 0;
    if (failure) {
      const count = (this.#failed.get(id)?.count ?? 0) + 1;
      const firstMs = failure.write.verb === 'cql' ? loginRetryFirstMs : retryFirstMs;
      waitMs = Math.min(retryMaxMs, firstMs * 2 ** Math.min(count - 1, 32)) * (0.5 + random.next() / 2);
      this.#failed.set(id, { intent: failure, count, until: clock.monotonic() + waitMs });
    } else {
      this.#failed.delete(id);
    }
    this.#underWay.delete(id);
    onEnd(turn.key, waitMs);
  }
}

function idOf(key: string, region: string): string {
  return `${key} ${region}`;
}
