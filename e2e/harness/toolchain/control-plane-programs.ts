import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../errors.ts';
import type { ControlPlanePrograms } from '../toolchain.ts';
import { command } from '../run/command.ts';
import { cached } from './cache.ts';

const source = join(import.meta.dirname, '../../regionplane');
const progressIntervalMs = 10_000;

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
  await runWithProgress(
    ['go', 'build', '-trimpath', '-ldflags', ldflags.join(' '), '-o', target, '.'],
    { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
    signal,
  );
  renameSync(target, join(directory, 'regionplane'));
}

/** `go build` says nothing for minutes, so how long it has been, and how long it usually takes, is said here. */
async function runWithProgress(argv: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  console.error('building etcd, kube-apiserver, kube-controller-manager and kubectl from source, once;');
  console.error('this took 5 to 7 minutes on 2 cores and less on more, plus the download of the sources');
  const [program, ...args] = argv;
  const child = spawn(program as string, args, { cwd: source, env, stdio: ['ignore', 'ignore', 'pipe'], signal });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-20_000)));
  const progress = setInterval(
    () => console.error(`  still building: ${seconds()} s so far, usually done between 300 and 420 s on 2 cores`),
    progressIntervalMs,
  );
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new HarnessError('BuildFailed', `go build failed:\n${stderr.trim()}`);
  } finally {
    clearInterval(progress);
  }
  console.error(`  built after ${seconds()} s`);
}
