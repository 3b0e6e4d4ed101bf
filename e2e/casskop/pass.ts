import type { Clock } from '../../src/edges/clock.ts';
import type { Random } from '../../src/edges/random.ts';
import { clusterLabels, timestamp, type CassandraCluster, type ClusterStatus } from './cluster.ts';
import { Node, type AskNode } from './jolokia.ts';
import { isReady, type Objects, type Pod } from './objects.ts';
import type { Pace } from './pace.ts';
import type { RunningOperations } from './pod-operations.ts';
import type { DisruptionBudget } from './services.ts';

/** Everything one look at one CassandraCluster works with. */
export interface Pass {
  readonly objects: Objects;
  readonly ask: AskNode;
  readonly clock: Clock;
  readonly random: Random;
  readonly pace: Pace;
  readonly operatorName: string;
  readonly running: RunningOperations;
  readonly log: (message: string, error?: unknown) => void;
  readonly signal: AbortSignal;
  /** As read at the start; edits of its spec are written at the end. */
  readonly cluster: CassandraCluster;
  /** What the status shall become; `cluster.status` is what it was. */
  readonly status: ClusterStatus;
  /** The disruption budget as it was when the pass began; undefined when it had yet to be made. */
  budget: DisruptionBudget | undefined;
}

export function now(pass: Pick<Pass, 'clock'>): string {
  return timestamp(pass.clock.now());
}

/** False while a pod is missing and the budget allows no further one to go. */
export function hasNoDisruption({ budget }: Pass): boolean {
  return (budget?.status?.disruptionsAllowed ?? 0) > 0 || (budget?.status?.expectedPods ?? 0) === 0;
}

export function nodeOf(pass: Pass, pod: Pod): Promise<Node> {
  return Node.of(pod, pass.cluster, pass.objects, pass.ask, pass.signal);
}

/** All pods of the cluster's racks, by ascending ordinal. */
export async function podsOfCluster(pass: Pass): Promise<Pod[]> {
  const racks = new Set(
    (pass.cluster.spec.topology.dc ?? []).flatMap((dc) => (dc.rack ?? []).map((rack) => `${dc.name}-${rack.name}`)),
  );
  const pods = await pass.objects.pods(clusterLabels(pass.cluster));
  return pods.filter((pod) => racks.has(pod.metadata.labels?.['dc-rack'] ?? ''));
}

/**
 * Whether any node of the whole ring, other regions included, is joining, asked of the first ready pod.
 * @throws Error when no pod is ready, JolokiaError when it does not answer: then nothing may be changed either.
 */
export async function ringHasJoiningNodes(pass: Pass): Promise<boolean> {
  const first = (await podsOfCluster(pass)).find(isReady);
  if (!first) throw new Error('no pod is ready');
  return (await nodeOf(pass, first)).hasJoiningNodes();
}
