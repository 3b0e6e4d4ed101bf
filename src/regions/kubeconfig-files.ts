import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Clock, sleep } from '../edges/clock.ts';
import { contextFrom, ContextError, fingerprintOf, parseKubeconfig, partsOf, unreadable } from '../kube/contexts.ts';
import type { RefusedRegistration, Registration, RegistrationSource } from './registration.ts';
import type { Tenancy } from './tenancy.ts';

export interface KubeconfigFilesOptions {
  /** Files, and directories of which every file counts whose name does not begin with a dot. */
  paths: readonly string[];
  /** Only these contexts; default: all. */
  contexts?: ReadonlySet<string>;
  tenancyOf: (context: string) => Tenancy;
  clock: Clock;
}

/** Longest time between two looks at all files, milliseconds; a notification of the file system brings the next one sooner. */
const lookEveryMs = 5_000;
/** A changed file counts once it reads the same after this time: before, somebody may still be writing. Milliseconds. */
const settleMs = 200;

interface ReadFile {
  readonly hash: string;
  /** All contexts of the file, wanted or not. */
  readonly contexts: readonly string[];
  /** What is registered of it: of its last version that could be used. */
  readonly good: readonly (Registration | RefusedRegistration)[];
  /** Why its present version cannot be used. */
  readonly problem: string | undefined;
}

/**
 * Regions from kubeconfig files, one for each context. Files that come, change and go while it runs count; one that
 * cannot be used, half-written perhaps, keeps what it said before.
 */
export class KubeconfigFiles implements RegistrationSource {
  readonly pending = undefined;
  readonly #options: KubeconfigFilesOptions;
  /** Whether a directory is among the paths: files may be put there. */
  mayGrow = false;
  #files = new Map<string, ReadFile>();
  /** By path that was given: why it names no files. */
  #lost = new Map<string, ContextError>();
  #nudge = new AbortController();

  private constructor(options: KubeconfigFilesOptions) {
    this.#options = options;
  }

  /** Reads all of them once. */
  static async open(options: KubeconfigFilesOptions): Promise<KubeconfigFiles> {
    const files = new KubeconfigFiles(options);
    files.mayGrow = (await Promise.all(options.paths.map(isDirectory))).includes(true);
    await files.#look();
    return files;
  }

  /** Every context of every file, whether it is asked for or not. */
  get contextNames(): string[] {
    return [...new Set([...this.#files.values()].flatMap(({ contexts }) => contexts))].sort();
  }

  read(): (Registration | RefusedRegistration)[] {
    const lost = [...this.#lost].map(([origin, { message }]) => ({ name: undefined, origin, problem: message }));
    const found = [...this.#files].flatMap(([file, { good, problem }]): (Registration | RefusedRegistration)[] => {
      if (problem === undefined) return [...good];
      const named = good.map(({ name, origin, tenancy }) => ({ name, origin, problem, ...(tenancy && { tenancy }) }));
      return [{ name: undefined, origin: `kubeconfig ${file}`, problem }, ...named];
    });
    return [...lost, ...found];
  }

  async run(signal: AbortSignal, onChange: () => void): Promise<void> {
    const { clock } = this.#options;
    const watchers = new Map<string, FSWatcher>();
    while (!signal.aborted) {
      // Before the look, so that nothing falls between the two.
      this.#nudge = new AbortController();
      await this.#watchFolders(watchers);
      if (await this.#look(signal)) onChange();
      await sleep(clock, lookEveryMs, AbortSignal.any([signal, this.#nudge.signal])).catch(() => undefined);
      // A folder in which something is written all the time is looked at now and then all the same.
      await sleep(clock, settleMs, signal).catch(() => undefined);
    }
    for (const watcher of watchers.values()) watcher.close();
  }

  /** Reads what there is. Resolves with whether that is something else than before. */
  async #look(signal?: AbortSignal): Promise<boolean> {
    const before = this.#digest();
    const lost = new Map<string, ContextError>();
    const files = new Map<string, ReadFile>();
    for (const path of this.#options.paths) {
      for (const file of await filesOf(path).catch((error: unknown) => (lost.set(path, unreadable(path, error)), []))) {
        if (files.has(file)) continue;
        const read = await this.#readFile(file, signal).catch((error: unknown) => unreadable(file, error));
        if (!(read instanceof ContextError)) files.set(file, read);
        else if (read.code !== 'FileMissing') files.set(file, this.#broken(file, read.message, read.message));
        else if (file === path) lost.set(path, read);
      }
    }
    this.#lost = lost;
    this.#files = files;
    return this.#digest() !== before;
  }

  async #readFile(file: string, signal: AbortSignal | undefined): Promise<ReadFile> {
    const known = this.#files.get(file);
    const text = await readFile(file, 'utf8');
    if (known?.hash === hashOf(text)) return known;
    return this.#parse(file, signal ? await this.#settled(file, text, signal) : text);
  }

  /** What the file holds once it stops changing. */
  async #settled(file: string, before: string, signal: AbortSignal): Promise<string> {
    await sleep(this.#options.clock, settleMs, signal).catch(() => undefined);
    const text = await readFile(file, 'utf8');
    return text === before || signal.aborted ? text : this.#settled(file, text, signal);
  }

  #parse(file: string, text: string): ReadFile {
    const { contexts: wanted } = this.#options;
    try {
      const config = parseKubeconfig(text, file);
      const names = [...new Set((config.contexts ?? []).map(({ name }) => name))];
      if (names.length === 0) throw new ContextError('NoContexts', `${file}: defines no contexts`);
      const good = names
        .filter((name) => !wanted || wanted.has(name))
        .map((name) => this.#register(file, name, () => partsOf(config, name, file)));
      return { hash: hashOf(text), contexts: names, good, problem: undefined };
    } catch (error) {
      if (!(error instanceof ContextError)) throw error;
      return this.#broken(file, hashOf(text), error.message);
    }
  }

  #register(file: string, name: string, parts: () => ReturnType<typeof partsOf>): Registration | RefusedRegistration {
    const origin = `kubeconfig ${file}, context ${name}`;
    const tenancy = this.#options.tenancyOf(name);
    const folder = dirname(resolve(file));
    try {
      const found = parts();
      const fingerprint = fingerprintOf(found, folder);
      return { name, origin, context: contextFrom(found, file, folder), tenancy, fingerprint };
    } catch (error) {
      if (!(error instanceof ContextError)) throw error;
      return { name, origin, problem: error.message, tenancy };
    }
  }

  #broken(file: string, hash: string, problem: string): ReadFile {
    const { good = [], contexts = [] } = this.#files.get(file) ?? {};
    return { hash, contexts, good, problem };
  }

  #digest(): string {
    const files = [...this.#files].map(([file, { hash, problem }]) => [file, hash, problem]);
    return JSON.stringify([files, [...this.#lost].map(([path, { message }]) => [path, message])]);
  }

  /** Watches the folders that hold the files: a mounted Secret changes by a link beside them that is turned. */
  async #watchFolders(watchers: Map<string, FSWatcher>): Promise<void> {
    for (const path of this.#options.paths) {
      const folder = (await isDirectory(path)) ? path : dirname(resolve(path));
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#nudge.abort());
        // The next look comes all the same, and watches again.
        watcher.on('error', () => {
          watcher.close();
          watchers.delete(folder);
        });
        watchers.set(folder, watcher);
      } catch {
        // Not there yet, or no watches left: files are looked at now and then anyway.
      }
    }
  }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await isDirectory(path))) return [path];
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
  const files = names.map((name) => join(path, name));
  const directories = await Promise.all(files.map(isDirectory));
  return files.filter((_, index) => !directories[index]);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
