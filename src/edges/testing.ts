import { setImmediate } from 'node:timers';
import type { Clock, Timer } from './clock.ts';
import type { Random } from './random.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

/** Lets every promise that can make progress without a timer or real I/O do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface PendingTimer {
  at: number;
  order: number;
  fire: () => void;
}

/**
 * A Clock that moves only when told. Timers fire in the order of their times; timers of one time in the order they
 * were set. Between two timers all promises run as far as they can, so code that sets a timer in answer to another is
 * seen as on a real clock.
 */
export class VirtualClock implements Clock {
  readonly #epochMs: number;
  readonly #timers = new Set<PendingTimer>();
  #elapsedMs = 0;
  #order = 0;

  /** `epochMs` is the wall-clock time at which it starts, milliseconds since 1970. */
  constructor(epochMs: number = Date.UTC(2026, 0, 1)) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  timer(delayMs: number, fire: () => void): Timer {
    if (!(delayMs >= 0)) throw new RangeError(`timer: expected a delay of at least 0 ms, got ${delayMs}`);
    const pending: PendingTimer = { at: this.#elapsedMs + delayMs, order: this.#order++, fire };
    this.#timers.add(pending);
    return { cancel: () => void this.#timers.delete(pending) };
  }

  /** How many timers are set; 0 after a clean stop. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer fires, or undefined when none is set. */
  get nextTimerMs(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#elapsedMs;
  }

  /** Moves the time forward by `milliseconds`, firing what falls due on the way. */
  async advance(milliseconds: number): Promise<void> {
    const target = this.#elapsedMs + milliseconds;
    await settle();
    for (let next = this.#next(); next && next.at <= target; next = this.#next()) {
      this.#fire(next);
      await settle();
    }
    this.#elapsedMs = target;
  }

  /**
   * Moves from timer to timer until `condition` holds, at most `limitMs` milliseconds.
   * @throws Error naming `what` when the limit is reached, or no timer is left that could change anything.
   */
  async until(what: string, condition: () => boolean, limitMs = 3_600_000): Promise<void> {
    const limit = this.#elapsedMs + limitMs;
    await settle();
    while (!condition()) {
      const next = this.#next();
      if (!next) throw new Error(`no timer is left, and still not: ${what}`);
      if (next.at > limit) throw new Error(`not within ${limitMs} ms: ${what}`);
      this.#fire(next);
      await settle();
    }
  }

  #next(): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const each of this.#timers) {
      if (!next || each.at < next.at || (each.at === next.at && each.order < next.order)) next = each;
    }
    return next;
  }

  #fire(timer: PendingTimer): void {
    this.#timers.delete(timer);
    this.#elapsedMs = timer.at;
    timer.fire();
  }
}

/** A Random that one integer replays (the mulberry32 generator: 32 bits of state, uniform enough for tests). */
export class SeededRandom implements Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A generator of its own for one part of a run, so that one part's draws do not shift another's. */
  fork(): SeededRandom {
    return new SeededRandom(Math.floor(this.next() * 4_294_967_296));
  }
}

/** A Random that always answers `value`, which must be in [0, 1). */
export function constantRandom(value: number): Random {
  return { next: () => value };
}

/** One request as a FakeTransport saw it. */
export interface SentRequest {
  request: HttpRequest;
  signal: AbortSignal;
}

/**
 * A Transport whose answers are a function of the request. Like the real one it rejects with the signal's reason when
 * the signal aborts first, and ends a body that is still open then.
 */
export class FakeTransport implements Transport {
  /** Everything sent so far, oldest first. */
  readonly sent: SentRequest[] = [];
  readonly #answer: (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse> | HttpResponse;

  constructor(answer: (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse> | HttpResponse) {
    this.#answer = answer;
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    this.sent.push({ request, signal });
    const response = await orAborted(Promise.resolve(this.#answer(request, signal)), signal);
    return { ...response, body: cancellable(response.body, signal) };
  }
}

/** A whole JSON answer. */
export function jsonResponse(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: chunks(JSON.stringify(body)),
  };
}

/** A body of the given pieces of text, which then ends. */
export async function* chunks(...pieces: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** A promise that never settles, for a server that never answers. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

async function* cancellable(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    const step = await orAborted(iterator.next(), signal);
    if (step.done) return;
    yield step.value;
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      promise.catch(() => undefined);
      return;
    }
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
