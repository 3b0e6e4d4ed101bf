import { setTimeout as delay } from 'node:timers/promises';
import { HarnessError } from './errors.ts';

export interface WaitOptions {
  /** What is waited for, as the rest of the sentence "waiting for ...". */
  readonly what: string;
  /** Milliseconds until it counts as failed. */
  readonly timeoutMs: number;
  /** Milliseconds between two looks; default 200. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  /** Says why it cannot come true any more; waiting ends with that sentence. */
  readonly giveUp?: () => string | undefined;
}

/**
 * Looks at `condition` until it resolves with something truthy, and resolves with that. A condition that throws is not
 * true yet. What it last answered or threw is in the error, so a condition that wants to explain itself can throw.
 * @throws HarnessError TimedOut with the last answer; the signal's reason when it aborts.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, false | undefined | null | 0 | ''>> {
  const started = performance.now();
  let last: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await condition();
      if (answer) return answer as Exclude<T, false | undefined | null | 0 | ''>;
      last = answer;
    } catch (error) {
      last = error;
    }
    const hopeless = options.giveUp?.();
    if (hopeless || performance.now() - started >= options.timeoutMs)
      throw new HarnessError(
        'TimedOut',
        `Waited ${Math.round(performance.now() - started)} ms for ${options.what}${hopeless ? `; ${hopeless}` : ''}; last seen: ${describe(last)}`,
        { cause: last },
      );
    await delay(options.intervalMs ?? 200, undefined, { signal: options.signal });
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) return value.message;
  const text = JSON.stringify(value, undefined, 1) ?? String(value);
  return text.length > 2000 ? `${text.slice(0, 2000)}...` : text;
}
