import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { HarnessError, startRegions, waitFor, type Regions } from '../harness/index.ts';
import { ControllerProcess } from '../ring/controller-process.ts';
import { Federation, installCrd, type Mcc, type PodObject } from '../ring/federation.ts';
import { doubt, hostTable, readHostViews } from './host-views.ts';
import { keepLogs } from './keep-logs.ts';
import { changes, clock, progressBlock, readProgress, type Progress } from './progress.ts';
import { writeAndRead, type CqlNode } from './row.ts';
import type { Screen } from './screen.ts';
import { table } from './table.ts';
import { whatToTry } from './what-to-try.ts';

const sample = join(import.meta.dirname, '../../config/samples/three-regions.yaml');
const regionNames = ['eu', 'us', 'ap'] as const;
const hub = 'eu';

/** Far more than a slow machine needs; whoever waits longer waits in vain. */
const formationTimeoutMs = 15 * 60_000;
const proofTimeoutMs = 120_000;
const lookIntervalMs = 500;
/** A region that is cut off must not hold up what is said of the others, nor the end of the demo. */
const lookTimeoutMs = 5_000;

export interface DemoOptions {
  /** End after the proof, in place of staying up until the signal. */
  readonly once: boolean;
  readonly screen: Screen;
  /** Ends the demo at any point; what it made is removed. */
  readonly signal: AbortSignal;
}

/** From nothing to one ring over three regions, with proof. Resolves with the exit code; nothing is left behind. */
export async function demo(options: DemoOptions): Promise<number> {
  const { screen, signal } = options;
  const run = new DemoRun(options);
  try {
    await run.play();
    return 0;
  } catch (error) {
    screen.keep();
    if (signal.aborted) {
      screen.say(`\nInterrupted (${(signal.reason as Error).message}).`);
      return 130;
    }
    screen.say(`\nThe demo failed after ${run.elapsed.trim()}: ${(error as Error).message}`);
    run.keepLogs();
    if (!(error instanceof HarnessError)) screen.say((error as Error).stack ?? '');
    return 1;
  } finally {
    await run.clear();
  }
}

class DemoRun {
  readonly #options: DemoOptions;
  readonly #screen: Screen;
  readonly #signal: AbortSignal;
  readonly #started = performance.now();
  #regions: Regions | undefined;
  #shown: Progress | undefined;

  constructor(options: DemoOptions) {
    this.#options = options;
    this.#screen = options.screen;
    this.#signal = options.signal;
  }

