import type { Reason } from '../api/conditions.ts';
import type { KubeObject } from '../kube/objects.ts';
import { type Alteration, alterationsBeforeNewDatacenter, replicasIn, userKeyspaces } from '../ring/keyspaces.ts';
import type { NodeView, RingState } from '../ring/view.ts';
import { replicationGate } from './keyspace-gate.ts';
import type { PlanContext } from './context.ts';
import { parseGuard } from './guard/guard.ts';
import type { Hosts } from './hosts.ts';
import {
  answeredFor,
  hasGone,
  isGivenUp,
  isLeaving,
  isNamesakes,
  isReady,
  isUnmarked,
  type KnownPicture,
  type MemberPicture,
  type OwnedObject,
  type RegionPicture,
  type UnknownPicture,
} from './picture.ts';

/** How old a view may be that a change of the ring is built on, milliseconds. */
const decisionMaxAgeMs = 10_000;

/** A closed gate: why a step does not happen now. */
export interface Obstacle {
  /** Only a person can open it. */
  readonly stalled: boolean;
  readonly reason: Reason<'Stalled'> | Reason<'Applied'> | 'Paused';
  readonly message: string;
  readonly region?: string;
  /** It holds up nothing but its region. */
  readonly isLocal?: true;
  /** What Ringmaster itself has to alter to open it. */
  readonly alters?: readonly Alteration[];
}

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

/**
 * Before the ring changes, every node so far must be NORMAL in every view, and nothing may join, leave or move. One
 * operation at a time, ring-wide: two at once could leave a token range without its data.
 * @param unseen what a region means that cannot be seen. A restart elsewhere may ignore it, since the nodes that are seen
 *   tell whether its nodes are alive; a change of the ring waits for its own word.
 */
export function ringObstacle(
  pictures: readonly RegionPicture[],
  hosts: Hosts,
  ring: RingState,
  views: ReadonlyMap<string, NodeView>,
  { unseen = 'waits' }: { unseen?: 'waits' | 'ignored' } = {},
): Obstacle | undefined {
  const wait = (message: string): Obstacle => ({ stalled: false, reason: 'Waiting', message });
  if (hosts.suspected.length > 0) {
    return { stalled: true, reason: 'DataLossSuspected', message: describeLoss(hosts) };
  }
  if (hosts.returned.length > 0) {
    return { stalled: true, reason: 'ReturnedAfterAbandon', message: describeReturned(hosts) };
  }
  if (ring.kind === 'split') return { stalled: true, reason: 'RingSplit', message: describeSplit(ring) };
  if (ring.kind === 'unknown') return wait('no node of the ring has been heard yet');
  if (ring.kind === 'differing') return wait(`the views of the ring have not met yet: ${ring.why}`);

  for (const picture of pictures) {
    if (!picture.known && unseen === 'waits' && mayHoldNodes(picture)) {
      return wait(
        `region ${picture.region.name} may be part of the ring and cannot be seen: ${picture.snapshot.message}`,
      );
    }
    if (picture.known && picture.member === undefined && wasInRing(picture, hosts) && !isGivenUp(picture)) {
      return wait(`the member of region ${picture.region.name}, which is part of the ring, is missing`);
    }
    if (!answeredFor(picture)) continue;
    for (const { name } of picture.pods) {
      const pod = picture.snapshot.pods.find((each) => each.metadata.name === name);
      if (!pod || !isReady(pod)) return wait(`pod ${name} of region ${picture.region.name} is not ready yet`);
      if (!views.has(name)) return wait(`node ${name} has not told its view of the ring yet`);
      if (!hosts.joined.has(name)) return wait(`node ${name} is not proven NORMAL yet`);
    }
  }
  // Before the unrest: a stranger is down as a rule, and stays so until a person has removed it.
  const strangers = strangersIn(ring, hosts);
  if (strangers.length > 0) {
    return { stalled: true, reason: 'UnknownHosts', message: describeStrangers(strangers) };
  }
  const [unproven] = unprovenIn(ring, hosts);
  if (unproven !== undefined) return wait(`host ${unproven} is not proven NORMAL yet`);
  return ring.busy === undefined ? undefined : wait(`the ring is not at rest: ${ring.busy}`);
}

/** Whether a region has nodes that were proven part of the ring; with or without its member, they are. */
export function wasInRing(picture: RegionPicture, hosts: Hosts): boolean {
  return picture.pods.some((pod) => hosts.joined.has(pod.name));
}

/** A region nobody can see is known to be empty only if it was last seen so, and nothing was written there since. */
function mayHoldNodes(picture: UnknownPicture): boolean {
  const { recorded, snapshot } = picture;
  // Of one that is given up the others tell.
  if (hasGone(picture) || isGivenUp(picture)) return false;
  return recorded?.identity !== undefined || recorded?.stage !== 'Waiting' || snapshot.reason === 'BehindOwnWrite';
}

/** A decision to change the ring needs views of this moment. */
export function staleObstacle(views: ReadonlyMap<string, NodeView>, monotonicMs: number): Obstacle | undefined {
  const stale = [...views.values()].find((view) => monotonicMs - view.observedAtMs > decisionMaxAgeMs);
  return (
    stale && { stalled: false, reason: 'Waiting', message: `${stale.pod} and the other nodes are asked once more` }
  );
}

