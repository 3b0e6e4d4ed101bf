import type { Exchange } from '../world/transport.ts';
import { casskop } from '../../../src/operators/casskop/casskop.ts';
import { conditionOf, podsOf } from '../invariants/reading.ts';
import type { ControllerProcess } from '../world/controller-process.ts';
import type { World } from '../world/world.ts';
import { cutOff, deafMs, type Later, loseRegion, setPassage } from './cut.ts';
import type { Action } from './history.ts';
import { letLeave } from './leaving.ts';
import { performAsUser } from './perform-as-user.ts';

/** Lets one action happen now; what it ends later it ends by itself. */
export function perform(world: World, action: Action): void {
  if (takesSeeds(action) && awaitsItsDisk(world)) return;
  if (action.do === 'restart pod' && isFillingRacks(world, action.region)) return;
  if (world.errands > 0 && isForNoErrand(action)) return;
  world.timeline.note(isUsers(action) ? 'user' : 'fault', () => JSON.stringify(action));
  const { clock } = world;
  const later: Later = (milliseconds, work) => {
    world.trouble(milliseconds);
    clock.schedule(milliseconds, () => {
      clock.wakePromises();
      work();
    });
  };
  switch (action.do) {
    case 'kill controller':
    case 'stop controller': {
      const [process] = world.controllers;
      if (!process) return;
      world.endController(process, action.do === 'kill controller' ? 'kill' : 'stop');
      later(action.backAfterMs, () => void world.startController());
      return;
    }
    case 'pause controller': {
      const pause = (process: ControllerProcess | undefined): void => {
        process?.clock.pause();
        later(action.forMs, () => process?.clock.resume());
      };
      const { atWrite, atRequest } = action;
      const pauseNamed = (name: string): void => pause(world.controllers.find((each) => each.name === name));
      if (atWrite !== undefined) world.oversight.beforeWrite(atWrite - 1, pauseNamed);
      else if (atRequest !== undefined) world.oversight.onRequest(atRequest, pauseNamed);
      else pause(world.controllers[0]);
      return;
    }
    case 'second controller': {
      const process = world.startController();
      later(action.forMs, () => world.endController(process, 'kill'));
      return;
    }
    case 'outdated controller': {
      const [leader] = world.controllers;
      const process = world.startController();
      clock.schedule(2 * outdatedAfterMs, () => {
        const isThere = (each: ControllerProcess): boolean => world.controllers.includes(each);
        // Nobody is left to take over when the other one has ended already.
        if (leader && isThere(leader) && isThere(process)) world.endController(leader, 'stop');
      });
      clock.schedule(outdatedAfterMs, () => {
        const until = clock.monotonic() + action.forMs;
        for (const stream of process.streams) {
          if (stream.plural === 'multicassandraclusters') stream.heldUntil = until;
        }
        perform(world, { do: 'set guardWaitSeconds', to: action.to });
      });
      later(outdatedAfterMs + action.forMs, () => {
        world.endController(process, 'kill');
        if (world.controllers.length === 0) world.startController();
      });
      return;
    }
    case 'skew clock':
      for (const process of world.controllers) process.clock.skewMs += action.byMs;
      return;
    case 'crash at': {
      const { nth, of, point, backAfterMs, cutOffMs } = action;
      const mishap = { crash: point };
      let cluster = world.shape.hub;
      world.oversight.plan({
        matches: (exchange) => {
          cluster = exchange.cluster;
          return exchange.isWrite || of === 'requests';
        },
        after: nth - 1,
        count: 1,
        mishap,
        afterwards: () => {
          later(backAfterMs, () => void world.startController());
          if (cutOffMs !== undefined) cutOff(world, cluster, backAfterMs + cutOffMs, later);
        },
      });
      return;
    }
    case 'cut': {
      const { from, to, passage, bothWays, forMs } = action;
      const ends: [string, string][] = [[from, to], ...(bothWays ? [[to, from] as [string, string]] : [])];
      for (const [one, other] of ends) setPassage(world, one, other, passage);
      later(forMs, () => {
        for (const [one, other] of ends) setPassage(world, one, other, 'open');
      });
      return;
    }
    case 'bad answers': {
      const { cluster, status, count, of } = action;
      const answer = badAnswers[status];
      const matches = toCluster(cluster);
      world.oversight.plan({
        matches: (exchange) => matches(exchange) && (of === undefined || exchange.request.path.includes(`/${of}`)),
        after: 0,
        count,
        mishap: { answer },
      });
      world.trouble(30_000);
      return;
    }
    case 'mute nodes':
      world.mute(action.region, action.forMs);
      world.oversight.plan({
        matches: ({ cluster, request }) =>
          cluster === action.region && request.path.includes('/proxy/') && world.mutedSince(cluster) !== undefined,
        after: 0,
        count: Infinity,
        mishap: { answer: badAnswers[503] },
      });
      return;
    case 'lose answers':
      world.oversight.plan({
        matches: (exchange) => toCluster(action.cluster)(exchange) && exchange.isWrite,
        after: 0,
        count: action.count,
        mishap: { afterCommit: action.as },
      });
      world.trouble(30_000);
      return;
    case 'slow requests':
      world.oversight.plan({
        matches: toCluster(action.cluster),
        after: 0,
        count: action.count,
        mishap: { delayMs: action.byMs },
      });
      world.trouble(action.byMs);
      return;
    case 'compact':
      world.server(action.cluster).compact();
      if (action.resets) disturbWatches(world, { do: 'reset watches', cluster: action.cluster, inLine: false });
      return;
    case 'reset watches':
    case 'hold watches':
    case 'deafen watches':
      disturbWatches(world, action);
      return;
    case 'lag':
      world.oversight.lag(action.cluster, world.server(action.cluster), world.clock.monotonic() + action.forMs);
      world.trouble(action.forMs);
      return;
    case 'crash CassKop': {
      const region = world.region(action.region);
      region.stopCasskop();
      later(action.backAfterMs, () => region.startCasskop());
      return;
    }
    case 'restart pod':
      restartPod(world, action, action.wipe);
      return;
    case 'restart region':
      restartAll(world, [action.region]);
      return;
    case 'restart all pods':
      if (action.lost) restartPod(world, action.lost, true);
      restartAll(
        world,
        world.shape.regions.map(({ name }) => name),
      );
      return;
    case 'lose region':
      loseRegion(world, action.region, action.forMs, later);
      return;
    case 'remove region':
    case 'abandon region':
    case 'delete everything':
      letLeave(world, action, later);
      return;
    default:
      performAsUser(world, action, later);
  }
}

