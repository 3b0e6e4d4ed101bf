import type { CassandraNetwork } from '../region/cassandra/network.ts';
import type { CassandraNode } from '../region/cassandra/node.ts';
import type { Invariant } from './invariant.ts';
import { guardOf } from './reading.ts';

/** DESIGN invariant 1. */
export const oneRingIsFounded: Invariant = {
  name: 'one ring is founded',
  statement:
    'At most one ring is ever founded, and once a node of it is proven no guard lets anybody found one, unless every disk of it is gone. Two rings of one name each take writes of their own, and nothing can put them together again.',
  watch: (facts) => {
    const normal = new Map<string, string>();
    const proven = new Map<string, string>();
    /** Whoever deletes all volumes, as a condition asks of leftovers, begins anew. */
    const withDisks = (pods: ReadonlyMap<string, string>): string[] =>
      [...pods].filter(([, hostId]) => facts.ring().disks.has(hostId)).map(([pod]) => pod);
    return {
      onChange: (cluster, { resource, object, type }) => {
        if (resource.plural !== 'configmaps' || type === 'DELETED') return undefined;
        const { ignition, joined } = guardOf(object);
        for (const { pod, hostId } of joined) proven.set(pod, hostId);
        if (ignition.length === 0 || proven.size === 0) return undefined;
        const there = withDisks(proven);
        if (there.length === 0) return undefined;
        const names = ignition.map(({ pod }) => pod).join(', ');
        return `the guard of region ${cluster} lets ${names} start a ring although ${there.join(', ')} had been proven`;
      },
      onNode: ({ kind, pod, region, hostId }) => {
        if (kind === 'became NORMAL') normal.set(pod, hostId);
        if (kind !== 'founded') return undefined;
        const others = withDisks(normal).filter((each) => each !== pod);
        if (others.length === 0) return undefined;
        return `${pod} of region ${region} started a ring of its own (host ${hostId}) although ${others.join(', ')} had formed one before`;
      },
    };
  },
};

/** DESIGN invariant 13. */
export const onlyTheIgnitionPodFounds: Invariant = {
  name: 'only the ignition pod founds',
  statement:
    'No pod starts a ring of its own unless its guard names it for that; CassKop alone lets any pod do so that reaches no seed.',
  watch: () => {
    const named = new Set<string>();
    return {
      onChange: (_cluster, { resource, object }) => {
        if (resource.plural === 'configmaps') for (const { pod } of guardOf(object).ignition) named.add(pod);
        return undefined;
      },
      onNode: ({ kind, pod, region }) =>
        kind === 'founded' && !named.has(pod)
          ? `${pod} of region ${region} started a ring of its own, and no guard ever named it for that`
          : undefined,
    };
  },
};

/** How long nodes may take to learn of each other, milliseconds. */
const meetingMs = 120_000;

/** The visible half of DESIGN invariant 1: founded or not, what runs is one ring. */
export const nodesFormOneRing: Invariant = {
  name: 'nodes form one ring',
  statement:
    'All NORMAL nodes hear each other, directly or through others; a write to one side of a split is not seen on the other.',
  watch: (facts) => {
    let apartSince: number | undefined;
    return {
      onTick: () => {
        const parties = partiesOf(facts.ring());
        if (parties.length < 2 || facts.isTroubled(0)) {
          apartSince = undefined;
          return undefined;
        }
        apartSince ??= facts.nowMs();
        if (facts.nowMs() - apartSince < meetingMs) return undefined;
        const names = parties.map((party) => `{${party.map((node) => node.options.name).join(', ')}}`);
        return `there are ${parties.length} rings that hear nothing of each other: ${names.join(' and ')}`;
      },
    };
  },
};

/** Groups the NORMAL nodes: who hears another's process, which has its address by now, is in one group with it. */
function partiesOf(ring: CassandraNetwork): CassandraNode[][] {
  const nodes = [...ring.nodes].filter((node) => node.mode === 'NORMAL' && node.isGossiping);
  const hears = (one: CassandraNode, other: CassandraNode): boolean =>
    one.view.ring.some(
      (state) => state.hostId === other.hostId && state.address === other.options.address && one.view.isAlive(state),
    );
  const parties: CassandraNode[][] = [];
  for (const node of nodes) {
    const touching = parties.filter((party) => party.some((other) => hears(node, other) || hears(other, node)));
    for (const party of touching) parties.splice(parties.indexOf(party), 1);
    parties.push([...touching.flat(), node]);
  }
  return parties;
}
