import { createHash } from 'node:crypto';
import * as z from 'zod';
import { perObject } from '../edges/per-object.ts';
import { transitionsMax } from '../kube/lease.ts';
import type { KubeObject } from '../kube/objects.ts';

/** How the name of every annotation of ours begins. */
export const annotationPrefix = 'ringmaster.dev/';

/**
 * What Ringmaster writes on its objects in the regions. The hub is disposable: whatever cannot be observed again
 * (who founded the ring, which seeds a region was given) stands here too, and a new hub reads it back.
 */
export const annotations = {
  owner: 'ringmaster.dev/owner',
  region: 'ringmaster.dev/region',
  stamp: 'ringmaster.dev/stamp',
  founder: 'ringmaster.dev/founder',
  seeds: 'ringmaster.dev/seeds',
  injecting: 'ringmaster.dev/seeds-in-spec',
  guardWaits: 'ringmaster.dev/guard-waits',
  renderedHash: 'ringmaster.dev/rendered-hash',
  renderedPaths: 'ringmaster.dev/rendered-paths',
  renderedLabels: 'ringmaster.dev/rendered-labels',
  delivery: 'ringmaster.dev/delivery',
  restartToken: 'ringmaster.dev/restart-token',
  contentHash: 'ringmaster.dev/content-hash',
  leavingSince: 'ringmaster.dev/leaving-since',
  abandonedHosts: 'ringmaster.dev/abandoned-hosts',
  operations: 'ringmaster.dev/operations',
  /** On a pod. */
  operation: 'ringmaster.dev/operation',
} as const;

export const managedByLabel = { 'app.kubernetes.io/managed-by': 'ringmaster' };

const ownerSchema = z.object({ uid: z.string(), namespace: z.string(), name: z.string() });
/** The MultiCassandraCluster that an object belongs to. */
export type Owner = z.infer<typeof ownerSchema>;

/** Numbers that no Lease could hold are nobody's: they would lock out every leader to come. */
const stampSchema = z.object({
  generation: z.number(),
  leaseTransitions: z
    .int()
    .min(0)
    .max(transitionsMax - 1),
});
/** Which writer, working from which spec, wrote last. A writer that meets a higher stamp is the outdated one. */
export type Stamp = z.infer<typeof stampSchema>;

const deliverySchema = z.object({
  since: z.iso.datetime(),
  target: z.string(),
  corrects: z.boolean().default(false),
  unlocked: z.boolean().default(false),
  restores: z.boolean().default(false),
  disrupts: z.boolean().default(true),
});
/**
 * The last change written to a member.
 * `since`: when. `target`: hash of all the spec asked for then, what had to wait for its turn included. `corrects`: the change before it had not
 * settled. `unlocked`: the operator was told to skip its guard against disruption, once, for this one.
 * `restores`: it took back what somebody else had changed. `disrupts`: it was more than fields that restart nothing.
 */
export type Delivery = z.infer<typeof deliverySchema>;

const runningSchema = z.object({
  pod: z.string(),
  /** Of the pod it was decided for: another one of that name has not been told. */
  uid: z.string(),
  attempt: z.int().min(1),
  since: z.iso.datetime(),
});
const operationRecordSchema = z.object({
  token: z.string(),
  argument: z.string().exactOptional(),
  done: z.array(z.string()).default([]),
  failed: z.array(z.string()).default([]),
  running: z.array(runningSchema).default([]),
  complete: z.boolean().default(false),
});
/**
 * How far a member's nodes are with an operation that the spec asks for, by the names of their pods. `running` is written before a
 * pod is told, so that whoever goes on from here never tells it twice. `complete`: all that were there then are through, or
 * have failed for good; who joins later is not asked.
 */
export type OperationRecord = z.infer<typeof operationRecordSchema>;

const operationsSchema = z.partialRecord(z.enum(['cleanup', 'rebuild', 'upgradesstables']), operationRecordSchema);
export type OperationRecords = Readonly<z.infer<typeof operationsSchema>>;

const orderSchema = z.object({ name: z.string(), token: z.string(), attempt: z.int() });
/** What a pod was last told by us. */
export type Order = z.infer<typeof orderSchema>;

const stringsSchema = z.array(z.string());
const labelsSchema = z.record(z.string(), z.string());

export interface Bookkeeping {
  owner: Owner | undefined;
  region: string | undefined;
  stamp: Stamp | undefined;
  founder: string | undefined;
  /** The seed list this region was given, in its order. */
  seeds: readonly string[] | undefined;
  /** We last wrote the member with the seeds in its spec, and mean to take them out again. */
  injecting: boolean;
  /** It was adopted without our guard in its pods, which takes a restart, and gets it with the next one. */
  guardWaits: boolean;
  /** Hash of the spec as last rendered, overrides of the injection left out. */
  renderedHash: string | undefined;
  /** JSON pointers of the leaves last rendered. */
  renderedPaths: readonly string[];
  /** Labels last rendered; they can never change, since CassKop copies them into immutable selectors. */
  renderedLabels: Readonly<Record<string, string>>;
  /** Undefined: nothing was changed since the member was created or adopted. */
  delivery: Delivery | undefined;
  /** The restart that was last ordered by spec.rollout.restartToken; undefined: none ever. */
  restartToken: string | undefined;
  /** Of a copy: hash of what it was last given. */
  contentHash: string | undefined;
  /** Of a guard: since when its region leaves the ring. */
  leavingSince: string | undefined;
  /** Of a guard: host IDs that were given up for good. */
  abandonedHosts: readonly string[];
  /** How far its nodes are with what the spec has them do once. */
  operations: OperationRecords;
}

