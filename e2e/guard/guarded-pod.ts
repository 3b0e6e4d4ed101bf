import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { waitFor } from '../harness/wait-for.ts';
import { guardData } from '../../src/federation/guard/guard.ts';

type GuardContent = Parameters<typeof guardData>[0];

const timeoutMs = 300_000;

/** The init container `bootstrap` of one pod, as far as the guard's scripts see it. */
export class GuardedPod implements Disposable {
  readonly name: string;
  readonly #directory: string;
  readonly #environment: Record<string, string>;
  readonly #scripts: ScriptRun[] = [];
  #version = 0;

  constructor(options: {
    name: string;
    seeds: readonly string[];
    clusterName?: string;
    environment?: Readonly<Record<string, string>>;
  }) {
    this.name = options.name;
    this.#directory = mkdtempSync(join(tmpdir(), 'guarded-pod-'));
    for (const name of ['configmap', 'conf', 'programs']) mkdirSync(this.path(name));
    writeFileSync(this.path('programs', 'hostname'), `#!/bin/sh\necho '${this.name}'\n`, { mode: 0o755 });
    this.#environment = {
      PATH: [this.path('programs'), process.env['PATH']].join(delimiter),
      CONFIGMAP: this.path('configmap'),
      CASSANDRA_CONF: this.path('conf'),
      CASSANDRA_TOOLS: this.path('programs'),
      CASSANDRA_SEEDS: options.seeds.join(','),
      CASSANDRA_CLUSTER_NAME: options.clusterName ?? 'orders',
      POD_IP: '198.18.1.11',
      http_proxy: 'http://127.0.0.1:1', // a proxy for the world outside; seeds are never behind it
      ...options.environment,
    };
    symlinkSync(curl(), this.path('programs', 'curl'));
  }

  path(...names: string[]): string {
    return join(this.#directory, ...names);
  }

  /** Shows the ConfigMap's keys as files, all swapped at once, as a kubelet does. */
  configure(data: Readonly<Record<string, string>>): void {
    this.#version += 1;
    const version = `..version${this.#version}`;
    mkdirSync(this.path('configmap', version));
    for (const [key, text] of Object.entries(data)) {
      writeFileSync(this.path('configmap', version, key), text, { mode: 0o755 });
      if (!existsSync(this.path('configmap', key))) symlinkSync(join('..data', key), this.path('configmap', key));
    }
    symlinkSync(version, this.path('configmap', '..data.new'));
    renameSync(this.path('configmap', '..data.new'), this.path('configmap', '..data'));
  }

  /** The same for a guard; what is not given is empty, and the wait 600 s. */
  guard(content: Partial<GuardContent>): void {
    this.configure(guardData({ ignition: [], joined: [], waitSeconds: 600, ...content }));
  }

  /** `founder`, `member` or `waited` once pre_run.sh let the pod start alone. */
  get marker(): string | undefined {
    const file = this.path('conf', '.ringmaster-alone');
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  }

  set marker(text: string) {
    writeFileSync(this.path('conf', '.ringmaster-alone'), `${text}\n`);
  }

  run(script: 'pre_run.sh' | 'post_run.sh'): ScriptRun {
    const started = new ScriptRun(this.path('configmap', script), this.#environment);
    this.#scripts.push(started);
    return started;
  }

  [Symbol.dispose](): void {
    for (const script of this.#scripts) script.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A guard script under way. */
export class ScriptRun {
  readonly #child: ChildProcess;
  #output = '';

  constructor(script: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(script, [], { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
  }

  /** What it said so far, errors included. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async exitCode(): Promise<number | null> {
    if (this.running) await once(this.#child, 'close', { signal: AbortSignal.timeout(timeoutMs) });
    return this.#child.exitCode;
  }

  /** Waits until it says so; fails if it ends before. */
  async says(pattern: RegExp): Promise<void> {
    await waitFor(() => pattern.test(this.#output) || this.#fail(), {
      what: `the script to say ${String(pattern)}`,
      timeoutMs,
      intervalMs: 50,
      giveUp: () => (this.running || pattern.test(this.#output) ? undefined : 'it has ended'),
    });
  }

  /** Ends the script and what it started. */
  kill(): void {
    if (this.running && this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
  }

  #fail(): never {
    throw new Error(`so far it said:\n${this.#output}`);
  }
}

function curl(): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'curl'))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error('the guard scripts need curl, and it is not on PATH');
  return found;
}
