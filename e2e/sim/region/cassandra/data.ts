import type { EndpointState } from '../../../light-node/endpoint-state.ts';
import type { NodeDisk } from './node-disk.ts';
import type { CassandraNode } from './node.ts';
import type { RingView } from './ring-view.ts';
import { factorIn, replicatedKeyspaces, type Replication } from './schema.ts';

/** One thing that was written to a keyspace: every member that keeps the keyspace shall have its share of it. */
export interface Write {
  readonly id: number;
  readonly keyspace: string;
  /** Host IDs of those that got it. */
  readonly hosts: ReadonlySet<string>;
}

/** A member that answers for ranges of a keyspace without their data. */
export interface DataGap {
  readonly keyspace: string;
  readonly hostId: string;
  readonly address: string;
  readonly datacenter: string;
}

export type Disks = ReadonlyMap<string, NodeDisk>;

/** The members that own ranges of a keyspace. A joining one owns none yet. */
export function ownersOf(view: RingView, replication: Replication): EndpointState[] {
  return view.ring.filter(
    ({ datacenter, status }) => status !== 'BOOT' && status !== 'LEFT' && factorIn(replication, datacenter) > 0,
  );
}

/** Adds `writes` to what a disk holds of a keyspace. */
export function addData(disk: NodeDisk, keyspace: string, writes: Iterable<number>): void {
  disk.data.set(keyspace, new Set([...(disk.data.get(keyspace) ?? []), ...writes]));
}

function dataOf(hosts: readonly EndpointState[], keyspace: string, disks: Disks): Set<number> {
  return new Set(hosts.flatMap(({ hostId }) => [...(disks.get(hostId)?.data.get(keyspace) ?? [])]));
}

/**
 * A join: the node gets its share from the members that had it. Where a keyspace has all its replicas the one that
 * gives up a range must be there to give it (cassandra.consistent.rangemovement); which one that is depends on
 * tokens, so all must be.
 * @returns why it fails, or undefined
 */
export function streamBootstrap(node: CassandraNode, disks: Disks): string | undefined {
  const { view, options } = node;
  for (const [keyspace, replication] of replicatedKeyspaces(view.schema)) {
    if (factorIn(replication, options.datacenter) === 0) continue;
    const owners = ownersOf(view, replication).filter(({ hostId }) => hostId !== node.hostId);
    const near = neighbours(owners, replication, options.datacenter);
    const live = owners.filter((state) => view.isAlive(state));
    const down = near.find((state) => !view.isAlive(state));
    if (hasAllReplicas(owners, replication) && down) {
      return `A node required to move the data consistently is down (/${down.address}:7000).`;
    }
    if (owners.length > 0 && live.length === 0) {
      return `Unable to find sufficient sources for streaming ranges of keyspace ${keyspace}`;
    }
    addData(options.disk, keyspace, dataOf(live, keyspace, disks));
  }
  return undefined;
}

/** A decommission: those who take the ranges over must be there. @returns why it fails, or undefined */
export function streamDecommission({ view, hostId, options }: CassandraNode): string | undefined {
  for (const [keyspace, replication] of replicatedKeyspaces(view.schema)) {
    if (factorIn(replication, options.datacenter) === 0) continue;
    const others = ownersOf(view, replication).filter((state) => state.hostId !== hostId);
    const down = neighbours(others, replication, options.datacenter).find((state) => !view.isAlive(state));
    if (down) return `Stream failed: keyspace ${keyspace} cannot go to /${down.address}:7000`;
  }
  return undefined;
}

/**
 * A rebuild from the members of one datacenter.
 * @returns why it cannot be, or undefined
 */
