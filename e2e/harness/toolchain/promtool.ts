import { mkdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';
import { cached } from './cache.ts';

const fetchTimeoutMs = 5 * 60_000;

/**
 * Prometheus's promtool: the one on PATH, else that of Debian's package `prometheus`, fetched once into the cache and
 * installed nowhere. Undefined, with a line on standard error that says why, on machines where neither can be had.
 */
export async function findPromtool(signal: AbortSignal): Promise<string | undefined> {
  try {
    await command('promtool', ['--version']);
    return 'promtool';
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
  }
  try {
    return join(await cached('promtool', { files: [], text: 'debian' }, fetch, signal), 'usr/bin/promtool');
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    console.error(`no promtool here: ${error.message}`);
    return undefined;
  }
}

async function fetch(directory: string): Promise<void> {
  const download = join(directory, 'package');
  mkdirSync(download);
  await command('apt-get', ['download', 'prometheus'], { cwd: download, timeoutMs: fetchTimeoutMs });
  const [file = ''] = await readdir(download);
  await command('dpkg-deb', ['--extract', join(download, file), directory], { timeoutMs: fetchTimeoutMs });
  // Of the package's 80 MB only this program is used, and it has to run here.
  await rm(download, { recursive: true });
  await rm(join(directory, 'usr/bin/prometheus'), { force: true });
  await command(join(directory, 'usr/bin/promtool'), ['--version']);
}
