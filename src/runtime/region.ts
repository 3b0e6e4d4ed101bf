import type { Clock } from '../edges/clock.ts';
import type { Random } from '../edges/random.ts';
import type { RegionCaches } from '../federation/observe.ts';
import { managedByLabel } from '../federation/bookkeeping.ts';
import { isGuardName } from '../federation/guard/guard.ts';
import { isReady } from '../federation/picture.ts';
import type { Pace } from '../federation/pace.ts';
import type { UnknownRegion } from '../federation/snapshot.ts';
import type { KubeClient, ObjectRef } from '../kube/client.ts';
import { type KubeObject, type ResourceType, resources } from '../kube/objects.ts';
import type { RestartCause } from '../kube/recovery.ts';
import { Reflector } from '../kube/reflector.ts';
import type { ReflectorStatus } from '../kube/reflector-options.ts';
import { keyOf } from '../kube/store.ts';
import type { RegionalOperator } from '../operators/operator.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Doubts } from './doubts.ts';
import { NamedObjects } from './named-objects.ts';
import { Premises } from './premises.ts';
import { answerOf } from './reachable-answers.ts';
import { RingProbe } from './ring-probe.ts';

export interface RegionOptions {
  context: string;
  namespace: string;
  client: KubeClient;
  operator: RegionalOperator;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Whether the cluster's API server answered lately, and what it said if not. */
  reachable: () => true | UnknownRegion;
  /** Whether it has answered for long enough to be called reachable again. */
  isSteady: () => boolean;
  /** Why the cluster is still reached in the way it was registered before, if so. */
  registrationProblem?: () => string | undefined;
  /** That the credentials in use end soon, in a sentence. */
  credentialsEnd?: () => string | undefined;
  /** Told who the cluster says it is, whenever it was asked. */
  onIdentified?: (clusterUid: string) => void;
  /** Called when anything changed that a plan could depend on. Must not wait. */
  onChange: () => void;
  onWatchRestart: (cause: RestartCause) => void;
}

/** A live watch brings a bookmark a minute; without one for this long it is taken for dead. Milliseconds. */
const silenceMaxMs = 180_000;
/** How long a cache is believed whose server refuses to be listed or watched. Milliseconds. */
const disconnectedMaxMs = 30_000;

const labelSelector = Object.entries(managedByLabel)
  .map(([name, value]) => `${name}=${value}`)
  .join(',');

function isLabelled(object: KubeObject | undefined): boolean {
  return Object.entries(managedByLabel).every(([name, value]) => object?.metadata.labels?.[name] === value);
}

/**
 * One namespace of one region, as far as federations use it: reflectors for what the regional operator makes, the ring probe, and a look now
 * and then at what has to be there. Lives from its construction until its signal aborts.
 */
export class RegionNamespace {
  readonly context: string;
  readonly namespace: string;
  readonly client: KubeClient;
  readonly #options: RegionOptions;
  readonly #members: Reflector;
  readonly #configMaps: Reflector;
  readonly #statefulSets: Reflector;
  readonly #claims: Reflector;
  readonly #pods: Reflector;
  /** Secrets that we have copied there, and those that members name; of the others nothing is read. */
  readonly #copiedSecrets: Reflector;
  readonly #namedSecrets: NamedObjects;
  readonly #probe: RingProbe;
  /** By key: the ConfigMaps that it has asked for. */
  readonly #namedConfigMaps = new Map<string, Set<string>>();
  readonly #paces = new Map<string, Pace>();
  readonly #premises: Premises;
  readonly #doubts: Doubts;

