import type { Transport } from '../edges/transport.ts';
import { FencedRegion, type MakeClient } from './region-handle.ts';
import type { RegionRegistry } from './registry.ts';
import { openTenancy, type Tenancy } from './tenancy.ts';

/** Regions that stay what they are, for simulations and tests: one for each transport. */
export class StaticRegistry implements RegionRegistry {
  readonly hub: FencedRegion;
  readonly synced = true;
  readonly #regions: ReadonlyMap<string, StaticRegion>;

  /** @throws Error when `hub` is none of the regions. */
  constructor(hub: string, transports: ReadonlyMap<string, Transport>, makeClient: MakeClient) {
    this.#regions = new Map(
      [...transports].map(([name, transport]) => [name, new StaticRegion(name, transport, makeClient)]),
    );
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

  onChange(): void {
    // Nothing ever does.
  }

  async run(): Promise<void> {
    // There is nothing to follow.
  }
}

class StaticRegion extends FencedRegion {
  readonly origin = 'a fixed region';
  readonly tenancy: Tenancy = openTenancy;
  readonly problem = undefined;
  readonly signal = new AbortController().signal;

  get host(): string {
    return this.name;
  }
}
