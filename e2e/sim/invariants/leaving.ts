import { annotations } from '../../../src/federation/bookkeeping.ts';
import type { Spec } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { guardOf, statusOf } from './reading.ts';
import { entryOf, specOf, Versions } from './versions.ts';

/** How old what it knows of the replication of a keyspace that it knows may be, milliseconds: ring-probe.ts. */
const replicationMaxAgeMs = 6_000;
/** Ticks are that far apart, milliseconds. */
const tickMs = 1_000;

/** How old what a controller has read of the ring may be when it changes the ring, milliseconds. */
const readingMaxMs = 20_000;

/** Since when the region leaves, as the hub or the region itself tells whoever comes next. */
function recordedLeaving(facts: Facts, region: string): string | undefined {
  return (
    entryOf(facts.mcc(), region)?.leavingSince ?? facts.guard(region)?.metadata.annotations?.[annotations.leavingSince]
  );
}

export const nodesLeaveAsAsked: Invariant = {
  name: 'nodes leave as asked',
  statement:
    'No node is told to leave, no host is removed and no member deleted unless the spec that the controller knew asks for it (Removing, Abandoned with these hosts, Delete on an object that goes), and that it leaves is recorded first: rows go with it, and whoever comes next must not take the region for one that stays.',
  watch: (facts) => {
    const versions = new Versions(facts);
    return {
      onChange: versions.onChange,
      onOrder: ({ by, cluster, pod, what, hostId, why }) => {
        const known = versions.known(by);
        if (what === 'decommission') {
          const told = `${by} told ${pod} of region ${cluster} to leave the ring (${why})`;
          if (recordedLeaving(facts, cluster) === undefined)
            return `${told}, and nothing records that the region leaves`;
          const { state } = specOf(known, cluster) ?? {};
          return state === 'Removing'
            ? undefined
            : `${told}, whose state in the spec it knew was ${state ?? 'not set'}`;
        }
        const told = `${by} had ${pod} remove host ${hostId} (${why})`;
        // Its leaving was not heard of where it is still held to be down.
        const left = [...facts.ring().nodes].find((node) => node.hostId === hostId && node.mode === 'DECOMMISSIONED');
        if (left && specOf(known, left.options.region)?.state === 'Removing') return undefined;
        const listed = ((known?.['spec'] as Spec | undefined)?.regions ?? []).find(
          ({ state, abandonedHosts = [] }) => state === 'Abandoned' && abandonedHosts.includes(hostId ?? ''),
        );
        if (!listed) return `${told}, which no abandoned region of the spec it knew lists`;
        const recorded = statusOf(facts.mcc()).ring?.abandonedHosts ?? [];
        return recorded.includes(hostId ?? '')
          ? undefined
          : `${told}, and the status does not record that it is given up`;
      },
      onWrite: ({ by, method, cluster, plural, why }) => {
        if (method !== 'DELETE' || plural !== 'cassandraclusters') return undefined;
        const deleted = `${by} deleted the member of region ${cluster} (${why})`;
        const known = versions.known(by);
        const { regions = [], deletionPolicy } = (known?.['spec'] as Spec | undefined) ?? {};
        const region = regions.find(({ name }) => name === cluster);
        if (known?.metadata.deletionTimestamp !== undefined) {
          const policy = region?.deletionPolicy ?? deletionPolicy;
          return policy === 'Delete' ? undefined : `${deleted}, whose deletionPolicy is ${policy ?? 'not set'}`;
        }
        const { state } = region ?? {};
        if (state !== 'Removing' && state !== 'Abandoned') return `${deleted}, whose state is ${state ?? 'not set'}`;
        if (recordedLeaving(facts, cluster) !== undefined) return undefined;
        return `${deleted}, and nothing records that the region leaves`;
      },
    };
  },
};

