import { z } from 'zod';
import type {
  acknowledgedHostSchema,
  datacenterSchema,
  operationsSchema,
  rackSchema,
  rebuildSchema,
  regionSchema,
  rolloutSchema,
  seedsSchema,
  templateSchema,
} from './spec-schema.ts';
import { specSchema } from './spec-schema.ts';
import type {
  conditionSchema,
  hostSchema,
  regionIdentitySchema,
  regionOperationSchema,
  regionStatusSchema,
} from './status-schema.ts';
import { statusSchema } from './status-schema.ts';

export const apiGroup = 'ringmaster.dev';
export const apiVersion = 'ringmaster.dev/v1alpha1';
export const kind = 'MultiCassandraCluster';

/** What a URL needs to know of the kind. */
export const multiCassandraClusters = {
  group: apiGroup,
  version: 'v1alpha1',
  plural: 'multicassandraclusters',
  kind,
  namespaced: true,
} as const;

/** The finalizer a MultiCassandraCluster carries while regions may still hold something of ours. */
export const finalizer = 'ringmaster.dev/members';

const metadataSchema = z.looseObject({
  name: z.string().min(1),
  /** As kubectl does for a file that names none. Objects read from an API server always have one. */
  namespace: z.string().min(1).default('default'),
  uid: z.string().exactOptional(),
  resourceVersion: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  creationTimestamp: z.string().exactOptional(),
  deletionTimestamp: z.string().exactOptional(),
  labels: z.record(z.string(), z.string()).exactOptional(),
  annotations: z.record(z.string(), z.string()).exactOptional(),
  finalizers: z.array(z.string()).exactOptional(),
});

/** The whole object. Fields it does not know are dropped, except where content is passed through (spec-schema.ts). */
export const multiCassandraClusterSchema = z.object({
  apiVersion: z.literal(apiVersion, { error: `The apiVersion must be ${apiVersion}.` }),
  kind: z.literal(kind, { error: `The kind must be ${kind}.` }),
  metadata: metadataSchema,
  spec: specSchema,
  status: statusSchema.exactOptional(),
});

/** With the schema's own defaults filled in; defaults that depend on other fields are in effective.ts. */
export type MultiCassandraCluster = z.infer<typeof multiCassandraClusterSchema>;
/** As a user may write it. */
export type MultiCassandraClusterInput = z.input<typeof multiCassandraClusterSchema>;
export type Metadata = z.infer<typeof metadataSchema>;
export type Spec = z.infer<typeof specSchema>;
export type TemplateSpec = z.infer<typeof templateSchema>;
export type RegionSpec = z.infer<typeof regionSchema>;
export type DatacenterSpec = z.infer<typeof datacenterSchema>;
export type RackSpec = z.infer<typeof rackSchema>;
export type SeedsSpec = z.infer<typeof seedsSchema>;
export type RolloutSpec = z.infer<typeof rolloutSchema>;
export type RebuildSpec = z.infer<typeof rebuildSchema>;
export type OperationsSpec = z.infer<typeof operationsSchema>;
export type AcknowledgedHost = z.infer<typeof acknowledgedHostSchema>;
export type Operator = Spec['operator'];
export type RegionState = RegionSpec['state'];

export type Status = z.infer<typeof statusSchema>;
export type RegionStatus = z.infer<typeof regionStatusSchema>;
export type RegionOperation = z.infer<typeof regionOperationSchema>;
export type RegionIdentity = z.infer<typeof regionIdentitySchema>;
export type Host = z.infer<typeof hostSchema>;
export type Condition = z.infer<typeof conditionSchema>;
export type ConditionStatus = Condition['status'];
