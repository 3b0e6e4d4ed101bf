import { alterationsWithoutDatacenters, userKeyspaces } from '../ring/keyspaces.ts';
import { type KubeObject, resources } from '../kube/objects.ts';
import { adoptionDifferences, howToMatch } from './adoption-differences.ts';
import { replicationGate } from './keyspace-gate.ts';
import type { PlanContext } from './context.ts';
import { type Obstacle, replicationOf, ringObstacle, staleObstacle, unaskedObstacle } from './gates.ts';
import { guardIntent } from './guard-writes.ts';
import { isPodOf } from './hosts.ts';
import { upkeepIntent } from './member-writes.ts';
import type { Intent } from './intents.ts';
import {
  answeredFor,
  hasGone,
  isLeaving,
  isNamesakes,
  isObserved,
  isReady,
  type KnownPicture,
  type OwnedObject,
  type RegionPicture,
} from './picture.ts';
import { operationUnderWay } from './pod-operations.ts';
import { nodeOrder, removalOrder } from './orders.ts';
import { noSteps, type Steps } from './steps.ts';

/**
 * Takes a region out of the ring whose `state` is Removing.
 *
 * 1. The gate: another region stays, no keyspace of the user has replicas here, and the ring is whole and at rest.
 * 2. That it leaves is recorded; from here on there is no way back but to the end. Its member is not written any more.
 * 3. Its guard lets no pod start that has left already. The others may restart: a decommission that was cut short by
 *    that begins again.
 * 4. One node after the other is decommissioned, the last ordinals first, each only while the rest of the ring is whole, and still no keyspace of the user
 *    has replicas here.
 * 5. When all have left, the member is deleted, then the copies. Volumes stay; they are the regional operator's.
 * 6. When no node knows any of its hosts and no keyspace asks for replicas in it, the guard is deleted as well, which tells a new hub how far all
 *    this is. Then it is Removed, and its entry may be dropped.
 */
export function leave(context: PlanContext, picture: RegionPicture): Steps {
  const { name } = picture.region;
  if (hasGone(picture) && !holdsOurs(picture)) return { ...noSteps, removed: [name] };
  const adoption = adoptFirst(context, picture);
  if (adoption) return adoption;
  const guard = answeredFor(picture) ? guardIntent(context, picture) : undefined;
  if (picture.leavingSince === undefined) {
    const steps = begin(context, picture);
    return guard ? { ...steps, intents: [guard] } : steps;
  }
  if (!picture.known) {
    const message =
      `region ${name} leaves the ring and cannot be seen: ${picture.snapshot.message}. It goes on once it can be. If the region is lost for ` +
      'good, set its state to Abandoned';
    return waitFor({ stalled: false, reason: 'RegionUnreachable', region: name, message });
  }
  if (guard) return { ...noSteps, intents: [guard], busy: true };
  const last = picture.pods.toSorted((one, other) => other.ordinal - one.ordinal)[0];
  if (last) return decommission(context, picture, last.name);
  const rest = clearAway(context, picture);
  if (rest) return rest;
  // A guard that waits for its region to join would tell of these nodes again once the status does not any more.
  const guards = context.pictures.flatMap((each) =>
    each.known && each.guard?.ownership === 'ours' && !isLeaving(each) ? (guardIntent(context, each) ?? []) : [],
  );
  const observed = context.pictures.find(
    (each) => isObserved(each) && guards.some((guard) => guard.region === each.region.name),
  );
  if (observed) {
    const message = `the guard of region ${observed.region.name} still names nodes of region ${name}, and is only observed: set its state to Managed`;
    return waitFor({ stalled: true, reason: 'Observed', region: name, message });
  }
  if (guards.length > 0) return { ...noSteps, intents: guards, busy: true };
  const gate = leftovers(context, picture);
  if (gate) return waitFor(gate);
  return deleteGuard(context, picture) ?? { ...noSteps, removed: [name], busy: true };
}

