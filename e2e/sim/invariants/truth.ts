import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { conditionOf, podsOf, statusOf } from './reading.ts';

/** How long the status may lag behind the truth, milliseconds: a quiet ring is asked once a minute. */
const lagMs = 240_000;

/** Not in DESIGN's list, and what people build on: what the status says is so. */
export const readyIsTrue: Invariant = {
  name: 'Ready is true',
  statement:
    'While the status says Ready=True, the ring is exactly the planned pods, all NORMAL; somebody will act on that sentence at three in the morning.',
  watch: (facts) => {
    let wrongSince: number | undefined;
    let wrong = '';
    return {
      onRest: () => {
        const trouble = conditionOf(facts.mcc(), 'Ready')?.status === 'True' ? whatIsWrong(facts) : undefined;
        return trouble && `Ready=True in the end although ${trouble}`;
      },
      onTick: () => {
        const trouble = conditionOf(facts.mcc(), 'Ready')?.status === 'True' ? whatIsWrong(facts) : undefined;
        if (trouble === undefined || facts.isTroubled(0)) {
          wrongSince = undefined;
          return undefined;
        }
        wrongSince ??= facts.nowMs();
        wrong = trouble;
        return facts.nowMs() - wrongSince < lagMs ? undefined : `Ready=True for ${lagMs / 1000} s although ${wrong}`;
      },
    };
  },
};

function whatIsWrong(facts: Facts): string | undefined {
  const nodes = [...facts.ring().nodes].filter((node) => node.mode === 'NORMAL' && node.isGossiping);
  for (const { name } of facts.shape.regions) {
    const member = facts.member(name);
    if (!member) return `region ${name} has no member`;
    const missing = podsOf(member).find((pod) => !nodes.some((node) => node.options.name === pod));
    if (missing !== undefined) return `${missing} of region ${name} is no NORMAL node`;
  }
  const hosts = new Set(nodes.map((node) => node.hostId));
  for (const node of nodes) {
    const seen = new Set(node.view.ring.map((state) => state.hostId));
    const unknown = [...hosts].find((host) => !seen.has(host));
    if (unknown !== undefined) return `${node.options.name} does not know host ${unknown}`;
    const stranger = node.view.ring.find((state) => !hosts.has(state.hostId));
    if (stranger) return `${node.options.name} counts on host ${stranger.hostId}, which does not run`;
  }
  return undefined;
}

/** Advice is followed; it must not do harm. */
export const adviceDoesNoHarm: Invariant = {
  name: 'advice does no harm',
  statement:
    'No condition tells a person to remove a host whose data is still on a disk of the federation: who follows it loses that node.',
  watch: (facts) => ({
    onChange: (cluster, { resource, object, type }) => {
      if (resource.plural !== 'multicassandraclusters' || cluster !== facts.shape.hub || type === 'DELETED')
        return undefined;
      for (const { type: condition, message } of statusOf(object).conditions ?? []) {
        for (const [, hostId = ''] of message.matchAll(/nodetool removenode ([0-9a-f-]{36})/g)) {
          const pod = facts.podWithDisk(hostId);
          if (pod !== undefined) return `${condition} advises to remove host ${hostId}, which is ${pod}`;
        }
      }
      return undefined;
    },
  }),
};

/** DESIGN invariant 14. */
export const removedHostsStayAway: Invariant = {
  name: 'removed hosts stay away',
  statement:
    'A host that was removed from the ring, or abandoned with its region, never comes back into any view: it would bring deleted rows back to life.',
  watch: (facts) => ({
    onTick: () => {
      const removed = facts.removedHosts();
      if (removed.size === 0) return undefined;
      for (const node of facts.ring().nodes) {
        if (node.mode !== 'NORMAL' || !node.isGossiping) continue;
        const back = node.view.ring.find(
          (state) => removed.has(state.hostId) && state.status === 'NORMAL' && node.view.isAlive(state),
        );
        if (back) return `${node.options.name} sees host ${back.hostId} at ${back.address} again, which was removed`;
      }
      return undefined;
    },
  }),
};

/** Rows are what it is all for. */
export const nodesHoldTheirRows: Invariant = {
  name: 'nodes hold their rows',
  statement:
    'A NORMAL node holds the rows of the ranges it owns, unless somebody took its disk: nothing we do makes it serve what it does not have.',
  watch: (facts) => ({
    onRest: () => {
      const [lacking] = facts.nodesWithoutTheirRows();
      return lacking === undefined ? undefined : `${lacking} owns ranges whose rows it does not have`;
    },
  }),
};
