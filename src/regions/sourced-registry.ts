import type { KubeClient } from '../kube/client.ts';
import { ConnectedRegion, type Connecting } from './connected-region.ts';
import { isRefused, type RefusedRegistration, type Registration, type RegistrationSource } from './registration.ts';
import type { RefusedRegion, RegionRegistry } from './registry.ts';

export type RegistrationEvent = 'added' | 'removed' | 'rotated' | 'rotation failed' | 'other cluster' | 'refused';

export interface SourcedRegistryOptions extends Connecting {
  hub: Registration;
  /** Where regions come from, the first to be asked first. Some ask the hub. */
  sources: (hub: KubeClient) => readonly RegistrationSource[];
  /** Told what became of registrations; `region` is undefined where nobody can tell it. */
  onEvent?: (region: string | undefined, event: RegistrationEvent) => void;
}

/**
 * The regions that several sources register together. Of two registrations of one name the one that was there first
 * stays in use and the other one is refused: a region is never swapped for another behind anybody's back.
 */
export class SourcedRegistry implements RegionRegistry {
  readonly hub: ConnectedRegion;
  readonly #options: SourcedRegistryOptions;
  readonly #sources: readonly RegistrationSource[];
  readonly #connected = new Map<string, ConnectedRegion>();
  readonly #refused = new Map<string, RefusedRegion>();
  /** By region: the registration that counts, and where the last one that did came from. */
  #registered = new Map<string, Registration | RefusedRegistration>();
  readonly #origins = new Map<string, string>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #running = new Set<Promise<void>>();
  #said = new Set<string>();
  #wasPending: string | undefined;
  #signal: AbortSignal | undefined;

