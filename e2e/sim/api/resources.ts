import { resources, type KubeObject, type ResourceType } from '../../../src/kube/objects.ts';
import { builtInSchemas, plainKindSchema } from './built-in-schemas.ts';
import type { Schema } from './schema.ts';

/** Kinds that the actors of a simulation use besides those of src/kube/objects.ts. */
export const simResources = {
  services: { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
  secrets: { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true },
  events: { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
  nodes: { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
  podDisruptionBudgets: {
    group: 'policy',
    version: 'v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
  },
} as const satisfies Record<string, ResourceType>;

/** What the server makes of a kind, besides storing it. */
export interface KindTraits {
  schema: Schema;
  /** Has a status subresource: the main path cannot change `status`, and that path changes nothing else. */
  status: boolean;
  /** metadata.generation counts the versions of the spec. */
  generation: boolean;
  /** A PUT without a resourceVersion is taken whatever is stored. */
  unconditionalUpdate: boolean;
  /** What admission adds to a new object. */
  admit?: (object: KubeObject) => KubeObject;
  /** What a new object's status is, whatever was sent; undefined: none. */
  initialStatus?: object;
  /** Fields besides name and namespace that a field selector may ask for. */
  selectableFields: readonly string[];
  /** A deletion is answered with the object, not with a Status. */
  answersDeletionWithObject: boolean;
}

const usual: KindTraits = {
  schema: plainKindSchema,
  status: false,
  generation: false,
  unconditionalUpdate: true,
  selectableFields: [],
  answersDeletionWithObject: false,
};

/** On every claim from its creation; the volume controller takes it away from a deleted claim that no pod uses. */
export const claimProtection = 'kubernetes.io/pvc-protection';

/** What the default admission plugins add to the spec of a pod. */
const podAdmission = {
  tolerations: ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  })),
  priority: 0,
  preemptionPolicy: 'PreemptLowerPriority',
};

/** By `group/plural`. */
const notes: Readonly<Record<string, Partial<KindTraits>>> = {
  '/namespaces': { status: true, initialStatus: { phase: 'Active' }, answersDeletionWithObject: true },
  '/pods': {
    status: true,
    generation: true,
    initialStatus: { phase: 'Pending', qosClass: 'BestEffort' },
    admit: (pod) => ({ ...pod, spec: { ...(pod['spec'] as object), ...podAdmission } }),
    selectableFields: ['spec.nodeName', 'status.phase', 'status.podIP', 'spec.serviceAccountName'],
    answersDeletionWithObject: true,
  },
  '/persistentvolumeclaims': {
    status: true,
    admit: (claim) => {
      const finalizers = new Set(claim.metadata.finalizers).add(claimProtection);
      return { ...claim, metadata: { ...claim.metadata, finalizers: [...finalizers] } };
    },
    initialStatus: { phase: 'Pending' },
    answersDeletionWithObject: true,
  },
  '/services': { status: true, initialStatus: { loadBalancer: {} }, answersDeletionWithObject: true },
  '/serviceaccounts': { unconditionalUpdate: false, answersDeletionWithObject: true },
  '/nodes': { status: true, initialStatus: {} },
  'apps/statefulsets': { status: true, generation: true, initialStatus: { replicas: 0, availableReplicas: 0 } },
  'policy/poddisruptionbudgets': {
    status: true,
    generation: true,
    unconditionalUpdate: false,
    initialStatus: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  },
  'apiextensions.k8s.io/customresourcedefinitions': { status: true, generation: true, unconditionalUpdate: false },
  'coordination.k8s.io/leases': { unconditionalUpdate: false },
};

/** What a kind is called inside the server: the same for all of its versions. */
export function kindKey({ group, plural }: Pick<ResourceType, 'group' | 'plural'>): string {
  return `${group}/${plural}`;
}

/** The kinds that are there without a CustomResourceDefinition. */
export function builtInKinds(): { resource: ResourceType; traits: KindTraits }[] {
  return [...Object.values(resources), ...Object.values(simResources)].map((resource: ResourceType) => {
    const schema = builtInSchemas[resource.plural] ?? plainKindSchema;
    return { resource, traits: { ...usual, schema, ...notes[kindKey(resource)] } };
  });
}
