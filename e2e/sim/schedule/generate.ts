import { SeededRandom } from '../../../src/edges/testing.ts';
import type { Action, History, Shape, Step } from './history.ts';

/** Faults and edits come within this time of the start, milliseconds. */
const eventfulMs = 240_000;
const longestMs = 90_000;
const regionNames = ['eu', 'us', 'ap', 'sa'];

/** The history that `seed` stands for. */
export function historyOf(seed: number): History {
  const random = new SeededRandom(seed);
  const shape = drawShape(random);
  const count = Math.floor(random.next() * 10);
  const steps = Array.from({ length: count }, () => drawStep(random, shape));
  const secrets = drawSecrets(new SeededRandom(seed + 1_000_000_007), shape);
  const operations = drawOperations(new SeededRandom(seed + 2_000_000_011));
  const leaving = drawLeaving(new SeededRandom(seed + 3_000_000_019), shape);
  const observing = drawObserving(new SeededRandom(seed + 4_000_000_007), shape);
  return {
    seed,
    shape: { ...shape, ...secrets.shape, ...drawCql(new SeededRandom(seed + 5_000_000_029)) },
    steps: [...steps, ...secrets.steps, ...operations, ...leaving, ...observing].sort(
      (one, other) => one.atMs - other.atMs,
    ),
  };
}

/** In some histories a region leaves, or all do, drawn apart as well. */
function drawLeaving(random: SeededRandom, { regions }: Shape): Step[] {
  if (random.next() < 0.85) return [];
  const region = pick(random, regions).name;
  const forMs = pick(random, [1_000, 60_000, 300_000]);
  const action: Action = {
    do: pick(random, ['remove region', 'remove region', 'abandon region']),
    region,
    forMs,
  };
  const isEverything = random.next() < 0.2;
  const atMs = Math.round(eventfulMs / 4 + random.next() * eventfulMs);
  return [{ atMs, action: isEverything ? { do: 'delete everything', forMs } : action }];
}

/** In some histories Ringmaster alters keyspaces itself, drawn apart as well. */
function drawCql(random: SeededRandom): Partial<Shape> {
  if (random.next() < 0.7) return {};
  return { cql: pick(random, ['from the start', 'from the start', 'with a wrong password', 'without a Secret']) };
}

/** In some histories a region is only looked at for a while, drawn apart as well. */
function drawObserving(random: SeededRandom, { regions }: Shape): Step[] {
  if (random.next() < 0.85) return [];
  const action: Action = {
    do: 'observe region',
    region: pick(random, regions).name,
    forMs: pick(random, [10_000, 60_000, 300_000]),
  };
  return [{ atMs: Math.round(random.next() * eventfulMs), action }];
}

/** In some histories there is a pull Secret, drawn apart: all else goes as it would without. */
function drawSecrets(random: SeededRandom, { regions }: Shape): { shape: Partial<Shape>; steps: Step[] } {
  if (random.next() < 0.7) return { shape: {}, steps: [] };
  const time = (): number => Math.round(random.next() * longestMs) + 1;
  const kinds: (() => Action)[] = [
    () => ({ do: 'write Secret', holds: pick(random, ['one', 'two', 'three']) }),
    () => ({ do: 'delete Secret', forMs: time() }),
    () => ({ do: 'name Secret', forMs: time() }),
    () => ({ do: 'foreign Secret', region: pick(random, regions).name, forMs: time() }),
  ];
  const steps = Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => ({
    atMs: Math.round(random.next() * eventfulMs),
    action: pick(random, kinds)(),
  }));
  return { shape: random.next() < 0.5 ? { namesSecret: true } : {}, steps };
}

/** In some histories nodes are to clean up or the like, drawn apart as well. */
function drawOperations(random: SeededRandom): Step[] {
  if (random.next() < 0.7) return [];
  return Array.from({ length: 1 + Math.floor(random.next() * 3) }, () => ({
    atMs: Math.round(random.next() * eventfulMs),
    action: drawOperation(random),
  }));
}

function drawOperation(random: SeededRandom): Action {
  const name = pick(random, ['cleanup', 'cleanup', 'upgradesstables'] as const);
  return { do: 'order an operation', name, token: pick(random, ['november', 'december']) };
}

function drawShape(random: SeededRandom): Shape {
  const regions = regionNames.slice(0, pick(random, [2, 2, 3, 3, 3, 4])).map((name) => ({
    name,
    nodesPerRacks: pick(random, [1, 1, 1, 2]),
    racks: pick(random, [1, 1, 1, 2]),
  }));
  return {
    regions,
    hub: pick(random, ['hub', 'eu', 'us']),
    latencyMs: pick(random, [
      { least: 1, most: 5 },
      { least: 1, most: 50 },
      { least: 20, most: 400 },
    ]),
    guardWaitSeconds: pick(random, [20, 60, 600]),
    // Their versions get a digit more while the ring is formed.
    ...(random.next() < 0.3 && { firstVersion: 9_999 - Math.floor(random.next() * random.next() * 300) }),
  };
}

/** Half of them come while the ring is formed, when most is going on; clients come early. */
function drawStep(random: SeededRandom, shape: Shape): Step {
  const action = drawAction(random, shape);
  const span = action.do === 'create keyspace' || random.next() < 0.5 ? eventfulMs / 4 : eventfulMs;
  return { atMs: Math.round(random.next() * span), action };
}

