/**
 * Ringmaster as a library: the MultiCassandraCluster as types and schemas, and the pure planner that the controller
 * runs. Nothing here does I/O, reads a clock or keeps state, so tools can ask beforehand what the controller would do.
 *
 * @packageDocumentation
 */
export {
  apiGroup,
  apiVersion,
  finalizer,
  kind,
  multiCassandraClusterSchema,
  type AcknowledgedHost,
  type Condition,
  type ConditionStatus,
  type DatacenterSpec,
  type Host,
  type Metadata,
  type MultiCassandraCluster,
  type MultiCassandraClusterInput,
  type OperationsSpec,
  type Operator,
  type RackSpec,
  type RebuildSpec,
  type RegionIdentity,
  type RegionOperation,
  type RegionSpec,
  type RegionState,
  type RegionStatus,
  type RolloutSpec,
  type SeedsSpec,
  type Spec,
  type Status,
  type TemplateSpec,
} from './api/schema.ts';
export { parseMultiCassandraCluster, type Parsed, type ParseOptions } from './api/parse.ts';
export { validate } from './api/validate.ts';
export type { Problem, ProblemReason } from './api/problem.ts';
export type { JsonObject } from './api/json.ts';
export type { MemberSchema } from './api/validation/members.ts';
export {
  effective,
  type EffectiveDatacenter,
  type EffectiveFederation,
  type EffectiveRack,
  type EffectiveRegion,
} from './api/effective.ts';
export { crdYaml, customResourceDefinition } from './api/crd.ts';
export {
  conditionTypes,
  findCondition,
  reasons,
  regionConditionTypes,
  regionStages,
  type ConditionType,
  type Reason,
  type RegionConditionType,
  type RegionStage,
} from './api/conditions.ts';
export type { Pace } from './federation/pace.ts';
export { plan, type Plan } from './federation/plan.ts';
export { changesAnything, preview, type Preview, type RegionPreview } from './federation/preview.ts';
export type { Intent, Write } from './federation/intents.ts';
export type {
  Copy,
  KnownRegion,
  Looked,
  RegionSnapshot,
  Snapshot,
  UnknownReason,
  UnknownRegion,
  UserScripts,
} from './federation/snapshot.ts';
export { assessRing, type NodeView, type RingState } from './ring/view.ts';
export { casskop } from './operators/casskop/casskop.ts';
export type {
  Capabilities,
  Change,
  ChangeKind,
  MemberState,
  OrderedOperation,
  PlannedPod,
  PodOperation,
  PodOperationState,
  ReadInput,
  Reference,
  RegionalOperator,
  RenderInput,
  SettledReason,
} from './operators/operator.ts';
export type { NodeOrder } from './ring/jolokia.ts';
export type { KubeObject, ObjectMeta, ResourceType } from './kube/objects.ts';
export type { ObjectRef } from './kube/client.ts';
