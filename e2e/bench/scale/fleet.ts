/** How many of what is federated. */
export interface FleetSize {
  readonly regions: number;
  readonly federations: number;
}

export interface FleetRegion {
  /** Name of the context, of the namespace and in every MultiCassandraCluster. */
  readonly name: string;
  /** Which of the API servers it is a namespace of. */
  readonly server: number;
}

export interface FleetFederation {
  readonly name: string;
  readonly regions: readonly FleetRegion[];
}

/** The fewest and the most regions of a MultiCassandraCluster that is not the widest one. */
const narrow = { least: 2, most: 6 } as const;
/** Prime to all sizes in use, so that the regions of one federation lie apart and on several API servers. */
const stride = 37;

/**
 * Regions and MultiCassandraClusters: the first of these spans all regions, each of the others two to six, one size
 * after the other, all of them spread evenly. Every region holds one rack of one node of each that spans it.
 */
export class Fleet {
  readonly regions: readonly FleetRegion[];
  readonly federations: readonly FleetFederation[];

  constructor(size: FleetSize, servers: number) {
    this.regions = Array.from({ length: size.regions }, (_, index) => ({
      name: `r${String(index).padStart(3, '0')}`,
      server: index % servers,
    }));
    let at = 0;
    const next = (): FleetRegion => this.regions[(at++ * stride) % size.regions]!;
    this.federations = Array.from({ length: size.federations }, (_, index) => {
      const name = `m${String(index).padStart(2, '0')}`;
      if (index === 0) return { name, regions: this.regions };
      const width = narrow.least + ((index - 1) % (narrow.most - narrow.least + 1));
      return { name, regions: Array.from({ length: Math.min(width, size.regions) }, next) };
    });
  }

  /** CassandraClusters in all regions together; each is one node here. */
  get members(): number {
    return this.federations.reduce((sum, { regions }) => sum + regions.length, 0);
  }
}
