import type { PlannedPod } from '../operators/operator.ts';
import type { NodeView } from '../ring/view.ts';
import type { PlanContext } from './context.ts';
import { type Obstacle, ringObstacle, staleObstacle } from './gates.ts';
import { guardIntent } from './guard-writes.ts';
import { isPodOf } from './hosts.ts';
import { clearAway, deleteGuard, waitFor } from './leave.ts';
import { answeredFor, hasGone, isLeaving, type RegionPicture } from './picture.ts';
import { removalOrder } from './orders.ts';
import { noSteps, type Steps } from './steps.ts';

/**
 * Gives a region up whose `state` is Abandoned: it is lost, and its nodes will never come back.
 *
 * 1. The gate: the spec lists the host ID of every node that is given up, and every node that stays holds them all to be down.
 * 2. That it is given up is recorded, with its host IDs; they may never be part of the ring again.
 * 3. If the region can be seen, its guard lets no pod start any more and its member is deleted; else that is done as soon as it can be.
 * 4. One host after the other is removed from the ring by a node that stays. What only they had is lost.
 * 5. When no node knows any of them, the region is Abandoned, and its entry may be dropped. It had better stay until the region was cleared
 *    away, which is when it is Removed: nodes that start again with their disks would come back into the ring.
 */
export function abandon(context: PlanContext, picture: RegionPicture): Steps {
  const { name } = picture.region;
  if (picture.leavingSince === undefined) {
    const gate = abandonGate(context, picture);
    return gate ? waitFor({ ...gate, region: name }) : { ...noSteps, leaves: [name], busy: true };
  }
  const recorded = context.snapshot.mcc.status?.ring?.abandonedHosts ?? [];
  if (picture.region.abandonedHosts.some((host) => !recorded.includes(host))) return { ...noSteps, busy: true };
  const cleared = clear(context, picture);
  const removal = removeHosts(context, picture, cleared !== undefined);
  if (removal) {
    return {
      ...removal,
      intents: [...(cleared?.intents ?? []), ...removal.intents],
      busy: removal.busy || cleared !== undefined,
    };
  }
  if (hasGone(picture) && picture.recorded?.stage === 'Removed' && !cleared) return { ...noSteps, removed: [name] };
  if (!picture.known) return { ...noSteps, abandoned: [name] };
  if (cleared) return { ...cleared, abandoned: [name] };
  const unsteady = witnesses(context, picture).some((view) => view.observedAtMs - view.hostsSinceMs < steadyMs);
  return unsteady || silentNode(context) !== undefined
    ? { ...noSteps, abandoned: [name], busy: true }
    : { ...noSteps, removed: [name], busy: true };
}

/**
 * Nodes that came back for a moment, before their member was deleted, show in the views of the others a little later. They all have to have
 * told of the same hosts for so long before it is believed that nobody came back. Milliseconds.
 */
const steadyMs = 30_000;

/** What is ours in the region goes as soon as it can be seen; undefined: nothing is left, or nobody can tell. */
function clear(context: PlanContext, picture: RegionPicture): Steps | undefined {
  if (!picture.known) return undefined;
  const guard = answeredFor(picture) ? guardIntent(context, picture) : undefined;
  if (guard) return { ...noSteps, intents: [guard], busy: true };
  return clearAway(context, picture) ?? deleteGuard(context, picture);
}

