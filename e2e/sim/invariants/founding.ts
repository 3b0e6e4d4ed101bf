import type { Invariant } from './invariant.ts';
import { guardOf } from './reading.ts';

/** DESIGN invariant 1. */
export const oneRingIsFounded: Invariant = {
  name: 'one ring is founded',
  statement:
    'At most one ring is ever founded. Two rings of one name each take writes of their own, and nothing can put them together again.',
  watch: () => {
    const normal = new Set<string>();
    return {
      onNode: ({ kind, pod, region, hostId }) => {
        if (kind === 'became NORMAL') normal.add(pod);
        if (kind !== 'founded') return undefined;
        const others = [...normal].filter((each) => each !== pod);
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
    'All NORMAL nodes know each other, directly or through others; a write to one side of a split is not seen on the other.',
  watch: (facts) => {
    let apartSince: number | undefined;
    return {
      onTick: () => {
        const views = [...facts.ring().nodes].filter((node) => node.mode === 'NORMAL' && node.isGossiping);
        const parties: Set<string>[] = [];
        for (const node of views) {
          const hosts = new Set(node.view.ring.map((state) => state.hostId));
          for (const party of parties.filter((each) => [...hosts].some((host) => each.has(host)))) {
            parties.splice(parties.indexOf(party), 1);
            for (const host of party) hosts.add(host);
          }
          parties.push(hosts);
        }
        if (parties.length < 2) {
          apartSince = undefined;
          return undefined;
        }
        apartSince ??= facts.nowMs();
        if (facts.nowMs() - apartSince < meetingMs) return undefined;
        const names = parties.map((party) =>
          views.filter((node) => party.has(node.hostId)).map((node) => node.options.name),
        );
        return `there are ${parties.length} rings that know nothing of each other: ${names.map((pods) => `{${pods.join(', ')}}`).join(' and ')}`;
      },
    };
  },
};
