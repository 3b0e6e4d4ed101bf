import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HarnessError } from '../errors.ts';
import type { ControlPlanePrograms } from '../toolchain.ts';
import { command } from '../run/command.ts';
import { cached } from './cache.ts';

const source = join(import.meta.dirname, '../../regionplane');
const progressIntervalMs = 10_000;
const downloadTimeoutMs = 30 * 60_000;

/**
 * The programs of a control plane: those in KUBEBUILDER_ASSETS if all four are there (setup-envtest's archives lack
 * kube-controller-manager), else one program built from Kubernetes' and etcd's sources.
 */
export async function findControlPlanePrograms(signal: AbortSignal): Promise<ControlPlanePrograms> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets) {
    const inAssets = toPrograms((name) => [join(assets, name)]);
    if (Object.values(inAssets).every(([path]) => existsSync(path as string))) return inAssets;
  }
  const directory = await cached(
    'regionplane',
    { files: ['go.mod', 'go.sum', 'main.go'].map((name) => join(source, name)) },
    (unfinished) => build(unfinished, signal),
    signal,
  );
  return toPrograms((name) => [join(directory, 'regionplane'), name]);
}

function toPrograms(locate: (name: string) => readonly string[]): ControlPlanePrograms {
  return {
    etcd: locate('etcd'),
    kubeApiserver: locate('kube-apiserver'),
    kubeControllerManager: locate('kube-controller-manager'),
    kubectl: locate('kubectl'),
  };
}

async function build(directory: string, signal: AbortSignal): Promise<void> {
  try {
    await command('go', ['version']);
  } catch (cause) {
    throw new HarnessError('ToolMissing', 'The program go is missing: install Go 1.26 or newer (https://go.dev/dl).', {
      cause,
    });
  }
  const target = join(directory, 'regionplane.building');
  // Without these, /version says v0.0.0-master and clients that parse it as a semantic version fail.
  const version = /k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1];
  const [major, minor] = version?.slice(1).split('.') ?? [];
  const settings = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'release',
  };
  const ldflags = ['-s', '-w'];
  for (const [name, value] of Object.entries({ ...settings, buildDate: '1970-01-01T00:00:00Z' }))
    ldflags.push('-X', `k8s.io/component-base/version.${name}=${value}`);
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
  console.error('building etcd, kube-apiserver, kube-controller-manager and kubectl from their sources, once:');
  console.error('6 to 10 minutes on 2 cores, less on more, and the download of the sources (300 MB) before it ...');
  const stale = await command('go', ['list', '-trimpath', '-deps', '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', '.'], {
    cwd: source,
    env,
    timeoutMs: downloadTimeoutMs,
  });
  const packages = stale.split('\n').filter(Boolean).length;
  await compile(['build', '-v', '-trimpath', '-ldflags', ldflags.join(' '), '-o', target, '.'], env, packages, signal);
  renameSync(target, join(directory, 'regionplane'));
}

/** Runs go, which names every package it has compiled, and says now and then how far it is. */
async function compile(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  packages: number,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  // Dies with this process: the next one must find the place free.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'go', ...args], {
    cwd: source,
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
