import { spawn } from 'node:child_process';
import { renameSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { HarnessError } from '../errors.ts';
import { command } from '../run/command.ts';

const progressIntervalMs = 10_000;
const downloadTimeoutMs = 30 * 60_000;

export interface GoProgram {
  /** Directory of the module, whose go.mod and go.sum pin all sources. */
  readonly module: string;
  /** The package to build, as go names it: `.`, or the path of a package that the module requires. */
  readonly package: string;
  /** What to say before it begins: what is built, and how long that takes. */
  readonly announcement: string;
  /** Values of string variables, by `package.variable`. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Builds a program from its sources into the file `target`, and says on standard error how far it is.
 * @throws HarnessError ToolMissing without go; SourcesMissing when they cannot be downloaded; BuildFailed.
 */
export async function buildGoProgram(program: GoProgram, target: string, signal: AbortSignal): Promise<void> {
  try {
    await command('go', ['version']);
  } catch (cause) {
    throw new HarnessError('ToolMissing', 'The program go is missing: install Go 1.26 or newer (https://go.dev/dl).', {
      cause,
    });
  }
  const ldflags = ['-s', '-w'];
  for (const [name, value] of Object.entries(program.variables)) ldflags.push('-X', `${name}=${value}`);
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
  console.error(program.announcement);
  const packages = await countStale(program, env);
  const unfinished = `${target}.building`;
  const args = ['build', '-v', '-trimpath', '-ldflags', ldflags.join(' '), '-o', unfinished, program.package];
  await compile(program.module, args, env, packages, signal);
  renameSync(unfinished, target);
}

/** Downloads what is missing, and counts the packages that are to be compiled. */
async function countStale(program: GoProgram, env: NodeJS.ProcessEnv): Promise<number> {
  const format = '{{if .Stale}}{{.ImportPath}}{{end}}';
  try {
    const stale = await command('go', ['list', '-trimpath', '-deps', '-f', format, program.package], {
      cwd: program.module,
      env,
      timeoutMs: downloadTimeoutMs,
    });
    return stale.split('\n').filter(Boolean).length;
  } catch (cause) {
    const proxy = (await command('go', ['env', 'GOPROXY'], { env })).trim();
    const why = (cause as Error).message.trim().split('\n').at(-1);
    const message = `The Go sources that ${program.module}/go.mod names cannot be had (GOPROXY=${proxy}): ${why}`;
    throw new HarnessError('SourcesMissing', message, { cause });
  }
}

/** Runs go, which names every package it has compiled, and says now and then how far it is. */
async function compile(
  module: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  packages: number,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  // Dies with this process: the next one must find the place free.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'go', ...args], {
    cwd: module,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  let compiled = 0;
  const complaints: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (/^[\w./~-]+$/.test(line)) compiled += 1;
    else complaints.push(line);
  });
  const progress = setInterval(() => {
    const left = Math.ceil((((packages - compiled) / Math.max(compiled, 1)) * seconds()) / 60);
    const estimate = compiled < packages ? (compiled > 50 ? `about ${left} min left` : 'too early to tell') : 'linking';
    console.error(`  ${seconds()} s: ${Math.min(compiled, packages)} of ${packages} packages compiled, ${estimate}`);
  }, progressIntervalMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new HarnessError('BuildFailed', `go build failed:\n${complaints.slice(-50).join('\n')}`);
  } finally {
    clearInterval(progress);
  }
  console.error(`  built after ${seconds()} s`);
}
