import type { KubeObject } from '../kube/objects.ts';
import type { PlanContext } from './context.ts';
import type { Obstacle } from './gates.ts';
import { parseGuard } from './guard/guard.ts';
import {
  isNamesakes,
  isUnmarked,
  type KnownPicture,
  type OwnedObject,
  type RegionPicture,
  wasOurs,
} from './picture.ts';

/**
 * A ring is founded only when every region was looked at and none holds anything of an earlier ring: its volumes would
 * revive that ring's nodes in the middle of ours, or merge two rings.
 */
export function foundingObstacle(pictures: readonly RegionPicture[], clusterName: string): Obstacle | undefined {
  for (const picture of pictures) {
    // A member that may be adopted is no remainder; adoption.ts says what becomes of it.
    if (!picture.known || isUnmarked(picture)) continue;
    const left = leftovers(picture, clusterName);
    const elsewhere = left.length === 0 ? ringElsewhere(picture, pictures) : undefined;
    if (elsewhere) return elsewhere;
    if (left.length === 0) continue;
    const foreign = picture.member ? 'ForeignMember' : 'LeftoversFound';
    return {
      stalled: true,
      reason: foreign,
      region: picture.region.name,
      message:
        `region ${picture.region.name} already holds ${left.join(', ')} in namespace ${picture.region.namespace}: ` +
        (picture.member
          ? `a CassandraCluster that is not ours is left untouched. Choose another spec.clusterName, delete it, or ${howToAdopt(picture.member)}.`
          : 'a new ring could revive or merge with the old one. Delete what is left if its data is not needed, or choose another spec.clusterName.'),
    };
  }
  const unknown = pictures.filter((picture) => !picture.known);
  if (unknown.length === 0) return undefined;
  const names = unknown.map((picture) => `${picture.region.name} (${picture.known ? '' : picture.snapshot.message})`);
  return {
    stalled: false,
    reason: 'RegionUnreachable',
    message: `the ring is founded once every region was looked at, so that no second one is ever founded; waiting for ${names.join(', ')}`,
  };
}

/** What lets a member that is not ours be taken over, as a clause; it does not promise that all is as it has to be. */
export function howToAdopt({ bookkeeping }: OwnedObject): string {
  return bookkeeping.owner === undefined
    ? 'if it runs a part of this ring, and nobody else writes to it any more, set spec.adoptionPolicy to IfUnchanged'
    : 'if it was written for an earlier MultiCassandraCluster of this name, set spec.adoptionPolicy to IfUnchanged';
}

/**
 * The guard of an earlier MultiCassandraCluster that speaks of regions which the spec does not name: their nodes may be
 * running, and nobody looks there.
 */
function ringElsewhere(picture: KnownPicture, pictures: readonly RegionPicture[]): Obstacle | undefined {
  const { guard, region } = picture;
  if (!guard) return undefined;
  const { founder } = guard.bookkeeping;
  const planned = new Set(pictures.flatMap(({ pods }) => pods.map(({ name }) => name)));
  const { joined } = parseGuard(guard.object['data'] as Record<string, string> | undefined);
  const unseen = joined.map(({ pod }) => pod).filter((pod) => !planned.has(pod));
  const isFounderGone = founder !== undefined && !pictures.some(({ region: { name } }) => name === founder);
  if (unseen.length === 0 && !isFounderGone) return undefined;
  const { name } = guard.object.metadata;
  return {
    stalled: true,
    reason: 'LeftoversFound',
    region: region.name,
    message:
      `ConfigMap ${name} in namespace ${region.namespace} of region ${region.name} tells of a ring of this name that ${isFounderGone ? `region ${founder} founded` : `holds ${unseen.join(', ')}`}, ` +
      'and the spec does not say where to look for it: a second ring is not founded beside it. Put its regions back into spec.regions, or, if that ring is gone for good, delete the ConfigMap',
  };
}

/** What an earlier ring of this name left in a region, named for people. */
export function leftovers(picture: KnownPicture, clusterName: string): string[] {
  const { member, statefulSets, claims } = picture.snapshot;
  const named = (kind: string, objects: readonly KubeObject[]): string[] =>
    objects.map((object) => `${kind} ${object.metadata.name}`);
  return [
    ...(member ? [`CassandraCluster ${clusterName}`] : []),
    ...named('StatefulSet', statefulSets),
    ...named('PersistentVolumeClaim', claims),
  ];
}

