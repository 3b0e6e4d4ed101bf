import { existsSync } from 'node:fs';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';

const path = '/usr/bin/chromium';
const installTimeoutMs = 5 * 60_000;

/**
 * Debian's Chromium. Where there is none and this process may install packages, it is installed, since its hundred libraries cannot
 * be used from elsewhere. Undefined, with a line on standard error that says why, on machines where it cannot be had.
 */
export async function findChromium(): Promise<string | undefined> {
  if (existsSync(path)) return path;
  try {
    if (process.getuid?.() !== 0)
      throw new HarnessError('ToolMissing', `${path} is not there, and only root may install it`);
    const packages = ['chromium', 'fonts-liberation', 'fonts-inter'];
    await command(
      'apt-get',
      ['-o', 'DPkg::Lock::Timeout=120', 'install', '--yes', '--no-install-recommends', ...packages],
      { timeoutMs: installTimeoutMs, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
    );
    await command(path, ['--version']);
    return path;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    console.error(`no Chromium here: ${error.message}`);
    return undefined;
  }
}
