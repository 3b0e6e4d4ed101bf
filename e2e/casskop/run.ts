import { sleep, type Clock } from '../../src/edges/clock.ts';
import type { Random } from '../../src/edges/random.ts';
import type { AskNode } from './jolokia.ts';
import { WorkQueue } from './loop.ts';
import { Objects, watchClusters, type Api } from './objects.ts';
import { reconcile } from './operator.ts';
import type { Pace } from './pace.ts';
import { RunningOperations } from './pod-operations.ts';

export interface Options {
  readonly api: Api;
  readonly namespace: string;
  readonly pace: Pace;
  readonly ask: AskNode;
  readonly clock: Clock;
  readonly random: Random;
  /** Noted in status beside pod operations, as CassKop notes its pod's name. */
  readonly operatorName: string;
  readonly log: (message: string, error?: unknown) => void;
}

const rewatchMs = 200;

/** Does what CassKop does to the CassandraClusters of one namespace until `signal` aborts. Throws nothing. */
export async function run(options: Options, signal: AbortSignal): Promise<void> {
  const { api, namespace, pace, ask, clock, random, operatorName, log } = options;
  const queue = new WorkQueue(clock);
  const objects = new Objects(api, namespace, signal);
  const environment = {
    objects,
    pace,
    ask,
    clock,
    random,
    operatorName,
    log,
    signal,
    running: new RunningOperations(),
  };
  await Promise.all([
    queue.work((name) => reconcile(environment, name), signal),
    keepWatching(options, (name) => queue.add(name), signal),
  ]);
}

async function keepWatching(
  { api, namespace, clock, log }: Options,
  onChange: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await watchClusters(api, namespace, onChange, signal);
    } catch (error) {
      if (!signal.aborted) log('the watch ended', error);
    }
    await sleep(clock, rewatchMs, signal).catch(() => undefined);
  }
}
