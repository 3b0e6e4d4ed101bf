import assert from 'node:assert/strict';
import { after, before, suite, test, type TestContext } from 'node:test';
import { controllerUser, type Regions, startRegions } from '../harness/index.ts';
import { describeWrite, type Write } from '../proxy/write.ts';
import { ordersBy, writesBy } from './audit-log.ts';
import { type CrashSchedule, CrashingController, type CrashStyle } from './crashing-controller.ts';
import { Federation, installCrd, type Mcc } from './federation.ts';
import { assertOneRing } from './one-ring.ts';

type Entries = Record<string, { state?: 'Removing' | 'Abandoned'; abandonedHosts?: string[] }>;

const names = ['eu', 'us', 'ap'];
const sizes: Readonly<Record<string, number>> = { eu: 2, us: 1, ap: 2 };
const styles: readonly CrashStyle[] = ['reply lost', 'reply delivered'];

/**
 * The simulation dies at every write of every workload, each in a history of its own (`make sim-crash`). Here real processes and
 * servers live through one history, in which the controller dies at the first write of each kind; with CRASH_POINTS=all
 * through two, in which it dies at every write to a region, in either way by turns.
 */
const everyPoint = process.env['CRASH_POINTS'] === 'all';

suite('a controller that is killed while regions come, leave and get lost', () => {
  let regions: Regions;

  before(async () => {
    // The hub has no nodes: it must outlive every region.
    regions = await startRegions({ regions: ['hub', ...names], nodes: 'light' });
    await installCrd(regions, 'hub');
  });
  after(() => regions?.stop());

  for (const shift of everyPoint ? styles.keys() : [0]) {
    const name = `orders${shift}`;
    const firstPod = `${name}-eu-rack1-0`;

    suite(`the first ${name}: ${styles[shift]}`, () => {
      let federation: Federation;
      let controller: CrashingController;
      let doomed: Federation;
      let doomedController: CrashingController;
      let lost: string[];

      before(async () => {
        [federation, doomed] = await Promise.all([
          place(`come-and-die-${shift}`, name),
          place(`end-and-die-${shift}`, `doomed${shift}`),
        ]);
        [controller, doomedController] = await Promise.all([start(federation), start(doomed)]);
        await federation.apply({ regions: entries({ eu: {}, us: {} }) });
        await doomed.apply({ deletionPolicy: 'Delete' });
        await Promise.all([controller.finished(), doomedController.finished()]);
      });
      after(() => Promise.all([controller?.stop(), doomedController?.stop()]));

      async function place(namespace: string, clusterName: string): Promise<Federation> {
        const made = regions.all.map((region) =>
          region.prepareNamespace(namespace, { pace: 'fast', operator: region.name !== 'hub' }),
        );
        await Promise.all(made);
        return new Federation(regions, namespace, { hub: 'hub', name: clusterName, names });
      }

      function start(of: Federation): Promise<CrashingController> {
        return CrashingController.start(of, { crash: () => undefined, writesMax: 2_000 });
      }

      /** Has the controller die again and again of what `begin` has it do, until all rests and `holds`. */
      async function live(
        context: TestContext,
        dying: CrashingController,
        begin: () => Promise<unknown>,
        holds: () => Promise<void>,
      ): Promise<string[]> {
        const before = dying.crashes.length;
        dying.crash = everyPoint ? atEveryWrite(shift) : atEachKind();
        try {
          await begin();
          await dying.restsWhen(context.name, holds);
        } catch (cause) {
          const deaths = dying.crashes.slice(before).map(({ write, style }) => `${describeWrite(write)}, ${style}`);
          throw new Error(`killed at ${deaths.join('; ') || 'no write'}: ${(cause as Error).message}`, { cause });
        } finally {
          dying.crash = () => undefined;
        }
        const kinds = dying.crashes
          .slice(before)
          .map(({ write }) => `${write.method} ${write.resource} ${write.region}`);
        context.diagnostic(`killed ${kinds.length} times: ${kinds.join(', ')}`);
        return kinds;
      }

      /** The federation is Ready, as its newest spec asks for, and these are the stages of its regions. */
      async function stages(expected: Record<string, string>): Promise<void> {
        const { metadata, status } = await federation.get();
        const ready = status?.conditions?.find(({ type }) => type === 'Ready');
        const found = Object.fromEntries((status?.regions ?? []).map(({ name: region, stage }) => [region, stage]));
        assert.deepEqual(
          [ready?.status, ready?.observedGeneration, found],
          ['True', metadata.generation, expected],
          JSON.stringify(status?.conditions),
        );
      }

      const hostsOf = ({ status }: Mcc, region: string): string[] =>
        (status?.regions?.find((each) => each.name === region)?.hosts ?? []).map(({ hostId }) => hostId);

      /** Whatever must happen once in a region: what was created there, and what was deleted. */
      function madeAndDeleted(of: Federation, region: string): string[] {
        return writesBy(regions.region(region).auditLog, controllerUser)
          .filter(({ namespace, what }) => namespace === of.namespace && /^(cassandraclusters|configmaps)/.test(what))
          .filter(({ verb, status }) => status === 201 || (verb === 'delete' && status < 300))
          .map(({ verb, what }) => `${verb === 'delete' ? 'deleted' : 'made'} ${what.replace(of.name, '')}`);
      }

      /** What nodes were told to do with the ring, over all regions. */
      function orders(): string[] {
        return regions.all.flatMap(({ auditLog }) => ordersBy(auditLog, controllerUser, federation.namespace));
      }

      async function assertGone(of: Federation, region: string): Promise<void> {
        assert.equal(await of.member(region), undefined);
        assert.equal(await of.guard(region), undefined);
        assert.deepEqual(await of.pods(region), []);
      }

      /** Who could have started a ring, by what the pods' init containers say. */
      async function startedAlone(): Promise<string[]> {
        const pods = (await federation.allPods()).map(({ region, pod }) => ({ region, pod: pod.metadata.name }));
        return pods
          .filter(({ region, pod }) =>
            /starts without a seed/.test(regions.region(region).bootstrapLog(federation.namespace, pod)),
          )
          .map(({ pod }) => pod);
      }

      const member = 'cassandraclusters/';
      const guard = 'configmaps/-ringmaster';

      test('a region joins', async (context) => {
        const { eu, us } = await federation.whatRuns();
        const kinds = await live(
          context,
          controller,
          () => federation.apply({ regions: entries({ eu: {}, us: {}, ap: {} }) }),
          () => stages({ eu: 'Running', us: 'Running', ap: 'Running' }),
        );
        assertTried(kinds, ['PATCH configmaps ap', 'PATCH cassandraclusters ap', 'PATCH cassandraclusters/status ap']);
        await assertOneRing(federation, 5);
        assert.deepEqual(madeAndDeleted(federation, 'ap'), [`made ${guard}`, `made ${member}`]);
        const runs = await federation.whatRuns();
        assert.deepEqual([runs['eu'], runs['us']], [eu, us]);
        for (const set of await federation.statefulSets('ap')) assert.equal(set.metadata.generation, set.spec.replicas);
        assert.deepEqual(await startedAlone(), [firstPod]);
      });

      test('the founder leaves', async (context) => {
        const { us, ap } = await federation.whatRuns();
        const kinds = await live(
          context,
          controller,
          () => federation.apply({ regions: entries({ eu: { state: 'Removing' }, us: {}, ap: {} }) }),
          () => stages({ eu: 'Removed', us: 'Running', ap: 'Running' }),
        );
        assertTried(kinds, [
          'PATCH multicassandraclusters/status hub',
          'GET pods/proxy/decommission eu',
          'DELETE cassandraclusters eu',
          'DELETE configmaps eu',
        ]);
        await assertOneRing(federation, 3);
        await assertGone(federation, 'eu');
        assert.deepEqual(orders(), [`${name}-eu-rack1-1 decommission/true`, `${name}-eu-rack1-0 decommission/true`]);
        assert.deepEqual(madeAndDeleted(federation, 'eu').slice(2), [`deleted ${member}`, `deleted ${guard}`]);
        const runs = await federation.whatRuns();
        assert.deepEqual([runs['us'], runs['ap']], [us, ap]);
        assert.deepEqual(await startedAlone(), []);
        assert.equal((await federation.get()).status?.ring?.founder, 'eu');
      });

      test('a MultiCassandraCluster is deleted with all that is its', async (context) => {
        const kinds = await live(
          context,
          doomedController,
          () => doomed.hub.delete(doomed.path),
          async () => assert.equal(await doomed.hub.find(doomed.path), undefined),
        );
        for (const region of names) {
          await assertGone(doomed, region);
          assert.deepEqual(madeAndDeleted(doomed, region).slice(2), [`deleted ${member}`, `deleted ${guard}`]);
        }
        assertTried(kinds, ['DELETE cassandraclusters', 'DELETE configmaps', 'PATCH multicassandraclusters hub']);
      });

      test('a region is lost, and given up', async (context) => {
        const { us } = await federation.whatRuns();
        lost = hostsOf(await federation.get(), 'ap');
        assert.equal(lost.length, 2);
        await regions.cut('ap');
        await regions.region('ap').controlPlane.kill();
        const kinds = await live(
          context,
          controller,
          () => federation.apply({ regions: entries({ us: {}, ap: { state: 'Abandoned', abandonedHosts: lost } }) }),
          () => stages({ us: 'Running', ap: 'Abandoned' }),
        );
        assertTried(kinds, ['PATCH multicassandraclusters/status hub', 'GET pods/proxy/removeNode us']);
        const rest = new Federation(regions, federation.namespace, { hub: 'hub', name, names: ['us'] });
        await assertOneRing(rest, 1);
        assert.deepEqual(orders().slice(2).sort(), lost.map((host) => `${name}-us-rack1-0 removeNode/${host}`).sort());
        assert.deepEqual((await rest.whatRuns())['us'], us);
        assert.deepEqual((await federation.get()).status?.ring?.abandonedHosts, lost.toSorted());
      });

      test('it comes back from the dead, and is cleared away', async (context) => {
        const told = orders();
        const { us } = await new Federation(regions, federation.namespace, {
          hub: 'hub',
          name,
          names: ['us'],
        }).whatRuns();
        const kinds = await live(
          context,
          controller,
          async () => {
            await regions.region('ap').controlPlane.up(AbortSignal.timeout(120_000));
            await regions.heal('ap');
          },
          () => stages({ us: 'Running', ap: 'Removed' }),
        );
        assertTried(kinds, ['PATCH configmaps ap', 'DELETE cassandraclusters ap', 'DELETE configmaps ap']);
        await assertOneRing(federation, 1);
        await assertGone(federation, 'ap');
        assert.deepEqual(madeAndDeleted(federation, 'ap').slice(2), [`deleted ${member}`, `deleted ${guard}`]);
        assert.deepEqual(orders(), told);
        assert.deepEqual((await federation.whatRuns())['us'], us);
        assert.deepEqual((await federation.get()).status?.ring?.abandonedHosts, lost.toSorted());
      });
    });
  }
});

