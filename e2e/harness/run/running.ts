import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journalDirectory } from './journal.ts';
import { bootId, identify, isRunning, type ProcessIdentity } from './processes.ts';

/** Regions that a person started with `up` are noted here, so that `down` finds them from another shell. */
const prefix = 'up-';

function file(pid: number): string {
  return join(journalDirectory, `${prefix}${pid}.json`);
}

/** Where `up` in the background writes; each one anew. */
export function upLog(): string {
  mkdirSync(journalDirectory, { recursive: true, mode: 0o700 });
  return join(journalDirectory, 'up.log');
}

export function rememberRunning(): void {
  mkdirSync(journalDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(file(process.pid), JSON.stringify({ ...identify(process.pid), bootId: bootId() }));
}

export function forgetRunning(): void {
  rmSync(file(process.pid), { force: true });
}

/** The processes noted that still run; notes of others are removed. */
export function listRunning(): ProcessIdentity[] {
  mkdirSync(journalDirectory, { recursive: true, mode: 0o700 });
  return readdirSync(journalDirectory)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .flatMap((name) => {
      const path = join(journalDirectory, name);
      const noted = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity & { bootId: string };
      if (noted.bootId === bootId() && isRunning(noted)) return [noted];
      rmSync(path, { force: true });
      return [];
    });
}