/** What an earlier MultiCassandraCluster of this name has left behind is made ours before its nodes are told to leave. */
function adoptFirst(context: PlanContext, picture: RegionPicture): Steps | undefined {
  if (!answeredFor(picture) || picture.member.ownership !== 'adoptable') return undefined;
  const intent = upkeepIntent(context, picture);
  if (intent) return { ...noSteps, intents: [intent], busy: true };
  const { name } = picture.region;
  const message = `the member of region ${name} belongs to an earlier MultiCassandraCluster of this name and differs from the spec: ${howToMatch(context, picture, adoptionDifferences(context, picture))}. It is adopted then, and its nodes leave`;
  return waitFor({ stalled: true, reason: 'Drifted', region: name, message });
}

/** Before the first node leaves everything can still be taken back. */
function begin(context: PlanContext, picture: RegionPicture): Steps {
  const { name } = picture.region;
  const isPlaced = picture.recorded?.identity !== undefined || (picture.known && picture.member?.ownership === 'ours');
  if (!isPlaced && !picture.pods.some((pod) => context.hosts.joined.has(pod.name))) {
    return { ...noSteps, removed: [name], busy: true };
  }
  const gate = leavingGate(context, picture);
  return gate ? waitFor({ ...gate, region: name }) : { ...noSteps, leaves: [name], busy: true };
}

function leavingGate(context: PlanContext, picture: RegionPicture): Obstacle | undefined {
  const { pictures, hosts, ring, views, snapshot } = context;
  const { name } = picture.region;
  const wait = (message: string): Obstacle => ({ stalled: false, reason: 'Waiting', message });
  const stays = pictures.some((each) => !isLeaving(each) && each.pods.some((pod) => hosts.joined.has(pod.name)));
  if (!stays) {
    const message = `region ${name} is the last one with nodes in the ring, which would end with it. Delete the MultiCassandraCluster instead`;
    return { stalled: true, reason: 'LastRegion', message };
  }
  const other = pictures.find((each) => each !== picture && isUnderWay(each));
  if (other) return wait(`region ${other.region.name} is being changed, or leaves the ring itself`);
  if (!picture.known) return wait(`region ${name} cannot be seen: ${picture.snapshot.message}`);
  const operation = operationUnderWay(context);
  if (operation) return operation;
  return (
    keyspacesGate(context, picture, 'users') ??
    ringObstacle(pictures, hosts, ring, views) ??
    staleObstacle(views, snapshot.monotonicMs)
  );
}

function isUnderWay(picture: RegionPicture): boolean {
  return picture.recorded?.changingSince !== undefined || (picture.leavingSince !== undefined && !hasGone(picture));
}

function decommission(context: PlanContext, picture: KnownPicture, pod: string): Steps {
  const { hosts, ring, views, pictures, snapshot } = context;
  const { name, namespace } = picture.region;
  const hostId = hosts.joined.get(pod) ?? '';
  const say = (message: string): Steps => waitFor({ stalled: false, reason: 'Waiting', region: name, message });
  if (!picture.member) {
    const message =
      `the member of region ${name} was deleted while ${pod} (host ${hostId}) had not left the ring. Set the region's state to Abandoned, with ` +
      'abandonedHosts, once its nodes are down';
    return waitFor({ stalled: true, reason: 'MemberMissing', region: name, message });
  }
  const there = picture.snapshot.pods.find((each) => each.metadata.name === pod);
  const view = context.heard.get(pod);
  if (!there || !isReady(there) || !view) return say(`${pod} leaves the ring next, and does not answer`);
  if (view.operationMode === 'DECOMMISSION_FAILED') {
    const message =
      `${pod} was leaving the ring and could not hand over its rows. See to it that all nodes that stay run, then start it anew, and it leaves once more: ` +
      `kubectl delete pod ${pod} -n ${namespace}`;
    return waitFor({ stalled: true, reason: 'DecommissionFailed', region: name, message });
  }
  if (view.operationMode === 'DECOMMISSIONED' && isForgotten(context, picture, hostId)) {
    const order = removalOrder(context, hostId, name);
    if (order) return { ...noSteps, intents: [order], busy: true };
  }
  if (view.operationMode !== 'NORMAL') return { ...say(`${pod} is ${view.operationMode}`), busy: true };
  const gate =
    unaskedObstacle(context, Date.parse(picture.leavingSince ?? '')) ??
    keyspacesGate(context, picture, 'users') ??
    ringObstacle(pictures, hosts, ring, views) ??
    staleObstacle(views, snapshot.monotonicMs);
  if (gate) return waitFor({ ...gate, region: name });
  const why = `let ${pod} of region ${name} leave the ring: its rows go to the nodes that stay`;
  const order = nodeOrder(picture, { pod, hostId }, { what: 'decommission' }, why);
  return { ...noSteps, intents: [order], busy: true };
}

