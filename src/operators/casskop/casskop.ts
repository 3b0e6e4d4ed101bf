import type { EffectiveFederation } from '../../api/effective.ts';
import * as z from 'zod';
import { perObject } from '../../edges/per-object.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { Capabilities, PlannedPod, RegionalOperator, Topology } from '../operator.ts';
import { beyondWanted } from './beyond.ts';
import { memberChanges, memberTopology, withOrdersOf, withoutChanges, withRollingRestart } from './changes.ts';
import { leafPaths } from './normalise.ts';
import { readPodOperation, withPodOperation } from './pod-operations.ts';
import { obsoletePods, readMember } from './read.ts';
import { namedObjects } from './references.ts';
import { renderMember, withEmptiedSecrets } from './render.ts';

const crd = z.looseObject({
  spec: z.looseObject({
    versions: z.array(
      z.looseObject({
        name: z.string(),
        served: z.boolean(),
        subresources: z.looseObject({ status: z.unknown().optional() }).optional(),
        schema: z.looseObject({ openAPIV3Schema: z.record(z.string(), z.unknown()) }).optional(),
      }),
    ),
  }),
});

/** The ServiceAccount of its pods, unless a member names another one. CassKop's chart makes it, CassKop itself does not. */
export const nodeServiceAccount = 'cassandra-cluster-node';

/** CassKop (db.orange.com/v2) as the regional operator. Facts: CassKop 2.3.4, read and run. */
export const casskop: RegionalOperator = {
  name: 'CassKop',
  member: {
    group: 'db.orange.com',
    version: 'v2',
    plural: 'cassandraclusters',
    kind: 'CassandraCluster',
    namespaced: true,
  },
  podSelector: 'app=cassandracluster',
  crdName: 'cassandraclusters.db.orange.com',
  serviceAccount(region) {
    const name = region.memberSpec['serviceAccountName'];
    return typeof name === 'string' && name !== '' ? name : nodeServiceAccount;
  },
  capabilities: perObject((object: KubeObject): Capabilities => {
    const parsed = crd.safeParse(object);
    const version = parsed.data?.spec.versions.find((each) => each.name === 'v2' && each.served);
    return {
      statusSubresource: version?.subresources?.status !== undefined,
      // The API server has checked this schema when the CRD was created.
      schema: version?.schema?.openAPIV3Schema ?? {},
    };
  }),
  render: renderMember,
  writtenSchema: perObject(({ schema }: Capabilities) => {
    const spec = schema.properties?.['spec'] ?? {};
    const datacenter = spec.properties?.['topology']?.properties?.['dc']?.items;
    return { spec, ...(datacenter && { datacenter }) };
  }),
  read: readMember,
  changes: memberChanges,
  beyond: beyondWanted,
  without: withoutChanges,
  over: (wanted, live) => withOrdersOf(live, withEmptiedSecrets(wanted, live)),
  topology: memberTopology,
  command: (member, command) =>
    command === 'restart'
      ? withRollingRestart(member)
      : { ...member, spec: { ...(member['spec'] as object), unlockNextOperation: true } },
  podOperation: readPodOperation,
  labelsToOrder: withPodOperation,
  obsoletePods,
  paths: (member) => leafPaths(member['spec']),
  references: namedObjects,
  pods: plannedPods,
};

/** CassKop starts the first pod of every rack, rack after rack, then fills the racks up in the same order. */
function plannedPods({ clusterName }: EffectiveFederation, topology: Topology): readonly PlannedPod[] {
  const known = podsByCluster(topology);
  let pods = known.get(clusterName);
  if (!pods) known.set(clusterName, (pods = planPods(clusterName, topology)));
  return pods;
}

const podsByCluster = perObject<Topology, Map<string, readonly PlannedPod[]>>(() => new Map());

function planPods(clusterName: string, { datacenters }: Topology): PlannedPod[] {
  return datacenters
    .flatMap((datacenter) =>
      datacenter.racks.flatMap((rack) =>
        Array.from({ length: datacenter.nodesPerRacks }, (_, ordinal) => ({
          name: `${clusterName}-${datacenter.name}-${rack.name}-${ordinal}`,
          datacenter: datacenter.name,
          rack: rack.name,
          ordinal,
        })),
      ),
    )
    .sort((one, other) => Number(one.ordinal > 0) - Number(other.ordinal > 0));
}