/** Reads the annotations back; what is missing or malformed is undefined. Never throws: people edit annotations. */
export const readBookkeeping = perObject((object: KubeObject): Bookkeeping => {
  const all = object.metadata.annotations ?? {};
  return {
    owner: ownerSchema.safeParse(json(all[annotations.owner])).data,
    region: all[annotations.region],
    stamp: stampSchema.safeParse(json(all[annotations.stamp])).data,
    founder: all[annotations.founder],
    seeds: stringsSchema.safeParse(json(all[annotations.seeds])).data,
    injecting: all[annotations.injecting] === 'true',
    guardWaits: all[annotations.guardWaits] === 'true',
    renderedHash: all[annotations.renderedHash],
    renderedPaths: stringsSchema.safeParse(json(all[annotations.renderedPaths])).data ?? [],
    renderedLabels: labelsSchema.safeParse(json(all[annotations.renderedLabels])).data ?? {},
    delivery: deliverySchema.safeParse(json(all[annotations.delivery])).data,
    restartToken: all[annotations.restartToken],
    contentHash: all[annotations.contentHash],
    leavingSince: z.iso.datetime().safeParse(all[annotations.leavingSince]).data,
    abandonedHosts: stringsSchema.safeParse(json(all[annotations.abandonedHosts])).data ?? [],
    operations: operationsSchema.safeParse(json(all[annotations.operations])).data ?? {},
  };
});

/** What a pod was last told by us; undefined: nothing. */
export function orderOn(pod: KubeObject): Order | undefined {
  return orderSchema.safeParse(json(pod.metadata.annotations?.[annotations.operation])).data;
}

/** The annotations without the moment at which they were made: two plans in a row differ in that alone. */
export function withoutMoment(all: Readonly<Record<string, string>> | undefined): Readonly<Record<string, unknown>> {
  const delivery = deliverySchema.safeParse(json(all?.[annotations.delivery])).data;
  const operations = all?.[annotations.operations]?.replaceAll(/"since":"[^"]*"/g, '');
  return {
    ...all,
    ...(delivery && { [annotations.delivery]: { ...delivery, since: undefined } }),
    ...(operations !== undefined && { [annotations.operations]: operations }),
  };
}

/** What every object of ours says: whose it is, and who wrote it. */
export function ownerAnnotations(facts: { owner: Owner; region: string; stamp: Stamp }): Record<string, string> {
  return {
    [annotations.owner]: JSON.stringify(facts.owner),
    [annotations.region]: facts.region,
    [annotations.stamp]: JSON.stringify(facts.stamp),
  };
}

/** What members and guards say beside that: what a new hub has to know. */
export function commonAnnotations(facts: {
  owner: Owner;
  region: string;
  stamp: Stamp;
  founder: string;
  seeds: readonly string[];
}): Record<string, string> {
  return {
    ...ownerAnnotations(facts),
    [annotations.founder]: facts.founder,
    [annotations.seeds]: seedsJson(facts.seeds),
  };
}

const seedsJson = perObject((seeds: readonly string[]) => JSON.stringify(seeds));

/** What a member says beside that: how it was rendered. */
export function renderedAnnotations(rendered: {
  injecting: boolean;
  guardWaits: boolean;
  hash: string;
  paths: readonly string[];
  labels: Readonly<Record<string, string>>;
  delivery: Delivery | undefined;
  restartToken: string;
  operations: OperationRecords;
}): Record<string, string> {
  return {
    ...(Object.keys(rendered.operations).length > 0 && {
      [annotations.operations]: JSON.stringify(rendered.operations),
    }),
    ...(rendered.delivery && { [annotations.delivery]: JSON.stringify(rendered.delivery) }),
    [annotations.restartToken]: rendered.restartToken,
    [annotations.injecting]: String(rendered.injecting),
    ...(rendered.guardWaits && { [annotations.guardWaits]: 'true' }),
    [annotations.renderedHash]: rendered.hash,
    [annotations.renderedPaths]: JSON.stringify(rendered.paths),
    [annotations.renderedLabels]: JSON.stringify(rendered.labels),
  };
}

/**
 * True when a writer with `stamp` is outdated beside one that left `other`: a later leader has been there, or one that knew a later
 * spec, as a new leader may not yet.
 */
export function isOlder(stamp: Stamp, other: Stamp): boolean {
  return stamp.leaseTransitions < other.leaseTransitions || stamp.generation < other.generation;
}

/** Hash of a JSON value that does not depend on the order of its fields. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([one], [other]) => (one < other ? -1 : 1)))
      : child,
  );
}

function json(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
