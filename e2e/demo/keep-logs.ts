import { cpSync, lstatSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

// What is large, or mounted, or of no use to a reader.
const leftOut = new Set(['etcd', 'volumes', 'sandbox', 'bin']);

/** Copies every log below `directory` to a new directory that stays, and returns its path. */
export function keepLogs(directory: string): string {
  const kept = mkdtempSync(join(tmpdir(), 'ringmaster-demo-logs-'));
  cpSync(directory, kept, {
    recursive: true,
    filter: (path) => (lstatSync(path).isDirectory() ? !leftOut.has(basename(path)) : path.endsWith('.log')),
  });
  return kept;
}
