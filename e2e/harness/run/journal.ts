import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { bootId, identify, killAll, type ProcessIdentity } from './processes.ts';

/** Something a run makes outside its own memory. Written down before it is made, so that nothing can be forgotten. */
export type JournalEntry =
  | { kind: 'boot'; id: string }
  | ({ kind: 'process' } & ProcessIdentity)
  | { kind: 'namespace'; name: string }
  | { kind: 'link'; name: string }
  | { kind: 'route'; route: string }
  | { kind: 'directory'; path: string };

/**
 * Journals of all runs of this machine. Not under TMPDIR: network namespaces and addresses belong to the whole
 * machine, so every run must see every journal.
 */
export const journalDirectory = '/tmp/ringmaster-harness';

/** The list of what one slot's run has made, as a file of one JSON object a line. */
export class Journal {
  readonly #file: string;

  constructor(slot: number) {
    this.#file = join(journalDirectory, `slot-${slot}.jsonl`);
  }

  exists(): boolean {
    return existsSync(this.#file);
  }

  begin(): void {
    mkdirSync(journalDirectory, { recursive: true, mode: 0o700 });
    this.record({ kind: 'boot', id: bootId() });
  }

  record(entry: JournalEntry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  /**
   * Removes everything recorded, processes first, then the journal itself. Processes are ended only if pid and start
   * time match, or if they run inside a recorded network namespace, where nobody else has business.
   */
  async undo(): Promise<void> {
    const entries = this.#read();
    const sameBoot = entries.some((entry) => entry.kind === 'boot' && entry.id === bootId());
    const namespaces = entries.filter((entry) => entry.kind === 'namespace').map((entry) => entry.name);
    if (sameBoot) await killAll(entries.filter((entry) => entry.kind === 'process'));
    for (const namespace of namespaces) await killAll(await processesIn(namespace));
    for (const namespace of namespaces) await ignoreMissing(command('ip', ['netns', 'delete', namespace]));
    for (const entry of entries) {
      if (entry.kind === 'link') await ignoreMissing(command('ip', ['link', 'delete', entry.name]));
      if (entry.kind === 'route') await ignoreMissing(command('ip', ['route', 'delete', ...entry.route.split(' ')]));
      if (entry.kind === 'directory') await rm(entry.path, { recursive: true, force: true, maxRetries: 5 });
    }
    rmSync(this.#file, { force: true });
  }

  #read(): JournalEntry[] {
    if (!this.exists()) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as JournalEntry];
      } catch {
        // The last line of a run that was killed while it wrote, or the empty end: what it named was never made.
        return [];
      }
    });
  }
}

async function processesIn(namespace: string): Promise<ProcessIdentity[]> {
  const output = await ignoreMissing(command('ip', ['netns', 'pids', namespace]));
  return (output ?? '').split('\n').flatMap((line) => identify(Number(line)) ?? []);
}

/** What is recorded may never have been made, or be gone already; both are what undo wants. */
async function ignoreMissing(removal: Promise<string>): Promise<string | undefined> {
  try {
    return await removal;
  } catch (error) {
    if (/No such (file|process)|Cannot find device|not exist/i.test((error as Error).message)) return undefined;
    throw error;
  }
}
