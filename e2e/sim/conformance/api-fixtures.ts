import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { errorFromStatus, type KubeErrorCode, type StatusBody } from '../../../src/kube/errors.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { StoredMeta } from '../api/objects.ts';
import type { Answer, ApiSubject, Method } from './api-subject.ts';

/** An object as the tests read it. */
export type Stored = KubeObject & {
  metadata: StoredMeta;
  spec?: Fields;
  status?: Fields;
  data?: Record<string, string>;
};
export type Fields = Record<string, unknown>;

export const paths = {
  configMaps: '/api/v1/namespaces/default/configmaps',
  pods: '/api/v1/namespaces/default/pods',
  claims: '/api/v1/namespaces/default/persistentvolumeclaims',
  namespaces: '/api/v1/namespaces',
  statefulSets: '/apis/apps/v1/namespaces/default/statefulsets',
  budgets: '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
  members: '/apis/db.orange.com/v2/namespaces/default/cassandraclusters',
  federations: '/apis/ringmaster.dev/v1alpha1/namespaces/default/multicassandraclusters',
  definitions: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
} as const;

export const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export const anotherUid = '00000000-0000-4000-8000-00000000ffff';

let names = 0;

/** A name that no other test uses. */
export function freshName(prefix = 'object'): string {
  return `${prefix}-${++names}`;
}

export function configMap(name: string, data: Record<string, string> = { a: '1' }, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

export function member(name: string, spec: Fields = { nodesPerRacks: 1 }, metadata: object = {}): KubeObject {
  return { apiVersion: 'db.orange.com/v2', kind: 'CassandraCluster', metadata: { name, ...metadata }, spec };
}

/** A MultiCassandraCluster with these regions, each of one rack. */
export function federation(name: string, regions: readonly string[], metadata: object = {}): KubeObject {
  const spec = {
    seeds: { address: '{pod}.{region}.db.example.net' },
    regions: regions.map((region) => ({
      name: region,
      datacenters: [{ name: region, racks: [{ name: 'rack1' }] }],
    })),
  };
  return {
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: { name, ...metadata },
    spec,
  };
}

export function pod(name: string, spec: Fields = {}, metadata: object = {}): KubeObject {
  const containers = [{ name: 'cassandra', image: 'cassandra:5.0.8' }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { containers, automountServiceAccountToken: false, ...spec },
  };
}

export function statefulSet(name: string): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'cassandra', image: 'cassandra:5.0.8' }] } },
    },
  };
}

export function claim(name: string): KubeObject {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec };
}

/** The definitions of the kinds that the federation works with. */
export function definitions(): KubeObject[] {
  return ['../../../crds/ringmaster.dev_multicassandraclusters.yaml', '../../casskop/crds/cassandraclusters.yaml'].map(
    (file) => parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as KubeObject,
  );
}

/** The requests of the tests, each with an answer that is what it should be, or is asked about. */
export class Client {
  readonly subject: ApiSubject;

  constructor(subject: ApiSubject) {
    this.subject = subject;
  }

  send(method: Method, path: string, body?: unknown, contentType?: string): Promise<Answer> {
    return this.subject.send(method, path, body, contentType);
  }

  async get(path: string): Promise<Stored> {
    return succeeded(await this.send('GET', path), 200);
  }

  async exists(path: string): Promise<boolean> {
    const { status } = await this.send('GET', path);
    assert.ok([200, 404].includes(status), `GET ${path}: ${status}`);
    return status === 200;
  }

  async list(path: string): Promise<{ items: Stored[]; metadata: { resourceVersion: string; continue?: string } }> {
    return succeeded(await this.send('GET', path), 200) as unknown as Awaited<ReturnType<Client['list']>>;
  }

  async post(path: string, body: object): Promise<Stored> {
    return succeeded(await this.send('POST', path, body), 201);
  }

  async put(path: string, body: object): Promise<Stored> {
    return succeeded(await this.send('PUT', path, body), 200);
  }

  async delete(path: string, options: object = {}): Promise<Stored> {
    return succeeded(await this.send('DELETE', path, options), 200);
  }

  async merge(path: string, patch: object): Promise<Stored> {
    return succeeded(await this.send('PATCH', path, patch, patchTypes.merge), 200);
  }

  async json(path: string, operations: object[]): Promise<Stored> {
    return succeeded(await this.send('PATCH', path, operations, patchTypes.json), 200);
  }

  tryApply(path: string, manager: string, body: object, force = true): Promise<Answer> {
    return this.send('PATCH', `${path}?fieldManager=${manager}&force=${force}`, body, patchTypes.apply);
  }

  async apply(path: string, manager: string, body: object): Promise<Stored> {
    const answer = await this.tryApply(path, manager, body);
    return succeeded(answer, answer.status === 201 ? 201 : 200);
  }
}

export function succeeded({ status, body }: Answer, expected: number): Stored {
  assert.equal(status, expected, JSON.stringify(body));
  return body as Stored;
}

/** Checks what a refusal comes to for the controller's client, and its words. */
export function refused({ status, body }: Answer, code: KubeErrorCode, httpStatus: number, words?: RegExp): void {
  const error = errorFromStatus('', status, typeof body === 'string' ? { message: body } : (body as StatusBody));
  assert.deepEqual([error.code, status], [code, httpStatus], JSON.stringify(body));
  if (words) assert.match(error.message, words);
}

/** Who wrote an object, as `manager operation subresource`. */
export function managersOf({ metadata }: Stored): string[] {
  const entries = (metadata.managedFields ?? []) as { manager: string; operation: string; subresource?: string }[];
  return entries.map((each) => [each.manager, each.operation, each.subresource ?? []].flat().join(' ')).sort();
}

/** What makes a write conditional on exactly this state of the object. */
export function identityOf({ metadata: { uid, resourceVersion } }: Stored): object {
  return { uid, resourceVersion };
}
