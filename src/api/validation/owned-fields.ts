import type { JsonObject } from '../json.ts';
import { at, isObject } from '../json.ts';

/** A field of the regional object's spec that a user does not set there, or not to every value. */
export interface OwnedField {
  field: readonly string[];
  /** What is wrong and what to do. */
  message: string;
  /** Values that do no harm; absent: none. */
  harmless?: (value: unknown) => boolean;
}

const falseOnly = (value: unknown): boolean => value === false;

const oneRing =
  'Nodes with another name here form a ring of their own. Leave it out; the name of the cluster is spec.clusterName.';

/** Below `config`, in the template, in patches and in a datacenter's overrides alike. */
const ownedConfig: OwnedField[] = [
  { field: ['config', 'cluster-info'], message: `Ringmaster sets the name of the cluster and its seeds. ${oneRing}` },
  {
    field: ['config', 'datacenter-info'],
    message:
      'The datacenter is named by spec.regions[].datacenters[].name, and the regional operator looks for that name in the ring. Leave it out.',
  },
  {
    field: ['config', 'cassandra-yaml', 'seed_provider'],
    message:
      'Ringmaster chooses the seeds; nodes with others can form a ring of their own. Leave it out, and see spec.seeds.',
  },
  { field: ['config', 'cassandra-yaml', 'cluster_name'], message: oneRing },
  {
    field: ['config', 'cassandra-yaml', 'endpoint_snitch'],
    message:
      'Only GossipingPropertyFileSnitch takes datacenter and rack from the regional operator; another one puts all nodes into one datacenter. Leave it out.',
    harmless: (value) => value === 'GossipingPropertyFileSnitch',
  },
];

/** In the template and in patches. */
export const ownedInSpec: OwnedField[] = [
  ...ownedConfig,
  {
    field: ['topology'],
    message:
      'Ringmaster writes the topology. Leave it out, and describe datacenters and racks in spec.regions[].datacenters.',
  },
  {
    field: ['autoUpdateSeedList'],
    message: "With it the regional operator drops the other regions' seeds from the list. Leave it out.",
    harmless: falseOnly,
  },
  {
    field: ['unlockNextOperation'],
    message:
      'This is a command for one moment, not a state to keep, and it skips the guard against disruption. Leave it out.',
    harmless: falseOnly,
  },
  {
    field: ['noCheckStsAreEqual'],
    message:
      'With it the regional operator rewrites its StatefulSets on every pass, so the region never settles. Leave it out.',
    harmless: falseOnly,
  },
  {
    field: ['deletePVC'],
    message: 'With it the data is deleted along with the member. Leave it out; Ringmaster never deletes data.',
    harmless: falseOnly,
  },
  {
    field: ['nodesPerRacks'],
    message: 'This must be a whole number of at least 1.',
    harmless: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
  {
    field: ['maxPodUnavailable'],
    message: 'This must be a whole number of at least 1: with 0 the regional operator never changes anything again.',
    harmless: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
  {
    field: ['imageJolokiaSecret'],
    message:
      'With it Jolokia asks for a password, and Ringmaster cannot read the ring through it. Leave it out, and guard port 8778 with a network policy.',
    harmless: (value) => isObject(value) && (value['name'] === undefined || value['name'] === ''),
  },
];

/** In patches only: what all nodes of one ring share. */
export const ownedInPatch: OwnedField[] = ['partitioner', 'storage_port', 'ssl_storage_port'].map((key) => ({
  field: ['config', 'cassandra-yaml', key],
  message: `All nodes of one ring need the same ${key}. Set it in spec.template.spec.`,
}));

/** In a datacenter's overrides. */
export const ownedInOverrides: OwnedField[] = [
  ...ownedConfig,
  ...ownedInPatch,
  { field: ['name'], message: "The datacenter's name stands beside overrides, not in it. Leave it out." },
  { field: ['rack'], message: 'The racks stand beside overrides, as racks. Leave it out.' },
  { field: ['nodesPerRacks'], message: 'nodesPerRacks stands beside overrides, not in it. Move it.' },
  { field: ['labels'], message: 'The labels stand beside overrides, not in it. Move them.' },
];

/** All that may stand in a datacenter's overrides. */
export const overridable = ['config', 'resources', 'dataCapacity', 'dataStorageClass'] as const;

/** The owned fields that `spec` sets to something harmful. */
export function ownedFieldsIn(spec: JsonObject, owned: readonly OwnedField[]): OwnedField[] {
  return owned.filter(({ field, harmless }) => {
    const value = at(spec, field);
    return value !== undefined && !harmless?.(value);
  });
}
