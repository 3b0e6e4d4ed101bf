import { at, isSameJson } from '../api/json.ts';
import { formatPath } from '../api/problem.ts';
import { type KubeObject, resources, type ResourceType } from '../kube/objects.ts';
import type { Reference } from '../operators/operator.ts';
import { annotations, hashOf, managedByLabel, ownerAnnotations } from './bookkeeping.ts';
import { authorship, type PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import { mayWrite } from './region-gates.ts';
import { hasSettled } from './health.ts';
import type { Intent, Write } from './intents.ts';
import { type KnownPicture, type MemberPicture, owned } from './picture.ts';
import { keyOf } from './snapshot.ts';

/** An object that a region's member is to name, however often it does. */
interface Needed {
  readonly kind: Reference['kind'];
  readonly name: string;
  /** Pods do not start without these keys in it. */
  readonly keys: readonly string[];
  /** Nothing needs it in order to start. */
  readonly isOptional: boolean;
  /** The first field that names it, in the MultiCassandraCluster. */
  readonly field: string;
}

/** How far a region is from having one of them. */
interface Standing {
  readonly needed: Needed;
  /** What brings it there. */
  readonly intent?: Intent;
  /** Why pods that need it cannot start yet, or would start with something else. */
  readonly obstacle?: Obstacle;
}

const types = { Secret: resources.secrets, ConfigMap: resources.configMaps } as const;

/** Creates and updates the copies of what the region's member is to name, as the hub's namespace holds it now. */
export function copyIntents(context: PlanContext, picture: KnownPicture): Intent[] {
  return standings(context, picture).flatMap(({ intent }) => intent ?? []);
}

/** What keeps the region from having all that its member is to name, and that no write of ours brings. */
export function missingReference(context: PlanContext, picture: KnownPicture): Obstacle | undefined {
  return worst(standings(context, picture).filter(({ intent }) => intent === undefined));
}

/**
 * Why the member may not be changed to what the spec asks for: something that it is to name is not there, or not as it should be.
 * @param anew only what the member does not name yet
 */
export function pendingReference(
  context: PlanContext,
  picture: KnownPicture,
  { anew = false }: { anew?: boolean } = {},
): Obstacle | undefined {
  const all = standings(context, picture);
  if (all.length === 0 || !anew) return worst(all);
  const named = namedBy(context, picture);
  return worst(all.filter(({ needed }) => !named.has(keyOf(needed))));
}

/** Deletes copies of ours that neither the spec nor, once the region has settled without them, the member names any more. */
export function pruneIntents(context: PlanContext, picture: MemberPicture): Intent[] {
  const ours = picture.copies.filter(
    (copy) => mayWrite(context, picture, copy) && copy.object.metadata.deletionTimestamp === undefined,
  );
  if (ours.length === 0 || picture.member.ownership !== 'ours' || !hasSettled(context, picture)) return [];
  const region = picture.region.name;
  const kept = namedBy(context, picture);
  for (const needed of neededBy(context, picture)) {
    if (needed.isOptional && isGone(context, needed)) kept.delete(keyOf(needed));
    else kept.add(keyOf(needed));
  }
  return ours
    .filter(({ kind, object }) => !kept.has(keyOf({ kind, name: object.metadata.name })))
    .map(({ kind, object }) => ({
      region,
      why: `delete the copy of ${kind} ${object.metadata.name} in region ${region}, which nothing names any more`,
      write: deletion(types[kind], picture, object),
    }));
}

function worst(all: readonly Standing[]): Obstacle | undefined {
  const obstacles = all.flatMap(({ obstacle }) => obstacle ?? []);
  return obstacles.find(({ stalled }) => stalled) ?? obstacles[0];
}

function standings(context: PlanContext, picture: KnownPicture): Standing[] {
  return neededBy(context, picture).map((needed) => {
    const { intent, obstacle } = standing(context, picture, needed);
    return { needed, ...(intent && { intent }), ...(obstacle && !needed.isOptional && { obstacle }) };
  });
}

function standing(context: PlanContext, picture: KnownPicture, needed: Needed): Omit<Standing, 'needed'> {
  const { kind, name, field } = needed;
  const region = picture.region.name;
  const { namespace } = context.federation;
  const source = context.snapshot.sources[keyOf(needed)] ?? unread;
  const held = picture.snapshot.named[keyOf(needed)] ?? unread;
  const obstacle = (stalled: boolean, reason: Obstacle['reason'], message: string): { obstacle: Obstacle } => ({
    obstacle: { stalled, reason, region, message, isLocal: true },
  });

  // What the member names already is not doubted because it cannot be read for a moment.
  if (!held.known) {
    if (!held.isForbidden && namedBy(context, picture).has(keyOf(needed))) return {};
    return obstacle(held.isForbidden ?? false, 'PreconditionMissing', held.message);
  }
  const there = held.object;
  const copy = there && owned(there, context.snapshot, picture.recorded);
  const isCopy = copy?.bookkeeping.contentHash !== undefined && mayWrite(context, picture, copy);
  if (!source.known) {
    if (there && !source.isForbidden) return {};
    return obstacle(source.isForbidden ?? false, 'PreconditionMissing', source.message);
  }
  const what = `${kind} ${name}`;
  if (!source.object) {
    if (needed.isOptional) return {};
    const create = `create it there: ${command(needed, namespace)}`;
    if (!there) {
      const message = `there is no ${what} in namespace ${namespace} of the hub, which ${field} names: ${create}`;
      return obstacle(true, 'PreconditionMissing', message);
    }
    if (isCopy) {
      const message = `${what} is gone from namespace ${namespace} of the hub, and ${field} still names it; region ${region} keeps its copy. Take the field out, or ${create}`;
      return obstacle(true, 'PreconditionMissing', message);
    }
    return keyObstacle(there, `of region ${region}`);
  }
  // In the hub itself the source may be what the member names, and it is used as it is.
  const isSource = there !== undefined && there.metadata.uid === source.object.metadata.uid;
  const isSame = there !== undefined && isSameJson(contentOf(kind, there), contentOf(kind, source.object));
  if (isSource || (isSame && !isCopy)) return keyObstacle(source.object, `in namespace ${namespace} of the hub`);
  if (there && !isCopy) {
    const message =
      `region ${region} holds a ${what} in namespace ${picture.region.namespace} that is not ours, and is not what the hub holds under this name, which ${field} names; ` +
      `it is left untouched. Delete it there, or name another one: kubectl delete ${kind.toLowerCase()} ${name} -n ${picture.region.namespace}`;
    return obstacle(true, 'ForeignMember', message);
  }
  const intent = copyIntent(context, picture, needed, source.object, there);
  const wrongKey = keyObstacle(source.object, `in namespace ${namespace} of the hub`);
  if (isSame || wrongKey.obstacle) return { ...wrongKey, ...(intent && { intent }) };
  return {
    ...obstacle(false, 'Waiting', `its ${what} is copied from the hub first`),
    ...(intent && { intent }),
  };

  function keyObstacle(object: KubeObject, where: string): { obstacle?: Obstacle } {
    const missing = needed.keys.find(
      (key) => at(object, ['data', key]) === undefined && at(object, ['binaryData', key]) === undefined,
    );
    if (missing === undefined) return {};
    return obstacle(
      true,
      'PreconditionMissing',
      `${what} ${where}, which ${field} names, has no key ${missing}: add it`,
    );
  }
}

const unread = { known: false, isForbidden: undefined, message: 'what the member names is not read yet' } as const;

/** One write brings the copy a step nearer to its source; undefined: they are the same. */
function copyIntent(
  context: PlanContext,
  picture: KnownPicture,
  { kind, name }: Needed,
  source: KubeObject,
  there: KubeObject | undefined,
): Intent | undefined {
  const region = picture.region.name;
  const resource = types[kind];
  const what = `the copy of ${kind} ${name} in region ${region}`;
  const content = contentOf(kind, source);
  const wanted = wantedCopy(context, picture, { kind, name }, content);
  if (!there) return { region, why: `create ${what}`, write: { verb: 'create', resource, object: wanted } };
  // Its own deletion goes first.
  if (there.metadata.deletionTimestamp !== undefined) return undefined;
  const before = contentOf(kind, there);
  const isSame = isSameJson(before, content);
  if (before.type !== content.type || (there['immutable'] === true && !isSame)) {
    const why = `delete ${what}, whose ${before.type === content.type ? 'content' : 'type'} can never change, to write it anew`;
    return { region, why, write: deletion(resource, picture, there) };
  }
  const { uid = '', resourceVersion = '' } = there.metadata;
  const extra = (['data', 'binaryData'] as const).flatMap((field) =>
    Object.keys(before[field])
      .filter((key) => !Object.hasOwn(content[field], key))
      .map((key) => `/${field}/${key}`),
  );
  if (hasAll(before.data, content.data) && hasAll(before.binaryData, content.binaryData) && isMarked(there, wanted)) {
    if (extra.length === 0) return undefined;
    const ref = { namespace: picture.region.namespace, name };
    const why = `take out of ${what} what the hub's does not hold`;
    return { region, why, write: { verb: 'removeFields', resource, ref, uid, resourceVersion, paths: extra } };
  }
  const object = { ...wanted, metadata: { ...wanted.metadata, uid, resourceVersion } };
  return { region, why: `bring ${what} up to date`, write: { verb: 'update', resource, object } };
}

function deletion(resource: ResourceType, picture: KnownPicture, { metadata }: KubeObject): Write {
  const { name, uid = '', resourceVersion = '' } = metadata;
  return { verb: 'delete', resource, ref: { namespace: picture.region.namespace, name }, uid, resourceVersion };
}

interface Content {
  readonly type: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  readonly binaryData: Readonly<Record<string, unknown>>;
}

/** All that is copied. Labels and annotations stay behind: kubectl keeps whole Secrets in one of them. */
function contentOf(kind: Reference['kind'], object: KubeObject): Content {
  return {
    type: kind === 'Secret' ? ((object['type'] as string | undefined) ?? 'Opaque') : undefined,
    data: (object['data'] as Record<string, unknown> | undefined) ?? {},
    binaryData: (object['binaryData'] as Record<string, unknown> | undefined) ?? {},
  };
}

function wantedCopy(
  context: PlanContext,
  picture: KnownPicture,
  { kind, name }: Pick<Needed, 'kind' | 'name'>,
  content: Content,
): KubeObject {
  const { type, data, binaryData } = content;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      namespace: picture.region.namespace,
      labels: managedByLabel,
      annotations: {
        ...ownerAnnotations(authorship(context, picture)),
        [annotations.contentHash]: hashOf(content),
      },
    },
    ...(type !== undefined && { type }),
    ...(Object.keys(data).length > 0 && { data }),
    ...(Object.keys(binaryData).length > 0 && { binaryData }),
  };
}

