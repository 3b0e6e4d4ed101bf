import type { Reason } from '../api/conditions.ts';
import { type Alteration, alterationsBeforeNewDatacenter, replicasIn, userKeyspaces } from '../ring/keyspaces.ts';
import type { NodeView, RingState } from '../ring/view.ts';
import { replicationGate } from './keyspace-gate.ts';
import type { PlanContext } from './context.ts';
import type { Hosts } from './hosts.ts';
import {
  answeredFor,
  hasGone,
  isGivenUp,
  isLeaving,
  isReady,
  type MemberPicture,
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
 * What the nodes said before a moment may not tell of a keyspace that was made until then.
 * @param since Unix milliseconds; NaN: nobody was asked since
 */
export function unaskedObstacle({ views, snapshot }: PlanContext, since: number): Obstacle | undefined {
  const forMs = snapshot.nowMs - since;
  const old = [...views.values()].find((view) => !(snapshot.monotonicMs - view.observedAtMs <= forMs));
  // A clock that was set back since says nothing.
  if (!old || forMs < 0) return undefined;
  return { stalled: false, reason: 'Waiting', message: `${old.pod} and the other nodes are asked once more` };
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
