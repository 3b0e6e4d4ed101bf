import { changesOf } from './changes.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import type { MemberPicture } from './picture.ts';

/**
 * Nodes that have left the ring although the spec asks for them. CassKop has one node more leave than it was asked to when a pod of
 * the rack is not ready, or counted as ready, at the moment when the last one is gone; and somebody may have decommissioned one by hand.
 * Such a node answers no client and holds no rows that count, and neither CassKop nor a restart brings it back.
 */
export function leftUnasked(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  // Where the spec asks for more nodes than the member, one may be on its way out that was asked to.
  if (changesOf(context, picture).changes.some(({ kind }) => kind === 'scale-up')) return undefined;
  const left = picture.pods.filter(({ name }) => context.heard.get(name)?.operationMode === 'DECOMMISSIONED');
  if (left.length === 0) return undefined;
  const { name: region, namespace } = picture.region;
  const over = { status: 'Done' };
  const racks = new Set(left.map(({ datacenter, rack }) => `${datacenter}-${rack}`));
  const ended = { phase: 'Running', cassandraLastAction: over, podLastOperation: { ...over, pods: null } };
  const status = {
    phase: 'Running',
    lastClusterActionStatus: 'Done',
    cassandraRackStatus: Object.fromEntries([...racks].map((rack) => [rack, ended])),
  };
  const names = left.map(({ name }) => name);
  const commands = [
    `kubectl patch cassandracluster ${context.federation.clusterName} -n ${namespace} --subresource=status --type=merge -p '${JSON.stringify({ status })}'`,
    ...names.map((pod) => `kubectl delete pvc data-${pod} -n ${namespace} --wait=false`),
    ...names.map((pod) => `kubectl delete pod ${pod} -n ${namespace}`),
  ];
  const message =
    `${names.join(', ')} of region ${region} left the ring, and the spec asks for ${names.length === 1 ? 'it' : 'them'}. What other nodes have replicas of is not lost. For ` +
    `a new node in its place, which takes its rows from the others and is to be acknowledged then, type in region ${region}: ${commands.join('; ')}`;
  return { stalled: true, reason: 'NodeLeft', region, message };
}