function hasAll(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(other).every(([key, value]) => one[key] === value);
}

/** The stamp says who wrote last; by itself it is no reason to write. */
function isMarked(there: KubeObject, wanted: KubeObject): boolean {
  const { labels = {}, annotations: marks = {} } = there.metadata;
  return (
    Object.entries(wanted.metadata.annotations ?? {}).every(
      ([name, value]) => name === annotations.stamp || marks[name] === value,
    ) && Object.entries(wanted.metadata.labels ?? {}).every(([name, value]) => labels[name] === value)
  );
}

function isGone({ snapshot }: PlanContext, needed: Needed): boolean {
  const source = snapshot.sources[keyOf(needed)];
  return source?.known === true && source.object === undefined;
}

/** What the member in the region names as it is. */
function namedBy({ operator }: PlanContext, { member }: KnownPicture): Set<string> {
  return new Set(
    member ? operator.references((member.object['spec'] ?? {}) as Record<string, unknown>).map(keyOf) : [],
  );
}

function neededBy({ operator, snapshot }: PlanContext, { region }: KnownPicture): Needed[] {
  const references = operator.references(region.memberSpec);
  if (references.length === 0) return [];
  const byKey = Map.groupBy(references, keyOf);
  const index = snapshot.mcc.spec.regions.findIndex(({ name }) => name === region.name);
  return [...byKey.values()].flatMap((mentions) => {
    const required = mentions.filter(({ optional }) => !optional);
    const first = required[0] ?? mentions[0];
    if (!first) return [];
    const { kind, name } = first;
    const patch = snapshot.mcc.spec.regions[index]?.patch?.spec;
    const isPatched = at(patch, first.path) === name;
    const field = formatPath([
      ...(isPatched ? ['spec', 'regions', index, 'patch', 'spec'] : ['spec', 'template', 'spec']),
      ...first.path,
    ]);
    const keys = required.flatMap(({ key }) => key ?? []);
    return [{ kind, name, keys: [...new Set(keys)], isOptional: required.length === 0, field }];
  });
}

/** What to type, with the values left to fill in. */
function command({ kind, name, keys, field }: Needed, namespace: string): string {
  const isPullSecret = field.includes('imagePullSecret');
  const what = kind === 'ConfigMap' ? 'configmap' : `secret ${isPullSecret ? 'docker-registry' : 'generic'}`;
  const values = isPullSecret
    ? ' --docker-server=... --docker-username=... --docker-password=...'
    : (keys.length > 0 ? keys : ['KEY']).map((key) => ` --from-literal=${key}=...`).join('');
  return `kubectl create ${what} ${name} -n ${namespace}${values}`;
}
