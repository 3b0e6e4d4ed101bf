import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheRoot } from '../harness/toolchain/cache.ts';

const run = promisify(execFile);
const downloadTimeoutMs = 120_000;

/**
 * The shellcheck on PATH or in the cache; else Debian's, unpacked into the cache.
 * @returns undefined, with a sentence through `say`, where there is none to be had
 */
export async function findShellcheck(say: (sentence: string) => void): Promise<string | undefined> {
  const cached = join(cacheRoot(), 'shellcheck');
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), join(cached, 'usr', 'bin')];
  for (const directory of directories) {
    const program = join(directory, 'shellcheck');
    if (await isProgram(program)) return program;
  }
  try {
    await download(cached);
    return join(cached, 'usr', 'bin', 'shellcheck');
  } catch (error) {
    say(`shellcheck is neither installed nor to be had from the package archive: ${String(error)}`);
    return undefined;
  }
}

/** Unpacks the package beside its place and moves it there as a whole, so that a half of it is never taken for it. */
async function download(destination: string): Promise<void> {
  await mkdir(cacheRoot(), { recursive: true });
  const directory = await mkdtemp(join(cacheRoot(), 'shellcheck-'));
  try {
    await run('apt-get', ['download', 'shellcheck'], { cwd: directory, timeout: downloadTimeoutMs });
    const [archive] = (await readdir(directory)).filter((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download left no package');
    await run('dpkg-deb', ['-x', archive, 'content'], { cwd: directory, timeout: downloadTimeoutMs });
    await access(join(directory, 'content', 'usr', 'bin', 'shellcheck'), constants.X_OK);
    await rm(destination, { recursive: true, force: true });
    await rename(join(directory, 'content'), destination);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