export const aRegionGoesWhenItsNodesHaveLeft: Invariant = {
  name: 'a region goes when its nodes have left',
  statement:
    'The member of a region that is removed is deleted only once every node of it has left the ring: the others would count on hosts that never come back, and their rows would be gone unstreamed.',
  watch: (facts) => {
    const versions = new Versions(facts);
    return {
      onChange: versions.onChange,
      onWrite: ({ by, method, cluster, plural, why, succeeded }) => {
        if (method !== 'DELETE' || plural !== 'cassandraclusters' || !succeeded) return undefined;
        const known = versions.known(by);
        if (known?.metadata.deletionTimestamp !== undefined || specOf(known, cluster)?.state !== 'Removing')
          return undefined;
        const left = stillIn(facts, cluster);
        return left && `${by} deleted the member of region ${cluster} (${why}) while ${left}`;
      },
    };
  },
};

/** What of a region is part of the ring, as the nodes of others tell. */
function stillIn(facts: Facts, region: string): string | undefined {
  const witness = normalNodes(facts).find((node) => node.options.region !== region);
  const state = witness?.view.ring.find(({ datacenter }) => datacenter === region);
  return state && `${witness?.options.name} holds host ${state.hostId} of it to be ${state.status}`;
}

function normalNodes(facts: Facts): CassandraNode[] {
  return [...facts.ring().nodes].filter(({ mode, isGossiping }) => mode === 'NORMAL' && isGossiping);
}

export const oneNodeLeavesAtATime: Invariant = {
  name: 'one node leaves at a time',
  statement:
    'A node is told to leave, and a host removed, only while every other node of the ring is NORMAL and alive: two changes at once can leave a token range without its rows.',
  watch: (facts) => {
    /** Node -> since when, as it sees the ring, something else goes on or is down. */
    const since = new Map<CassandraNode, number>();
    const abandoned = (): readonly string[] => [
      ...(statusOf(facts.mcc()).ring?.abandonedHosts ?? []),
      // Who has left unheard is down for the others for ever, unless it is removed.
      ...[...facts.ring().nodes].filter(({ mode }) => mode === 'DECOMMISSIONED').map(({ hostId }) => hostId),
    ];
    const unrest = (node: CassandraNode): string | undefined => {
      const other = node.view.ring.find(
        (state) =>
          state.hostId !== node.hostId &&
          !abandoned().includes(state.hostId) &&
          (state.status !== 'NORMAL' || !node.view.isAlive(state)),
      );
      return (
        other &&
        `host ${other.hostId} at ${other.address} is ${other.status} and ${node.view.isAlive(other) ? 'alive' : 'down'}`
      );
    };
    return {
      onTick: () => {
        const nodes = normalNodes(facts);
        for (const node of since.keys()) if (!nodes.includes(node)) since.delete(node);
        for (const node of nodes) {
          if (unrest(node) === undefined) since.delete(node);
          else if (!since.has(node)) since.set(node, facts.nowMs());
        }
        return undefined;
      },
      onOrder: ({ by, cluster, pod, what, why }) => {
        const node = normalNodes(facts).find(({ options }) => options.region === cluster && options.name === pod);
        const began = node && since.get(node);
        const other = node && unrest(node);
        if (other === undefined || began === undefined || facts.nowMs() - began <= readingMaxMs) return undefined;
        return `${by} ordered ${what} of ${pod} (${why}) while ${other}`;
      },
    };
  },
};

