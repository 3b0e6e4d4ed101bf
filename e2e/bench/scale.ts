import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../harness/index.ts';
import type { ControllerProcess } from '../ring/controller-process.ts';
import { Bed } from './scale/bed.ts';
import { EditLatency } from './scale/edit-latency.ts';
import { Fleet } from './scale/fleet.ts';
import { processorSeconds, residentBytes } from './scale/process-figures.ts';
import { requestsBetween } from './scale/requests.ts';

/**
 * One controller with 100 regions and 50 MultiCassandraClusters: what it takes to start, to rest and to carry an edit to
 * all regions. The controller, the API servers and its rights in them are real, and the controller forms every ring
 * itself; what else is in a region (CassKop, StatefulSets, pods, nodes) is played by this process, at once and without
 * a mistake. Sizes: REGIONS, FEDERATIONS, SERVERS, IDLE_SECONDS.
 *
 * Prints a line a measurement and, last, all of them beside their targets. Exit code 1 when one is missed.
 */

const size = {
  regions: Number(process.env['REGIONS'] ?? 100),
  federations: Number(process.env['FEDERATIONS'] ?? 50),
};
const servers = Number(process.env['SERVERS'] ?? 3);
const idleSeconds = Number(process.env['IDLE_SECONDS'] ?? 120);
const edits = 9;
const timeoutMs = 1_800_000;
const megabyte = 1_000_000;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Missed when the value is not below it, or, for a target of 0, when it is not 0. */
  readonly target?: number;
}

const figures: Figure[] = [];

function record(name: string, value: number, unit: string, target?: number): void {
  const figure: Figure = { name, value, unit, ...(target !== undefined && { target }) };
  figures.push(figure);
  console.log(describe(figure));
}

function isMissed({ value, target }: Figure): boolean {
  if (target === undefined) return false;
  return target === 0 ? value !== 0 : !(value < target);
}

function describe(figure: Figure): string {
  const { name, value, unit, target } = figure;
  const digits = Number.isInteger(value) ? 0 : value < 1 ? 3 : 1;
  const wanted =
    target === undefined
      ? ''
      : ` (target ${target === 0 ? '' : '< '}${target}, ${isMissed(figure) ? 'missed' : 'met'})`;
  return `${name} ${value.toFixed(digits)}${unit && ` ${unit}`}${wanted}`;
}

async function untilReady(bed: Bed, controller: ControllerProcess, everyMs: number): Promise<number> {
  const started = performance.now();
  let said = 0;
  await waitFor(
    async () => {
      const count = await bed.ready();
      if (performance.now() - said > 15_000) {
        said = performance.now();
        console.error(`${Math.round((said - started) / 1000)} s: ${count} of ${size.federations} are Ready`);
      }
      return count === size.federations;
    },
    {
      what: 'all MultiCassandraClusters to be Ready',
      timeoutMs,
      intervalMs: everyMs,
      giveUp: () => (controller.running ? undefined : `the controller has ended, see ${controller.logFile}`),
    },
  );
  return performance.now() - started;
}

/** Edits everything while no controller runs, starts one and waits until all of it is done: every cache was read then. */
async function startUp(bed: Bed): Promise<ControllerProcess> {
  for (const federation of bed.fleet.federations) await bed.edit(federation, 500);
  const controller = bed.startController(process.env['NODE_FLAGS']?.split(' ') ?? []);
  record('start-up', (await untilReady(bed, controller, 100)) / 1000, 's');
  return controller;
}

async function rest(bed: Bed, controller: ControllerProcess): Promise<void> {
  // What a start leaves to be done slowly is over then: statuses that wait for their second, events two a second.
  await delay(90_000);
  const from = Date.now();
  const usedBefore = processorSeconds(controller.pid);
  await delay(idleSeconds * 1000);
  const cores = (processorSeconds(controller.pid) - usedBefore) / idleSeconds;
  // Audit logs are written a moment later.
  await delay(1_000);
  const counts = requestsBetween(
    bed.planes.map(({ auditLog }) => auditLog),
    from,
    from + idleSeconds * 1000,
  );
  const perMinute = (count: number): number => (count * 60) / idleSeconds;
  record('idle CPU', cores, 'cores', 0.05);
  record('idle writes', perMinute(counts.get('write') ?? 0), 'a minute', 0);
  record('idle lists of what is watched', perMinute(counts.get('list of what is watched') ?? 0), 'a minute', 0);
  let total = 0;
  for (const [purpose, count] of counts) {
    total += count;
    console.log(`  of the requests in rest, ${purpose}: ${perMinute(count).toFixed(1)} a minute`);
  }
  record('idle requests', perMinute(total), 'a minute');
  record('RSS', residentBytes(controller.pid).now / megabyte, 'MB', 300);
  record('RSS at its highest', residentBytes(controller.pid).highest / megabyte, 'MB');
}

async function latency(bed: Bed, controller: ControllerProcess): Promise<void> {
  const [widest] = bed.fleet.federations;
  if (!widest) return;
  const editLatency = await EditLatency.start(bed, widest);
  const lasts: number[] = [];
  let used = 0;
  for (let count = 0; count < edits; count++) {
    // Longer than connections for writes are kept open: people do not edit every second.
    await delay(count % 3 === 0 ? 35_000 : 3_000);
    const usedBefore = processorSeconds(controller.pid);
    const { first, median, last } = await editLatency.measure(1_000 + count, 60_000);
    used += processorSeconds(controller.pid) - usedBefore;
    const after = count % 3 === 0 ? 'after a rest' : 'soon after another';
    console.log(
      `  an edit ${after}: first region ${first.toFixed(0)} ms, median ${median.toFixed(0)} ms, last ${last.toFixed(0)} ms`,
    );
    lasts.push(last);
  }
  editLatency.stop();
  record('processor time of an edit', (used / edits) * 1_000, 'ms');
  record('edit to the last region', Math.max(...lasts), 'ms', 1_000);
}

async function heap(controller: ControllerProcess): Promise<void> {
  process.kill(controller.pid, 'SIGUSR2');
  const line = await waitFor(() => controller.log().find(({ message }) => message === 'heap'), {
    what: 'the heap to be collected',
    timeoutMs: 60_000,
  });
  const { heapUsed, external } = line['memory'] as NodeJS.MemoryUsage;
  record('heap after GC', heapUsed / megabyte, 'MB');
  console.log(`  beside the heap, in buffers: ${(external / megabyte).toFixed(1)} MB`);
}

const fleet = new Fleet(size, servers);
console.log(
  `${fleet.regions.length} regions, each a context and a namespace of one of ${servers} API servers; ` +
    `${fleet.federations.length} MultiCassandraClusters, one over all regions and the others over 2 to 6; ` +
    `${fleet.members} members of one node`,
);
const bed = await Bed.start(fleet, servers);
try {
  const first = bed.startController();
  for (const federation of fleet.federations) await bed.apply(federation);
  record('forming all rings', (await untilReady(bed, first, 2_000)) / 1000, 's');
  record('RSS after that', residentBytes(first.pid).now / megabyte, 'MB');
  await first.stop();
  const controller = await startUp(bed);
  await rest(bed, controller);
  await latency(bed, controller);
  record('RSS after the edits', residentBytes(controller.pid).now / megabyte, 'MB', 300);
  await heap(controller);
  await controller.stop();
} finally {
  await bed.stop();
}
console.log(figures.map(describe).join(', '));
process.exitCode = figures.some(isMissed) ? 1 : 0;
