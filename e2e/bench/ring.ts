import { effective, type EffectiveFederation, type EffectiveRegion } from '../../src/api/effective.ts';
import { parseMultiCassandraCluster } from '../../src/api/parse.ts';
import { plannedSeeds, seedListFor } from '../../src/federation/seeds.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { casskop } from '../../src/operators/casskop/casskop.ts';
import { startRegions, waitFor } from '../harness/index.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, formationTimeoutMs, installCrd, type MemberObject } from '../ring/federation.ts';

/**
 * Time from applying a MultiCassandraCluster to one proven ring with every region settled, for two and for three
 * regions, and beside it, in the same run, the floor: the same members written by a script that knows what is coming.
 * The script asks the nodes every few milliseconds and writes each member at the first moment that is right.
 *
 * Prints a line a run and, last, `ratio <number>`: Ringmaster's total over the floor's.
 */

const names = ['eu', 'us', 'ap'];
const rounds = Number(process.env['ROUNDS'] ?? 2);
const lookEveryMs = 50;

/** The same formation, by a script that needs no guard, no memory and no proof beyond what it waits for. Milliseconds. */
async function floor(federation: Federation, count: number): Promise<number> {
  const { mcc, problems } = parseMultiCassandraCluster({
    apiVersion: 'ringmaster.dev/v1alpha1',
    kind: 'MultiCassandraCluster',
    metadata: { name: federation.name, namespace: federation.namespace },
    spec: { ...federation.smallestSpec(), regions: names.slice(0, count).map((name) => ({ name })) },
  });
  if (!mcc) throw new Error(JSON.stringify(problems));
  const wanted = effective(mcc);
  const started = performance.now();
  const cleanUps: Promise<void>[] = [];
  const joined: { region: string; pod: string }[] = [];
  for (const region of wanted.regions) {
    await found(federation, wanted, region);
    joined.push({ region: region.name, pod: `${wanted.clusterName}-${region.name}-rack1-0` });
    await waitFor(() => oneRing(federation, joined), {
      what: `${joined.length} nodes in one ring`,
      timeoutMs: formationTimeoutMs,
      intervalMs: lookEveryMs,
    });
    cleanUps.push(release(federation, wanted, region));
  }
  await Promise.all(cleanUps);
  return performance.now() - started;
}

/** Creates a region's member with its seeds, and has its operator hold them before it computes its own. */
async function found(federation: Federation, wanted: EffectiveFederation, region: EffectiveRegion): Promise<void> {
  const api = federation.api(region.name);
  const member = rendered(wanted, region, true);
  await api.apply(`/api/v1/namespaces/${federation.namespace}/configmaps/floor`, 'floor', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'floor', namespace: federation.namespace },
  });
  const path = memberPath(federation);
  await api.apply(path, 'floor', member);
  await api.patch(`${path}/status`, 'merge', { status: { seedlist: seedsOf(wanted, region) } });
}

/** Takes the seeds out of the spec as soon as the operator is done, and waits until it has processed that too. */
async function release(federation: Federation, wanted: EffectiveFederation, region: EffectiveRegion): Promise<void> {
  const settled = { what: `${region.name} to settle`, timeoutMs: formationTimeoutMs, intervalMs: lookEveryMs };
  await waitFor(() => isSettled(federation, wanted, region), settled);
  await federation.api(region.name).apply(memberPath(federation), 'floor', rendered(wanted, region, false));
  await waitFor(() => isSettled(federation, wanted, region), settled);
}

async function isSettled(
  federation: Federation,
  wanted: EffectiveFederation,
  region: EffectiveRegion,
): Promise<boolean> {
  const member = (await federation.member(region.name)) as MemberObject & KubeObject;
  const { settled, message } = casskop.read({
    member,
    statefulSets: await federation.statefulSets(region.name),
    seeds: seedsOf(wanted, region),
    replicas: { [`${wanted.clusterName}-${region.name}-rack1`]: 1 },
  });
  if (!settled) throw new Error(message);
  return true;
}

async function oneRing(federation: Federation, joined: readonly { region: string; pod: string }[]): Promise<boolean> {
  const views = await Promise.all(
    joined.map(({ region, pod }) => federation.ask(region, pod, 'EndpointToHostId,LiveNodes,OperationMode')),
  );
  return views.every(
    ({ EndpointToHostId, LiveNodes, OperationMode }) =>
      OperationMode === 'NORMAL' &&
      Object.keys(EndpointToHostId as object).length === joined.length &&
      (LiveNodes as string[]).length === joined.length,
  );
}

function rendered(federation: EffectiveFederation, region: EffectiveRegion, injecting: boolean): KubeObject {
  return casskop.render({ federation, region, guardName: 'floor', seeds: seedsOf(federation, region), injecting });
}

function seedsOf(federation: EffectiveFederation, region: EffectiveRegion): string[] {
  const planned = plannedSeeds(federation, casskop);
  return seedListFor(
    region.name,
    planned.map((seed) => seed.address),
    planned,
  );
}

function memberPath(federation: Federation): string {
  return `/apis/db.orange.com/v2/namespaces/${federation.namespace}/cassandraclusters/${federation.name}`;
}

async function ringmaster(federation: Federation, count: number): Promise<number> {
  const started = performance.now();
  await federation.apply({ regions: names.slice(0, count).map((name) => ({ name })) });
  await federation.ready();
  return performance.now() - started;
}

/** Removes what a round left, so that its nodes take no time from the next one. */
async function remove(federation: Federation): Promise<void> {
  const { namespace, regions } = federation;
  await Promise.all(
    regions.all.map(async ({ name, api }) => {
      await api.delete(`/api/v1/namespaces/${namespace}`);
      await waitFor(async () => (await federation.pods(name)).length === 0, {
        what: `the pods of ${namespace} in ${name} to go`,
        timeoutMs: formationTimeoutMs,
      });
    }),
  );
}

const regions = await startRegions({ regions: names });
try {
  await installCrd(regions, 'eu');
  const controller = new ControllerProcess(regions);
  const totals = { ringmaster: 0, floor: 0 };
  for (let round = 1; round <= rounds; round++) {
    for (const count of [2, 3]) {
      for (const kind of ['floor', 'ringmaster'] as const) {
        const federation = new Federation(regions, `${kind}-${count}-${round}`);
        await regions.prepareNamespace(federation.namespace, { pace: 'true' });
        const ms = kind === 'floor' ? await floor(federation, count) : await ringmaster(federation, count);
        totals[kind] += ms;
        console.log(`${count} regions, round ${round}: ${kind.padEnd(10)} ${(ms / 1000).toFixed(1)} s`);
        await remove(federation);
      }
    }
  }
  await controller.stop();
  console.log(`ratio ${(totals.ringmaster / totals.floor).toFixed(3)}`);
} finally {
  await regions.stop();
}
