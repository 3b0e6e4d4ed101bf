import type { Transport } from '../edges/transport.ts';
import type { ClosableTransport } from '../kube/rotating-transport.ts';
import { FencedRegion, type MakeClient, type RegionEdges } from './region-handle.ts';
import type { RegionRegistry } from './registry.ts';
import { openTenancy, type Tenancy } from './tenancy.ts';

/** Regions that come and go only as they are told to, for simulations and tests: one for each transport. */
export class StaticRegistry implements RegionRegistry {
  readonly hub: FencedRegion;
  readonly pending = undefined;
  readonly #transports: ReadonlyMap<string, Transport>;
  readonly #makeClient: MakeClient;
  readonly #edges: RegionEdges;
  readonly #regions = new Map<string, StaticRegion>();
  readonly #listeners = new Set<(name: string) => void>();

  /** @throws Error when `hub` is none of the regions. */
  constructor(hub: string, transports: ReadonlyMap<string, Transport>, makeClient: MakeClient, edges: RegionEdges) {
    this.#transports = transports;
    this.#makeClient = makeClient;
    this.#edges = edges;
    for (const name of transports.keys()) this.add(name);
    const found = this.#regions.get(hub);
    if (!found) throw new Error(`there is no region ${hub} to be the hub`);
    this.hub = found;
  }

  get(name: string): FencedRegion | undefined {
    return this.#regions.get(name);
  }

  names(): string[] {
    return [...this.#regions.keys()];
  }

  /** Registers a region that was removed, as another one that is reached over the same transport. */
  add(name: string): void {
    const transport = this.#transports.get(name);
    if (!transport || this.#regions.has(name)) return;
    this.#regions.set(name, new StaticRegion(name, transport, this.#makeClient, this.#edges));
    this.#tell(name);
  }

  /** Takes a region's registration away; the hub's stays. */
  remove(name: string): void {
    const region = this.#regions.get(name);
    if (!region || region === this.hub) return;
    this.#regions.delete(name);
    region.ended.abort();
    this.#tell(name);
  }

  onChange(listener: (name: string) => void): void {
    this.#listeners.add(listener);
  }

  async run(): Promise<void> {
    // There is nothing to follow.
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

class StaticRegion extends FencedRegion {
  readonly origin = 'a fixed region';
  readonly tenancy: Tenancy = openTenancy;
  readonly problem = undefined;
  readonly life = undefined;
  readonly renewal = undefined;
  readonly ended = new AbortController();
  readonly #connections: ClosableTransport;

  constructor(name: string, transport: Transport, makeClient: MakeClient, edges: RegionEdges) {
    const connections = {
      send: transport.send.bind(transport),
      close: () => Promise.resolve(),
    };
    super(name, connections, makeClient, edges);
    this.#connections = connections;
  }

  protected connectAnew(): ClosableTransport {
    return this.#connections;
  }

  get signal(): AbortSignal {
    return this.ended.signal;
  }

  get host(): string {
    return this.name;
  }

  identified(): void {
    // It is what it is.
  }
}
