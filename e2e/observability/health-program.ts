import { join } from 'node:path';
import { command } from '../harness/run/command.ts';
import { cached } from '../harness/toolchain/cache.ts';
import { buildGoProgram } from '../harness/toolchain/go-build.ts';

const module = join(import.meta.dirname, 'health');
/** What Argo CD runs on a MultiCassandraCluster. */
const script = join(import.meta.dirname, '../../deploy/argocd/health.lua');

export interface Verdict {
  /** Of kstatus: Current, InProgress, Failed, Terminating, ...; of Argo CD: Healthy, Progressing, Degraded, Suspended, ... */
  readonly status: string;
  readonly message: string;
}

export interface HealthProgram {
  /** How kstatus, and so Flux, sees each object. */
  kstatus(objects: readonly unknown[]): Promise<Verdict[]>;
  /** How Argo CD sees each, by deploy/argocd/health.lua. */
  argoCD(objects: readonly unknown[]): Promise<Verdict[]>;
}

/**
 * kstatus, and the Lua interpreter of Argo CD, built from their sources into the cache; the first time takes a minute.
 * @throws HarnessError ToolMissing, SourcesMissing, BuildFailed
 */
export async function findHealthProgram(signal: AbortSignal): Promise<HealthProgram> {
  const directory = await cached(
    'health',
    { files: ['go.mod', 'go.sum', 'main.go'].map((name) => join(module, name)) },
    (unfinished) =>
      buildGoProgram(
        {
          module,
          package: '.',
          announcement: 'building kstatus and a Lua interpreter from their sources, once: about a minute ...',
          variables: {},
        },
        join(unfinished, 'health'),
        signal,
      ),
    signal,
  );
  const judge = async (args: readonly string[], objects: readonly unknown[]): Promise<Verdict[]> => {
    const input = objects.map((object) => `${JSON.stringify(object)}\n`).join('');
    const output = await command(join(directory, 'health'), args, { input });
    return output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict);
  };
  return {
    kstatus: (objects) => judge(['kstatus'], objects),
    argoCD: (objects) => judge(['argocd', script], objects),
  };
}
