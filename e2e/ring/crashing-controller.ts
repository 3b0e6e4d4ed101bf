import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../harness/index.ts';
import { ControllerProxies } from '../proxy/controller-proxies.ts';
import { aborted } from '../proxy/hold.ts';
import type { Write } from '../proxy/write.ts';
import { ControllerProcess } from './controller-process.ts';
import { type Federation, formationTimeoutMs } from './federation.ts';

/**
 * When the controller dies of a write. `reply lost`: the server has done it, and the controller was not told.
 * `reply delivered`: it was told, and did nothing of what comes next.
 */
export type CrashStyle = 'reply lost' | 'reply delivered';

export interface Crash {
  readonly write: Write;
  readonly style: CrashStyle;
}

export interface CrashingControllerOptions {
  readonly crash: CrashSchedule;
  /** More writes than that, and it counts as one that does not end; default 400. */
  readonly writesMax?: number;
}

/** Asked once for every write before its server sees it: whether this life of the controller ends with it, and how. */
export type CrashSchedule = (write: Write) => CrashStyle | undefined;

/** No write for so long, and the formation counts as finished. Milliseconds. */
const quietMs = 2_000;
/** A formation has some 30 to 50 writes, and several times as many if the controller dies often. */
const usualWritesMax = 400;

/**
 * A controller for one namespace of the hub that is killed with SIGKILL at chosen writes and started again each time.
 * From the write it dies of until it is dead, nothing else that it sends reaches a server.
 */
export class CrashingController {
  /** The writes that it died of. */
  readonly crashes: Crash[] = [];
  readonly #federation: Federation;
  /** Whether it dies of a write from now on, and how. */
  crash: CrashSchedule;
  readonly #writesMax: number;
  readonly #proxies: ControllerProxies;
  #process: ControllerProcess;
  /** How often its earlier lives have said that they run: one that dies early never does. */
  #startsBefore = 0;
  #dyingOf: Crash | undefined;
  #lastWriteAt = performance.now();
  #trouble: Error | undefined;

  private constructor(federation: Federation, proxies: ControllerProxies, options: CrashingControllerOptions) {
    this.#federation = federation;
    this.crash = options.crash;
    this.#writesMax = options.writesMax ?? usualWritesMax;
    this.#proxies = proxies;
    proxies.use({
      arrived: (write, signal) => this.#arrived(write, signal),
      answered: async (write, _status, signal) => {
        // A reply that nobody waits for any more is as good as lost.
        if (this.#dyingOf?.write !== write || (this.#dyingOf.style !== 'reply lost' && !signal.aborted))
          return undefined;
        await this.#startAgain();
        return 'drop';
      },
      replied: async (write) => {
        if (this.#dyingOf?.write === write) await this.#startAgain();
      },
    });
    this.#process = this.#startProcess();
  }

  static async start(federation: Federation, options: CrashingControllerOptions): Promise<CrashingController> {
    const { regions, namespace, name } = federation;
    const proxies = await ControllerProxies.start({
      targets: regions.all.map(({ controlPlane }) => controlPlane),
      directory: regions.directory,
      name,
      namespace,
    });
    return new CrashingController(federation, proxies, options);
  }

  get writes(): readonly Write[] {
    return this.#proxies.writes;
  }

  /** Waits until the federation is Ready, by the word of the controller's last life, and nothing is written any more. */
  async finished(): Promise<void> {
    await this.restsWhen(`${this.#federation.name} to be Ready`, async () => {
      const ready = await this.#federation.condition('Ready');
      if (ready?.status !== 'True') throw new Error(JSON.stringify(ready));
    });
  }

  /** Waits until its last life runs, `holds` does not throw, and nothing is written any more. */
  async restsWhen(what: string, holds: () => Promise<void>): Promise<void> {
    await waitFor(
      async () => {
        if (this.#trouble) throw this.#trouble;
        await holds();
        if (starts(this.#process) <= this.#startsBefore) throw new Error('the controller is starting again');
        if (performance.now() - this.#lastWriteAt < quietMs) throw new Error('the controller still writes');
        return true;
      },
      {
        what,
        timeoutMs: formationTimeoutMs,
        intervalMs: 500,
        giveUp: () => this.#trouble?.message ?? this.#ownEnd(),
      },
    );
  }

  /** Ends it for good, without a crash if it lives. */
  async stop(): Promise<void> {
    await this.#process.stop();
    await this.#proxies.close();
  }

  async #arrived(write: Write, signal: AbortSignal): Promise<'drop' | undefined> {
    this.#lastWriteAt = performance.now();
    if (this.#dyingOf) {
      await aborted(signal);
      return 'drop';
    }
    if (write.number > this.#writesMax)
      this.#trouble = new Error(`it does not end: it has written ${this.#writesMax} times`);
    const style = this.crash(write);
    if (style) {
      this.#dyingOf = { write, style };
      this.crashes.push(this.#dyingOf);
    }
    return undefined;
  }

  /** Nobody starts a controller again here that ends by itself, as one does that cannot be loaded. */
  #ownEnd(): string | undefined {
    if (this.#process.running || this.#dyingOf) return undefined;
    return `the controller ended by itself:\n${readFileSync(this.#process.logFile, 'utf8').slice(-1_000)}`;
  }

  async #startAgain(): Promise<void> {
    await this.#process.kill();
    this.#proxies.disconnect();
    this.#dyingOf = undefined;
    this.#lastWriteAt = performance.now();
    this.#startsBefore = starts(this.#process);
    this.#process = this.#startProcess();
  }

  #startProcess(): ControllerProcess {
    const { regions, name } = this.#federation;
    return new ControllerProcess(regions, {
      kubeconfig: this.#proxies.kubeconfig,
      name,
      leaderElect: false,
      // A formation takes a few seconds; to compile the same program again each time would take half of them.
      env: { ...process.env, NODE_COMPILE_CACHE: join(regions.directory, 'compile-cache') },
    });
  }
}

function starts(process: ControllerProcess): number {
  return process.log().filter(({ message }) => message === 'ringmaster runs').length;
}
