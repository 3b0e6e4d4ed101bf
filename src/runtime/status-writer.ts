import { isSameJson } from '../api/json.ts';
import { multiCassandraClusters, type Status } from '../api/schema.ts';
import type { Clock } from '../edges/clock.ts';
import { type Line, linesOfStatus } from '../federation/story.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { keyOf, type Store } from '../kube/store.ts';
import type { Doubts } from './doubts.ts';

export interface StatusWriterOptions {
  readonly clock: Clock;
  readonly hub: { readonly client: KubeClient; readonly store: Store; readonly doubts: Doubts };
  /** Tells people what happened to a MultiCassandraCluster. */
  readonly tell: (mcc: KubeObject, lines: readonly Line[]) => void;
}

/** A status that only tells the user more waits until this long after the last one, milliseconds. */
const paceMs = 1_000;

/** Writes the statuses of MultiCassandraClusters: what matters at once, the rest not oftener than people can read. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  /** By key: what this process wrote last, and at which monotonic milliseconds. */
  readonly #last = new Map<string, { atMs: number; status: Status }>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes the status if it says something new, `facts` alone only if those are new. Resolves with the milliseconds
   * after which to come back with one that has to wait.
   * @throws KubeError when it cannot be written.
   */
  async write(
    raw: KubeObject,
    status: Status,
    when: 'at once' | 'paced' | 'facts',
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { hub, clock, tell } = this.#options;
    const key = keyOf(raw);
    const before = raw['status'] as Status | undefined;
    if (isSameJson(before, status)) return undefined;
    const last = this.#last.get(key);
    const waited = clock.monotonic() - (last?.atMs ?? -Infinity);
    if (when === 'facts' && before?.conditions && isSameJson(facts(before), facts(status))) return paceMs;
    // Two controllers that see different things must not answer each other at once, for ever.
    const isContested = last !== undefined && !isSameJson(last.status, before);
    const waits = isContested || !isUrgent(before, status);
    if (when === 'paced' && waited < paceMs && waits) return paceMs - waited;
    const { namespace = '', name, resourceVersion = '' } = raw.metadata;
    const ref = { namespace, name };
    const written = await hub.client
      .patchStatus(multiCassandraClusters, ref, resourceVersion, status, signal)
      .catch((error: unknown) => {
        if (isKubeError(error) && (error.status === 409 || error.mayHaveActed)) {
          hub.doubts.add(multiCassandraClusters, ref);
        }
        throw error;
      });
    hub.store.expect(key, written.metadata.resourceVersion ?? '');
    this.#last.set(key, { atMs: clock.monotonic(), status });
    tell(raw, linesOfStatus(before, status));
    return undefined;
  }

  forget(key: string): void {
    this.#last.delete(key);
  }
}

/** What the protocol builds on, and what people and tools wait for, is written without delay. */
function isUrgent(before: Status | undefined, after: Status): boolean {
  const said = (status: Status | undefined): unknown =>
    (status?.conditions ?? [])
      .filter((condition) => condition.type === 'Accepted' || condition.type === 'Ready')
      .map((condition) => [condition.type, condition.status, condition.observedGeneration]);
  return !isSameJson([facts(before), said(before)], [facts(after), said(after)]);
}

/** What the next pass builds on. */
function facts(status: Status | undefined): unknown {
  return [
    status?.ring?.founder,
    status?.ring?.abandonedHosts,
    status?.seeds,
    status?.regions?.map((region) => [
      region.name,
      region.identity,
      region.appliedSeeds,
      region.hosts,
      region.changingSince,
      region.settledRevision,
      region.leavingSince,
      region.stage === 'Removed' || region.stage === 'Abandoned',
    ]),
  ];
}
