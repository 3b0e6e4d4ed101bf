/** How fast the operator goes; all in milliseconds. */
export interface Pace {
  /** From the end of a pass to the next one when nothing happens in between. */
  readonly resyncMs: number;
  /** The same after a refused change. */
  readonly refusedResyncMs: number;
  /** For so long after an action's startTime a rack is not looked at for its end, nor for a new action. */
  readonly blindMs: number;
  /** A pass that wrote a StatefulSet stands still for so long. */
  readonly afterStatefulSetMs: number;
  /** After a seed list change: how long at most to wait for the first pod to go, and how often to look. */
  readonly disruptionWaitMs: number;
  readonly disruptionPollMs: number;
  /** A node still NORMAL for so long after its decommission began is told again. */
  readonly decommissionRetryMs: number;
  /** How long `remove` waits for the claim of the removed pod to be gone, and how often it looks. */
  readonly claimWaitMs: number;
  readonly claimPollMs: number;
}

export const paces = {
  /** CassKop 2.3.4's own times. */
  true: {
    resyncMs: 5000,
    refusedResyncMs: 30_000,
    blindMs: 20_000,
    afterStatefulSetMs: 1000,
    disruptionWaitMs: 10_000,
    disruptionPollMs: 500,
    decommissionRetryMs: 120_000,
    claimWaitMs: 30_000,
    claimPollMs: 1000,
  },
  /** The same order of things in a fraction of the time. */
  fast: {
    resyncMs: 250,
    refusedResyncMs: 1500,
    blindMs: 1000,
    afterStatefulSetMs: 50,
    disruptionWaitMs: 500,
    disruptionPollMs: 50,
    decommissionRetryMs: 30_000,
    claimWaitMs: 5000,
    claimPollMs: 100,
  },
} as const satisfies Record<string, Pace>;
