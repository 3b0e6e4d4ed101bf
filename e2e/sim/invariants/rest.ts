import type { Spec } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Facts } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { conditionOf, guardOf, podsOf, statusOf } from './reading.ts';

/** DESIGN invariant 10, first half. */
export const everythingComesRight: Invariant = {
  name: 'everything comes right',
  statement:
    'When the spec stops changing, faults stop, and the user has done what the status asked for, the federation becomes Ready with one ring, whatever came before.',
  watch: (facts) => ({
    onRest: () => {
      const mcc = facts.mcc();
      if (!mcc) return undefined;
      const ready = conditionOf(mcc, 'Ready');
      const stalled = conditionOf(mcc, 'Stalled');
      // Taken out by CassKop although the spec asks for it: nothing brings it back but a person.
      const taken = leftByMistake(facts);
      if (taken !== undefined && stalled?.status === 'True' && stalled.message.includes(taken)) return undefined;
      if (ready?.status !== 'True')
        return `Ready is ${ready?.status ?? 'not set'}: ${ready?.reason ?? ''}: ${ready?.message ?? ''}; Stalled is ${stalled?.status}: ${stalled?.reason}: ${stalled?.message}`;
      if (statusOf(mcc).observedGeneration !== mcc.metadata.generation) {
        return `the status speaks of generation ${statusOf(mcc).observedGeneration}, and the spec is at ${mcc.metadata.generation}`;
      }
      const doubt = doubtIn(mcc) ?? guardTrouble(facts);
      return doubt && `Ready is True, and at the same time ${doubt}`;
    },
  }),
};

function leftByMistake(facts: Facts): string | undefined {
  const planned = facts.shape.regions.flatMap(({ name }) => facts.member(name) ?? []).flatMap(podsOf);
  return [...facts.ring().nodes]
    .filter(({ mode }) => mode === 'DECOMMISSIONED')
    .map(({ options }) => options.name)
    .find((pod) => planned.includes(pod));
}

/** A guard that is gone, or does not know a node of the ring: the next pod that restarts will not get past it. */
function guardTrouble(facts: Facts): string | undefined {
  const nodes = [...facts.ring().nodes].filter(({ mode }) => mode === 'NORMAL');
  for (const { name } of facts.shape.regions) {
    const guard = facts.guard(name);
    if (!guard) return `region ${name} has no guard`;
    const { joined } = guardOf(guard);
    const unknown = nodes.find(({ hostId }) => !joined.some((each) => each.hostId === hostId));
    if (unknown) return `the guard of region ${name} does not name ${unknown.options.name}`;
  }
  return undefined;
}

/** What the status says beside Ready=True that would make a person ask. */
function doubtIn(mcc: KubeObject): string | undefined {
  const { conditions = [], regions = [], summary } = statusOf(mcc);
  for (const { type, status, reason, message, observedGeneration } of conditions) {
    if (observedGeneration !== mcc.metadata.generation) return `${type} speaks of generation ${observedGeneration}`;
    // Running regions keep an older list of seeds until they are told to roll; that is said, and no trouble.
    if (type === 'SeedsCurrent' && reason === 'Deferred') continue;
    if (status !== (type === 'Stalled' || type === 'Reconciling' ? 'False' : 'True'))
      return `${type} is ${status}: ${message}`;
  }
  for (const { name, stage, conditions: own = [] } of regions) {
    if (stage !== 'Running') return `region ${name} is ${stage}`;
    const other = own.find(({ status }) => status !== 'True');
    if (other) return `${other.type} of region ${name} is ${other.status}: ${other.message}`;
  }
  const partial = Object.values(summary ?? {}).find((count) => new Set(count.split('/')).size > 1);
  return partial && `the summary says ${partial}`;
}

/** DESIGN invariant 10, second half. */
export const writesStop: Invariant = {
  name: 'writes stop',
  statement:
    'In a federation that is as it should be nothing is written: every needless write wakes everybody who watches.',
  watch: (facts) => {
    const late: string[] = [];
    return {
      onWrite: ({ by, cluster, plural, name, why }) => {
        if (facts.isQuiet()) late.push(`${by} wrote ${plural} ${name} in ${cluster} (${why})`);
        return undefined;
      },
      onRest: () =>
        late.length > 0 ? `${late.length} writes came in the silence: ${late.slice(0, 3).join('; ')}` : undefined,
    };
  },
};

/** How long a correction may take to reach a region that can be reached, milliseconds. */
const deliveryMs = 150_000;

/** DESIGN invariant 11. */
export const fixesAreDelivered: Invariant = {
  name: 'fixes are delivered',
  statement:
    "A person's correction reaches the region it is meant for however unhealthy that region is: whoever waits for health before delivering the cure waits for ever.",
  watch: (facts) => {
    let waitedMs = 0;
    let waitingFor = '';
    let lastTickMs = 0;
    return {
      onTick: () => {
        const sinceMs = lastTickMs;
        lastTickMs = facts.nowMs();
        const mcc = facts.mcc();
        const { seeds, regions } = (mcc?.['spec'] as Spec | undefined) ?? {};
        const behind = facts.shape.regions.find(({ name }) => {
          const guard = facts.guard(name);
          if (regions?.find((each) => each.name === name)?.state === 'Observed') return false;
          return guard && facts.member(name) && guardOf(guard).waitSeconds !== seeds?.guardWaitSeconds;
        });
        const now =
          behind && mcc && couldDeliver(facts, mcc)
            ? `guardWaitSeconds ${seeds?.guardWaitSeconds} in region ${behind.name}`
            : '';
        waitedMs = now === waitingFor && now !== '' ? waitedMs + lastTickMs - sinceMs : 0;
        waitingFor = now;
        return waitedMs < deliveryMs ? undefined : `${now} was not delivered within ${deliveryMs / 1000} s`;
      },
    };
  },
};

/** A controller is alive, and says that it has seen the spec and reaches the regions. */
function couldDeliver(facts: Facts, mcc: KubeObject): boolean {
  return (
    statusOf(mcc).observedGeneration === mcc.metadata.generation &&
    conditionOf(mcc, 'Accepted')?.status === 'True' &&
    conditionOf(mcc, 'RegionsReachable')?.status === 'True' &&
    facts.requestsOfLastMinute().some(({ requests }) => requests > 0)
  );
}

/** Requests of one process within a virtual minute that no state of the world can call for. */
const requestsPerMinuteMax = 3_000;
const writesPerMinuteMax = 120;
/** The same while nothing has happened for a while. */
const requestsInSilenceMax = 150;

/** A loop that asks for nothing new is an outage of somebody else's API server. */
export const noHotLoops: Invariant = {
  name: 'no hot loops',
  statement: `A controller sends at most ${requestsPerMinuteMax} requests and ${writesPerMinuteMax} writes a minute, whatever it meets, and ${requestsInSilenceMax} requests while nothing happens.`,
  watch: (facts) => ({
    onTick: () => {
      for (const { by, requests, writes } of facts.requestsOfLastMinute()) {
        if (requests > requestsPerMinuteMax) return `${by} sent ${requests} requests in a minute`;
        if (writes > writesPerMinuteMax) return `${by} sent ${writes} writes in a minute`;
      }
      return undefined;
    },
    onRest: () => {
      if (conditionOf(facts.mcc(), 'Ready')?.status !== 'True') return undefined;
      const loud = facts.requestsOfLastMinute().find(({ requests }) => requests > requestsInSilenceMax);
      return loud && `${loud.by} sent ${loud.requests} requests in the last minute of a ring that is at rest`;
    },
  }),
};