function entries(states: Entries): Record<string, unknown>[] {
  return Object.entries(states).map(([name, entry]) => ({
    name,
    datacenters: [{ name, nodesPerRacks: sizes[name], racks: [{ name: 'rack1' }] }],
    ...entry,
  }));
}

/** The first write of each kind, by turns in either way. In which of the regions that stay it is makes no difference. */
function atEachKind(): CrashSchedule {
  const seen = new Set<string>();
  return (write) => {
    const kind = kindOf(write);
    if (kind === undefined || seen.has(kind)) return undefined;
    seen.add(kind);
    return styles[seen.size % styles.length];
  };
}

/** A status tells of the way a controller starts, too, and is written anew by each of its lives: the same one kills it once. */
function atEveryWrite(shift: number): CrashSchedule {
  const ofStatus = atEachKind();
  return (write) => {
    if (kindOf(write) === undefined) return undefined;
    const dies = write.resource !== 'multicassandraclusters/status' || ofStatus(write) !== undefined;
    return dies ? styles[(write.number + shift) % styles.length] : undefined;
  };
}

/** Writes of the status are as many kinds as there are things to be remembered by them; undefined: nobody depends on it. */
function kindOf({ method, resource, region, body }: Write): string | undefined {
  if (resource === 'events') return undefined;
  const kind = `${method} ${resource}`;
  if (resource !== 'multicassandraclusters/status') return region === 'us' ? `${kind} where it stays` : kind;
  const { status } = JSON.parse(body) as Pick<Mcc, 'status'>;
  const told = status?.regions?.map(({ name, stage, leavingSince, identity }) => [
    name,
    stage === 'Removed' || stage === 'Abandoned',
    leavingSince !== undefined,
    identity?.memberUID !== undefined,
  ]);
  return `${kind} ${JSON.stringify([told, status?.ring?.abandonedHosts])}`;
}

function assertTried(tried: readonly string[], expected: readonly string[]): void {
  for (const kind of expected)
    assert.ok(
      tried.some((each) => each.startsWith(kind)),
      `${kind} is not among ${tried.join(', ')}`,
    );
}