function abandonGate(context: PlanContext, picture: RegionPicture): Obstacle | undefined {
  const { hosts, memory, pictures, federation, snapshot } = context;
  const { name, abandonedHosts } = picture.region;
  const own = [...hosts.joined].filter(([pod]) => isPodOf(pod, federation.clusterName, picture.region));
  const unlisted = own.filter(([, host]) => !abandonedHosts.includes(host));
  const strange = abandonedHosts.filter(
    (host) => !own.some(([, each]) => each === host) && !memory.abandonedHosts.includes(host),
  );
  if (unlisted.length > 0 || strange.length > 0) {
    const all = own.map(([pod, host]) => `${host} (${pod})`).join(', ');
    const message =
      `region ${name} is given up once spec.regions[${name}].abandonedHosts lists exactly the hosts that are lost: ${all || 'none'}. First see to it that ` +
      'they can never reach the others again: stop the machines, or cut the network. What only they hold is lost';
    return { stalled: true, reason: 'AbandonUnconfirmed', message };
  }
  const wait = (message: string): Obstacle => ({ stalled: false, reason: 'Waiting', message });
  const stays = pictures.filter((each) => !isLeaving(each) && each.pods.some((pod) => hosts.joined.has(pod.name)));
  if (stays.length === 0) {
    const message = `region ${name} is the last one with nodes in the ring: there is nobody left to remove it`;
    return { stalled: true, reason: 'LastRegion', message };
  }
  const silent = silentNode(context);
  if (silent) return wait(`${silent.name} has not said whether it holds the nodes of region ${name} to be down`);
  const alive = witnesses(context, picture).find((view) => liveHosts(view, abandonedHosts).length > 0);
  if (alive) return { stalled: true, reason: 'StillAlive', message: describeAlive(name, alive, abandonedHosts) };
  const other = pictures.find(
    (each) =>
      each !== picture && each.leavingSince !== undefined && !hasGone(each) && each.region.state !== 'Abandoned',
  );
  if (other) return wait(`region ${other.region.name} leaves the ring first`);
  return staleObstacle(context.heard, snapshot.monotonicMs);
}

/** The next host of the region to be removed from the ring, or what keeps it from being; undefined: no node knows one any more. */
function removeHosts(context: PlanContext, picture: RegionPicture, isClearing: boolean): Steps | undefined {
  const { pictures, hosts, ring, views, snapshot } = context;
  const { name, abandonedHosts } = picture.region;
  const seeing = witnesses(context, picture);
  const known = abandonedHosts.filter((host) => seeing.some((view) => Object.values(view.hosts).includes(host)));
  const [next] = known;
  const silent = silentNode(context);
  if (next === undefined && (!silent || hasGone(picture))) return undefined;
  if (silent || next === undefined) {
    const message = `${silent?.name ?? 'a node'} has not said what it holds of the hosts of region ${name}`;
    return waitFor({ stalled: false, reason: 'Waiting', region: name, message });
  }
  const alive = seeing.find((view) => liveHosts(view, abandonedHosts).length > 0);
  if (alive) {
    const reason = hasGone(picture) ? 'ReturnedAfterAbandon' : 'StillAlive';
    const message = describeAlive(name, alive, abandonedHosts);
    return waitFor({ stalled: !isClearing, reason, region: name, message });
  }
  const moving = seeing.find((view) => view.leaving.some((address) => known.includes(view.hosts[address] ?? '')));
  if (moving) {
    const message =
      `${moving.pod} says that a host of region ${name} is being removed. If that lasts for hours, its coordinator has restarted: run nodetool removenode force ` +
      'on a node that stays';
    return { ...waitFor({ stalled: false, reason: 'Waiting', region: name, message }), busy: true };
  }
  const gate = ringObstacle(pictures, hosts, ring, views) ?? staleObstacle(views, snapshot.monotonicMs);
  if (gate) return waitFor({ ...gate, region: name });
  const order = removalOrder(context, next, name);
  if (!order) {
    return waitFor({ stalled: false, reason: 'Waiting', region: name, message: 'no node that stays can be asked' });
  }
  return { ...noSteps, intents: [order], busy: true };
}

/** A node that stays, and has not said lately what it holds of the others. */
function silentNode({ pictures, hosts, heard }: PlanContext): PlannedPod | undefined {
  const staying = pictures.filter((each) => !isLeaving(each)).flatMap(({ pods }) => pods);
  return staying.find(({ name }) => hosts.joined.has(name) && !heard.has(name));
}

/** NORMAL nodes of other regions. */
function witnesses({ heard, federation }: PlanContext, { region }: RegionPicture): NodeView[] {
  return [...heard.values()].filter(
    (view) => view.operationMode === 'NORMAL' && !isPodOf(view.pod, federation.clusterName, region),
  );
}

function liveHosts(view: NodeView, hosts: readonly string[]): string[] {
  return view.live.flatMap((address) => view.hosts[address] ?? []).filter((host) => hosts.includes(host));
}

function describeAlive(region: string, view: NodeView, hosts: readonly string[]): string {
  return (
    `region ${region} is given up, and ${view.pod} holds host ${liveHosts(view, hosts).join(', ')} of it to be alive. A host that is alive cannot be given up: ` +
    'stop its machine or cut its network; to take out a region that still runs, set its state to Removing'
  );
}
