import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { kinds, type ClusterAccess } from './cluster-access.ts';

const file = new URL('../../casskop/crds/cassandraclusters.yaml', import.meta.url);

/** CassKop's CustomResourceDefinition for CassandraClusters; shared, so never change it. */
export const casskopDefinition = parse(readFileSync(file, 'utf8')) as KubeObject;

/** The ServiceAccount that CassKop's chart makes for Cassandra's pods. */
export const serviceAccountName = 'cassandra-cluster-node';

/** What an administrator sets up in a cluster before anybody asks for a ring: definition, namespace, ServiceAccount. */
export function installPremises(access: ClusterAccess, namespace: string): void {
  access.create(kinds.definitions, casskopDefinition);
  access.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  access.create(kinds.serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: serviceAccountName, namespace },
  });
}
