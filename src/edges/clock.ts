/**
 * Time as the controller sees it. Everything that waits or reads the time takes a Clock, so that a whole controller
 * runs on virtual time in tests and in the simulator.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. May jump; use it for timestamps that others read. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. Use it for ages and deadlines. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs` milliseconds unless cancelled before. */
  timer(delayMs: number, fire: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Waits `delayMs` milliseconds on `clock`.
 * @throws the signal's reason as soon as `signal` aborts; the timer is cancelled then.
 */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const timer = clock.timer(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * A signal that aborts when `signal` does, or with a TimeoutError after `deadlineMs` milliseconds on `clock`.
 * Dispose of it when the work is done: that cancels the timer and detaches from `signal`.
 */
export function withDeadline(
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal,
): { signal: AbortSignal; [Symbol.dispose](): void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const timer = clock.timer(deadlineMs, () =>
    controller.abort(new DOMException(`no answer within ${deadlineMs} ms`, 'TimeoutError')),
  );
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    },
  };
}