/** What nobody does who waits for a region to leave. A member that is deleted meanwhile has to be given up with its nodes. */
function isForNoErrand(action: Action): boolean {
  if (action.do === 'delete and recreate' && action.whatever) return false;
  return [
    'observe region',
    'drop region',
    'delete and recreate',
    'take our marks away',
    'delete with our finalizer',
    'delete member',
  ].includes(action.do);
}

/** Whether nodes may lose each other by it. */
function takesSeeds(action: Action): boolean {
  if (action.do === 'cut') return action.from !== 'controller' && action.to !== 'controller';
  return ['restart pod', 'restart region', 'restart all pods', 'lose region'].includes(action.do);
}

/**
 * Whether a joined pod that lost its disk is still starting. If all seeds that the guard has seen for it go before
 * Cassandra asks them, it founds a ring of its own: a known limit, see docs/fault-matrix.md.
 */
function awaitsItsDisk(world: World): boolean {
  const normal = new Set(
    [...world.ring.nodes].filter(({ mode }) => mode === 'NORMAL').map((node) => node.options.name),
  );
  return [...world.wipedPods].some((pod) => !normal.has(pod));
}

/** A pod that restarts while CassKop fills two racks leaves it at Initializing: a known limit, see docs/fault-matrix.md. */
function isFillingRacks(world: World, region: string): boolean {
  const racks = world.shape.regions.find(({ name }) => name === region)?.racks ?? 1;
  const { phase } = (world.inspection.facts.member(region)?.['status'] ?? {}) as { phase?: string };
  return racks > 1 && phase === 'Initializing';
}

/** So long after its start a controller has read what there is, milliseconds. */
const outdatedAfterMs = 5_000;

const badAnswers = {
  401: { status: 401, reason: 'Unauthorized' },
  403: { status: 403, reason: 'Forbidden' },
  409: { status: 409, reason: 'Conflict' },
  410: { status: 410, reason: 'Expired' },
  429: { status: 429, reason: 'TooManyRequests', headers: { 'retry-after': '2' } },
  500: { status: 500, reason: 'InternalError' },
  503: { status: 503, reason: 'ServiceUnavailable' },
};

function toCluster(cluster: string): (exchange: Exchange) => boolean {
  return (exchange) => exchange.cluster === cluster && !exchange.request.path.includes('/proxy/');
}

function disturbWatches(
  world: World,
  action: Extract<Action, { do: 'reset watches' | 'hold watches' | 'deafen watches' }>,
): void {
  for (const process of world.controllers) {
    for (const stream of process.streams) {
      if (stream.cluster !== action.cluster) continue;
      if (action.do === 'reset watches') process.resetWatch(stream, action.inLine);
      else if (action.do === 'deafen watches') stream.isDeaf = true;
      else if (stream.plural === action.plural) stream.heldUntil = world.clock.monotonic() + action.forMs;
    }
  }
  world.trouble(action.do === 'deafen watches' ? deafMs : action.do === 'hold watches' ? action.forMs : 10_000);
}

function restartPod(world: World, which: { region: string; pod: number }, wipe: boolean): void {
  if (isShrinking(world, which.region)) return;
  const pods = world.podsOf(which.region);
  const pod = pods[which.pod % Math.max(1, pods.length)];
  if (pod === undefined) return;
  // A disk that is lost while the ring is being formed is one of the known limits in docs/fault-matrix.md.
  const hasLeft = [...world.ring.nodes].some((node) => node.options.name === pod && node.mode === 'DECOMMISSIONED');
  const isWhole = world.errands === 0 && conditionOf(world.user.mcc, 'Ready')?.status === 'True';
  const wipeDisk = wipe && (hasLeft || isWhole);
  if (wipeDisk) world.wipedPods.add(pod);
  world.region(which.region).restartPod(pod, { wipeDisk });
  world.trouble(60_000);
}

function restartAll(world: World, regions: readonly string[]): void {
  for (const name of regions) {
    if (!isShrinking(world, name)) world.region(name).restartAllPods();
  }
  world.trouble(60_000);
}

/** CassKop waits for ever for a node that restarts while it leaves the ring: one of the known limits in docs/fault-matrix.md. */
function isShrinking(world: World, region: string): boolean {
  const [member] = world.server(region).all(casskop.member);
  if (!member) return false;
  const { lastClusterAction, lastClusterActionStatus } = (member['status'] ?? {}) as Record<string, string>;
  const isAtIt = lastClusterAction === 'ScaleDown' && lastClusterActionStatus !== 'Done';
  return isAtIt || world.podsOf(region).length > podsOf(member).length;
}

function isUsers(action: Action): boolean {
  return /^(set|reorder|observe|drop|edit|resize|delete|wipe|create|write|name|remove)/.test(action.do);
}