  get elapsed(): string {
    return clock(this.#elapsedMs);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#started;
  }

  async play(): Promise<void> {
    const screen = this.#screen;
    screen.say(introduction());
    const regions = await startRegions({ regions: regionNames, signal: this.#signal });
    this.#regions = regions;
    this.#note(`regions ${regionNames.join(', ')} serve; hub ${hub}; files and logs in ${regions.directory}`);

    const mcc = parse(readFileSync(sample, 'utf8')) as Mcc;
    const { name, namespace = 'default' } = mcc.metadata;
    await installCrd(regions, hub);
    await regions.prepareNamespace(namespace, { pace: 'true' });
    this.#signal.throwIfAborted();
    const controller = new ControllerProcess(regions);
    const federation = new Federation(regions, namespace, { name, hub });
    await federation.hub.apply(federation.path, 'kubectl', mcc, this.#signal);
    const appliedMs = this.#elapsedMs;
    this.#note(`ringmaster runs; applied config/samples/three-regions.yaml to ${hub}`);

    await this.#formed(federation, controller);
    const formedMs = this.#elapsedMs;
    this.#note(
      `one ring of ${regionNames.length} regions: ${seconds(formedMs)} after the start, ${seconds(formedMs - appliedMs)} after apply`,
    );
    await this.#prove(federation, regions.runId);
    if (this.#options.once) return;

    const address = await federation.podAddress(hub, `${name}-${hub}-rack1-0`);
    screen.say(`\n${whatToTry(regions, { name, namespace, controllerLog: controller.logFile, address })}`);
    await this.#stayUp(federation, controller);
  }

  /** Copies what explains a failure to where {@link clear} does not remove it. */
  keepLogs(): void {
    if (this.#regions) this.#screen.say(`Its logs: ${keepLogs(this.#regions.directory)}`);
  }

  /** Ends and removes all there is. */
  async clear(): Promise<void> {
    if (!this.#regions) return;
    this.#screen.say('\nRemoving all of it ...');
    await this.#regions.stop();
    this.#screen.say('Nothing is left.');
  }

  async #formed(federation: Federation, controller: ControllerProcess): Promise<void> {
    let progress: Progress | undefined;
    await waitFor(
      async () => {
        progress = await look(federation, this.#signal);
        this.#show(progress);
        if (!progress.ready) throw new Error(progress.doing);
        return true;
      },
      {
        what: 'one ring',
        timeoutMs: formationTimeoutMs,
        intervalMs: lookIntervalMs,
        signal: this.#signal,
        giveUp: () => (controller.running ? progress?.refused : controllerEnded(controller)),
      },
    );
    this.#screen.keep();
  }

  async #prove(federation: Federation, runId: string): Promise<void> {
    const screen = this.#screen;
    const seen = await waitFor(
      async () => {
        const views = await readHostViews(federation);
        const why = doubt(views, regionNames);
        if (why) throw new Error(why);
        return views;
      },
      { what: 'every node to see the same hosts', timeoutMs: proofTimeoutMs, signal: this.#signal },
    );
    screen.say('\nThe ring as the nodes themselves see it, asked one by one through their own API servers:\n');
    screen.say(hostTable(seen).join('\n'));
    screen.say(`\nAll ${regionNames.length} see the same hosts.`);

    const nodes: CqlNode[] = [];
    for (const region of regionNames)
      for (const pod of await federation.pods(region))
        nodes.push({ datacenter: region, address: pod.status.podIP ?? '' });
    const [first, ...others] = nodes;
    if (!first) throw new Error('there is no node to write to');
    const statements = await writeAndRead([first, ...others], { id: runId, message: 'written in eu' }, this.#signal);
    screen.say('\nA row written in eu, and read from the copies in us and ap:\n');
    screen.say(table(statements).join('\n'));
  }

  /** Says what changes, until the signal. */
  async #stayUp(federation: Federation, controller: ControllerProcess): Promise<void> {
    let silent: string | undefined;
    while (!this.#signal.aborted) {
      try {
        if (!controller.running) throw new Error(controllerEnded(controller));
        this.#say(await look(federation, this.#signal));
        silent = undefined;
      } catch (error) {
        const { message } = error as Error;
        if (message !== silent && !this.#signal.aborted) this.#note(`cannot see: ${message}`);
        silent = message;
      }
      await delay(lookIntervalMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  #show(progress: Progress): void {
    if (this.#screen.terminal) {
      this.#screen.show(progressBlock(progress, this.#elapsedMs));
      this.#shown = progress;
    } else this.#say(progress);
  }

  #say(progress: Progress): void {
    for (const line of changes(this.#shown, progress, this.#elapsedMs)) this.#screen.say(line);
    this.#shown = progress;
  }

  #note(text: string): void {
    this.#screen.say(`${this.elapsed}  ${text}`);
  }
}

async function look(federation: Federation, signal: AbortSignal): Promise<Progress> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(lookTimeoutMs)]);
  const pods = new Map<string, PodObject[]>();
  const lists = federation.regions.all.map(async ({ name, api }) => {
    const path = `/api/v1/namespaces/${federation.namespace}/pods?labelSelector=cassandracluster%3D${federation.name}`;
    pods.set(name, await api.list<PodObject>(path, soon));
  });
  const [mcc] = await Promise.all([federation.hub.get<Mcc>(federation.path, soon), Promise.allSettled(lists)]);
  return readProgress(mcc, pods);
}

function controllerEnded(controller: ControllerProcess): string {
  const last = controller.log().at(-1);
  return `the controller has ended: ${last?.message ?? `see ${controller.logFile}`}`;
}

function introduction(): string {
  const binary = process.env['CASSKOP_BIN'];
  const operator = binary
    ? `the real CassKop: ${binary}`
    : "a stand-in that does to objects what CassKop does, at CassKop's pace (CASSKOP_BIN=/path/to/casskop runs the real one)";
  return `One Cassandra ring over three Kubernetes control planes, on this machine.
Real: etcd, API servers, controller managers, Cassandra 5.0.8, ringmaster. Played: kubelets and DNS.
Regional operator: ${operator}.
About a minute from here with everything built; the first time some minutes more, which will be said.
`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
