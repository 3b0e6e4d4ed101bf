import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMultiCassandraCluster } from './parse.ts';
import type { MultiCassandraClusterInput } from './schema.ts';
import { validate } from './validate.ts';
import { type MemberSchema, validateMembers } from './validation/members.ts';

/** Objects for tests of what is accepted: one that is valid, and words for how others differ from it. */

export const templateSpec = {
  cassandraImage: 'cassandra:5.0.8',
  serverVersion: '5.0.8',
  nodesPerRacks: 1,
  dataCapacity: '1Gi',
};

/** A valid object of two regions with top-level fields of its spec replaced, right or wrong. */
export function objectWith(change: Record<string, unknown>): MultiCassandraClusterInput {
  return {
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: { name: 'orders', namespace: 'cassandra' },
    spec: {
      template: { spec: templateSpec },
      regions: [{ name: 'eu' }, { name: 'us' }],
      seeds: { address: '{pod}.{region}.db.example.net' },
      ...change,
    },
  };
}

export const template = (change: Record<string, unknown>): Record<string, unknown> => ({
  template: { spec: { ...templateSpec, ...change } },
});
export const templateWithout = (
  field: keyof typeof templateSpec,
  change: Record<string, unknown> = {},
): Record<string, unknown> => {
  const { [field]: _, ...rest } = templateSpec;
  return { template: { spec: { ...rest, ...change } } };
};
/** The second region with these fields. */
export const us = (fields: Record<string, unknown>): Record<string, unknown> => ({
  regions: [{ name: 'eu' }, { name: 'us', ...fields }],
});
export const datacenters = (...list: unknown[]): Record<string, unknown> => us({ datacenters: list });
export const patch = (spec: Record<string, unknown>): Record<string, unknown> => us({ patch: { spec } });
export const overrides = (fields: Record<string, unknown>): Record<string, unknown> =>
  datacenters({ name: 'us', overrides: fields });
export const address = (text: string): Record<string, unknown> => ({ seeds: { address: text } });

interface InvalidObject {
  title: string;
  /** Top-level fields of the spec that differ from the valid object. */
  change: Record<string, unknown>;
  /** All that is said of it, as `path: reason: message`. */
  expected: string[];
}

/** All that is said of an object that a person wrote; what a region's CRD knows is asked last, as the controller does. */
export function said(raw: unknown): string[] {
  const { mcc, problems } = parseMultiCassandraCluster(raw, { unknownFields: 'refuse' });
  const found = problems ?? validate(mcc);
  const all = mcc && found.length === 0 ? validateMembers(mcc, () => memberSchema) : found;
  return all.map(({ path, reason, message }) => `${path}: ${reason}: ${message}`);
}

/** A test for each object that is refused. */
export function refused(objects: readonly InvalidObject[]): void {
  for (const { title, change, expected } of objects) {
    void test(`refused: ${title}`, () => {
      assert.deepEqual(said(objectWith(change)), expected);
    });
  }
}

const text = { type: 'string' };
const flag = { type: 'boolean' };
const number = { type: 'integer' };
const freeForm = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const quantities = { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } };
const requirements = { type: 'object', properties: { limits: quantities, requests: quantities } };
const variables = {
  type: 'array',
  items: { type: 'object', properties: { name: text, value: text, valueFrom: freeForm } },
};

/** A part of CassKop's CRD: as there, the spec keeps unknown fields and yet lists what CassKop knows. */
export const memberSchema: MemberSchema = {
  spec: {
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: {
      cassandraImage: text,
      serverVersion: text,
      nodesPerRacks: number,
      dataCapacity: text,
      autoPilot: flag,
      imagepullpolicy: text,
      maxPodUnavailable: number,
      config: freeForm,
      resources: requirements,
      envVars: variables,
      backRestSidecar: { type: 'object', properties: { enabled: flag, envVars: variables } },
      pod: { type: 'object', properties: { annotations: { type: 'object', additionalProperties: text } } },
    },
  },
  datacenter: {
    type: 'object',
    properties: { name: text, config: freeForm, resources: requirements, dataCapacity: text, dataStorageClass: text },
  },
};
