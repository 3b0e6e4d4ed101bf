import { TransportError } from '../edges/transport.ts';
import type { Random } from '../edges/random.ts';
import { KubeError, type KubeErrorCode } from './errors.ts';

/** Why a watch did not simply go on. */
export const restartCauses = [
  /** The server ended the watch in good order: its time was up. */
  'closed',
  /** Its connection was given up for another one. */
  'replaced',
  /** It ended before it could deliver anything. */
  'short',
  /** Nothing came for so long that the connection must be dead. */
  'idle',
  /** It has not brought what the server is known to hold. */
  'behind',
  /** The server did not end it although its time was up. */
  'overrun',
  /** Several watches in a row brought nothing, not even bookmarks: a new list is needed. */
  'stale',
  /** The resourceVersion is too old for the server, or unknown to it: a new list is needed. */
  'expired',
  /** The server asked to come back later, or is overloaded. */
  'throttled',
  'unauthorized',
  'forbidden',
  /** The kind does not exist there: its CRD is not installed. */
  'missing',
  'unreachable',
  'timeout',
  'server',
  /** The answer was not what the API promises. */
  'answer',
  /** A mistake in this program. */
  'internal',
] as const;
export type RestartCause = (typeof restartCauses)[number];

/** How to go on after a failed list or watch. */
export interface Recovery {
  cause: RestartCause;
  /** Whether the store must be filled anew before watching on. */
  relist: boolean;
  /**
   * `backoff`: growing, jittered. `once`: almost at once the first time in a row, because the fault may be over
   * (credentials were renewed, a list tells the version), then as backoff. `slow`: only a person can mend it.
   */
  pace: 'backoff' | 'once' | 'slow';
  /** The wait the server asked for, in milliseconds; a lower bound. */
  leastMs: number;
}

type Reaction = Omit<Recovery, 'leastMs'>;

const reactions: Record<KubeErrorCode, Reaction> = {
  Expired: { cause: 'expired', relist: true, pace: 'once' },
  ResourceVersionTooLarge: { cause: 'expired', relist: true, pace: 'backoff' },
  TooManyRequests: { cause: 'throttled', relist: false, pace: 'backoff' },
  Unauthorized: { cause: 'unauthorized', relist: false, pace: 'once' },
  Forbidden: { cause: 'forbidden', relist: false, pace: 'slow' },
  NotFound: { cause: 'missing', relist: true, pace: 'slow' },
  ServerError: { cause: 'server', relist: false, pace: 'backoff' },
  Unreachable: { cause: 'unreachable', relist: false, pace: 'backoff' },
  CircuitOpen: { cause: 'unreachable', relist: false, pace: 'backoff' },
  Timeout: { cause: 'timeout', relist: false, pace: 'backoff' },
  BadAnswer: { cause: 'answer', relist: false, pace: 'backoff' },
  Invalid: { cause: 'answer', relist: true, pace: 'backoff' },
  BadRequest: { cause: 'answer', relist: true, pace: 'backoff' },
  Conflict: { cause: 'answer', relist: true, pace: 'backoff' },
  AlreadyExists: { cause: 'answer', relist: true, pace: 'backoff' },
  NotLeader: { cause: 'answer', relist: true, pace: 'backoff' },
};

/** Whether a watch failed only because its connection was given up for another one: it goes on there, at once. */
export function wasReplaced(error: unknown): boolean {
  return error instanceof KubeError && error.cause instanceof TransportError && error.cause.failure === 'replaced';
}

/** What a failure of a list or a watch calls for. */
export function recoveryFrom(error: unknown): Recovery {
  if (!(error instanceof KubeError)) return { cause: 'internal', relist: true, pace: 'backoff', leastMs: 0 };
  return { ...reactions[error.code], leastMs: error.retryAfterMs ?? 0 };
}

export interface BackoffLimits {
  /** Upper bound of the first wait, milliseconds; it doubles with every failure in a row. */
  firstMs: number;
  /** Upper bound of every wait but one the server asked for, milliseconds. */
  maxMs: number;
  /** A failure this long after the one before counts as the first again, milliseconds. */
  resetMs: number;
  /** Upper bound of the wait where only a person can mend it, milliseconds; the lower is half of it. */
  slowMs: number;
  /** Upper bound of a wait the server asked for, milliseconds. */
  serverMaxMs: number;
}

/** client-go's figures for a reflector; full jitter, so that regions that failed together do not return together. */
export const defaultBackoff: BackoffLimits = {
  firstMs: 800,
  maxMs: 30_000,
  resetMs: 120_000,
  slowMs: 30_000,
  serverMaxMs: 300_000,
};

/** Draws the waits between attempts; remembers how many failures came in a row. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: Random;
  #failures = 0;
  #lastFailureAt = Number.NEGATIVE_INFINITY;
  #lastPace: Recovery['pace'] | undefined;

  constructor(limits: BackoffLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** The next failure counts as the first: what the ones before it failed for is over. */
  reset(): void {
    this.#failures = 0;
    this.#lastPace = undefined;
  }

  /** Milliseconds to wait after a failure at `now` (a monotonic time in milliseconds). */
  next(recovery: Pick<Recovery, 'pace' | 'leastMs'>, now: number): number {
    const { firstMs, maxMs, resetMs, slowMs, serverMaxMs } = this.#limits;
    if (now - this.#lastFailureAt > resetMs) {
      this.#failures = 0;
      this.#lastPace = undefined;
    }
    const again = this.#lastPace === recovery.pace;
    this.#lastFailureAt = now;
    this.#lastPace = recovery.pace;
    const draw = this.#random.next();
    const least = Math.min(recovery.leastMs, serverMaxMs);
    if (recovery.pace === 'slow') return Math.max(least, slowMs / 2 + (draw * slowMs) / 2);
    if (recovery.pace === 'once' && !again) return Math.max(least, (draw * firstMs) / 8);
    // 2 ** 32 is beyond any bound; without a limit the power would end as Infinity.
    const bound = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 32));
    this.#failures++;
    return Math.max(least, draw * bound);
  }
}
