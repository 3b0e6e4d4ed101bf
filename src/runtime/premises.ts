import { type Clock, sleep, withDeadline } from '../edges/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { type KubeObject, type ResourceType, resources } from '../kube/objects.ts';

export interface PremisesOptions {
  client: Pick<KubeClient, 'get' | 'list'>;
  clock: Clock;
  namespace: string;
  /** The regional operator's CustomResourceDefinition. */
  crdName: string;
  /** Called when something else is there than before. Must not wait. */
  onChange: () => void;
}

/** What was found at the last look. */
export interface Found {
  clusterUid: string;
  crd: KubeObject | undefined;
  namespaceExists: boolean;
  /** Not even on its way out: nothing can be in it. */
  namespaceAbsent: boolean;
  serviceAccounts: ReadonlySet<string>;
}

/** Milliseconds between two looks: while something is missing, and when all is there. */
const pace = { missingMs: 3_000, completeMs: 120_000 } as const;
const deadlineMs = 10_000;

/** Looks now and then at what has to be in a region's namespace before members can be written there. */
export class Premises {
  readonly #options: PremisesOptions;
  /** ServiceAccounts that were asked about and are not there. */
  readonly #missed = new Set<string>();
  #found: Found | undefined;
  #problem = 'it has not been looked at yet';
  #wake = new AbortController();

  constructor(options: PremisesOptions) {
    this.#options = options;
  }

  /** Undefined until the first look succeeded. */
  get found(): Found | undefined {
    return this.#found;
  }

  /** Why the last look failed, if one did. */
  get problem(): string {
    return this.#problem;
  }

  /** Which accounts matter is known to who asks only; one that is missing is looked for more often from then on. */
  hasServiceAccount(name: string): boolean {
    const there = this.#found?.serviceAccounts.has(name) ?? false;
    if (!there && !this.#missed.has(name)) {
      this.#missed.add(name);
      this.#wake.abort();
    }
    return there;
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onChange } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const before = this.#digest();
      try {
        using deadline = withDeadline(clock, deadlineMs, signal);
        this.#found = await this.#look(deadline.signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#problem = error instanceof Error ? error.message : String(error);
      }
      for (const name of this.#found?.serviceAccounts ?? []) this.#missed.delete(name);
      if (this.#digest() !== before) onChange();
      const complete = this.#found?.crd && this.#found.namespaceExists && this.#missed.size === 0;
      const untilNextMs = complete ? pace.completeMs : pace.missingMs;
      await sleep(clock, untilNextMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<Found> {
    const { client, namespace, crdName } = this.#options;
    const find = (resource: ResourceType, name: string): Promise<KubeObject | undefined> =>
      client.get(resource, { name }, signal).catch((error: unknown) => {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      });
    // A Role lives in its namespace: without that, it is forbidden to list anything there.
    const accountsOf = async (own: KubeObject | undefined): Promise<KubeObject[]> =>
      own ? (await client.list(resources.serviceAccounts, { namespace }, signal)).items : [];
    const ownFound = find(resources.namespaces, namespace);
    const [system, own, crd, accounts] = await Promise.all([
      client.get(resources.namespaces, { name: 'kube-system' }, signal),
      ownFound,
      find(resources.customResourceDefinitions, crdName),
      ownFound.then(accountsOf),
    ]);
    const before = this.#found?.crd;
    return {
      clusterUid: system.metadata.uid ?? '',
      // The same object as before where nothing has changed: what was worked out of it holds.
      crd: before && crd && isSameVersion(before, crd) ? before : crd,
      namespaceAbsent: own === undefined,
      namespaceExists: own !== undefined && own.metadata.deletionTimestamp === undefined,
      serviceAccounts: new Set(accounts.map((each) => each.metadata.name)),
    };
  }

  #digest(): string {
    if (!this.#found) return '';
    const { clusterUid, crd, namespaceExists, serviceAccounts } = this.#found;
    return JSON.stringify([clusterUid, crd?.metadata.resourceVersion, namespaceExists, [...serviceAccounts].sort()]);
  }
}

function isSameVersion({ metadata: one }: KubeObject, { metadata: other }: KubeObject): boolean {
  return one.uid === other.uid && one.resourceVersion === other.resourceVersion;
}