export const keyspacesLeaveFirst: Invariant = {
  name: 'keyspaces leave first',
  statement:
    "When the first node of a region is told to leave, no keyspace of the user has replicas in the region's datacenter: clients would read there what is there no more.",
  watch: (facts) => {
    /** Keyspace and region -> since when every node of the ring holds it so. */
    const since = new Map<string, number>();
    /** Keyspace -> when some region of the ring was first seen to have replicas of it. */
    const made = new Map<string, number>();
    const told = new Map<string, string>();
    /** Region -> when it was first seen that it leaves. */
    const leaving = new Map<string, number>();
    const look = (): void => {
      const nodes = normalNodes(facts);
      const found = new Set(
        facts.shape.regions.flatMap(({ name: region }) =>
          [...(nodes[0]?.view.schema.definitions.keys() ?? [])]
            .filter(
              (keyspace) =>
                !keyspace.startsWith('system') && nodes.every((node) => hasReplicas(node, keyspace, region)),
            )
            .map((keyspace) => `${keyspace} ${region}`),
        ),
      );
      for (const key of since.keys()) if (!found.has(key)) since.delete(key);
      for (const key of found) {
        if (!since.has(key)) since.set(key, facts.nowMs());
        const [keyspace = ''] = key.split(' ');
        if (!made.has(keyspace)) made.set(keyspace, facts.nowMs());
      }
    };
    return {
      onTick: () => {
        look();
        for (const { name } of facts.shape.regions) {
          if (recordedLeaving(facts, name) === undefined) leaving.delete(name);
          else if (!leaving.has(name)) leaving.set(name, facts.nowMs());
        }
        return undefined;
      },
      onOrder: ({ by, cluster, pod, what, why }) => {
        const began = recordedLeaving(facts, cluster) ?? '';
        if (what !== 'decommission' || told.get(cluster) === began) return undefined;
        told.set(cluster, began);
        look();
        const found = [...since].find(
          ([key, sinceMs]) =>
            key.endsWith(` ${cluster}`) &&
            (leaving.get(cluster) ?? facts.nowMs()) - sinceMs >
              (made.get(key.split(' ')[0] ?? '') === sinceMs ? tickMs : replicationMaxAgeMs),
        );
        return (
          found &&
          `${by} told ${pod} to leave the ring (${why}) although keyspace ${found[0].split(' ')[0]} has replicas in datacenter ${cluster}`
        );
      },
    };
  },
};

function hasReplicas({ view }: CassandraNode, keyspace: string, datacenter: string): boolean {
  const replication = view.schema.definitions.get(keyspace)?.replication;
  return replication?.strategy === 'NetworkTopologyStrategy' && (replication.datacenters[datacenter] ?? 0) > 0;
}

export const onlyTheDeadAreRemoved: Invariant = {
  name: 'only the dead are removed',
  statement:
    'A host is removed only while it is down for the nodes that stay: one that runs has rows and clients, and goes on writing to a ring that has forgotten it.',
  watch: (facts) => {
    /** Host -> since when a node of another region holds it alive. */
    const since = new Map<string, number>();
    const holders = (hostId: string): CassandraNode[] =>
      normalNodes(facts).filter(({ hostId: own, view }) => own !== hostId && view.live.has(hostId));
    return {
      onTick: () => {
        const alive = new Set(normalNodes(facts).flatMap(({ view }) => [...view.live]));
        for (const hostId of since.keys()) if (!alive.has(hostId)) since.delete(hostId);
        for (const hostId of alive) if (!since.has(hostId)) since.set(hostId, facts.nowMs());
        return undefined;
      },
      onOrder: ({ by, pod, what, hostId = '', why }) => {
        if (what !== 'removeNode') return undefined;
        const [holder] = holders(hostId);
        const began = since.get(hostId);
        if (!holder || began === undefined || facts.nowMs() - began <= readingMaxMs) return undefined;
        return `${by} had ${pod} remove host ${hostId} (${why}), which ${holder.options.name} holds to be alive`;
      },
      onWrite: ({ by, plural, subresource, succeeded, before, after }) => {
        if (plural !== 'multicassandraclusters' || subresource !== 'status' || !succeeded) return undefined;
        const known = statusOf(before).ring?.abandonedHosts ?? [];
        for (const hostId of statusOf(after).ring?.abandonedHosts ?? []) {
          if (known.includes(hostId)) continue;
          const [holder] = holders(hostId);
          const began = since.get(hostId);
          if (!holder || began === undefined || facts.nowMs() - began <= readingMaxMs) continue;
          return `${by} recorded that host ${hostId} is given up, which ${holder.options.name} holds to be alive`;
        }
        return undefined;
      },
    };
  },
};

