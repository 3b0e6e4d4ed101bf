import { createHash } from 'node:crypto';
import type { Clock } from '../edges/clock.ts';
import type { Line } from '../federation/story.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { formatMicroTime } from '../kube/micro-time.ts';
import { apiVersionOf } from '../kube/paths.ts';
import { type KubeObject, type ResourceType, resources } from '../kube/objects.ts';
import { TokenBucket } from '../kube/token-bucket.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface EventsOptions {
  /** Writes to the hub. */
  client: Pick<KubeClient, 'create' | 'jsonPatch'>;
  clock: Clock;
  logger: Logger;
  metrics: Pick<Metrics, 'event'>;
  /** Names this process among those that report as `reportingController`. */
  reportingInstance: string;
  /** Only who leads tells. */
  enabled: () => boolean;
}

export const reportingController = 'ringmaster.dev/controller';

/** A line told again within this time is counted on the event that is there. Milliseconds. */
const seriesMs = 10 * 60_000;
const perSecond = 2;
const burst = 25;
/** Lines that may wait; what comes beyond that is dropped: the status tells the state, events only how it came about. */
const waitingMax = 200;
/** The same for lines about one object, so that one that has much to tell does not silence the others. */
const waitingOfOneMax = 50;
const noteMaxBytes = 1024;

interface Told {
  readonly ref: { namespace: string; name: string };
  count: number;
  lastMs: number;
}

interface Waiting {
  readonly regarding: KubeObject;
  readonly resource: ResourceType;
  readonly line: Line;
  readonly atMs: number;
}

/**
 * Tells people what happens to an object, as events.k8s.io/v1. Telling never waits and never fails: what cannot be
 * written is logged and left out.
 */
export class Events {
  readonly #options: EventsOptions;
  readonly #bucket: TokenBucket;
  readonly #told = new Map<string, Told>();
  readonly #waiting: Waiting[] = [];
  /** The moment in the name of the last one, milliseconds; no two have the same. */
  #lastInName = 0;
  #wake = new AbortController();

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#bucket = new TokenBucket({ clock: options.clock, perSecond, burst });
  }

  tell(resource: ResourceType, regarding: KubeObject, lines: readonly Line[]): void {
    if (!this.#options.enabled()) return;
    let ofOne = this.#waiting.filter((each) => each.regarding.metadata.uid === regarding.metadata.uid).length;
    for (const line of lines) {
      if (this.#waiting.length >= waitingMax || ++ofOne > waitingOfOneMax) {
        this.#options.metrics.event('dropped');
        continue;
      }
      this.#waiting.push({ resource, regarding, line, atMs: this.#options.clock.now() });
    }
    this.#wake.abort();
  }

  /** Writes what is told until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (!next) {
        this.#wake = new AbortController();
        await aborted(AbortSignal.any([signal, this.#wake.signal]));
        continue;
      }
      try {
        await this.#bucket.take(signal, false);
        await this.#write(next, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.metrics.event('failed');
        this.#options.logger.debug('an event could not be written', { note: next.line.note, error });
      }
    }
  }

  async #write({ resource, regarding, line, atMs }: Waiting, signal: AbortSignal): Promise<void> {
    const { client, metrics, reportingInstance } = this.#options;
    const { namespace = '', name, uid = '' } = regarding.metadata;
    const id = createHash('sha256')
      .update(JSON.stringify([uid, line, reportingInstance]))
      .digest('hex')
      .slice(0, 16);
    for (const [key, { lastMs }] of this.#told) if (atMs - lastMs > seriesMs) this.#told.delete(key);
    const told = this.#told.get(id);
    if (told) {
      Object.assign(told, { count: told.count + 1, lastMs: atMs });
      const value = { count: told.count, lastObservedTime: formatMicroTime(atMs) };
      const written = await client
        .jsonPatch(resources.events, told.ref, [{ op: 'add', path: '/series', value }], signal)
        .catch((error: unknown) => {
          if (!isKubeError(error, 'NotFound')) throw error;
        });
      // The server forgets events after an hour.
      if (written) return metrics.event('counted');
    }
    // kubectl describe shows them in the order of their names, whenever they were.
    this.#lastInName = Math.max(Math.floor(atMs), this.#lastInName + 1);
    const ref = { namespace, name: `${name}.${this.#lastInName.toString(36)}.${id}` };
    await client.create(
      resources.events,
      {
        metadata: ref,
        eventTime: formatMicroTime(atMs),
        reportingController,
        reportingInstance,
        regarding: { apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name, uid },
        type: line.type,
        reason: line.reason,
        action: line.action,
        note: shortened(line.note),
      },
      signal,
    );
    metrics.event('created');
    this.#told.set(id, { ref, count: 1, lastMs: atMs });
  }
}

function shortened(note: string): string {
  const bytes = Buffer.from(note);
  return bytes.length <= noteMaxBytes
    ? note
    : `${bytes
        .subarray(0, noteMaxBytes - 8)
        .toString()
        .replace(/\uFFFD$/, '')} …`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
