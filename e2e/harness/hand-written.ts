import type { Region } from './region.ts';

/** A StatefulSet of Cassandra nodes as CassKop would make it, reduced to what the kubelet reads. */
export interface HandWrittenRack {
  readonly namespace: string;
  readonly cluster: string;
  readonly datacenter: string;
  readonly rack: string;
  readonly replicas: number;
  readonly seeds: readonly string[];
  /** A ConfigMap to mount at /configmap of the init container. */
  readonly configMap?: string;
  /** Default cassandra:5.0.8. */
  readonly image?: string;
}

/** Creates the rack's StatefulSet `<cluster>-<datacenter>-<rack>`, for tests of the harness without an operator. */
export async function createRack(region: Region, rack: HandWrittenRack): Promise<void> {
  const {
    namespace,
    cluster,
    datacenter,
    rack: rackName,
    replicas,
    seeds,
    configMap,
    image = 'cassandra:5.0.8',
  } = rack;
  const labels = {
    cassandracluster: cluster,
    'cassandraclusters.db.orange.com.dc': datacenter,
    'cassandraclusters.db.orange.com.rack': rackName,
  };
  await region.api.post(`/apis/apps/v1/namespaces/${namespace}/statefulsets`, {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: `${cluster}-${datacenter}-${rackName}`, namespace },
    spec: {
      serviceName: cluster,
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          initContainers: [
            {
              name: 'bootstrap',
              image: 'casskop-bootstrap:0.1.21',
              env: [
                { name: 'CASSANDRA_CLUSTER_NAME', value: cluster },
                { name: 'CASSANDRA_SEEDS', value: seeds.join(',') },
                { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                {
                  name: 'CASSANDRA_DC',
                  valueFrom: { fieldRef: { fieldPath: "metadata.labels['cassandraclusters.db.orange.com.dc']" } },
                },
              ],
              ...(configMap !== undefined && {
                volumeMounts: [{ name: 'cassandra-config', mountPath: '/configmap' }],
              }),
            },
          ],
          containers: [{ name: 'cassandra', image, volumeMounts: [{ name: 'data', mountPath: '/var/lib/cassandra' }] }],
          ...(configMap !== undefined && {
            volumes: [{ name: 'cassandra-config', configMap: { name: configMap, defaultMode: 0o755 } }],
          }),
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  });
}