export function drawAction(random: SeededRandom, { regions, hub }: Shape): Action {
  const names = regions.map((region) => region.name);
  const clusters = [...new Set([hub, ...names])];
  const region = (): string => pick(random, names);
  const cluster = (): string => pick(random, clusters);
  const time = (): number => Math.round(random.next() * random.next() * longestMs) + 1;
  const few = (): number => 1 + Math.floor(random.next() * 5);
  const kinds: (() => Action)[] = [
    () => ({ do: 'kill controller', backAfterMs: time() }),
    () => ({ do: 'stop controller', backAfterMs: time() }),
    () => ({
      do: 'pause controller',
      forMs: time(),
      ...(random.next() < 0.5 && { atWrite: 1 + Math.floor(random.next() * 25) }),
    }),
    () => ({ do: 'second controller', forMs: time() }),
    () => ({ do: 'outdated controller', to: pick(random, [15, 45, 300]), forMs: time() }),
    () => ({ do: 'skew clock', byMs: Math.round((random.next() - 0.5) * 600_000) }),
    ...(['before send', 'after commit', 'after reply'] as const).map((point) => (): Action => ({
      do: 'crash at',
      ...(random.next() < 0.7
        ? { nth: 1 + Math.floor(random.next() * 25), of: 'writes' as const }
        : { nth: 1 + Math.floor(random.next() * 300), of: 'requests' as const }),
      point,
      backAfterMs: time(),
      ...(random.next() < 0.3 && { cutOffMs: time() }),
    })),
    ...[0, 1, 2].map(() => (): Action => {
      const from = pick(random, ['controller', ...names]);
      const others = from === 'controller' ? clusters : [...names, 'controller'].filter((name) => name !== from);
      return {
        do: 'cut',
        from,
        to: pick(random, others),
        passage: pick(random, ['refused', 'dropped', 'dropped']),
        bothWays: random.next() < 0.6,
        forMs: time(),
      };
    }),
    () => ({
      do: 'bad answers',
      cluster: cluster(),
      status: pick(random, [401, 409, 410, 429, 500, 503]),
      count: pick(random, [few(), 500]),
    }),
    () => ({
      do: 'bad answers',
      cluster: cluster(),
      status: pick(random, [403, 500]),
      count: pick(random, [few(), 500]),
      of: pick(random, ['customresourcedefinitions', 'serviceaccounts', 'configmaps', 'cassandraclusters', 'pods']),
    }),
    () => ({ do: 'mute nodes', region: region(), forMs: pick(random, [time(), 600_000]) }),
    () => ({ do: 'lose answers', cluster: cluster(), count: few(), as: pick(random, ['silence', 'error']) }),
    () => ({ do: 'slow requests', cluster: cluster(), count: few(), byMs: time() / 4 }),
    () => ({ do: 'compact', cluster: cluster(), resets: random.next() < 0.7 }),
    () => ({ do: 'reset watches', cluster: cluster(), inLine: random.next() < 0.3 }),
    () => ({
      do: 'hold watches',
      cluster: cluster(),
      plural: pick(random, ['cassandraclusters', 'configmaps', 'statefulsets', 'pods', 'multicassandraclusters']),
      forMs: time(),
    }),
    () => ({ do: 'deafen watches', cluster: cluster() }),
    () => ({ do: 'lag', cluster: cluster(), forMs: time() }),
    () => ({ do: 'crash CassKop', region: region(), backAfterMs: time() }),
    () => ({
      do: 'restart pod',
      region: region(),
      pod: Math.floor(random.next() * 4),
      wipe: random.next() < 0.3,
    }),
    () => ({ do: 'restart region', region: region() }),
    ...[0, 1].map(() => (): Action => ({
      do: 'restart all pods',
      ...(random.next() < 0.7 && { lost: { region: region(), pod: Math.floor(random.next() * random.next() * 4) } }),
    })),
    () => ({ do: 'lose region', region: region(), forMs: time() }),
    () => ({ do: 'set guardWaitSeconds', to: pick(random, [15, 45, 300]) }),
    () => ({ do: 'reorder regions' }),
    () => ({ do: 'drop region', region: region(), forMs: time() }),
    () => ({
      do: 'edit template',
      field: pick(random, ['image', 'newer image', 'resources', 'labels']),
      forMs: time(),
    }),
    () => ({ do: 'order a restart', token: pick(random, ['november', 'december']) }),
    () => ({
      do: 'resize region',
      region: region(),
      by: pick(random, [1, -1]),
      forMs: time(),
      restarts: random.next() < 0.5,
    }),
    () => ({ do: 'edit member by hand', region: region(), forMs: time() }),
    () => ({ do: 'delete member', region: region() }),
    () => ({ do: 'delete guard', region: region() }),
    () => ({ do: 'wipe status', ...(random.next() < 0.5 && { unseen: region(), forMs: time() }) }),
    () => ({ do: 'delete and recreate', adoptAfterMs: pick(random, [0, 10_000]) }),
    () => ({ do: 'delete with our finalizer', forMs: time() }),
    ...(['SimpleStrategy', 'NetworkTopologyStrategy'] as const).map((strategy) => (): Action => ({
      do: 'create keyspace',
      strategy,
    })),
  ];
  return pick(random, kinds)();
}

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)]!;
}
