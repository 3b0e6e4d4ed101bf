import { multiCassandraClusters } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { ApiResponse, MemoryApiServer } from '../api/server.ts';
import type { Shape } from '../schedule/history.ts';
import { cqlLogin } from './cql.ts';
import type { Timeline } from './timeline.ts';

export const namespace = 'cassandra';
export const clusterName = 'orders';
export const mccPath = `/apis/ringmaster.dev/v1alpha1/namespaces/${namespace}/multicassandraclusters/${clusterName}`;
export const memberPath = `/apis/db.orange.com/v2/namespaces/${namespace}/cassandraclusters/${clusterName}`;
export const guardPath = `/api/v1/namespaces/${namespace}/configmaps/${clusterName}-ringmaster`;
export const secretName = 'registry';
export const secretPath = `/api/v1/namespaces/${namespace}/secrets/${secretName}`;
/** Holds the role that alters keyspaces. */
export const cqlSecretName = 'altering';
/** How pods are named to the other regions. */
export const zone = 'db.example.net';

type Fields = Record<string, unknown>;

/** The spec a person writes for a shape. */
export function specOf(shape: Shape): Fields {
  return {
    template: {
      spec: {
        cassandraImage: 'cassandra:5.0.8',
        serverVersion: '5.0.8',
        nodesPerRacks: 1,
        dataCapacity: '1Gi',
        backRestSidecar: { enabled: false },
        ...(shape.namesSecret && { imagePullSecret: { name: secretName } }),
        resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '500m', memory: '1Gi' } },
      },
    },
    regions: shape.regions.map(({ name, nodesPerRacks, racks }) => ({
      name,
      datacenters: [
        { name, nodesPerRacks, racks: Array.from({ length: racks }, (_, index) => ({ name: `rack${index + 1}` })) },
      ],
    })),
    ...(shape.cql !== undefined && { cql: { secretRef: { name: cqlSecretName } } }),
    seeds: { address: `{pod}.{region}.${zone}`, guardWaitSeconds: shape.guardWaitSeconds },
  };
}

/** A person with kubectl. What they want is in `spec`; apply it after every change of it. */
export class User {
  readonly #hub: MemoryApiServer;
  readonly #timeline: Timeline;
  spec: Fields;

  constructor(hub: MemoryApiServer, spec: Fields, timeline: Timeline) {
    this.#hub = hub;
    this.#timeline = timeline;
    this.spec = spec;
  }

  /** The object as it is stored. */
  get mcc(): KubeObject | undefined {
    return this.#hub.find(multiCassandraClusters, namespace, clusterName);
  }

  apply(): ApiResponse {
    return this.patch(this.#hub, mccPath, 'apply', {
      apiVersion: 'ringmaster.dev/v1alpha1',
      kind: 'MultiCassandraCluster',
      metadata: { name: clusterName, namespace },
      spec: this.spec,
    });
  }

  /** `kubectl apply --server-side`, `kubectl patch --type merge` or `--type json`. */
  patch(server: MemoryApiServer, path: string, type: 'apply' | 'merge' | 'json', body: unknown): ApiResponse {
    const contentType = {
      apply: 'application/apply-patch+yaml',
      merge: 'application/merge-patch+json',
      json: 'application/json-patch+json',
    }[type];
    const query = type === 'apply' ? '?fieldManager=kubectl&force=true' : '?fieldManager=kubectl';
    return this.#send(server, { method: 'PATCH', path: path + query, contentType, body });
  }

  /** Writes the pull Secret of a cluster's namespace. */
  writeSecret(server: MemoryApiServer, holds: string): ApiResponse {
    return this.patch(server, secretPath, 'apply', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretName, namespace },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(holds).toString('base64') },
    });
  }

  /** Writes the Secret of the hub with which keyspaces are altered. */
  writeCqlLogin(password: string): ApiResponse {
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    return this.patch(this.#hub, `/api/v1/namespaces/${namespace}/secrets/${cqlSecretName}`, 'apply', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: cqlSecretName, namespace },
      type: 'Opaque',
      data: { username: encoded(cqlLogin.username), password: encoded(password) },
    });
  }

  delete(server: MemoryApiServer, path: string): ApiResponse {
    return this.#send(server, { method: 'DELETE', path });
  }

  #send(
    server: MemoryApiServer,
    request: { method: 'PATCH' | 'DELETE'; path: string; contentType?: string; body?: unknown },
  ): ApiResponse {
    const response = server.handle({ ...request, user: 'kubectl' });
    this.#timeline.note(
      'user',
      () => `${request.method} ${request.path} ${JSON.stringify(request.body ?? '')} -> ${response.status}`,
    );
    return response;
  }
}