/**
 * Whether a node has left where the others could not hear it: they hold it to be down, and go on doing so, since nobody tells them any more.
 * Whoever is cut off only for a moment has not been for so long.
 */
function isForgotten({ heard, federation }: PlanContext, { region }: KnownPicture, hostId: string): boolean {
  const others = [...heard.values()].filter(
    (view) => view.operationMode === 'NORMAL' && !isPodOf(view.pod, federation.clusterName, region),
  );
  return (
    others.length > 0 &&
    others.every(
      (view) =>
        Object.entries(view.hosts).every(([address, host]) => host !== hostId || !view.live.includes(address)) &&
        view.leaving.length === 0 &&
        view.observedAtMs - view.hostsSinceMs >= forgottenAfterMs,
    )
  );
}

const forgottenAfterMs = 60_000;

/** Deletes what is ours in a region whose nodes have left, the member first; undefined: nothing is left of it but the guard. */
export function clearAway(context: PlanContext, picture: KnownPicture): Steps | undefined {
  const { name, namespace } = picture.region;
  const { member, snapshot } = picture;
  if (member?.ownership === 'ours' || member?.ownership === 'adoptable') {
    if (member.object.metadata.deletionTimestamp !== undefined) return { ...noSteps, busy: true };
    const why = `delete the member of region ${name}, whose nodes are not part of the ring any more`;
    return {
      ...noSteps,
      intents: [deletion(name, namespace, context.operator.member, member.object, why)],
      busy: true,
    };
  }
  const left = [...snapshot.statefulSets, ...snapshot.pods].map(({ metadata }) => metadata.name);
  if (left.length > 0) {
    const message = `what the regional operator made in region ${name} is being deleted: ${left.join(', ')}`;
    return waitFor({ stalled: false, reason: 'Waiting', region: name, message });
  }
  const copies = picture.copies.flatMap((each) => {
    const { kind, object } = each;
    if (object.metadata.deletionTimestamp !== undefined || !isToGo(context, picture, each)) return [];
    const resource = kind === 'Secret' ? resources.secrets : resources.configMaps;
    return deletion(
      name,
      namespace,
      resource,
      object,
      `delete the copy of ${kind} ${object.metadata.name} in region ${name}`,
    );
  });
  return copies.length > 0 ? { ...noSteps, intents: copies, busy: true } : undefined;
}

/** Deletes the guard of a region that is cleared away; undefined: it is gone. */
export function deleteGuard(context: PlanContext, picture: KnownPicture): Steps | undefined {
  const { guard, region } = picture;
  if (!guard || !isToGo(context, picture, guard)) return undefined;
  if (guard.object.metadata.deletionTimestamp !== undefined) return { ...noSteps, busy: true };
  const why = `delete the guard of region ${region.name}, where no pod is left to start`;
  const intent = deletion(region.name, region.namespace, resources.configMaps, guard.object, why);
  return { ...noSteps, intents: [intent], busy: true };
}