export const whoeverWasGivenUpStaysOut: Invariant = {
  name: 'whoever was given up stays out',
  statement:
    'A host that was given up with its region and has left the list of those that joined is never put on it again, in the status or in a guard: it would be let in with rows that were deleted since.',
  watch: () => {
    const gone = new Set<string>();
    return {
      onWrite: ({ by, cluster, plural, succeeded, before, after }) => {
        if (!succeeded || !after) return undefined;
        if (plural === 'multicassandraclusters') {
          const hostsOf = (mcc: KubeObject | undefined): string[] =>
            (statusOf(mcc).regions ?? []).flatMap(({ hosts = [] }) => hosts.map(({ hostId }) => hostId));
          const [was, is] = [hostsOf(before), hostsOf(after)];
          const back = is.find((hostId) => gone.has(hostId) && !was.includes(hostId));
          if (back !== undefined) return `${by} recorded host ${back} as joined, which was given up`;
          for (const hostId of statusOf(after).ring?.abandonedHosts ?? []) if (!is.includes(hostId)) gone.add(hostId);
        }
        if (plural !== 'configmaps') return undefined;
        const was = guardOf(before).joined;
        const back = guardOf(after).joined.find(
          ({ hostId }) => gone.has(hostId) && !was.some((each) => each.hostId === hostId),
        );
        return (
          back && `${by} put ${back.pod} (host ${back.hostId}) into the guard of region ${cluster}, which was given up`
        );
      },
    };
  },
};

export const whoHasLeftDoesNotStart: Invariant = {
  name: 'who has left does not start',
  statement:
    'Once a node has left with its region, or was given up with it, no Cassandra of that region comes up under its name before the region is asked for again: it would be a stranger in the ring, or bring back rows that were deleted.',
  watch: (facts) => ({
    onNode: ({ kind, pod, region, hostId }) => {
      if (kind !== 'joined') return undefined;
      const since = recordedLeaving(facts, region);
      if (since === undefined || entryOf(facts.mcc(), region)?.stage === 'Removed') return undefined;
      return `${pod} of region ${region} joined as host ${hostId}, although the region has been leaving since ${since}`;
    },
  }),
};

export const rowsOutliveTheirRegion: Invariant = {
  name: 'rows outlive their region',
  statement:
    'When a region has been removed, every row that was written before has a replica on a node that stays: nothing is removed at the price of rows.',
  watch: (facts) => {
    const before = new Map<string, { lost: readonly string[]; taken: number }>();
    return {
      // What is lost then was before anybody did what the removal asks for.
      onChange: (cluster, { resource, object }) => {
        if (resource.plural !== 'multicassandraclusters' || cluster !== facts.shape.hub) return undefined;
        for (const { name, state } of (object['spec'] as Spec).regions) {
          if (state !== 'Removing') before.delete(name);
          else if (!before.has(name)) before.set(name, { lost: facts.lostKeyspaces(), taken: facts.disksTaken() });
        }
        return undefined;
      },
      onWrite: ({ by, plural, subresource, succeeded, before: old, after }) => {
        if (plural !== 'multicassandraclusters' || subresource !== 'status' || !succeeded) return undefined;
        for (const { name, stage } of statusOf(after).regions ?? []) {
          const was = entryOf(old, name);
          const known = before.get(name);
          if (stage !== 'Removed' || was?.stage === 'Removed' || !known) continue;
          before.delete(name);
          if (specOf(after, name)?.state !== 'Removing' || facts.disksTaken() > known.taken) continue;
          const lost = facts.lostKeyspaces().find((keyspace) => !known.lost.includes(keyspace));
          if (lost !== undefined)
            return `${by} called region ${name} removed, and rows of keyspace ${lost} are on no node any more`;
        }
        return undefined;
      },
    };
  },
};
