import type { EndpointState } from '../../../light-node/endpoint-state.ts';
import { initialSchema, type Schema } from './schema.ts';

/**
 * What a node finds again after a restart: Cassandra's system.local, system.peers and its tables. Nodes change it in
 * place; it outlives them, and goes with the volume that it stands for.
 */
export interface NodeDisk {
  hostId: string | undefined;
  clusterName: string | undefined;
  /** Only `COMPLETED` is a member that may skip the join. */
  bootstrapped: 'NEEDS_BOOTSTRAP' | 'COMPLETED' | 'DECOMMISSIONED';
  /** A join that did not come to its end left data behind, on which a rebuild founders (Cassandra 5.0). */
  bootstrapFailed: boolean;
  /** The other members, as last seen; nothing has been heard of them yet (generation 0). */
  peers: readonly EndpointState[];
  schema: Schema;
  /** Keyspace -> the writes to it of which this disk has its share. */
  data: Map<string, ReadonlySet<number>>;
}

/** A volume that no node has written to. */
export function emptyDisk(): NodeDisk {
  return {
    hostId: undefined,
    clusterName: undefined,
    bootstrapped: 'NEEDS_BOOTSTRAP',
    bootstrapFailed: false,
    peers: [],
    schema: initialSchema,
    data: new Map(),
  };
}
