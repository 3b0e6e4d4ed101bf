import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Regions, waitFor } from '../harness/index.ts';

/** What runs as `ringmaster`. */
export const main = join(import.meta.dirname, '../../src/cli/main.ts');

export interface ControllerOptions {
  /** Contexts in order, the hub first; default: all regions of the run. */
  contexts?: readonly string[];
  /** More arguments of `ringmaster run`. */
  arguments?: readonly string[];
  /** Default: the run's kubeconfig for the controller. */
  kubeconfig?: string;
  /** Name of its log file in the run's directory; each controller of a test needs its own. */
  name?: string;
  /** Of /healthz, /readyz and /metrics; default: a free one. */
  port?: number;
  /** Default: true. False where several controllers have a part of the hub each, or one dies again and again. */
  leaderElect?: boolean;
  /** Default: this process's own. */
  env?: NodeJS.ProcessEnv;
}

/** What a controller needs of the run that it belongs to. */
export type Home = Pick<Regions, 'directory' | 'controllerKubeconfig' | 'spawn'> & {
  readonly all: readonly { readonly name: string }[];
};

/** `ringmaster run` as a process of its own, as a user runs it. It ends with the run at the latest. */
export class ControllerProcess {
  readonly logFile: string;
  readonly #process: ReturnType<Regions['spawn']>;

  constructor(regions: Home, options: ControllerOptions = {}) {
    this.logFile = join(regions.directory, `controller-${options.name ?? 'main'}.log`);
    const contexts = options.contexts ?? regions.all.map((region) => region.name);
    this.#process = regions.spawn(
      [
        process.execPath,
        main,
        'run',
        '--kubeconfig',
        options.kubeconfig ?? regions.controllerKubeconfig,
        ...contexts.flatMap((context) => ['--context', context]),
        `--leader-elect=${options.leaderElect ?? true}`,
        '--port',
        String(options.port ?? 0),
        ...(options.arguments ?? []),
      ],
      { log: this.logFile, ...(options.env && { env: options.env }) },
    );
  }

  get pid(): number {
    return this.#process.identity.pid;
  }

  get running(): boolean {
    return this.#process.child.exitCode === null && this.#process.child.signalCode === null;
  }

  /** Asks it to stop, and resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.ended();
  }

  /** Resolves with its exit code when it has ended. */
  async ended(): Promise<number | null> {
    if (!this.running) return this.#process.child.exitCode;
    // The run does not let its processes keep this one alive; whoever waits for the end of one does.
    this.#process.child.ref();
    await once(this.#process.child, 'exit');
    return this.#process.child.exitCode;
  }

  /** SIGSTOP lets it stand still, as one whose machine sleeps, until SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    this.#process.child.kill(name);
  }

  /** SIGKILL: whatever it was doing stays half done. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Waits until it runs, and resolves with the port of /healthz, /readyz and /metrics. */
  async port(): Promise<number> {
    const line = await waitFor(() => this.log().find(({ message }) => message === 'ringmaster runs'), {
      what: 'the controller to run',
      timeoutMs: 300_000,
      giveUp: () => (this.running ? undefined : `it has ended, see ${this.logFile}`),
    });
    return Number(line['port']);
  }

  /** Its log, one object a line. */
  log(): { level: string; message: string; [field: string]: unknown }[] {
    if (!existsSync(this.logFile)) return [];
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { level: string; message: string });
  }
}
