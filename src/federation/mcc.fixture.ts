import { parseMultiCassandraCluster } from '../api/parse.ts';
import type { MultiCassandraCluster } from '../api/schema.ts';

/** A MultiCassandraCluster as a person would write it, with `spec` merged over a small valid one. */
export function mccOf(
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): MultiCassandraCluster {
  const parsed = parseMultiCassandraCluster({
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: {
      name: 'orders',
      namespace: 'cassandra',
      uid: 'uid-of-orders',
      resourceVersion: '1',
      generation: 1,
      ...metadata,
    },
    spec: {
      template: {
        spec: { cassandraImage: 'cassandra:5.0.8', serverVersion: '5.0.8', nodesPerRacks: 1, dataCapacity: '1Gi' },
      },
      regions: [{ name: 'eu' }, { name: 'us' }, { name: 'ap' }],
      seeds: { address: '{pod}.{region}.db.example.net' },
      ...spec,
    },
  });
  if (!parsed.mcc) throw new Error(JSON.stringify(parsed.problems));
  return parsed.mcc;
}
