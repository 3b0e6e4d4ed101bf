import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, type ApiServer } from '../api-server.ts';
import { podPath, type Pod } from './objects.ts';
import { podStatus, timestamp, type PodRecord } from './pod-status.ts';

const retryDelayMs = 500;

/**
 * Brings a pod's record into its status, newest first: while one PATCH is on its way, later records replace each
 * other. An outage of the API server delays it and nothing else; the pod's process does not notice.
 */
export class StatusPublisher {
  readonly #api: ApiServer;
  readonly #signal: AbortSignal;
  #pod: Pod;
  #latest: PodRecord | undefined;
  #sending = false;

  constructor(api: ApiServer, pod: Pod, signal: AbortSignal) {
    this.#api = api;
    this.#pod = pod;
    this.#signal = signal;
  }

  /** The object as last seen; conditions keep their times from it. */
  see(pod: Pod): void {
    this.#pod = pod;
  }

  publish(record: PodRecord): void {
    this.#latest = record;
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#latest && !this.#signal.aborted) {
      const record = this.#latest;
      this.#latest = undefined;
      const { uid } = this.#pod.metadata;
      const body = {
        metadata: { uid },
        ...podStatus(this.#pod, record, timestamp()),
      };
      try {
        this.#pod = await this.#api.patch<Pod>(`${podPath(this.#pod)}/status`, 'merge', body, this.#signal);
      } catch (error) {
        // Gone, or followed by another pod of the name: nobody wants this record.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) break;
        if (!this.#signal.aborted) console.log(`${podPath(this.#pod)}/status: ${(error as Error).message}`);
        this.#latest ??= record;
        await delay(retryDelayMs, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
    this.#sending = false;
  }
}
