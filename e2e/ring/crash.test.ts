import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Regions, startRegions, waitFor } from '../harness/index.ts';
import { describeWrite, type Write } from '../proxy/write.ts';
import { type Crash, CrashingController, type CrashSchedule, type CrashStyle } from './crashing-controller.ts';
import { Federation, formationTimeoutMs, installCrd } from './federation.ts';
import { assertFoundedOnce } from './one-founder.ts';
import { assertOneUntouchedRing } from './one-ring.ts';

const regionNames = ['eu', 'us', 'ap'];
const styles: readonly CrashStyle[] = ['reply lost', 'reply delivered'];
/** Formations side by side, each in a namespace of its own. */
const lanes = ['crash-a', 'crash-b', 'crash-c', 'crash-d'];
/** A formation has at least three writes to each region. */
const writesMin = 9;

/**
 * The simulation dies at every write there is (`make sim-crash`); here, with real processes and servers, at the first of
 * each kind in each region, and once at all of them one after the other; with CRASH_POINTS=all at each in turn, and at all
 * of them in either way.
 */
const everyPoint = process.env['CRASH_POINTS'] === 'all';

suite('a controller that is killed while it forms a ring of three regions', () => {
  let regions: Regions;
  let formations = 0;
  /** The formation's writes when nobody dies. */
  let undisturbed: readonly Write[] = [];

  before(async () => {
    regions = await startRegions({ regions: regionNames, nodes: 'light' });
    await installCrd(regions, 'eu');
    for (const lane of lanes) await regions.prepareNamespace(lane, { nodes: 'light', pace: 'fast' });
  });
  after(() => regions?.stop());

  /** Forms a ring in `lane`, asserts what it has to be like, and removes it; one that went wrong stays. */
  async function form(lane: string, schedule: CrashSchedule): Promise<CrashingController> {
    formations += 1;
    const federation = new Federation(regions, lane, { name: `ring${formations}` });
    const controller = await CrashingController.start(federation, { crash: schedule });
    try {
      await federation.apply();
      await controller.finished();
      await assertOneUntouchedRing(federation, regionNames.length);
      await assertFoundedOnce(federation, 'eu');
    } catch (cause) {
      const deaths = controller.crashes.map(({ write, style }) => `${describeWrite(write)}, ${style}`);
      const writes = controller.writes.map(describeWrite).join(', ');
      throw new Error(
        `killed at ${deaths.join('; ') || 'no write'}: ${(cause as Error).message}\nAll writes: ${writes}`,
        {
          cause,
        },
      );
    } finally {
      await controller.stop();
    }
    await remove(federation);
    return controller;
  }

  test('forms it when nobody kills it', async () => {
    const { writes, crashes } = await form(lanes[0] ?? '', () => undefined);
    assert.equal(crashes.length, 0);
    undisturbed = writes;
    assert.ok(
      writes.length >= writesMin,
      `three regions need some writes, these are ${writes.map(describeWrite).join(', ')}`,
    );
  });

  test(`forms one ring ${everyPoint ? 'whichever write' : 'whichever kind of write'} it is killed at`, async (context) => {
    const tried: Crash[] = [];
    const failed: string[] = [];
    const points = everyPoint ? undisturbed.map(({ number }) => number) : firstOfEachKind(undisturbed);
    let missed = 0;
    await Promise.all(
      lanes.map(async (lane) => {
        try {
          for (let number = points.shift(); number !== undefined; number = points.shift()) {
            const { crashes } = await form(lane, (write) => (write.number === number ? styleOf(number) : undefined));
            tried.push(...crashes);
            if (crashes.length === 0) missed += 1;
          }
        } catch (error) {
          // The lane ends here, with what went wrong still in it.
          failed.push((error as Error).message);
        }
      }),
    );
    context.diagnostic(
      `${undisturbed.length} writes without a crash, ${tried.length} crash points tried: ${summary(tried)}`,
    );
    if (missed > 0) context.diagnostic(`${missed} formations ended before the write they were to be killed at`);
    assert.deepEqual(failed, []);
    assert.ok(tried.length >= writesMin);
  });

  test('forms one ring even if it is killed at each of its writes to a region', async (context) => {
    const shifts = everyPoint ? styles.keys() : [0];
    const formations = Array.from(shifts, (shift) => {
      const schedule: CrashSchedule = ({ number, resource }) =>
        resource === 'multicassandraclusters/status' ? undefined : styleOf(number + shift);
      return form(lanes[shift] ?? '', schedule);
    });
    for (const { crashes } of await Promise.all(formations)) {
      context.diagnostic(`killed ${crashes.length} times: ${summary(crashes)}`);
      assert.ok(crashes.length >= writesMin);
    }
  });

  /** Deletes everything of a federation whose controller is gone, so that the next one has the machine for itself. */
  async function remove(federation: Federation): Promise<void> {
    const { name, namespace, path } = federation;
    await federation.hub.delete(path);
    for (const region of regionNames) {
      const api = federation.api(region);
      const member = await federation.member(region);
      if (member) await api.delete(`/apis/db.orange.com/v2/namespaces/${namespace}/cassandraclusters/${name}`);
    }
    await waitFor(
      async () => {
        for (const region of regionNames) {
          const left = [...(await federation.statefulSets(region)), ...(await federation.pods(region))];
          if (left.length > 0) throw new Error(left.map(({ metadata }) => metadata.name).join(', '));
        }
        return true;
      },
      { what: `everything of ${name} to be gone`, timeoutMs: formationTimeoutMs, intervalMs: 500 },
    );
  }
});

function firstOfEachKind(writes: readonly Write[]): number[] {
  const kinds = Map.groupBy(writes, ({ method, resource, region }) => `${method} ${resource} ${region}`);
  return [...kinds.values()].flatMap(([first]) => (first ? [first.number] : []));
}

/** By turns, so that one formation a write is enough. */
function styleOf(number: number): CrashStyle {
  return number % styles.length === 0 ? 'reply lost' : 'reply delivered';
}

/** How many of each kind of write, most frequent first. */
function summary(crashes: readonly Crash[]): string {
  const kinds = Map.groupBy(crashes, ({ write, style }) => `${write.method} ${write.resource} (${style})`);
  return [...kinds]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([kind, { length }]) => `${length} x ${kind}`)
    .join(', ');
}