/**
 * Hosts in the ring that no pod carries, such as the old self of a node that lost its disk. A person is told to remove
 * them, so none is named while any pod of ours has not told which host it is: a pod that has restarted has another
 * address, and may be one that was never proven. The old self of a pod whose new one a person has acknowledged is named
 * whatever is heard: as long as it counts as down, the new one may not get through its bootstrap.
 */
export function strangersIn(ring: RingState, hosts: Hosts): string[] {
  const there = ring.kind === 'one' || ring.kind === 'differing' ? ring.hosts : new Set<string>();
  const superseded = hosts.superseded.filter((host) => there.has(host));
  const unknown = hosts.someUnheard ? [] : unprovenIn(ring, hosts).filter((host) => !hosts.own.has(host));
  return [...superseded, ...unknown];
}

/** Hosts in the ring that were not proven NORMAL under any pod's name. */
export function unprovenIn(ring: RingState, hosts: Hosts): string[] {
  if (ring.kind !== 'one' && ring.kind !== 'differing') return [];
  const proven = new Set(hosts.joined.values());
  return [...ring.hosts].filter((host) => !proven.has(host) && !hosts.outside.has(host)).sort();
}

/** A new datacenter's seeds skip bootstrap and own ranges at once; see ring/keyspaces.ts. */
export function replicationObstacle(context: PlanContext): Obstacle | undefined {
  const { federation, pictures, views } = context;
  const keyspaces = [...new Set([...views.values()].flatMap((view) => view.keyspaces))];
  if (userKeyspaces(keyspaces).length === 0) return undefined;
  const inRing = pictures.filter(answeredFor).filter((picture) => !isLeaving(picture));
  const replication = replicationOf(pictures, keyspaces);
  if (!replication) {
    return { stalled: false, reason: 'Waiting', message: 'the replication of the ring’s keyspaces is being read' };
  }
  const datacenters: Record<string, number> = {};
  for (const { datacenter, nodes } of inRing.flatMap((picture) => picture.region.racks)) {
    datacenters[datacenter] = (datacenters[datacenter] ?? 0) + nodes;
  }
  const alterations = alterationsBeforeNewDatacenter(replication, datacenters);
  if (alterations.length === 0) return undefined;
  return replicationGate(context, alterations, {
    why: `cluster ${federation.clusterName} holds data, and the next datacenter would own part of it without having it`,
    advice: 'Run these first, and let clients use LOCAL_ consistency levels until the new datacenter is rebuilt:',
  });
}

/**
 * Nodes may leave a datacenter only while as many stay as its keyspaces have replicas there: CassKop forces the
 * decommission, and rows that have no place left to go would be gone.
 */
export function replicasObstacle(context: PlanContext, picture: MemberPicture): Obstacle | undefined {
  const region = picture.region.name;
  const keyspaces = [...new Set([...context.views.values()].flatMap((view) => view.keyspaces))];
  if (userKeyspaces(keyspaces).length === 0) return undefined;
  const replication = replicationOf(context.pictures, keyspaces);
  if (!replication) {
    return {
      stalled: false,
      reason: 'Waiting',
      region,
      message: 'the replication of the ring’s keyspaces is being read',
    };
  }
  for (const { name, nodesPerRacks, racks } of picture.region.datacenters) {
    const left = nodesPerRacks * racks.length;
    const short = Object.entries(replication).filter(([, words]) => replicasIn(words, name) > left);
    if (short.length === 0) continue;
    const which = short.map(([keyspace, words]) => `${keyspace} (${words})`).join(', ');
    return {
      stalled: true,
      reason: 'ReplicationGate',
      region,
      message: `datacenter ${name} would have ${left} nodes left, and ${which} asks for more replicas there. Lower their replication first, or keep the nodes`,
    };
  }
  return undefined;
}

/** In Cassandra's own words, by keyspace; undefined unless it is known of each of them. */
export function replicationOf(
  pictures: readonly RegionPicture[],
  keyspaces: readonly string[],
): Readonly<Record<string, string>> | undefined {
  return pictures
    .filter(answeredFor)
    .map(({ snapshot }) => snapshot.replication)
    .find((replication) => replication && keyspaces.every((keyspace) => replication[keyspace] !== undefined));
}

export function describeLoss({ suspected }: Hosts): string {
  return suspected
    .map(
      ({ region, pod, recorded, found }) =>
        `pod ${pod} of region ${region} came back as host ${found} and was ${recorded} before: its disk was lost. Ring changes ` +
        `wait until spec.regions[${region}].acknowledgedHosts lists {pod: ${pod}, hostId: ${found}}`,
    )
    .join('; ');
}

export function describeReturned({ returned }: Hosts): string {
  return (
    `host ${returned.join(', ')} was given up for good and is alive in the ring again, perhaps with rows that were deleted since. Stop its machine, or ` +
    'cut its network; with its region in the spec, as Abandoned, it is removed once more'
  );
}

export function describeSplit(ring: Extract<RingState, { kind: 'split' }>): string {
  const parties = ring.parties.map((party) => `{${[...party.pods].sort().join(', ')}}`);
  return `there are ${parties.length} rings that know nothing of each other: ${parties.join(' and ')}. Nothing is changed until a person has decided which one lives`;
}

export function describeStrangers(strangers: readonly string[]): string {
  return (
    `the ring holds ${strangers.map((host) => `host ${host}`).join(', ')}, which no pod carries. If its node runs, in a region that the spec does not name or ` +
    'elsewhere, add that region, or its address to spec.seeds.external; if it is gone for good, run: ' +
    strangers.map((host) => `nodetool removenode ${host}`).join('; ')
  );
}
