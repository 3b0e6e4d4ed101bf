import { sleep } from '../edges/clock.ts';
import type { WatchEvent } from './client.ts';
import { errorFromStatus, KubeError } from './errors.ts';
import type { KubeObject } from './objects.ts';
import { Backoff, recoveryFrom, restartCauses, wasReplaced, type Recovery, type RestartCause } from './recovery.ts';
import {
  defaultReflectorLimits,
  type ReflectorLimits,
  type ReflectorOptions,
  type ReflectorStatus,
} from './reflector-options.ts';
import { followers, type State } from './reflector-states.ts';
import { ObjectStore, type Change, type Store } from './store.ts';
import { WatchAttempt } from './watch-attempt.ts';

/** After so many watches in a row without an event or a bookmark, the store is filled anew. */
const barrenWatchesMax = 2;

/**
 * Keeps a Store equal to what one cluster holds of one kind.
 *
 * Flow: 1. a consistent list (no resourceVersion: a cached answer may be older than what a predecessor acted on), page
 * by page, swapped into the store at once; 2. a watch from the list's resourceVersion, with bookmarks; 3. when the
 * watch ends, or does not bring what we wrote ourselves, another from the last version heard; 4. a new list only when the server no longer knows that version, or
 * watches from it bring nothing any more.
 *
 * Guarantees: changes are reported in order and once; a deletion missed while disconnected is reported after the next
 * list; an object deleted and created again is never reported as an update. Nothing the server does ends it.
 * Caveats: the store may lag by any time while the server is unreachable; see `status.connected` and `lastEventAt`.
 * Errors: none; they are in the status, the log and the counters.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #limits: ReflectorLimits;
  readonly #backoff: Backoff;
  readonly #store = new ObjectStore(() => this.#attempt?.fellBehind());
  readonly #restarts = Object.fromEntries(restartCauses.map((cause) => [cause, 0])) as Record<RestartCause, number>;
  #connected = false;
  #lastEventAt: number | undefined;
  #lastError: Error | undefined;
  #handlerFailures = 0;
  #barrenWatches = 0;
  #attempt: WatchAttempt | undefined;
  /** Watches in a row that were given up since they did not bring our own writes. */
  #behindInARow = 0;
  #wait = new AbortController();

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#limits = { ...defaultReflectorLimits, ...options.limits };
    const { watchSecondsMin, watchSecondsMax, idleMs, shortMs } = this.#limits;
    if (watchSecondsMin > watchSecondsMax) throw new RangeError('watchSecondsMin is greater than watchSecondsMax');
    if (idleMs <= shortMs) throw new RangeError('idleMs must be greater than shortMs');
    this.#backoff = new Backoff(this.#limits.backoff, options.random);
  }

  /** The objects, for readers. */
  get store(): Store {
    return this.#store;
  }

  get status(): ReflectorStatus {
    return {
      hasSynced: this.#store.synced,
      connected: this.#connected,
      lastEventAt: this.#lastEventAt,
      lastResourceVersion: this.#store.heard,
      restarts: { ...this.#restarts },
      handlerFailures: this.#handlerFailures,
      lastError: this.#lastError,
    };
  }

  /** Ends a wait after a failure, but for one that the server asked for: what it failed for may be mended. */
  retryNow(): void {
    this.#backoff.reset();
    this.#wait.abort();
  }

  /** Runs until `signal` aborts, then resolves; call it once. */
  async run(signal: AbortSignal): Promise<void> {
    let state: State = { kind: 'listing' };
    while (state.kind !== 'stopped') {
      const next: State = await this.#step(state, signal);
      if (!followers[state.kind].includes(next.kind)) throw new Error(`reflector: from ${state.kind} to ${next.kind}`);
      this.#options.logger.debug('reflector', { from: state.kind, to: next.kind });
      state = next;
    }
    this.#connected = false;
  }

  /** Does what `state` is for, and says what comes next. */
  async #step(state: Exclude<State, { kind: 'stopped' }>, signal: AbortSignal): Promise<State> {
    try {
      signal.throwIfAborted();
      if (state.kind === 'listing') return { kind: 'watching', resourceVersion: await this.#list(signal) };
      if (state.kind === 'watching') return await this.#watch(state.resourceVersion, signal);
      this.#wait = new AbortController();
      const interrupted = state.mayHurry ? AbortSignal.any([signal, this.#wait.signal]) : signal;
      await sleep(this.#options.clock, state.delayMs, interrupted).catch(() => undefined);
      signal.throwIfAborted();
      return state.next;
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      return this.#recover(recoveryFrom(error), state.kind !== 'watching', error);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, resource, selection } = this.#options;
    this.#store.beginList();
    const items: KubeObject[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await client.list(
        resource,
        {
          limit: this.#limits.pageSize,
          ...selection,
          ...(next !== undefined && { continue: next }),
        },
        signal,
      );
      this.#heard();
      items.push(...page.items);
      next = page.metadata.continue;
      if (next) continue;
      const wasSynced = this.#store.synced;
      this.#report(this.#store.replace(items, page.metadata.resourceVersion));
      if (!wasSynced) this.#guard('onConnection', () => this.#options.onConnection?.());
      return page.metadata.resourceVersion;
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<State> {
    const { client, resource, selection, clock, random } = this.#options;
    const { watchSecondsMin, watchSecondsMax, idleMs, behindMs, overrunMs, shortMs } = this.#limits;
    const timeoutSeconds = Math.round(watchSecondsMin + random.next() * (watchSecondsMax - watchSecondsMin));
    const startedAt = clock.monotonic();
    let events = 0;
    using attempt = new WatchAttempt(clock, signal, {
      idleMs,
      // A server that is only slow must not have its watches begun anew all the time.
      behindMs: Math.min(idleMs, behindMs * 2 ** this.#behindInARow),
      capMs: timeoutSeconds * 1000 + overrunMs,
    });
    this.#attempt = attempt;
    try {
      const stream = client.watch(
        resource,
        {
          resourceVersion,
          timeoutSeconds,
          ...selection,
        },
        attempt.signal,
        () => {
          attempt.progress();
          this.#heard();
          if (!this.#store.isCurrent()) attempt.fellBehind();
        },
      );
      for await (const event of stream) {
        events++;
        this.#apply(event);
        if (!this.#store.isCurrent()) continue;
        attempt.caughtUp();
        this.#behindInARow = 0;
      }
    } catch (error) {
      if (wasReplaced(error)) {
        this.#countRestart('replaced');
        return this.#watchOn(resourceVersion);
      }
      if (attempt.expired === undefined) throw error;
      const relist = this.#isBarren(events);
      if (attempt.expired === 'behind') {
        this.#behindInARow++;
        this.#countRestart('behind');
        return relist ? { kind: 'listing' } : this.#watchOn(resourceVersion);
      }
      return this.#recover({ cause: attempt.expired, relist, pace: 'backoff', leastMs: 0 }, false, error);
    }
    const relist = this.#isBarren(events);
    if (events === 0 && clock.monotonic() - startedAt < shortMs) {
      const error = new Error('the watch ended at once, without an event');
      return this.#recover({ cause: 'short', relist, pace: 'backoff', leastMs: 0 }, false, error);
    }
    this.#countRestart(relist ? 'stale' : 'closed');
    return relist ? { kind: 'listing' } : this.#watchOn(resourceVersion);
  }

  /** Another watch, from the last version heard; one that brought nothing began at `resourceVersion`. */
  #watchOn(resourceVersion: string): State {
    return { kind: 'watching', resourceVersion: this.#store.heard ?? resourceVersion };
  }

  /**
   * Whether watches bring nothing any more, not even bookmarks. A server asked to watch from a version it has not
   * reached, as after a restore from a backup, accepts and stays silent (measured on 1.36), so only a list can tell.
   */
  #isBarren(events: number): boolean {
    this.#barrenWatches = events === 0 ? this.#barrenWatches + 1 : 0;
    if (this.#barrenWatches < barrenWatchesMax) return false;
    this.#barrenWatches = 0;
    return true;
  }

  #apply(event: WatchEvent): void {
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#report(this.#store.put(event.object));
        return;
      case 'DELETED':
        this.#report(this.#store.remove(event.object));
        return;
      case 'BOOKMARK':
        this.#store.advance(event.object.metadata.resourceVersion ?? '');
        return;
      case 'ERROR':
        throw errorFromStatus(`watch of ${this.#options.resource.plural}`, event.object.code ?? 500, event.object);
    }
  }

  #report(changes: readonly Change[]): void {
    for (const change of changes) this.#guard('onChange', () => this.#options.onChange(change));
  }

  /** A callback's fault must not cost the cluster's state. */
  #guard(callback: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#handlerFailures++;
      this.#options.logger.error(`${callback} failed`, { resource: this.#options.resource.plural, error });
    }
  }

  #recover(recovery: Recovery, listing: boolean, error: unknown): State {
    // An API server that has just started forbids what it allows a second later, and knows no custom kinds yet.
    const pace = recovery.pace === 'slow' && this.#store.synced ? 'backoff' : recovery.pace;
    const delayMs = this.#backoff.next({ ...recovery, pace }, this.#options.clock.monotonic());
    const known = error instanceof Error ? error : new Error(String(error));
    const { cause } = recovery;
    const fields = { cause, retryMs: Math.round(delayMs), error: known };
    if (cause === 'internal') this.#options.logger.error('reflector failed', fields);
    else if (this.#connected || this.#lastError?.message !== known.message) this.#logInterruption(fields);
    else this.#options.logger.debug('still no answer', fields);
    this.#countRestart(cause);
    this.#setConnected(false, known);
    const resourceVersion = this.#store.heard;
    const relist = listing || recovery.relist || resourceVersion === undefined;
    return {
      kind: 'waiting',
      delayMs,
      mayHurry: recovery.leastMs === 0,
      next: relist ? { kind: 'listing' } : { kind: 'watching', resourceVersion },
    };
  }

  #logInterruption(fields: { cause: RestartCause; retryMs: number; error: Error }): void {
    const { resource, logger } = this.#options;
    logger.warn(`cannot follow ${resource.plural}`, { ...fields, error: summary(fields.error) });
  }

  #countRestart(cause: RestartCause): void {
    this.#restarts[cause]++;
    this.#guard('onRestart', () => this.#options.onRestart?.(cause));
  }

  #heard(): void {
    this.#lastEventAt = this.#options.clock.monotonic();
    this.#setConnected(true, undefined);
  }

  #setConnected(connected: boolean, error: Error | undefined): void {
    this.#lastError = error;
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.#guard('onConnection', () => this.#options.onConnection?.());
  }
}

/** Interruptions are daily business: name, code and message tell enough, stacks would only fill the log. */
function summary(error: Error): Record<string, unknown> {
  return { name: error.name, message: error.message, ...(error instanceof KubeError && { code: error.code }) };
}
