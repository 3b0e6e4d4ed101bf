import type { Invariant } from './invariant.ts';
import { conditionOf, guardOf, statusOf } from './reading.ts';

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
      if (ready?.status !== 'True')
        return `Ready is ${ready?.status ?? 'not set'}: ${ready?.reason ?? ''}: ${ready?.message ?? ''}; Stalled is ${stalled?.status}: ${stalled?.reason}: ${stalled?.message}`;
      if (statusOf(mcc).observedGeneration !== mcc.metadata.generation) {
        return `the status speaks of generation ${statusOf(mcc).observedGeneration}, and the spec is at ${mcc.metadata.generation}`;
      }
      return undefined;
    },
  }),
};

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
const deliveryMs = 120_000;

/** DESIGN invariant 11. */
export const fixesAreDelivered: Invariant = {
  name: 'fixes are delivered',
  statement:
    "A person's correction reaches the region it is meant for however unhealthy that region is: whoever waits for health before delivering the cure waits for ever.",
  watch: (facts) => {
    let sinceMs = 0;
    let waitingFor = '';
    return {
      onTick: () => {
        const mcc = facts.mcc();
        if (!mcc || facts.isTroubled(deliveryMs) || conditionOf(mcc, 'Accepted')?.status !== 'True') {
          waitingFor = '';
          return undefined;
        }
        const { seeds } = mcc['spec'] as { seeds?: { guardWaitSeconds?: number } };
        const wanted = seeds?.guardWaitSeconds;
        const behind = facts.shape.regions.find(({ name }) => {
          const guard = facts.guard(name);
          return guard && facts.member(name) && wanted !== undefined && guardOf(guard).waitSeconds !== wanted;
        });
        const now = behind ? `guardWaitSeconds ${wanted} in region ${behind.name}` : '';
        if (now !== waitingFor) {
          waitingFor = now;
          sinceMs = facts.nowMs();
        }
        if (now === '' || facts.nowMs() - sinceMs < deliveryMs) return undefined;
        return `${now} was not delivered within ${deliveryMs / 1000} s`;
      },
    };
  },
};

/** Requests of one process within a virtual minute that no state of the world can call for. */
const requestsPerMinuteMax = 3_000;
const writesPerMinuteMax = 120;

/** A loop that asks for nothing new is an outage of somebody else's API server. */
export const noHotLoops: Invariant = {
  name: 'no hot loops',
  statement: `A controller sends at most ${requestsPerMinuteMax} requests and ${writesPerMinuteMax} writes a minute, whatever it meets.`,
  watch: (facts) => ({
    onTick: () => {
      for (const { by, requests, writes } of facts.requestsOfLastMinute()) {
        if (requests > requestsPerMinuteMax) return `${by} sent ${requests} requests in a minute`;
        if (writes > writesPerMinuteMax) return `${by} sent ${writes} writes in a minute`;
      }
      return undefined;
    },
  }),
};
