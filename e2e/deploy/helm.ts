import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../harness/run/command.ts';
import { cached } from '../harness/toolchain/cache.ts';
import { buildGoProgram } from '../harness/toolchain/go-build.ts';

const module = join(import.meta.dirname, 'helm');
const repository = join(import.meta.dirname, '../..');

/** The chart, as it is installed. */
export const chart = join(repository, 'deploy/helm/ringmaster');

const runTimeoutMs = 5 * 60_000;

/** Runs `helm` and resolves with what it prints. Of the machine's own Helm, settings included, nothing is used. */
export type Helm = (args: readonly string[], options?: { kubeconfig?: string; input?: string }) => Promise<string>;

/**
 * Helm, built from its own sources into the cache; the first time takes minutes and says so.
 * @throws HarnessError ToolMissing, SourcesMissing, BuildFailed
 */
export async function findHelm(signal: AbortSignal): Promise<Helm> {
  const directory = dirname(await findHelmProgram(signal));
  const home = join(directory, 'home');
  return (args, { kubeconfig, input } = {}) =>
    command(join(directory, 'helm'), args, {
      timeoutMs: runTimeoutMs,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: home,
        HELM_CACHE_HOME: join(home, 'cache'),
        HELM_CONFIG_HOME: join(home, 'config'),
        HELM_DATA_HOME: join(home, 'data'),
        KUBECONFIG: kubeconfig ?? '/dev/null',
      },
      ...(input !== undefined && { input }),
    });
}

/**
 * Where `helm` is, built if need be.
 * @throws HarnessError ToolMissing, SourcesMissing, BuildFailed
 */
export async function findHelmProgram(signal: AbortSignal): Promise<string> {
  const directory = await cached(
    'helm',
    { files: ['go.mod', 'go.sum'].map((name) => join(module, name)) },
    (unfinished) => build(unfinished, signal),
    signal,
  );
  return join(directory, 'helm');
}

function build(directory: string, signal: AbortSignal): Promise<void> {
  const version = /helm\.sh\/helm\/v4 (v[\d.]+)/.exec(readFileSync(join(module, 'go.mod'), 'utf8'))?.[1] ?? '';
  return buildGoProgram(
    {
      module,
      package: 'helm.sh/helm/v4/cmd/helm',
      announcement: 'building Helm from its sources, once: about 3 minutes on 2 cores, and a download of 150 MB ...',
      variables: { 'helm.sh/helm/v4/internal/version.version': version },
    },
    join(directory, 'helm'),
    signal,
  );
}
