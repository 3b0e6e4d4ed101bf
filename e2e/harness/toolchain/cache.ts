import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The user's cache of built and fetched things, outside every checkout. */
export function cacheRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ringmaster');
}

/**
 * A directory of the cache whose name follows from the content of `key`. If it is not there yet, `make` fills a
 * directory beside it, which then takes the name; so what is in the cache is always whole. Two processes never make
 * the same thing at once: the second waits for the first, and goes on by itself if the first dies.
 */
export async function cached(
  what: string,
  key: { files: readonly string[]; text?: string },
  make: (directory: string) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for (const file of key.files) hash.update(readFileSync(file)).update('\0');
  if (key.text !== undefined) hash.update(key.text);
  const directory = join(cacheRoot(), `${what}-${hash.digest('hex')}`);
  if (existsSync(directory)) return directory;
  mkdirSync(cacheRoot(), { recursive: true });
  const unlock = await lock(directory, signal);
  try {
    if (existsSync(directory)) return directory;
    const unfinished = `${directory}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished);
    await make(unfinished);
    renameSync(unfinished, directory);
    return directory;
  } finally {
    unlock();
  }
}

/** A lock that the kernel opens when its holder dies: a listening socket in Linux's abstract namespace. */
async function lock(name: string, signal: AbortSignal): Promise<() => void> {
  // Such a name has at most 107 bytes: unix(7).
  const path = `\0ringmaster-${createHash('sha256').update(name).digest('hex')}`;
  for (let waited = false; ; waited = true) {
    const server = createServer((socket) => socket.destroy());
    const held = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
      );
      server.listen({ path }, () => resolve(true));
    });
    if (held) return () => void server.close();
    if (!waited) console.error(`another process is making ${name}; waiting for it`);
    await delay(1000, undefined, { signal });
  }
}
