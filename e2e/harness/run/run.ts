import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import { requireTools } from '../toolchain/required-tools.ts';
import { Journal } from './journal.ts';
import { identify, killAll, type ProcessIdentity } from './processes.ts';
import { slotCount, takeSlot, type HeldSlot } from './slot.ts';

/** A program of a run: its process, and how to end exactly that process. */
export interface RunProcess {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * One use of the harness. It holds a slot, from which every name and address follows, so two runs cannot collide; and
 * it writes down what it makes before it makes it, so that the next run on this machine can remove it whatever ends
 * this one.
 */
export class Run {
  readonly slot: number;
  /** Unique over all runs; also the name of the run's directory. */
  readonly id: string;
  /** Holds everything the run writes: data, logs, kubeconfigs. Gone after {@link stop}. */
  readonly directory: string;
  readonly #held: HeldSlot;
  readonly #journal: Journal;

  private constructor(held: HeldSlot, journal: Journal) {
    this.slot = held.number;
    this.id = `rm${held.number}-${randomBytes(4).toString('hex')}`;
    this.directory = join(tmpdir(), 'ringmaster-harness', this.id);
    this.#held = held;
    this.#journal = journal;
  }

  /**
   * Cleans up after runs that died, takes the first free slot and makes the run's directory.
   * @throws HarnessError NoFreeSlot when 32 runs live; ToolMissing without root's rights or a tool.
   */
  static async start(): Promise<Run> {
    await requireTools();
    let own: HeldSlot | undefined;
    for (let number = 0; number < slotCount; number += 1) {
      const journal = new Journal(number);
      if (own && !journal.exists()) continue;
      const held = await takeSlot(number);
      if (!held) continue;
      if (journal.exists()) await journal.undo();
      if (own) await held.release();
      else own = held;
    }
    if (!own) throw new HarnessError('NoFreeSlot', `All ${slotCount} slots are taken by living runs of the harness.`);
    const journal = new Journal(own.number);
    const run = new Run(own, journal);
    journal.begin();
    run.makeDirectory(run.directory);
    return run;
  }

  /** Notes a network namespace of the run; call before making it. */
  recordNamespace(name: string): void {
    this.#journal.record({ kind: 'namespace', name });
  }

  /** Notes a link in the machine's own network namespace; call before making it. */
  recordLink(name: string): void {
    this.#journal.record({ kind: 'link', name });
  }

  /** Notes a route, as `ip route` spells it, in the machine's own network namespace; call before adding it. */
  recordRoute(route: string): void {
    this.#journal.record({ kind: 'route', route });
  }

  /** Makes a directory that goes away with the run. */
  makeDirectory(path: string): void {
    this.#journal.record({ kind: 'directory', path });
    mkdirSync(path, { recursive: true });
  }

  /**
   * Starts a program that dies with this process, in a network namespace if one is given. Its output goes to `log`.
   * It does not keep this process alive.
   */
  spawn(
    argv: readonly string[],
    options: { log: string; namespace?: string; env?: NodeJS.ProcessEnv; cwd?: string },
  ): RunProcess {
    const inNamespace = options.namespace ? ['ip', 'netns', 'exec', options.namespace, ...argv] : argv;
    // The kernel ends the child when the thread that started it ends, even by SIGKILL: prctl(2), PR_SET_PDEATHSIG.
    const args = ['--pdeathsig', 'KILL', '--', ...inNamespace];
    const log = openSync(options.log, 'a');
    const child = spawn('setpriv', args, {
      stdio: ['ignore', log, log],
      cwd: options.cwd ?? this.directory,
      env: options.env ?? process.env,
    });
    closeSync(log);
    if (child.pid === undefined)
      throw new HarnessError('ToolMissing', 'setpriv is missing: install util-linux, the package it belongs to.');
    const identity = identify(child.pid) ?? { pid: child.pid, startTime: 0 };
    this.#journal.record({ kind: 'process', ...identity });
    child.unref();
    return { child, identity, kill: async () => void (await killAll([identity])) };
  }

  /** Ends every process of the run and removes all it made. Safe to call twice. */
  async stop(): Promise<void> {
    await this.#journal.undo();
    await this.#held.release();
  }
}
