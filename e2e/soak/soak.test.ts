import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, suite, test } from 'node:test';
import { SeededRandom } from '../../src/edges/testing.ts';
import { Bed, members } from '../faults/bed.ts';
import { flap } from './flapping.ts';
import { gaugedEnvironment, readGauges, type Gauges } from './gauges.ts';
import { describeMoments, leaksIn } from './leaks.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
const seed = Number(process.env['SOAK_SEED'] ?? 1);
/** How long all regions flap between two calm moments, and how long nobody edits between two edits, milliseconds. */
const flapMs = 25_000;
const editEveryMs = 1_500;

suite('a controller whose regions come and go', () => {
  let bed: Bed;
  let gauges: string;

  before(async () => {
    bed = await Bed.start((directory) => gaugedEnvironment((gauges = join(directory, 'gauges'))));
  });
  after(() => bed?.stop());

  async function calmMoment(options: { resetMute?: boolean } = {}): Promise<Gauges> {
    await bed.untilCalm(options);
    return readGauges(bed.controller.pid, gauges);
  }

  test(`leaks nothing in ${minutes} minutes, and loses nothing (seed ${seed})`, async (t) => {
    const { controller } = bed;
    const random = new SeededRandom(seed);
    const first = await calmMoment();
    const nodes = await bed.federation.whatRuns();
    const moments: Gauges[] = [];
    const faults = new Map<string, number>();
    const started = performance.now();
    const round = async (options: { resetMute?: boolean } = {}): Promise<void> => {
      const signal = AbortSignal.timeout(flapMs);
      const flapping = members.map((name) => flap(bed.proxy(name), random.fork(), signal));
      const [seen] = await Promise.all([Promise.all(flapping), editUntil(signal)]);
      for (const kind of seen.flat()) faults.set(kind, (faults.get(kind) ?? 0) + 1);
      moments.push(await calmMoment(options));
    };
    while (performance.now() - started < minutes * 60_000) await round();
    // Once without help: the controller itself has to give up connections that are mute.
    await round({ resetMute: false });
    const kinds = [...faults].map(([kind, times]) => `${times} ${kind}`).join(', ');
    t.diagnostic(`seed ${seed}, ${Math.round((performance.now() - started) / 1000)} s: ${kinds}`);
    for (const line of describeMoments([first, ...moments]).split('\n')) t.diagnostic(line);

    assert.deepEqual(leaksIn(moments), []);
    assert.ok(controller.running && controller === bed.controller, 'it is the same controller');
    assert.doesNotMatch(readFileSync(controller.logFile, 'utf8'), /MaxListenersExceeded/);
    await bed.federation.ready();
    assert.deepEqual(await bed.federation.whatRuns(), nodes, 'no node was restarted');
  });

  async function editUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await bed.edit();
      await delay(editEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
});