/** What the region itself lacks before anything can be written there. */
export function regionObstacle(context: PlanContext, picture: KnownPicture): Obstacle | undefined {
  const { region, snapshot } = picture;
  const serviceAccount = context.operator.serviceAccount(region);
  const missing =
    snapshot.capabilities === undefined
      ? `the CustomResourceDefinition ${context.operator.crdName}: install the regional operator there`
      : !snapshot.namespaceExists
        ? `the namespace ${region.namespace}: create it there, or name another one in spec.regions[].namespace`
        : !snapshot.serviceAccountExists
          ? `the ServiceAccount ${serviceAccount} in namespace ${region.namespace}, which the Cassandra pods run as: create it there`
          : undefined;
  if (missing !== undefined) {
    return {
      stalled: true,
      reason: 'PreconditionMissing',
      region: region.name,
      message: `region ${region.name} lacks ${missing}`,
    };
  }
  if (picture.guard && !mayWrite(context, picture, picture.guard)) {
    return {
      stalled: true,
      reason: 'ForeignMember',
      region: region.name,
      message: `region ${region.name} holds a ConfigMap ${picture.guard.object.metadata.name} that is not ours; it is left untouched. Rename or delete it`,
    };
  }
  const scripts = region.memberSpec['configMapName'];
  if (typeof scripts !== 'string' || picture.guard) return undefined;
  const source = context.snapshot.userScripts[scripts];
  if (source?.known && source.found) return undefined;
  const where = `ConfigMap ${scripts} in namespace ${context.federation.namespace} of the hub, which spec.template.spec.configMapName names`;
  return {
    stalled: source?.known ?? false,
    reason: 'PreconditionMissing',
    region: region.name,
    message: source?.known === false ? source.message : `there is no ${where}: create it there`,
  };
}

/**
 * Ours, or what an earlier MultiCassandraCluster of this name left in a region that holds nothing else of its ring, or
 * wrote there although it was gone: whose the member is, his are the guard and the copies.
 */
export function mayWrite(
  { snapshot, federation }: PlanContext,
  picture: KnownPicture,
  { ownership, bookkeeping }: OwnedObject,
): boolean {
  if (ownership !== 'foreign') return true;
  const isOurs = picture.member?.ownership === 'ours';
  return isNamesakes(bookkeeping, snapshot.mcc) && (isOurs || leftovers(picture, federation.clusterName).length === 0);
}

/**
 * A region without a member that holds volumes is no empty place. If its pods were in the ring and all their volumes
 * are there, the member was deleted and can be written again: the same nodes come back. Anything else needs a person.
 */
export function memberMissingObstacle(context: PlanContext, picture: KnownPicture): Obstacle | undefined {
  const { name } = picture.region;
  const { statefulSets, claims } = picture.snapshot;
  const joined = new Set([
    ...(picture.recorded?.hosts ?? []).map((host) => host.pod),
    ...picture.pods.map((pod) => pod.name).filter((pod) => context.hosts.joined.has(pod)),
  ]);
  if (joined.size === 0) {
    const left = leftovers(picture, context.federation.clusterName);
    if (left.length === 0) return undefined;
    return {
      stalled: true,
      reason: 'LeftoversFound',
      region: name,
      message:
        `region ${name} still holds ${left.join(', ')} of an earlier ring in namespace ${picture.region.namespace}; a node that ` +
        'starts on such data refuses to join or revives the old ring. Delete what is left if its data is not needed.',
    };
  }
  if (statefulSets.length > 0) {
    const message = `the member of region ${name} was deleted; it is written again once its StatefulSets are gone`;
    return { stalled: false, reason: 'MemberMissing', region: name, message };
  }
  const stays = (pod: string): boolean =>
    claims.some((claim) => claim.metadata.name === `data-${pod}` && claim.metadata.deletionTimestamp === undefined);
  const dropped = [...joined].filter((pod) => !picture.pods.some((planned) => planned.name === pod));
  if (dropped.length > 0) {
    return {
      stalled: true,
      reason: 'MemberMissing',
      region: name,
      message: `the member of region ${name} was deleted, and the spec does not ask for ${dropped.join(', ')} any more, which never left the ring. Put the old size back first`,
    };
  }
  const lost = [...joined].filter((pod) => !stays(pod));
  if (lost.length === 0) return undefined;
  return {
    stalled: true,
    reason: 'MemberMissing',
    region: name,
    message:
      `the member of region ${name} was deleted, and with it the volumes of ${lost.join(', ')}. It is not created ` +
      'again by itself, since its nodes would come back without their data',
  };
}

/** Whoever writes from a newer spec knows better, whichever of a region's objects it has written. */
export function newerWriter({ region, member, guard, copies }: KnownPicture): Obstacle | undefined {
  const copy = copies.find(({ ownership }) => ownership === 'newer');
  const object =
    member?.ownership === 'newer'
      ? 'member'
      : guard?.ownership === 'newer'
        ? 'guard'
        : copy && `copy of ${copy.kind} ${copy.object.metadata.name}`;
  if (object === undefined) return undefined;
  const message = `the ${object} of region ${region.name} was written by a later leader, or from a newer spec than this controller has seen; it holds back`;
  return { stalled: true, reason: 'NewerWriter', message, region: region.name };
}

export function foreignMember(picture: KnownPicture & { member: OwnedObject }): Obstacle {
  const { name, namespace } = picture.region;
  const message = wasOurs(picture.recorded)
    ? `the member of region ${name} in namespace ${namespace} belongs to another MultiCassandraCluster by now; this one writes nothing there any more. Delete ` +
      'this one if the other is meant to go on'
    : `region ${name} holds a CassandraCluster of this name in namespace ${namespace} that is not ours; it is left untouched. Choose another spec.clusterName, ` +
      `or, ${howToAdopt(picture.member)}`;
  return { stalled: true, reason: 'ForeignMember', region: name, message };
}
