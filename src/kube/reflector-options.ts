import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KubeClient } from './client.ts';
import type { ResourceType } from './objects.ts';
import { defaultBackoff, type BackoffLimits, type RestartCause } from './recovery.ts';
import type { Change } from './store.ts';

export interface ReflectorLimits {
  /** Objects per page of a list. */
  pageSize: number;
  /** The watch's own length is drawn between these, seconds: below the 5 minutes after which some balancers forget a flow. */
  watchSecondsMin: number;
  watchSecondsMax: number;
  /** Silence after which a watch is taken for dead, milliseconds: over two of the server's bookmarks, one a minute. */
  idleMs: number;
  /** Silence, with an own write to come, after which it is taken for dead, milliseconds; doubles with each time in a row. */
  behindMs: number;
  /** How long past its own length a watch may go on, milliseconds. */
  overrunMs: number;
  /** A watch that ends sooner than this without an event counts as failed, milliseconds. */
  shortMs: number;
  backoff: BackoffLimits;
}

export const defaultReflectorLimits: ReflectorLimits = {
  pageSize: 500,
  watchSecondsMin: 240,
  watchSecondsMax: 480,
  idleMs: 150_000,
  behindMs: 5_000,
  overrunMs: 30_000,
  shortMs: 1000,
  backoff: defaultBackoff,
};

export interface ReflectorOptions {
  client: Pick<KubeClient, 'list' | 'watch'>;
  resource: ResourceType;
  /** Which objects; without a namespace, those of all. */
  selection?: { namespace?: string; labelSelector?: string; fieldSelector?: string };
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Called for each change, in order, after the store has it. Must not wait; what it throws is counted and logged. */
  onChange: (change: Change) => void;
  /** Called when `connected` or `hasSynced` of the status turned. */
  onConnection?: () => void;
  /** Told of every restart of the watch. */
  onRestart?: (cause: RestartCause) => void;
  limits?: Partial<ReflectorLimits>;
}

/** How the reflector is doing, for conditions, metrics and people. */
export interface ReflectorStatus {
  /** Whether one complete list has come in. Stays true. */
  readonly hasSynced: boolean;
  /** Whether the server last answered; false from a failure until the server is heard again. */
  readonly connected: boolean;
  /** Monotonic time in milliseconds at which the server was last heard, bookmarks included. */
  readonly lastEventAt: number | undefined;
  readonly lastResourceVersion: string | undefined;
  readonly restarts: Readonly<Record<RestartCause, number>>;
  /** How often a callback threw. */
  readonly handlerFailures: number;
  /** Why it is not connected. */
  readonly lastError: Error | undefined;
}