/** Ours, or what an earlier hub of the same object left beside the member of a region that leaves. */
function isToGo({ snapshot }: PlanContext, { leavingSince }: KnownPicture, each: OwnedObject): boolean {
  if (each.ownership === 'newer') return false;
  return each.ownership === 'ours' || (leavingSince !== undefined && isNamesakes(each.bookkeeping, snapshot.mcc));
}

function deletion(
  region: string,
  namespace: string,
  resource: Intent['write']['resource'],
  { metadata: { name, uid = '', resourceVersion = '' } }: KubeObject,
  why: string,
): Intent {
  return { region, why, write: { verb: 'delete', resource, ref: { namespace, name }, uid, resourceVersion } };
}

/** What the rest of the ring still holds of a region that has left. */
function leftovers(context: PlanContext, picture: RegionPicture): Obstacle | undefined {
  const { ring, federation, views, pictures, hosts } = context;
  const { name } = picture.region;
  const wait = (message: string): Obstacle => ({ stalled: false, reason: 'Waiting', region: name, message });
  if (ring.kind !== 'one') return wait('the nodes that stay do not agree on the ring yet');
  const heard = pictures
    .filter((each) => !isLeaving(each))
    .flatMap((each) => each.pods)
    .every((pod) => views.has(pod.name) || !hosts.joined.has(pod.name));
  if (!heard) return wait(`not every node has said yet that it knows no host of region ${name} any more`);
  const remembering = [...context.heard.values()].find(
    (view) =>
      !isPodOf(view.pod, federation.clusterName, picture.region) &&
      (picture.recorded?.hosts ?? []).some(({ hostId }) => Object.values(view.hosts).includes(hostId)),
  );
  if (remembering) return wait(`${remembering.pod} still knows a host of region ${name}`);
  return keyspacesGate(context, picture, 'all');
}

/**
 * Before its nodes leave, no keyspace of the user may have replicas in a region's datacenters: its rows would be nowhere. Those of the system may, since
 * Cassandra does not let a datacenter that has nodes be left out of them; they come last.
 */
function keyspacesGate(context: PlanContext, picture: RegionPicture, which: 'users' | 'all'): Obstacle | undefined {
  const { name, datacenters } = picture.region;
  const keyspaces = [...new Set([...context.views.values()].flatMap((view) => view.keyspaces))];
  if (userKeyspaces(keyspaces).length === 0) return undefined;
  const replication = replicationOf(context.pictures, keyspaces);
  if (!replication) {
    const message = 'the replication of the ring’s keyspaces is being read';
    return { stalled: false, reason: 'Waiting', region: name, message };
  }
  const looked = which === 'all' ? keyspaces : userKeyspaces(keyspaces);
  const words = Object.fromEntries(looked.map((keyspace) => [keyspace, replication[keyspace] ?? '']));
  const alterations = alterationsWithoutDatacenters(
    words,
    datacenters.map((datacenter) => datacenter.name),
  );
  if (alterations.length === 0) return undefined;
  const said =
    which === 'users'
      ? {
          why: `keyspaces have replicas in region ${name}`,
          advice: 'Let clients use other datacenters, run nodetool repair where rows may be missing, then run:',
        }
      : {
          why: `the nodes of region ${name} have left the ring, and keyspaces still ask for replicas there`,
          advice: 'To end it, run:',
        };
  return replicationGate(context, alterations, said, { region: name });
}

/** Whether a region that can be seen holds anything of ours. */
export function holdsOurs(picture: RegionPicture): boolean {
  if (!picture.known) return false;
  return [picture.member, picture.guard, ...picture.copies].some((each) => each?.ownership === 'ours');
}

export function waitFor(obstacle: Obstacle): Steps {
  return { ...noSteps, obstacles: [obstacle], busy: !obstacle.stalled };
}
