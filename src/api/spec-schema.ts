import { z } from 'zod';

/**
 * The spec of a MultiCassandraCluster. This is the one source: TypeScript types, parsing, the CRD (crd.ts) and its
 * descriptions all come from here. What needs more than one field at a time is in validate.ts.
 *
 * A rule the API server enforces (x-kubernetes-validations, patterns, limits) may be loosened later but never tightened:
 * an older object that breaks a new rule could no longer have its status written or its finalizer removed.
 */

/** A DNS label as Kubernetes uses it for names of namespaces and parts of host names. */
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const atomicList = { 'x-kubernetes-list-type': 'atomic' };
const listMap = (key: string): Record<string, unknown> => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
});

/** Passed through to the regional operator as it is, so every field is kept here. */
const passedThrough = (description: string) => z.looseObject({}).describe(description);

const labels = (description: string) =>
  z.record(z.string(), z.string().max(63)).meta({ description, maxProperties: 64 });

export const rackSchema = z
  .object({
    name: z
      .string()
      .max(32)
      .regex(/^[a-z0-9]+$/, {
        error: 'A rack name has lower-case letters and digits only: the regional operator splits names at "-".',
      })
      .describe('Rack name, unique in its datacenter.'),
    labels: labels('Labels of the Kubernetes nodes that this rack runs on.').exactOptional(),
  })
  .describe('One rack, backed by one StatefulSet.');

export const datacenterSchema = z
  .object({
    name: z
      .string()
      .max(32)
      .regex(/^[a-z][a-z0-9]*$/, {
        error: 'A datacenter name starts with a lower-case letter and has lower-case letters and digits only.',
      })
      .describe('Datacenter name, unique in the whole MultiCassandraCluster and no prefix of another one.'),
    nodesPerRacks: z
      .int()
      .min(1, { error: 'A datacenter needs at least one node in each rack.' })
      .describe('Nodes in each rack. Default: the nodesPerRacks of the template, else 1.')
      .exactOptional(),
    racks: z
      .array(rackSchema)
      .min(1, { error: 'A datacenter needs at least one rack; leave racks out for one rack named rack1.' })
      .max(32)
      .meta({ description: 'Racks. Default: one, named rack1.', ...listMap('name') })
      .exactOptional(),
    labels: labels('Labels of the Kubernetes nodes that all racks of this datacenter run on.').exactOptional(),
    overrides: passedThrough(
      'What differs from the template in this datacenter: config, resources, dataCapacity, dataStorageClass.',
    ).exactOptional(),
  })
  .describe('One Cassandra datacenter.');

export const rebuildSchema = z
  .object({
    from: z
      .string()
      .max(32)
      .regex(/^[a-z][a-z0-9]*$/, { error: 'Name a datacenter of this MultiCassandraCluster.' })
      .describe(
        'The datacenter to stream from. Default: that of the first region that has its data. Another value begins anew.',
      )
      .exactOptional(),
    parallel: z.int().min(1).max(100).default(1).describe('Nodes that stream at once.'),
    skip: z.boolean().default(false).describe('Somebody else sees to it that the nodes get their rows.'),
  })
  .describe('How the nodes of a region that joins a ring with data get their rows.');

const hostIdSchema = z.string().regex(uuid, {
  error: 'A Cassandra host ID is a UUID in lower case, such as 8d5ed9f4-7764-4dbd-bad8-43fddce94b7c.',
});

export const acknowledgedHostSchema = z
  .object({
    pod: z.string().min(1).max(63).describe('Name of the pod.'),
    hostId: hostIdSchema.describe('The Cassandra host ID the pod carries now.'),
  })
  .describe('A person confirms that this pod carries another host ID than before: its disk was lost.');

export const operatorSchema = z
  .enum(['CassKop', 'CassOperator'])
  .describe(
    'The regional operator that runs Cassandra: CassKop (CassandraCluster) or CassOperator (CassandraDatacenter).',
  );

export const deletionPolicySchema = z.enum(['Orphan', 'Delete']);

