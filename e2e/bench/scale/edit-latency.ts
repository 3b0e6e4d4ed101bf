import type { ApiObject } from '../../harness/index.ts';
import type { Bed } from './bed.ts';
import type { FleetFederation } from './fleet.ts';

interface Guard extends ApiObject {
  data?: { guard_wait_seconds?: string };
}

/** Sees, by watches of its own, when an edit of one MultiCassandraCluster arrives in each of its regions. */
export class EditLatency {
  readonly #bed: Bed;
  readonly #federation: FleetFederation;
  readonly #stop = new AbortController();
  /** By namespace: the value of the edit there. */
  readonly #values = new Map<string, string>();
  #changed: () => void = () => undefined;

  private constructor(bed: Bed, federation: FleetFederation) {
    this.#bed = bed;
    this.#federation = federation;
  }

  /** Resolves when the watches have begun. */
  static async start(bed: Bed, federation: FleetFederation): Promise<EditLatency> {
    const latency = new EditLatency(bed, federation);
    for (const { api } of bed.planes) {
      const path = `/api/v1/configmaps?fieldSelector=${encodeURIComponent(`metadata.name=${federation.name}-ringmaster`)}`;
      const list = await api.get<{ items: Guard[]; metadata: { resourceVersion: string } }>(path);
      for (const guard of list.items) latency.#note(guard);
      void latency.#follow(api.watch<Guard>(path, list.metadata.resourceVersion, latency.#stop.signal));
    }
    return latency;
  }

  stop(): void {
    this.#stop.abort();
  }

  /**
   * Edits, and resolves with the milliseconds until the edit was in the first, the middle and the last region.
   * @throws Error when some region does not have it after `timeoutMs`.
   */
  async measure(value: number, timeoutMs: number): Promise<{ first: number; median: number; last: number }> {
    const { regions } = this.#federation;
    const arrivedAt = new Map<string, number>();
    const started = performance.now();
    const look = (): void => {
      for (const [namespace, has] of this.#values) {
        if (has === String(value) && !arrivedAt.has(namespace)) arrivedAt.set(namespace, performance.now() - started);
      }
    };
    const all = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`an edit is in ${arrivedAt.size} of ${regions.length} regions after ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#changed = () => {
        look();
        if (arrivedAt.size < regions.length) return;
        clearTimeout(timer);
        resolve();
      };
    });
    await Promise.all([this.#bed.edit(this.#federation, value), all]);
    const times = [...arrivedAt.values()].sort((one, other) => one - other);
    const at = (index: number): number => times[index] ?? NaN;
    return { first: at(0), median: at(Math.floor(times.length / 2)), last: at(times.length - 1) };
  }

  async #follow(events: AsyncIterable<{ object: Guard }>): Promise<void> {
    try {
      for await (const { object } of events) {
        this.#note(object);
        this.#changed();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #note({ metadata, data }: Guard): void {
    if (metadata.namespace !== undefined && data?.guard_wait_seconds !== undefined) {
      this.#values.set(metadata.namespace, data.guard_wait_seconds);
    }
  }
}
