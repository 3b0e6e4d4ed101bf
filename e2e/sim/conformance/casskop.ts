import { describe, test } from 'node:test';
import { registerChangeTests } from './casskop-changes.ts';
import { registerFormationTests } from './casskop-formation.ts';
import { Fed, type CasskopPlace } from './casskop-place.ts';
import { registerScalingTests } from './casskop-scaling.ts';

/** Registers a test of what CassKop does: `work` has a place of its own, which is given up afterwards. */
export type Behaves = (what: string, work: (fed: Fed) => Promise<void>) => void;

/**
 * Registers the tests of what CassKop does, as far as the federation and its simulation rely on it. The same tests run
 * against the simulated region, against the stand-in on a real API server with real pods, and against CassKop itself.
 * They compare what is written, and in which order; when is another matter in each of these.
 *
 * What CassKop 2.3.4 wrote in recorded runs is compared to the stand-in's writes, to the second, by
 * e2e/casskop/replay.test.ts. The simulated region runs that same stand-in, so it is not done again here.
 */
export function testCasskop(name: string, start: () => Promise<CasskopPlace>, options: { atOnce: number }): void {
  void describe(name, { concurrency: options.atOnce }, () => {
    const behaves: Behaves = (what, work) =>
      void test(what, async () => {
        const place = await start();
        try {
          await work(new Fed(place));
        } finally {
          await place.stop();
        }
      });
    registerFormationTests(behaves);
    registerChangeTests(behaves);
    registerScalingTests(behaves);
  });
}
