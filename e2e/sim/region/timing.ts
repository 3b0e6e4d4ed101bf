import type { Random } from '../../../src/edges/random.ts';

/** Milliseconds; each time anew something in between. */
export interface Bounds {
  least: number;
  most: number;
}

/** How long things take in a cluster. */
export interface RegionTiming {
  /** From a change until a controller of the cluster acts on it. */
  controllerMs: Bounds;
  /** From the end of an object until the garbage collector looks at what it owned. */
  garbageMs: Bounds;
  /** From a pod's creation, its volumes being there, until it has an address and its init containers run. */
  sandboxMs: Bounds;
  /** From a ConfigMap's creation until a pod that misses it tries again. */
  mountRetryMs: Bounds;
  /** From a change of a ConfigMap until a pod that has it mounted sees it. */
  configMapMs: Bounds;
  /** From the end of the init container until Cassandra runs. */
  containerMs: Bounds;
  /** From the moment at which a node would answer its probe until its pod is ready. */
  probeMs: Bounds;
  /** From the order to end until a pod's processes have. */
  terminationMs: Bounds;
  /** From then until its volumes and cgroups are cleaned up, and its object goes. */
  cleanUpMs: Bounds;
  /** Until a container starts again: the first time, and at most. It doubles from one to the other. */
  backOffMs: { first: number; most: number };
  /** Before each write of CassKop; what it reads, it has at once. */
  casskopWriteMs: Bounds;
}

/** Those of a Kubernetes cluster, save that readiness is not held back by CassKop's initial delay of 60 s. */
export const regionTiming: RegionTiming = {
  controllerMs: { least: 10, most: 200 },
  garbageMs: { least: 50, most: 2_000 },
  sandboxMs: { least: 200, most: 1_500 },
  mountRetryMs: { least: 500, most: 30_000 },
  configMapMs: { least: 0, most: 60_000 },
  containerMs: { least: 200, most: 1_000 },
  probeMs: { least: 100, most: 3_000 },
  terminationMs: { least: 500, most: 5_000 },
  cleanUpMs: { least: 500, most: 2_000 },
  backOffMs: { first: 10_000, most: 300_000 },
  casskopWriteMs: { least: 1, most: 20 },
};

/** A time between the bounds, whole milliseconds. */
export function draw(random: Random, { least, most }: Bounds): number {
  return Math.round(least + random.next() * (most - least));
}