export function streamRebuild(node: CassandraNode, datacenter: string, disks: Disks): string | undefined {
  const { view, options } = node;
  if (options.disk.bootstrapFailed) {
    return 'Discovered existing bootstrap data and cassandra.reset_bootstrap_progress is not configured; aborting bootstrap.';
  }
  const sources = view.ring.filter((state) => state.datacenter === datacenter && state.hostId !== node.hostId);
  if (sources.length === 0) return `Provided datacenter '${datacenter}' is not a valid datacenter`;
  for (const [keyspace, replication] of replicatedKeyspaces(view.schema)) {
    if (factorIn(replication, options.datacenter) === 0) continue;
    const owners = ownersOf(view, replication).filter(({ hostId }) => hostId !== node.hostId);
    const there = owners.filter((state) => state.datacenter === datacenter && view.isAlive(state));
    const elsewhere = owners.some((state) => state.datacenter !== datacenter);
    if (total(replication) === 1 && (there.length === 0 || elsewhere)) {
      return `Unable to find sufficient sources for streaming range in keyspace ${keyspace} with RF=1`;
    }
    addData(options.disk, keyspace, dataOf(there, keyspace, disks));
  }
  return undefined;
}

/** A repair of everything: every live owner gets what any live owner has. */
export function repairAll({ view }: CassandraNode, disks: Disks): void {
  for (const [keyspace, replication] of replicatedKeyspaces(view.schema)) {
    const live = ownersOf(view, replication).filter((state) => view.isAlive(state));
    const all = dataOf(live, keyspace, disks);
    for (const { hostId } of live) {
      const disk = disks.get(hostId);
      if (disk) addData(disk, keyspace, all);
    }
  }
}

/** The members, as `view` has them, that answer for data which they do not have. */
export function gapsIn(view: RingView, writes: readonly Write[], disks: Disks): DataGap[] {
  return replicatedKeyspaces(view.schema).flatMap(([keyspace, replication]) => {
    const expected = expectedIn(view, writes, keyspace);
    if (expected.length === 0) return [];
    return ownersOf(view, replication)
      .filter(({ hostId }) => expected.some(({ id }) => !hasWrite(disks, hostId, keyspace, id)))
      .map(({ hostId, address, datacenter }) => ({ keyspace, hostId, address, datacenter }));
  });
}

/**
 * Keyspaces of which some data may be on no disk of the members any more: of some write so many owners of each
 * datacenter have nothing that there can be a range of which all replicas are among them. Without `without`, a host
 * that is about to be removed.
 */
export function lostKeyspaces(view: RingView, writes: readonly Write[], disks: Disks, without?: string): string[] {
  return replicatedKeyspaces(view.schema).flatMap(([keyspace, replication]) => {
    const owners = ownersOf(view, replication);
    const datacenters = new Set(owners.map(({ datacenter }) => datacenter));
    const isSimple = replication.strategy === 'SimpleStrategy';
    const isSafe = ({ id }: Write): boolean =>
      (isSimple ? [''] : [...datacenters]).some((datacenter) => {
        const here = neighbours(owners, replication, datacenter);
        const missing = here.filter(({ hostId }) => hostId === without || !hasWrite(disks, hostId, keyspace, id));
        return here.length > missing.length && missing.length < factorIn(replication, datacenter);
      });
    return expectedIn(view, writes, keyspace).every(isSafe) ? [] : [keyspace];
  });
}

/** The writes that reached any host that `view` knows or knew. */
function expectedIn(view: RingView, writes: readonly Write[], keyspace: string): Write[] {
  return writes.filter(
    (write) => write.keyspace === keyspace && [...view.states.keys()].some((hostId) => write.hosts.has(hostId)),
  );
}

function hasWrite(disks: Disks, hostId: string, keyspace: string, id: number): boolean {
  return disks.get(hostId)?.data.get(keyspace)?.has(id) ?? false;
}

/** Those of the owners among whom a datacenter's replicas are: for SimpleStrategy datacenters do not count. */
function neighbours(owners: readonly EndpointState[], replication: Replication, datacenter: string): EndpointState[] {
  return owners.filter((state) => replication.strategy === 'SimpleStrategy' || state.datacenter === datacenter);
}

function hasAllReplicas(owners: readonly EndpointState[], replication: Replication): boolean {
  if (replication.strategy !== 'NetworkTopologyStrategy') return owners.length >= total(replication);
  return Object.entries(replication.datacenters).every(
    ([datacenter, factor]) => owners.filter((state) => state.datacenter === datacenter).length >= factor,
  );
}

function total(replication: Replication): number {
  if (replication.strategy !== 'NetworkTopologyStrategy') return factorIn(replication, '');
  return Object.values(replication.datacenters).reduce((sum, factor) => sum + factor, 0);
}