export const regionSchema = z
  .object({
    name: z
      .string()
      .max(63)
      .regex(dnsLabel, {
        error:
          'A region name is a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit.',
      })
      .describe('Region name. It stands for {region} in seeds.address.'),
    context: z
      .string()
      .min(1)
      .max(512)
      .describe('kubeconfig context of the region. Default: its name.')
      .exactOptional(),
    namespace: z
      .string()
      .max(63)
      .regex(dnsLabel, {
        error:
          'A namespace is a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit.',
      })
      .describe('Namespace in the region. Default: that of this object.')
      .exactOptional(),
    operator: operatorSchema.exactOptional(),
    state: z
      .enum(['Managed', 'Observed', 'Removing', 'Abandoned'])
      .default('Managed')
      .describe(
        'Managed: kept as the spec says. Observed: looked at, and never written to. Removing: its nodes leave the ring, and when its stage is Removed ' +
          'the entry may be dropped. Abandoned: lost for good; its nodes are removed from the ring without their help.',
      ),
    datacenters: z
      .array(datacenterSchema)
      .min(1, {
        error: 'A region needs at least one datacenter; leave datacenters out for one named after the region.',
      })
      .max(8)
      .meta({ description: 'Datacenters in this region. Default: one, named after the region.', ...listMap('name') })
      .exactOptional(),
    patch: z
      .object({ spec: passedThrough('Fields of the template spec, added or replaced.').exactOptional() })
      .describe(
        'Merged over the template for this region: objects field by field, everything else replaced. null is refused.',
      )
      .exactOptional(),
    remove: z
      .array(z.string().min(1).max(1024))
      .max(64)
      .meta({
        description:
          'JSON pointers into the template, such as /spec/autoPilot, that are left out in this region. Taken out before the patch is merged.',
        ...atomicList,
      })
      .exactOptional(),
    deletionPolicy: deletionPolicySchema.describe('Default: that of the spec.').exactOptional(),
    rebuild: rebuildSchema.exactOptional(),
    abandonedHosts: z
      .array(hostIdSchema)
      .max(1000)
      .meta({
        description:
          'With state Abandoned: the host IDs of all nodes that are given up. They are never let into the ring again.',
        ...atomicList,
      })
      .exactOptional(),
    acknowledgedHosts: z
      .array(acknowledgedHostSchema)
      .max(256)
      .meta({ description: 'Pods whose lost disks a person has acknowledged.', ...listMap('pod') })
      .exactOptional(),
  })
  .describe('One region: a Kubernetes cluster, and a namespace in it.');

export const templateSchema = z
  .object({
    metadata: z
      .looseObject({
        labels: labels('Labels of every member. They never change once a member exists.').exactOptional(),
        annotations: z.record(z.string(), z.string()).describe('Annotations of every member.').exactOptional(),
      })
      .describe('Labels and annotations of every member; name and namespace are set by Ringmaster.')
      .prefault({}),
    spec: passedThrough(
      'Spec of every member, passed through to the regional operator; without topology and seeds.',
    ).prefault({}),
  })
  .describe('What all regions share: the regional object without name, namespace and topology.')
  .prefault({});

export const seedsSchema = z
  .object({
    perDatacenter: z
      .int()
      .min(1, { error: 'Each datacenter needs at least one seed. Use 1 to 3.' })
      .max(3, { error: 'More than three seeds in a datacenter only slow gossip down. Use 1 to 3.' })
      .default(2)
      .describe('Seeds in each datacenter, spread over its racks, lowest ordinals first.'),
    address: z
      .string()
      .min(1)
      .max(512)
      .describe(
        'How nodes of every region reach a node by name, such as {pod}.{region}.db.example.net. Variables: {pod} {service} {namespace} ' +
          '{cluster} {datacenter} {rack} {region}. Required with more than one region.',
      )
      .exactOptional(),
    external: z
      .array(
        z
          .string()
          .min(1)
          .max(253)
          .regex(/^[^\s,]+$/, { error: 'A seed is one address, without blanks and commas.' }),
      )
      .max(32)
      .default([])
      .meta({
        description:
          'Seeds outside the federation. With any when the first region is created, no ring is founded: the regions join the one that these are of. Hosts that no ' +
          'pod of the federation carries are taken for nodes of that ring while they are alive.',
        ...atomicList,
      }),
    updatePolicy: z
      .enum(['Deferred', 'Rolling'])
      .default('Deferred')
      .describe(
        'What happens to running regions when the set of seeds changes. Deferred: they take the new list when they next restart. ' +
          'Rolling: they restart for it, one after another.',
      ),
    guardWaitSeconds: z
      .int()
      .min(0, { error: 'A time to wait cannot be negative. Use 0 or more.' })
      .max(86_400)
      .default(600)
      .describe(
        'How long a node that was in the ring waits at its start for a live seed, in seconds, before it starts with the data it has.',
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "!has(self.address) || self.address.contains('{pod}')",
        message: 'The address must contain {pod}: without it several nodes have the same address.',
        fieldPath: '.address',
      },
    ],
  })
  .prefault({})
  .describe('Seeds, and how nodes find each other across regions.');

