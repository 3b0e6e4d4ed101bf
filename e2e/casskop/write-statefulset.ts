import { sleep } from '../../src/edges/clock.ts';
import { labelTime, type RackOfCluster, type RackStatus } from './cluster.ts';
import { hasNoDisruption, now, type Pass } from './pass.ts';
import { generatedStatefulSet, originOf } from './generated-statefulset.ts';
import { isSameStatefulSet } from './same-statefulset.ts';
import type { StatefulSet } from './statefulset.ts';
import { dataCapacityOf, keepStoredCapacity } from './storage.ts';

/**
 * Creates the rack's StatefulSet, or brings it to what the present spec makes of it: one replica at a time, with the
 * seeds it has unless the action is UpdateSeedList, and not at all while a pod is missing. `firstPodOnly` pins it to
 * one replica, however many it has.
 * @returns whether it was written, in which case the pass is over for all racks.
 * @throws ApiError when the write is refused.
 */
export async function ensureStatefulSet(
  pass: Pass,
  rack: RackOfCluster,
  rackStatus: RackStatus,
  options: { firstPodOnly?: boolean } = {},
): Promise<boolean> {
  const { cluster, objects, pace, clock, signal } = pass;
  const generated = generatedStatefulSet(cluster, pass.status, rack);
  if (options.firstPodOnly) generated.spec.replicas = 1;
  if (!hasNoDisruption(pass) && !cluster.spec.unlockNextOperation) return false;

  const stored = await objects.findStatefulSet(rack.statefulSetName);
  if (!stored) {
    await objects.createStatefulSet(generated);
    return true;
  }
  carryOver(pass, generated, stored, rackStatus);

  const action = rackStatus.cassandraLastAction;
  const checks = !cluster.spec.noCheckStsAreEqual;
  if (checks && isSame(stored, generated)) return false;
  if (action.status === 'ToDo') start(pass, rackStatus);
  if (checks && action.status === 'Done') {
    action.name = 'UpdateStatefulSet';
    start(pass, rackStatus);
  }
  await objects.putStatefulSet(generated);
  await sleep(clock, pace.afterStatefulSetMs, signal);
  return true;
}

interface Comparison {
  readonly origin: StatefulSet;
  readonly metadata: StatefulSet['metadata'];
  readonly changes: string;
  readonly isSame: boolean;
}

/** By the stored spec, how the last comparison with it ended: most are the same as the one before. */
const comparisons = new WeakMap<StatefulSet['spec'], Comparison>();

function isSame(stored: StatefulSet, generated: StatefulSet): boolean {
  const origin = originOf(generated);
  const { replicas, template } = generated.spec;
  const { metadata } = stored;
  const changed = [replicas, template.metadata.labels, seedsVariable(generated)?.value, dataCapacityOf(generated)];
  const changes = JSON.stringify(changed);
  const last = comparisons.get(stored.spec);
  if (
    last &&
    last.origin === origin &&
    last.changes === changes &&
    last.metadata.labels === metadata.labels &&
    last.metadata.annotations === metadata.annotations
  ) {
    return last.isSame;
  }
  const isSame = isSameStatefulSet(stored, generated);
  if (origin) comparisons.set(stored.spec, { origin, metadata, changes, isSame });
  return isSame;
}

/** Takes over from the stored StatefulSet what this pass must not change. */
function carryOver(pass: Pass, generated: StatefulSet, stored: StatefulSet, rackStatus: RackStatus): void {
  const action = rackStatus.cassandraLastAction;
  if (stored.metadata.resourceVersion) generated.metadata.resourceVersion = stored.metadata.resourceVersion;
  generated.spec.template.metadata.labels = { ...stored.spec.template.metadata.labels };

  if (action.name === 'UpdateSeedList' && (action.status === 'ToDo' || action.status === 'Configuring')) {
    start(pass, rackStatus);
  } else {
    keepStoredSeeds(generated, stored);
  }
  const step = generated.spec.replicas - stored.spec.replicas;
  if (Math.abs(step) > 1) generated.spec.replicas = stored.spec.replicas + Math.sign(step);
  keepStoredCapacity(rackStatus, generated, stored);

  if (action.name === 'RollingRestart' && action.status === 'ToDo') {
    generated.spec.template.metadata.labels['rolling-restart'] = labelTime(pass.clock.now());
    start(pass, rackStatus);
  }
}

function start(pass: Pass, { cassandraLastAction: action }: RackStatus): void {
  action.status = 'Ongoing';
  action.startTime = now(pass);
  delete action.endTime;
}

/** Only the bootstrap container keeps its seeds; the sidecars' and the configuration's follow the status at once. */
function keepStoredSeeds(generated: StatefulSet, stored: StatefulSet): void {
  const before = seedsVariable(stored);
  const after = seedsVariable(generated);
  if (!before || !after) return;
  if (before.value === undefined) delete after.value;
  else after.value = before.value;
}

function seedsVariable(statefulSet: StatefulSet): { name: string; value?: string } | undefined {
  const bootstrap = statefulSet.spec.template.spec.initContainers.find(({ name }) => name === 'bootstrap');
  return bootstrap?.env?.find(({ name }) => name === 'CASSANDRA_SEEDS');
}

/** The seed list in a stored StatefulSet, in order. */
export function storedSeeds(statefulSet: StatefulSet): string[] {
  return (seedsVariable(statefulSet)?.value ?? '').split(',');
}
