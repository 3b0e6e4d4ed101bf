/** How a keyspace is replicated. */
export type Replication =
  | { strategy: 'LocalStrategy' }
  | { strategy: 'SimpleStrategy'; factor: number }
  | { strategy: 'NetworkTopologyStrategy'; datacenters: Readonly<Record<string, number>> };

interface Definition {
  /** Undefined once it was dropped. */
  readonly replication: Replication | undefined;
  /** Of two definitions the one that was written later counts. 0: a new node's own. */
  readonly writtenAt: number;
}

/** The keyspaces as one node knows them; never changes, so that nodes that agree hold the same object. */
export interface Schema {
  readonly version: string;
  readonly definitions: ReadonlyMap<string, Definition>;
}

/** What a new Cassandra 5.0.8 node has. */
export const initialSchema: Schema = schemaOf(
  new Map<string, Definition>([
    ['system_traces', { replication: { strategy: 'SimpleStrategy', factor: 2 }, writtenAt: 0 }],
    ['system_distributed', { replication: { strategy: 'SimpleStrategy', factor: 3 }, writtenAt: 0 }],
    ['system_auth', { replication: { strategy: 'SimpleStrategy', factor: 1 }, writtenAt: 0 }],
    ['system_schema', { replication: { strategy: 'LocalStrategy' }, writtenAt: 0 }],
    ['system', { replication: { strategy: 'LocalStrategy' }, writtenAt: 0 }],
  ]),
);

/** The keyspaces that are there, with their replication. */
export function keyspacesOf(schema: Schema): [name: string, replication: Replication][] {
  return [...schema.definitions].flatMap(([name, { replication }]): [string, Replication][] =>
    replication ? [[name, replication]] : [],
  );
}

/** Those whose data other nodes have a share of. */
export function replicatedKeyspaces(schema: Schema): [name: string, replication: Replication][] {
  return keyspacesOf(schema).filter(([, { strategy }]) => strategy !== 'LocalStrategy');
}

/** A schema with one keyspace created, altered or, without a replication, dropped. */
export function withKeyspace(
  schema: Schema,
  name: string,
  replication: Replication | undefined,
  writtenAt: number,
): Schema {
  return schemaOf(new Map(schema.definitions).set(name, { replication, writtenAt }));
}

/** What two nodes agree on after they have compared: of every keyspace the later definition. */
export function mergeSchemas(one: Schema, other: Schema): Schema {
  if (one.version === other.version) return one;
  const definitions = new Map(one.definitions);
  for (const [name, definition] of other.definitions) {
    const known = definitions.get(name);
    if (!known || definition.writtenAt > known.writtenAt) definitions.set(name, definition);
  }
  const merged = schemaOf(definitions);
  if (merged.version === one.version) return one;
  return merged.version === other.version ? other : merged;
}

/** How many replicas `replication` asks for in a datacenter; all datacenters together for SimpleStrategy. */
export function factorIn(replication: Replication, datacenter: string): number {
  switch (replication.strategy) {
    case 'LocalStrategy':
      return 0;
    case 'SimpleStrategy':
      return replication.factor;
    case 'NetworkTopologyStrategy':
      return replication.datacenters[datacenter] ?? 0;
  }
}

/** In Cassandra's own words, e.g. `NetworkTopologyStrategy {eu=3, us=3}`. */
export function replicationText(replication: Replication): string {
  switch (replication.strategy) {
    case 'LocalStrategy':
      return 'LocalStrategy {}';
    case 'SimpleStrategy':
      return `SimpleStrategy {replication_factor=${replication.factor}}`;
    case 'NetworkTopologyStrategy': {
      const pairs = Object.entries(replication.datacenters).map(([name, factor]) => `${name}=${factor}`);
      return `NetworkTopologyStrategy {${pairs.join(', ')}}`;
    }
  }
}

/** Equal definitions give equal versions, as Cassandra's do. */
function schemaOf(definitions: ReadonlyMap<string, Definition>): Schema {
  const written = [...definitions]
    .filter(([, { writtenAt }]) => writtenAt > 0)
    .map(([name, { writtenAt }]) => `${name}:${writtenAt}`)
    .sort();
  // Recorded of a node without tables of its own.
  if (written.length === 0) return { version: 'd03783d7-b468-3c1a-82f1-8e30b2edde8b', definitions };
  let hash = 0x811c9dc5;
  for (const character of written.join()) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  const digits = (hash >>> 0).toString(16).padStart(8, '0');
  return { version: `${digits}-b468-3c1a-82f1-8e30b2edde8b`, definitions };
}
