import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { Looked } from '../federation/snapshot.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/objects.ts';
import type { RestartCause } from '../kube/recovery.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ReflectorStatus } from '../kube/reflector-options.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface NamedObjectsOptions {
  client: Pick<KubeClient, 'list' | 'watch'>;
  /** The cluster, for messages. */
  place: string;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Called with the keys that have asked for an object that changed. Must not wait. */
  onChange: (keys: ReadonlySet<string>) => void;
  onWatchRestart?: (cause: RestartCause) => void;
  /** Whether a reflector has heard its server lately enough to be believed; default: always. */
  isHeard?: (status: ReflectorStatus) => boolean;
}

interface Engaged {
  readonly reflector: Reflector;
  readonly keys: Set<string>;
  readonly stop: AbortController;
}

/**
 * Objects of one cluster that are followed by their names, for as long as anybody asks for them: nothing else of their
 * namespaces is read. Who asks is known by his key.
 */
export class NamedObjects {
  readonly #options: NamedObjectsOptions;
  readonly #engaged = new Map<string, Engaged>();
  /** By key: what it has asked for in its latest pass. */
  readonly #asked = new Map<string, Set<string>>();
  readonly #running = new Set<Promise<void>>();
  #isOver = false;

  constructor(options: NamedObjectsOptions) {
    this.#options = options;
  }

  /** A new pass of `key` begins: what it did not ask for in the one before is not followed for it any more. */
  beginPass(key: string): void {
    const asked = this.#asked.get(key);
    for (const [id, { keys }] of this.#engaged) if (keys.has(key) && !asked?.has(id)) this.#drop(id, key);
    this.#asked.set(key, new Set());
  }

  /** The object as it is known now; the first time it is asked for, it is only begun to be read. */
  look(key: string, resource: ResourceType, namespace: string, name: string): Looked {
    const id = idOf(resource, namespace, name);
    const { reflector, keys } = this.#engaged.get(id) ?? this.#engage(id, resource, namespace, name);
    keys.add(key);
    this.#asked.get(key)?.add(id);
    const { status, store } = reflector;
    const isHeard = this.#options.isHeard?.(status) ?? true;
    if (status.hasSynced && isHeard) return { known: true, object: store.get(`${namespace}/${name}`) };
    const why = status.lastError?.message ?? 'it is on its way';
    const message = `${resource.kind} ${namespace}/${name} of ${this.#options.place} is not read yet: ${why}`;
    return { known: false, message, ...(isKubeError(status.lastError, 'Forbidden') && { isForbidden: true }) };
  }

  /** `key` does not ask for anything any more. */
  forget(key: string): void {
    for (const [id, { keys }] of this.#engaged) if (keys.has(key)) this.#drop(id, key);
    this.#asked.delete(key);
  }

  /** What is known of an object that nobody need have asked for. */
  get({ plural }: ResourceType, namespace: string, name: string): KubeObject | undefined {
    return this.#engaged.get(idOf({ plural }, namespace, name))?.reflector.store.get(`${namespace}/${name}`);
  }

  /** Tells of an object as the server has it now: until that is seen here, its reflector is not current. */
  expect(resource: ResourceType, { metadata }: KubeObject): void {
    const { namespace = '', name, resourceVersion = '' } = metadata;
    this.#engaged.get(idOf(resource, namespace, name))?.reflector.store.expect(`${namespace}/${name}`, resourceVersion);
  }

  reflectors(): Reflector[] {
    return [...this.#engaged.values()].map(({ reflector }) => reflector);
  }

  /** Ends the waits after failures. */
  retryNow(): void {
    for (const { reflector } of this.#engaged.values()) reflector.retryNow();
  }

  /** Lets objects be followed until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#isOver = true;
    for (const { stop } of this.#engaged.values()) stop.abort();
    await Promise.all(this.#running);
  }

  #engage(id: string, resource: ResourceType, namespace: string, name: string): Engaged {
    const { client, clock, random, logger, onChange, onWatchRestart } = this.#options;
    const keys = new Set<string>();
    const reflector = new Reflector({
      client,
      resource,
      selection: { namespace, fieldSelector: `metadata.name=${name}` },
      clock,
      random,
      logger: logger.child({ object: id }),
      onChange: () => onChange(keys),
      onConnection: () => onChange(keys),
      ...(onWatchRestart && { onRestart: onWatchRestart }),
    });
    const engaged = { reflector, keys, stop: new AbortController() };
    this.#engaged.set(id, engaged);
    if (this.#isOver) return engaged;
    const running = reflector.run(engaged.stop.signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return engaged;
  }

  #drop(id: string, key: string): void {
    const engaged = this.#engaged.get(id);
    if (!engaged?.keys.delete(key) || engaged.keys.size > 0) return;
    engaged.stop.abort();
    this.#engaged.delete(id);
  }
}

function idOf({ plural }: Pick<ResourceType, 'plural'>, namespace: string, name: string): string {
  return `${plural} ${namespace}/${name}`;
}
