import { type Clock, sleep, withDeadline } from '../edges/clock.ts';
import type { KubeClient, ObjectRef } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/objects.ts';

export interface DoubtsOptions {
  client: Pick<KubeClient, 'get'>;
  clock: Clock;
  /** Called with the object as the server has it; nothing is in doubt about it any more. */
  found: (resource: ResourceType, object: KubeObject) => void;
  /** Whether the cache holds no such object. */
  isAbsent: (resource: ResourceType, ref: ObjectRef) => boolean;
  /** Called when the last doubt is gone. Must not wait. */
  onSettled: () => void;
}

/** Milliseconds between two attempts to ask, and for one. */
const againMs = 1_000;
const deadlineMs = 5_000;

/**
 * Objects of which nobody knows whether our last write to them was carried out: the answer was lost, or a precondition
 * failed because the cache is older than the server. The server itself is asked until it has said what it holds; until
 * then nothing may be planned on what the cache says of them.
 */
export class Doubts {
  readonly #options: DoubtsOptions;
  readonly #objects = new Map<string, { resource: ResourceType; ref: ObjectRef }>();
  #wake = new AbortController();

  constructor(options: DoubtsOptions) {
    this.#options = options;
  }

  get any(): boolean {
    return this.#objects.size > 0;
  }

  has(resource: ResourceType, ref: ObjectRef): boolean {
    return this.#objects.has(idOf(resource, ref));
  }

  add(resource: ResourceType, ref: ObjectRef): void {
    this.#objects.set(idOf(resource, ref), { resource, ref });
    this.#wake.abort();
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onSettled } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (!this.any) await untilAborted(AbortSignal.any([signal, this.#wake.signal]));
      for (const [id, { resource, ref }] of this.#objects) {
        if (await this.#isAnswered(resource, ref, signal)) this.#objects.delete(id);
        if (signal.aborted) return;
      }
      if (this.any) await sleep(clock, againMs, signal).catch(() => undefined);
      else onSettled();
    }
  }

  async #isAnswered(resource: ResourceType, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
    const { client, clock, found, isAbsent } = this.#options;
    using deadline = withDeadline(clock, deadlineMs, signal);
    try {
      found(resource, await client.get(resource, ref, deadline.signal));
      return true;
    } catch (error) {
      // A cache that still has what is gone is older than our write.
      return isKubeError(error, 'NotFound') && isAbsent(resource, ref);
    }
  }
}

function idOf({ plural }: ResourceType, { namespace = '', name }: ObjectRef): string {
  return `${plural} ${namespace}/${name}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
