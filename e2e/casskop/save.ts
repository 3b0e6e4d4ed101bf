import { isDeepStrictEqual } from 'node:util';
import type { CassandraCluster, ClusterStatus } from './cluster.ts';
import type { Pass } from './pass.ts';
import { decodeCluster, decodeStatus } from './typed.ts';

const annotation = 'cassandraclusters.db.orange.com/last-applied-configuration';

/** The whole object without annotations, resourceVersion and status. With managedFields: every foreign write changes it. */
function lastApplied({ kind, apiVersion, metadata, spec }: CassandraCluster): string {
  const { annotations: _, resourceVersion: __, ...kept } = metadata;
  return JSON.stringify({ kind, apiVersion, metadata: kept, spec, status: {} });
}

/** The object as the operator last accepted it, or undefined when the annotation is missing, unreadable or still right. */
export function previouslyApplied(cluster: CassandraCluster): CassandraCluster | undefined {
  const text = cluster.metadata.annotations?.[annotation];
  if (!text || text === lastApplied(cluster)) return undefined;
  try {
    return decodeCluster(JSON.parse(text) as CassandraCluster);
  } catch {
    return undefined;
  }
}

/**
 * Writes the object and then `status`, each by a PUT of the whole, unless neither has changed. A conflict loses both:
 * the write that caused it brings the next pass. Answers whether the status is stored.
 */
export async function save(
  pass: Pass,
  cluster: CassandraCluster = pass.cluster,
  status: ClusterStatus = pass.status,
): Promise<boolean> {
  const applied = lastApplied(cluster);
  const wanted = decodeStatus(status);
  const isApplied = cluster.metadata.annotations?.[annotation] === applied;
  if (isApplied && isDeepStrictEqual(decodeStatus(cluster.status), wanted)) return true;
  cluster.metadata.annotations = { ...cluster.metadata.annotations, [annotation]: applied };
  try {
    cluster.metadata = await pass.objects.putCluster(cluster);
  } catch (error) {
    pass.log('the CassandraCluster could not be written', error);
  }
  cluster.status = wanted;
  try {
    cluster.metadata = await pass.objects.putClusterStatus(cluster);
    return true;
  } catch (error) {
    pass.log('the status could not be written', error);
    return false;
  }
}