  constructor(options: RegionOptions) {
    this.#options = options;
    this.context = options.context;
    this.namespace = options.namespace;
    this.client = options.client;
    this.#members = this.#reflector(options.operator.member);
    // Not by label: a ConfigMap of the guard's name that is somebody else's has to be seen.
    this.#configMaps = this.#reflector(resources.configMaps, undefined, undefined, (name) => this.#isOfInterest(name));
    this.#statefulSets = this.#reflector(resources.statefulSets);
    this.#claims = this.#reflector(resources.persistentVolumeClaims);
    this.#pods = this.#reflector(resources.pods, options.operator.podSelector, () => this.#probe.nudge());
    this.#copiedSecrets = this.#reflector(resources.secrets, labelSelector);
    this.#namedSecrets = new NamedObjects({
      client: options.client,
      place: `context ${options.context}`,
      clock: options.clock,
      random: options.random,
      logger: options.logger,
      onChange: options.onChange,
      onWatchRestart: options.onWatchRestart,
      isHeard: (status) => !this.#isSilent(status),
    });
    this.#probe = new RingProbe({
      client: options.client,
      clock: options.clock,
      namespace: options.namespace,
      readyPods: () => this.#pods.store.list().filter(isReady),
      onChange: options.onChange,
    });
    this.#doubts = new Doubts({
      client: options.client,
      clock: options.clock,
      found: (resource, object) => this.expect(resource, object),
      isAbsent: (resource, { namespace = '', name }) =>
        this.#reflectorOf(resource)?.store.get(`${namespace}/${name}`) === undefined &&
        this.#namedSecrets.get(resource, namespace, name) === undefined,
      onSettled: options.onChange,
    });
    this.#premises = new Premises({
      client: options.client,
      clock: options.clock,
      namespace: options.namespace,
      crdName: options.operator.crdName,
      onChange: () => {
        const { found } = this.#premises;
        if (found) options.onIdentified?.(found.clusterUid);
        if (found?.crd && !this.#members.status.hasSynced) this.#members.retryNow();
        options.onChange();
      },
    });
  }

  /** Runs until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      ...[...this.#reflectors(), this.#copiedSecrets].map((reflector) => reflector.run(signal)),
      this.#namedSecrets.run(signal),
      this.#probe.run(signal),
      this.#premises.run(signal),
      this.#doubts.run(signal),
    ]);
  }

  /** The caches for reading in a pass of `key`, or why they may not be read now. */
  caches(key: string): RegionCaches | UnknownRegion {
    const reachable = this.#options.reachable();
    if (reachable !== true) return reachable;
    const { context } = this;
    const premises = this.#premises.found;
    if (!premises) {
      return { known: false, reason: 'NotSynced', message: `context ${context}: ${this.#premises.problem}` };
    }
    // Without its CRD the members cannot be listed, and that is known; so it is that an absent namespace is empty,
    // where a Role of that namespace would be needed to list it.
    const reflectors = premises.namespaceAbsent
      ? this.#reflectors().filter((each) => each.status.hasSynced)
      : this.#reflectors();
    const needed = premises.crd ? reflectors : reflectors.filter((each) => each !== this.#members);
    const behind = needed.find((each) => !each.status.hasSynced);
    if (behind) {
      const why = behind.status.lastError?.message ?? 'its first lists are on their way';
      return { known: false, reason: 'NotSynced', message: `context ${context}: ${why}` };
    }
    const silent = needed.find(({ status }) => this.#isSilent(status));
    if (silent) {
      const why = silent.status.lastError?.message ?? 'a watch has brought nothing for too long';
      const answer = silent.status.lastError && answerOf(silent.status.lastError);
      return {
        known: false,
        reason: 'Unreachable',
        ...(answer && { answer }),
        message: `context ${context}: ${why}`,
      };
    }
    if (this.#doubts.any) {
      return {
        known: false,
        reason: 'BehindOwnWrite',
        message: `context ${context}: it has not said what became of our last write`,
      };
    }
    // Without the right to read Secrets there is no copy of ours to be seen.
    const copied = [this.#copiedSecrets, ...this.#namedSecrets.reflectors()].filter((each) => each.status.hasSynced);
    if ([...needed, ...copied].some((each) => !each.store.isCurrent())) {
      return { known: false, reason: 'BehindOwnWrite', message: `context ${context}: our last write is not seen yet` };
    }
    const registrationProblem = this.#options.registrationProblem?.();
    const credentialsEnd = this.#options.credentialsEnd?.();
    this.#namedSecrets.beginPass(key);
    this.#namedConfigMaps.set(key, new Set());
    return {
      clusterUid: premises.clusterUid,
      ...(registrationProblem !== undefined && { registrationProblem }),
      ...(credentialsEnd !== undefined && { credentialsEnd }),
      isUnsteady: !this.#options.isSteady(),
      namespaceExists: premises.namespaceExists,
      serviceAccountExists: (name) => this.#premises.hasServiceAccount(name),
      crd: premises.crd,
      member: (name) => this.#members.store.get(`${this.namespace}/${name}`),
      configMap: (name) => {
        this.#namedConfigMaps.get(key)?.add(name);
        return this.#configMaps.store.get(`${this.namespace}/${name}`);
      },
      labelled: [
        ...(this.#isSilent(this.#copiedSecrets.status) ? [] : this.#copiedSecrets.store.list()).map((object) => ({
          kind: 'Secret' as const,
          object,
        })),
        ...this.#configMaps.store
          .list()
          .filter(isLabelled)
          .map((object) => ({ kind: 'ConfigMap' as const, object })),
      ],
      secret: (name) => this.#namedSecrets.look(key, resources.secrets, this.namespace, name),
      statefulSets: this.#statefulSets.store.list(),
      claims: this.#claims.store.list(),
      pods: this.#pods.store.list(),
      view: (pod) => (isReady(pod) ? this.#probe.view(pod) : undefined),
      unreadable: (pod) => this.#probe.unreadable(pod),
      replication: this.#probe.replication,
    };
  }

  /** Ends the waits after failures: the cluster may be reached in another way now. */
  retryNow(): void {
    for (const reflector of [...this.#reflectors(), this.#copiedSecrets]) reflector.retryNow();
    this.#namedSecrets.retryNow();
  }

  /** Monotonic milliseconds at which the most silent of the reflectors last heard its server. */
  get lastHeardMs(): number | undefined {
    const heard = this.#reflectors().map((reflector) => reflector.status.lastEventAt);
    return heard.every((at) => at !== undefined) ? Math.min(...heard) : undefined;
  }

  /** Tells the caches of an object as the server has it now: until they have seen it, the region is not current. */
  expect(resource: ResourceType, object: KubeObject): void {
    const isSecret = resource.plural === resources.secrets.plural;
    if (isSecret) this.#namedSecrets.expect(resource, object);
    // What does not carry our label never comes by that watch.
    if (isSecret && !isLabelled(object)) return;
    const reflector = this.#reflectorOf(resource);
    reflector?.store.expect(keyOf(object), object.metadata.resourceVersion ?? '');
  }

  /** Nobody knows whether our last write to an object was carried out: until the server has said so, nothing is said of the region. */
  doubt(resource: ResourceType, ref: ObjectRef): void {
    this.#doubts.add(resource, ref);
  }

  /** Keyspaces of its ring were altered: what nodes have said of that before counts no more. */
  forgetReplication(): void {
    this.#probe.forgetReplication();
  }

  /** The nodes are asked as often as the fastest of the federations that use this namespace needs it. */
  setPace(key: string, pace: Pace): void {
    this.#paces.set(key, pace);
    const all = [...this.#paces.values()];
    this.#probe.pace = (['fast', 'slow'] as const).find((each) => all.includes(each)) ?? 'quiet';
  }

  /** `key` does not use this namespace any more. */
  forget(key: string): void {
    this.#paces.delete(key);
    this.#namedSecrets.forget(key);
    this.#namedConfigMaps.delete(key);
  }

  /** A cache that has not heard its server may be missing anything by now. */
  #isSilent(status: ReflectorStatus): boolean {
    const silentMs = this.#options.clock.monotonic() - (status.lastEventAt ?? -Infinity);
    return silentMs > (status.connected ? silenceMaxMs : disconnectedMaxMs);
  }

  /** A ConfigMap that is nobody's guard, nor named by a member, may change as it likes. */
  #isOfInterest(name: string): boolean {
    const isCopy = isLabelled(this.#configMaps.store.get(`${this.namespace}/${name}`));
    return isGuardName(name) || isCopy || [...this.#namedConfigMaps.values()].some((names) => names.has(name));
  }

  /** Those that the status of a region needs; without the others only what is copied waits. */
  #reflectors(): Reflector[] {
    return [this.#members, this.#configMaps, this.#statefulSets, this.#claims, this.#pods];
  }

  #reflectorOf(resource: ResourceType): Reflector | undefined {
    if (resource.plural === this.#options.operator.member.plural) return this.#members;
    if (resource.plural === resources.pods.plural) return this.#pods;
    if (resource.plural === resources.secrets.plural) return this.#copiedSecrets;
    return resource.plural === resources.configMaps.plural ? this.#configMaps : undefined;
  }

  #reflector(
    resource: ResourceType,
    labelSelector?: string,
    also?: () => void,
    matters: (name: string) => boolean = () => true,
  ): Reflector {
    const { client, clock, random, logger, namespace, onChange, onWatchRestart } = this.#options;
    return new Reflector({
      client,
      resource,
      selection: { namespace, ...(labelSelector !== undefined && { labelSelector }) },
      clock,
      random,
      logger: logger.child({ resource: resource.plural }),
      onChange: (change) => {
        if (!matters(change.object.metadata.name)) return;
        also?.();
        onChange();
      },
      onConnection: onChange,
      onRestart: onWatchRestart,
    });
  }
}
