import { isDeepStrictEqual } from 'node:util';
import { conditionOf } from '../invariants/reading.ts';
import { guardPath, memberPath, mccPath, specOf } from '../world/user.ts';
import type { Exchange } from '../world/transport.ts';
import type { World } from '../world/world.ts';
import type { Action } from './history.ts';

type Fields = Record<string, unknown>;

/** Lets one action happen now; what it ends later it ends by itself. */
export function perform(world: World, action: Action): void {
  world.timeline.note(isUsers(action) ? 'user' : 'fault', () => JSON.stringify(action));
  const { clock } = world;
  const later = (milliseconds: number, work: () => void): void => {
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
      const [process] = world.controllers;
      process?.clock.pause();
      later(action.forMs, () => process?.clock.resume());
      return;
    }
    case 'second controller': {
      const process = world.startController();
      later(action.forMs, () => world.endController(process, 'kill'));
      return;
    }
    case 'skew clock':
      for (const process of world.controllers) process.clock.skewMs += action.byMs;
      return;
    case 'crash at': {
      const { nth, of, point, backAfterMs } = action;
      const mishap = { crash: point };
      world.oversight.plan({
        matches: ({ isWrite }) => isWrite || of === 'requests',
        after: nth - 1,
        count: 1,
        mishap,
        then: () => later(backAfterMs, () => void world.startController()),
      });
      return;
    }
    case 'cut': {
      const { from, to, passage, bothWays, forMs } = action;
      const ends: [string, string][] = [[from, to], ...(bothWays ? [[to, from] as [string, string]] : [])];
      for (const [one, other] of ends) world.network.set(one, other, passage);
      later(forMs, () => {
        for (const [one, other] of ends) world.network.set(one, other, 'open');
      });
      return;
    }
    case 'bad answers': {
      const { cluster, status, count } = action;
      const answer = badAnswers[status];
      world.oversight.plan({ matches: toCluster(cluster), after: 0, count, mishap: { answer } });
      world.trouble(30_000);
      return;
    }
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
    case 'restart pod': {
      const region = world.region(action.region);
      const pods = world.podsOf(action.region);
      const pod = pods[action.pod % Math.max(1, pods.length)];
      if (pod === undefined) return;
      if (action.wipe) world.wipedPods.add(pod);
      region.restartPod(pod, { wipeDisk: action.wipe });
      world.trouble(60_000);
      return;
    }
    case 'restart region':
      restartAll(world, [action.region]);
      return;
    case 'restart all pods':
      restartAll(
        world,
        world.shape.regions.map(({ name }) => name),
      );
      return;
    case 'lose region': {
      const { region, forMs } = action;
      const others = ['controller', ...[...world.clusters.keys()].filter((name) => name !== region)];
      for (const other of others) {
        world.network.set(region, other, 'dropped');
        world.network.set(other, region, 'dropped');
      }
      world.region(region).killAllPods();
      later(forMs, () => {
        for (const other of others) {
          world.network.set(region, other, 'open');
          world.network.set(other, region, 'open');
        }
      });
      return;
    }
    default:
      performAsUser(world, action, later);
  }
}

const badAnswers = {
  401: { status: 401, reason: 'Unauthorized' },
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
  // A deaf watch is found out after two and a half minutes of silence.
  world.trouble(action.do === 'deafen watches' ? 200_000 : action.do === 'hold watches' ? action.forMs : 10_000);
}

function restartAll(world: World, regions: readonly string[]): void {
  for (const name of regions) {
    world.region(name).restartAllPods();
  }
  // Without a live seed a node that has joined waits for guardWaitSeconds.
  world.trouble((world.shape.guardWaitSeconds + 120) * 1000);
}

function isUsers(action: Action): boolean {
  return /^(set|reorder|drop|edit|delete|wipe|create)/.test(action.do);
}

function performAsUser(world: World, action: Action, later: (milliseconds: number, work: () => void) => void): void {
  const { user, shape } = world;
  const wanted = specOf(shape);
  switch (action.do) {
    case 'set guardWaitSeconds':
      user.spec = { ...user.spec, seeds: { ...(user.spec['seeds'] as Fields), guardWaitSeconds: action.to } };
      user.apply();
      return;
    case 'reorder regions':
      user.spec = { ...user.spec, regions: (user.spec['regions'] as Fields[]).toReversed() };
      user.apply();
      return;
    case 'drop region': {
      const all = user.spec['regions'] as Fields[];
      if (all.length < 2 || conditionOf(user.mcc, 'Ready') === undefined) return;
      user.spec = { ...user.spec, regions: all.filter(({ name }) => name !== action.region) };
      user.apply();
      later(action.forMs, () => {
        user.spec = { ...user.spec, regions: all };
        user.apply();
      });
      return;
    }
    case 'edit template': {
      const before = user.spec['template'] as { spec: Fields };
      // A member that is not there yet would be made with the edit, and taking it back would be an edit of its own.
      if (shape.regions.some(({ name }) => world.inspection.facts.member(name) === undefined)) return;
      const edits = {
        image: { cassandraImage: 'cassandra:5.0.7-bad', serverVersion: '5.0.7' },
        resources: { resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { cpu: '1', memory: '2Gi' } } },
        nodesPerRacks: { nodesPerRacks: 3 },
      };
      user.spec = { ...user.spec, template: { spec: { ...before.spec, ...edits[action.field] } } };
      user.apply();
      later(action.forMs, () => {
        user.spec = { ...user.spec, template: wanted['template'] };
        user.apply();
      });
      return;
    }
    case 'edit member by hand': {
      const server = world.server(action.region);
      const edit = (cassandraImage: string): void =>
        void user.patch(server, memberPath, 'merge', { spec: { cassandraImage } });
      edit('cassandra:5.0.6');
      later(action.forMs, () => edit('cassandra:5.0.8'));
      world.trouble(action.forMs + 300_000);
      return;
    }
    case 'delete member':
      if (!isDeepStrictEqual(user.spec['template'], wanted['template'])) return;
      user.delete(world.server(action.region), memberPath);
      world.trouble(300_000);
      return;
    case 'delete guard':
      user.delete(world.server(action.region), guardPath);
      return;
    case 'wipe status':
      // With the entry of the founder gone as well, nothing in the hub would speak of its ring any more.
      if ((user.spec['regions'] as Fields[]).length < shape.regions.length) return;
      user.patch(world.server(shape.hub), `${mccPath}/status`, 'json', [{ op: 'remove', path: '/status' }]);
      return;
    case 'delete and recreate':
      user.delete(world.server(shape.hub), mccPath);
      user.spec = { ...user.spec, adoptionPolicy: 'IfUnchanged' };
      later(3_000, () => void user.apply());
      return;
    case 'create keyspace': {
      const node = [...world.ring.nodes].find((each) => each.mode === 'NORMAL' && each.isGossiping);
      if (!node) return;
      const datacenters = new Set(
        node.view.ring.filter(({ status }) => status !== 'BOOT').map((state) => state.datacenter),
      );
      world.createKeyspace(
        node,
        action.strategy === 'SimpleStrategy'
          ? { strategy: 'SimpleStrategy', factor: 1 }
          : {
              strategy: 'NetworkTopologyStrategy',
              datacenters: Object.fromEntries([...datacenters].map((name) => [name, 1])),
            },
      );
      return;
    }
    default:
      throw new Error(`nobody does ${JSON.stringify(action)}`);
  }
}
