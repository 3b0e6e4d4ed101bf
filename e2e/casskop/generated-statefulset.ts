import type { CassandraCluster, ClusterStatus, RackOfCluster } from './cluster.ts';
import { rememberGenerated } from './same-statefulset.ts';
import { generateStatefulSet, type StatefulSet } from './statefulset.ts';

/** What was generated lately, by all that it was made of. Nothing in it is ever changed. */
const generated = new Map<string, StatefulSet>();
const limit = 500;
const origins = new WeakMap<StatefulSet, StatefulSet>();

/**
 * The StatefulSet of a rack with the note on it of what it is made of. What a pass may change of it (replicas, labels
 * of the pods, seeds of the init container, capacity of the data) is the caller's own; the rest is shared.
 */
export function generatedStatefulSet(
  cluster: CassandraCluster,
  status: ClusterStatus,
  rack: RackOfCluster,
): StatefulSet {
  const { name, namespace, uid, labels } = cluster.metadata;
  const key = JSON.stringify([name, namespace, uid, labels, cluster.spec, status.seedlist, rack.key]);
  let origin = generated.get(key);
  if (!origin) {
    origin = generateStatefulSet(cluster, status, rack);
    rememberGenerated(origin);
    if (generated.size >= limit) generated.clear();
    generated.set(key, origin);
  }
  const own = ownCopy(origin);
  origins.set(own, origin);
  return own;
}

/** What a StatefulSet of `generatedStatefulSet` was before the pass changed it. */
export function originOf(statefulSet: StatefulSet): StatefulSet | undefined {
  return origins.get(statefulSet);
}

function ownCopy({ metadata, spec, ...rest }: StatefulSet): StatefulSet {
  const { template, volumeClaimTemplates } = spec;
  const initContainers = template.spec.initContainers.map((container) =>
    container.env ? { ...container, env: container.env.map((variable) => ({ ...variable })) } : container,
  );
  return {
    ...rest,
    metadata: { ...metadata },
    spec: {
      ...spec,
      template: {
        metadata: { ...template.metadata, labels: { ...template.metadata.labels } },
        spec: { ...template.spec, initContainers },
      },
      ...(volumeClaimTemplates && {
        volumeClaimTemplates: volumeClaimTemplates.map((claim) => ({ ...claim, spec: { ...claim.spec } })),
      }),
    },
  };
}