export const rolloutSchema = z
  .object({
    paused: z.boolean().default(false).describe('Stop before the next region.'),
    bakeSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(0)
      .describe('How long a changed region must stay healthy before the next one, in seconds.'),
    progressDeadlineSeconds: z
      .int()
      .min(1, { error: 'A region needs some time to settle: progressDeadlineSeconds is at least 1.' })
      .max(604_800)
      .default(3600)
      .describe('How long one region may take to settle before the rollout counts as stalled, in seconds.'),
    restartToken: z.string().max(253).default('').describe('Another value restarts every region, one after another.'),
  })
  .prefault({})
  .describe('How a change goes through the regions.');

const token = (what: string) =>
  z.string().min(1, { error: 'A token is not empty. Leave the field out to ask for nothing.' }).max(253).describe(what);

export const operationsSchema = z
  .object({
    cleanup: token(
      'Another value has every node drop the rows that it does not own any more, once, one node after another. For after regions have grown.',
    ).exactOptional(),
    upgradesstables: token(
      'Another value has every node rewrite what older versions of Cassandra have written, once, one node after another. For after an upgrade.',
    ).exactOptional(),
  })
  .describe('What every node is to do once; nothing restarts. A node that joins later is not asked.');

export const cqlSchema = z
  .object({
    secretRef: z
      .object({ name: z.string().min(1, { error: 'Name the Secret.' }).max(253).describe('Name of the Secret.') })
      .describe(
        'A Secret beside this object, in its namespace of the hub, with the keys username and password: the role of Cassandra that Ringmaster logs in as.',
      ),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(9042)
      .describe("Where nodes listen for CQL: Cassandra's native_transport_port."),
  })
  .describe(
    'Lets Ringmaster itself alter keyspaces where it otherwise prints the statements and waits, as far as no row can be lost by that. Off by default.',
  );

export const specSchema = z
  .object({
    clusterName: z
      .string()
      .max(41)
      .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, {
        error:
          'A cluster name has lower-case letters, digits and "-", begins with a letter and ends with a letter or digit.',
      })
      .describe("Cassandra's cluster_name and the name of every member. Default: the name of this object. Immutable.")
      .exactOptional(),
    operator: operatorSchema.default('CassKop'),
    template: templateSchema,
    regions: z
      .array(regionSchema)
      .min(1, { error: 'There is no ring without a region. List at least one.' })
      .max(128)
      .meta({
        description:
          'Regions. Their order is the order in which they are created and changed; the first one founds the ring.',
        ...listMap('name'),
      }),
    seeds: seedsSchema,
    rollout: rolloutSchema,
    operations: operationsSchema.exactOptional(),
    cql: cqlSchema.exactOptional(),
    adoptionPolicy: z
      .enum(['Never', 'IfUnchanged'])
      .default('Never')
      .describe(
        'What happens to a member that exists already. IfUnchanged: it is taken over if nothing in it would have to restart.',
      ),
    dataPolicy: z
      .enum(['Persistent', 'Ephemeral'])
      .default('Persistent')
      .describe(
        'Persistent: every datacenter needs a dataCapacity. Ephemeral: data may live in the pods and is lost with them.',
      ),
    deletionPolicy: deletionPolicySchema
      .default('Orphan')
      .describe(
        'What happens to the members when this object is deleted. Orphan: they go on running. Delete: they are deleted too.',
      ),
  })
  .meta({
    description: 'What the user wants.',
    'x-kubernetes-validations': [
      { rule: 'self.operator == oldSelf.operator', message: 'The operator cannot be changed.', fieldPath: '.operator' },
      {
        rule: 'size(self.regions) < 2 || has(self.seeds.address)',
        message:
          'With more than one region, nodes must find each other by names that resolve in every region. Set seeds.address, such as ' +
          '{pod}.{region}.db.example.net.',
        fieldPath: '.seeds',
      },
    ],
  });
