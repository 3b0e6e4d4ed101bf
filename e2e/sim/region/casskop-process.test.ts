import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/edges/testing.ts';
import { WorldBench, type RegionBench } from './bench.ts';
import { CasskopClock } from './casskop-clock.ts';

/** What CassKop changes in a region, and when. */
function changesOf(world: WorldBench, eu: RegionBench): string[] {
  const changes: string[] = [];
  eu.server.onChange(({ user, type, resource, object, request }) => {
    if (user !== 'casskop') return;
    const path = request?.path.replace(/\?.*/, '').split('/').slice(-2).join('/');
    const { status } = object;
    changes.push(`${world.clock.monotonic()} ${type} ${resource.plural} ${path} ${JSON.stringify(status ?? null)}`);
  });
  return changes;
}

/** Forms a region, changes its image, grows it and shrinks it again. */
async function life(world: WorldBench, eu: RegionBench): Promise<void> {
  // Both are seeds: with one, two nodes that restart one right after the other may never meet again.
  eu.create({}, eu.seeds('0', '1'));
  await world.clock.advance(60_000);
  eu.editSpec({ nodesPerRacks: 2 });
  await world.clock.advance(120_000);
  eu.editSpec({ cassandraImage: 'cassandra:5.0.9' });
  await world.clock.advance(180_000);
  eu.editSpec({ nodesPerRacks: 1 });
  await world.clock.advance(240_000);
}

describe('the process of CassKop', () => {
  test('does nothing more once it is killed, wherever that happens in a pass, and its successor goes on from there', async () => {
    const undisturbed = new WorldBench();
    const calm = undisturbed.region('eu');
    const writes = changesOf(undisturbed, calm);
    calm.create({ nodesPerRacks: 2 }, calm.seeds('0'));
    await undisturbed.done(calm);
    assert.ok(writes.length > 10);

    for (let last = 1; last <= writes.length; last++) {
      const world = new WorldBench();
      const eu = world.region('eu');
      const seen = changesOf(world, eu);
      eu.server.onChange(() => {
        if (seen.length === last && eu.region.hasCasskop) eu.region.stopCasskop();
      });
      eu.create({ nodesPerRacks: 2 }, eu.seeds('0'));
      await world.clock.advance(120_000);
      assert.equal(seen.length, last);
      assert.equal(eu.region.hasCasskop, false);
      seen.push('killed');
      eu.region.startCasskop();
      await world.done(eu);
      await world.ringRests(eu);
      assert.equal(world.hosts(eu.node(0)).length, 2, `killed after write ${last}`);
    }
  });

  test('does the same at the same times whether quiet passes are left out or not', async () => {
    const constant = { next: (): number => 0.3 };
    const [quiet, busy] = [new WorldBench(1, constant), new WorldBench(1, constant)];
    const [one, other] = [quiet.region('eu'), busy.region('eu')];
    const expected = changesOf(busy, other);
    const actual = changesOf(quiet, one);
    // Something that changes all the time leaves no pass out.
    const keepAwake = (): void => {
      busy.ring.connectivityChanged();
      busy.clock.timer(700, keepAwake);
    };
    keepAwake();
    await life(busy, other);
    await life(quiet, one);
    assert.ok(expected.length > 40);
    assert.deepEqual(actual, expected);
  });

  test('is the same from one run to the next, and another with other random numbers', async () => {
    const histories: string[] = [];
    for (const seed of [7, 7, 8]) {
      const world = new WorldBench(seed);
      const eu = world.region('eu');
      const changes: string[] = [];
      eu.server.onChange(({ user, object }) =>
        changes.push(`${world.clock.monotonic()} ${user} ${JSON.stringify(object)}`),
      );
      await life(world, eu);
      histories.push(changes.join('\n'));
    }
    assert.equal(histories[0], histories[1]);
    assert.notEqual(histories[0], histories[2]);
  });

  test('changes nothing of what it has read', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    const freeze = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
      Object.freeze(value);
      Object.values(value).forEach(freeze);
    };
    eu.server.onChange(({ object }) => freeze(object));
    await life(world, eu);
    eu.editSpec({ dataCapacity: '2Gi', autoPilot: true });
    await world.clock.advance(120_000);
    eu.editSpec({ nodesPerRacks: 2 });
    await world.clock.advance(240_000);
    eu.editSpec({ nodesPerRacks: 0 });
    await world.clock.advance(60_000);
    assert.equal(eu.claims[0]?.status?.capacity?.storage, '2Gi');
    assert.deepEqual(
      eu.errors.filter((error) => error instanceof TypeError),
      [],
    );
    assert.ok(eu.errors.length > 0);
  });

  test('costs nothing while nothing happens', async () => {
    const world = new WorldBench();
    const eu = world.region('eu');
    eu.create({}, eu.seeds('0'));
    await world.done(eu);
    await world.clock.advance(60_000);
    assert.equal(world.clock.pendingTimers, 0);
  });
});

describe('the clock of CassKop', () => {
  function bench(): {
    clock: VirtualClock;
    casskop: CasskopClock;
    fired: number[];
    inputs: { version: number; isUnsettled: boolean };
    pass: () => void;
  } {
    const clock = new VirtualClock();
    const inputs = { version: 1, isUnsettled: false };
    const casskop = new CasskopClock(clock, {
      version: () => inputs.version,
      isUnsettled: () => inputs.isUnsettled,
    });
    const fired: number[] = [];
    const pass = (): void => {
      fired.push(clock.monotonic());
      casskop.passGoesOn();
      casskop.timer(5000, pass);
    };
    return { clock, casskop, fired, inputs, pass };
  }

  test('withholds the next pass after one that changed nothing, until something changes', async () => {
    const { clock, casskop, fired, inputs, pass } = bench();
    pass();
    await clock.advance(63_000);
    assert.deepEqual(fired, [0]);
    inputs.version++;
    casskop.inputsChanged();
    await clock.advance(60_000);
    assert.deepEqual(fired, [0, 65_000]);
  });

  test('does not withhold it after a pass that changed something', async () => {
    const { clock, casskop, fired, inputs } = bench();
    casskop.passGoesOn();
    inputs.version++;
    casskop.timer(5000, () => fired.push(clock.monotonic()));
    await clock.advance(5000);
    assert.deepEqual(fired, [5000]);
  });

  test('does not withhold it while something is under way, or the time itself may decide', async () => {
    const { clock, casskop, fired, inputs, pass } = bench();
    inputs.isUnsettled = true;
    pass();
    await clock.advance(11_000);
    assert.deepEqual(fired, [0, 5000, 10_000]);
    inputs.isUnsettled = false;
    casskop.inputsChanged();
    casskop.now();
    await clock.advance(5000);
    assert.deepEqual(fired.slice(3), [15_000]);
  });

  test('fires nothing once its process is dead', async () => {
    const { clock, casskop, fired, pass } = bench();
    casskop.timer(1000, () => fired.push(1));
    casskop.timer(5000, () => fired.push(2));
    pass();
    casskop.kill();
    casskop.inputsChanged();
    casskop.timer(10, () => fired.push(3));
    await clock.advance(60_000);
    assert.deepEqual(fired, [0]);
    assert.equal(clock.pendingTimers, 0);
  });
});
