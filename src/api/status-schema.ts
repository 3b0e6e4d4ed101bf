import { z } from 'zod';
import { regionStages } from './conditions.ts';

/**
 * The status of a MultiCassandraCluster: what Ringmaster saw. Times that move by themselves are metrics, not status, so
 * that a quiet ring causes no writes.
 */

/** A condition as in metav1.Condition. */
export const conditionSchema = z
  .object({
    type: z.string().min(1).max(316).describe('What is said about.'),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string().min(1).max(1024).describe('Why, in one CamelCase word.'),
    message: z.string().max(32_768).describe('Why, in a sentence for people.'),
    lastTransitionTime: z.iso.datetime().describe('When status last changed.'),
    observedGeneration: z
      .int()
      .meta({ format: 'int64', description: 'The generation of the object this was said about.' })
      .exactOptional(),
  })
  .describe('One thing that is so, is not so, or is not known.');

const conditions = z
  .array(conditionSchema)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
  .exactOptional();

const names = (description: string) =>
  z.array(z.string()).meta({ description, 'x-kubernetes-list-type': 'atomic' }).exactOptional();

export const hostSchema = z
  .object({ pod: z.string(), hostId: z.string() })
  .describe('The Cassandra host ID a pod carries.');

export const regionIdentitySchema = z
  .object({
    context: z.string(),
    namespace: z.string(),
    clusterUID: z.string().describe("UID of the region's kube-system namespace.").exactOptional(),
    memberUID: z.string().describe('UID of the member, once it exists.').exactOptional(),
  })
  .describe('Which cluster and which object this region is; it is not followed to another one.');

export const regionOperationSchema = z
  .object({
    name: z.string().describe('What its nodes are to do, such as cleanup.'),
    token: z.string().describe('The value of spec.operations that it is done for.'),
    done: z.int().describe('Nodes that are through.'),
    total: z.int().describe('Nodes that are asked.'),
    running: names('Pods whose nodes are at it.'),
    failed: names('Pods whose nodes have failed again and again.'),
  })
  .describe('How far the nodes of a region are with what every node is to do once.');

export const regionStatusSchema = z
  .object({
    name: z.string(),
    stage: z
      .enum(regionStages)
      .catch('Unknown')
      .describe('Where the region is on its way into the ring, or out of it.'),
    nodes: z.int().describe('Nodes the spec asks for.').exactOptional(),
    readyNodes: z.int().describe('Nodes that are ready.').exactOptional(),
    identity: regionIdentitySchema.exactOptional(),
    appliedSeeds: names("The seeds this region's nodes were last given, in order."),
    settledRevision: z
      .string()
      .describe('What was last delivered to the region and has settled there.')
      .exactOptional(),
    changingSince: z.iso
      .datetime()
      .describe('When the region was last changed, until it has settled with it.')
      .exactOptional(),
    leavingSince: z.iso
      .datetime()
      .describe('When the region began to leave the ring; from then on it leaves, whatever the spec says.')
      .exactOptional(),
    hosts: z
      .array(hostSchema)
      .meta({
        description: 'Host IDs seen so far; another one under the same pod means that a disk was lost.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
    operations: z
      .array(regionOperationSchema)
      .meta({ description: 'What spec.operations has its nodes do.', 'x-kubernetes-list-type': 'atomic' })
      .exactOptional(),
    conditions,
  })
  .describe('One region as Ringmaster saw it.');

export const statusSchema = z
  .object({
    observedGeneration: z
      .int()
      .meta({ format: 'int64', description: 'The generation this status is about.' })
      .exactOptional(),
    conditions,
    summary: z
      .object({
        regions: z.string().describe('Regions settled of regions wanted.'),
        nodes: z.string().describe('Nodes ready of nodes wanted.'),
      })
      .describe('Counts as text, for kubectl get.')
      .exactOptional(),
    ring: z
      .object({
        founder: z
          .string()
          .describe('The one region that starts the ring. Written before anything is created.')
          .exactOptional(),
        hosts: z.int().describe('Nodes in the ring, as every view agrees.').exactOptional(),
        abandonedHosts: z
          .array(z.string())
          .meta({
            description: 'Host IDs of nodes that were given up for good; none of them may come back.',
            'x-kubernetes-list-type': 'atomic',
          })
          .exactOptional(),
      })
      .describe('The ring.')
      .exactOptional(),
    seeds: names('The seeds of the whole ring, in regions order.'),
    regions: z
      .array(regionStatusSchema)
      .meta({
        description: 'One entry a region; it stays until the region is really gone.',
        'x-kubernetes-list-type': 'atomic',
      })
      .exactOptional(),
  })
  .describe('What Ringmaster saw.');