  constructor(options: SourcedRegistryOptions) {
    this.#options = options;
    const { hub } = options;
    this.#origins.set(hub.name, hub.origin);
    this.hub = this.#connect(hub, true);
    this.#sources = options.sources(this.hub.client);
    this.hub.outages.onOver(() => {
      for (const source of this.#sources) source.retryNow?.();
    });
    this.#apply();
  }

  get pending(): string | undefined {
    return this.#sources.map((source) => source.pending).find((why) => why !== undefined);
  }

  get(name: string): ConnectedRegion | RefusedRegion | undefined {
    return this.#connected.get(name) ?? this.#refused.get(name);
  }

  names(): string[] {
    return [...this.#connected.keys(), ...this.#refused.keys()];
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.add(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const region of this.#connected.values()) this.#start(region);
    await Promise.all(this.#sources.map((source) => source.run(signal, () => this.#apply())));
    await Promise.all(this.#running);
  }

  /** Makes the regions what the sources say now. */
  #apply(): void {
    const registered = this.#elect();
    this.#registered = registered;
    for (const name of [...this.#connected.keys(), ...this.#refused.keys()]) {
      if (!registered.has(name)) this.#remove(name);
    }
    for (const each of registered.values()) {
      if (isRefused(each)) this.#refuse(each);
      else this.#register(each);
    }
    const wasPending = this.#wasPending;
    this.#wasPending = this.pending;
    if (wasPending !== this.#wasPending) this.#tell(this.hub.name);
  }

  /** Which registration counts for each name. */
  #elect(): Map<string, Registration | RefusedRegistration> {
    const elected = new Map<string, Registration | RefusedRegistration>();
    const refused: RefusedRegistration[] = [];
    const doubled: { name: string; origin: string }[] = [];
    const all = this.#sources.flatMap((source) => source.read());
    const inUse = new Set(all.filter((each) => this.#holds(each)).map(({ name }) => name));
    for (const each of all) {
      const { name, origin } = each;
      if (name === undefined) {
        if (isRefused(each)) refused.push(each);
        continue;
      }
      const isTaken = elected.has(name) || ((inUse.has(name) || this.#isHub(name)) && !this.#holds(each));
      if (!isTaken) elected.set(name, each);
      else if (elected.get(name)?.origin !== origin) doubled.push({ name, origin });
    }
    for (const each of elected.values()) {
      if (isRefused(each)) refused.push(each);
      this.#origins.set(each.name ?? '', each.origin);
    }
    this.#say([...refused, ...doubled.map(({ name, origin }) => this.#doubled(name, origin))]);
    return elected;
  }

  #holds({ name, origin }: Registration | RefusedRegistration): boolean {
    return name !== undefined && this.#origins.get(name) === origin;
  }

  #doubled(name: string, origin: string): RefusedRegistration {
    const problem = `${origin}: region ${name} is registered by ${this.#origins.get(name) ?? 'another one'} already, which stays; take one of them away or rename it`;
    return { name, origin, problem };
  }

  #isHub(name: string): boolean {
    return name === this.hub.name;
  }

  #remove(name: string): void {
    const region = this.#connected.get(name);
    if (region && this.#isHub(name)) {
      region.refuse('it is not registered any more, and is kept since it is the hub');
      return;
    }
    this.#refused.delete(name);
    this.#origins.delete(name);
    if (region) this.#end(region, 'removed');
    this.#tell(name);
  }

  #refuse({ name = '', origin, problem, tenancy }: RefusedRegistration): void {
    const region = this.#connected.get(name);
    // What works goes on, for those who may use it by now; if that cannot be told, for nobody.
    if (region && (this.#isHub(name) || (tenancy && region.origin === origin))) {
      const isNew = region.problem !== problem;
      const isForOthers = tenancy !== undefined && region.allow(tenancy);
      if (isNew) region.refuse(problem);
      if (isNew || isForOthers) this.#tell(name);
      return;
    }
    if (region) this.#end(region, 'refused');
    if (!region && this.#refused.get(name)?.refused === problem) return;
    this.#refused.set(name, { name, origin, refused: problem });
    this.#tell(name);
  }

  #register(registration: Registration): void {
    const { name } = registration;
    const region = this.#connected.get(name);
    if (region) {
      const before = region.problem;
      const isForOthers = region.register(registration);
      if (isForOthers || region.problem !== before) this.#tell(name);
      return;
    }
    this.#refused.delete(name);
    this.#connect(registration, false);
    this.#options.logger.info('a region is registered', { region: name, origin: registration.origin });
    this.#options.onEvent?.(name, 'added');
    this.#tell(name);
  }

  #connect(registration: Registration, isHub: boolean): ConnectedRegion {
    const { connect, makeClient, clock, random, logger, onEvent, onLimited } = this.#options;
    const { name } = registration;
    const region: ConnectedRegion = new ConnectedRegion({
      registration,
      isHub,
      connect,
      makeClient,
      clock,
      random,
      logger,
      ...(onLimited && { onLimited }),
      onChange: (what) => {
        onEvent?.(name, what);
        this.#tell(name);
      },
      onOtherCluster: () => this.#startAnew(region),
    });
    this.#connected.set(name, region);
    if (this.#signal) this.#start(region);
    return region;
  }

  /** What is registered under the region's name is another cluster: that one begins with nothing. */
  #startAnew(region: ConnectedRegion): void {
    const { name } = region;
    if (this.#connected.get(name) !== region) return;
    const registration = this.#registered.get(name);
    this.#end(region, 'other cluster');
    if (registration && !isRefused(registration)) this.#connect(registration, false);
    this.#tell(name);
  }

  #end(region: ConnectedRegion, why: 'removed' | 'refused' | 'other cluster'): void {
    this.#options.logger.warn('a region is given up', { region: region.name, origin: region.origin, why });
    this.#options.onEvent?.(region.name, why);
    this.#connected.delete(region.name);
    region.end();
  }

  #start(region: ConnectedRegion): void {
    if (!this.#signal) return;
    const running = region.run(this.#signal).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Each thing that is wrong is said once, for as long as it stays so. */
  #say(refused: readonly RefusedRegistration[]): void {
    const said = new Set<string>();
    for (const { name, origin, problem } of refused) {
      said.add(problem);
      if (this.#said.has(problem)) continue;
      this.#options.logger.warn('a registration of a region is refused', { region: name, origin, problem });
      this.#options.onEvent?.(name, 'refused');
    }
    this.#said = said;
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}
