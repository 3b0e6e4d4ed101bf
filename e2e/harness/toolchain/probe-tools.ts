import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheRoot } from './cache.ts';

/**
 * A directory with a program `curl`: the system's own where there is one, else a stand-in that knows what the guard
 * scripts use of it.
 */
export function findProbeTools(): string {
  const directory = join(cacheRoot(), 'probe-tools');
  mkdirSync(directory, { recursive: true });
  const curl = join(directory, 'curl');
  const installed = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'curl'))
    .find((path) => existsSync(path));
  const temporary = `${curl}.${process.pid}`;
  if (installed) symlinkSync(installed, temporary);
  else {
    const standIn = join(import.meta.dirname, 'curl.ts');
    writeFileSync(temporary, `#!/bin/sh\nexec '${process.execPath}' '${standIn}' "$@"\n`);
    chmodSync(temporary, 0o755);
  }
  renameSync(temporary, curl);
  return directory;
}
