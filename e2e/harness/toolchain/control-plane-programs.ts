import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlanePrograms } from '../toolchain.ts';
import { cached } from './cache.ts';
import { buildGoProgram } from './go-build.ts';

const source = join(import.meta.dirname, '../../regionplane');

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
  // Without these, /version says v0.0.0-master and clients that parse it as a semantic version fail.
  const version = /k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))?.[1] ?? '';
  const [major = '', minor = ''] = version.slice(1).split('.');
  const settings = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'release',
    buildDate: '1970-01-01T00:00:00Z',
  };
  const variables = Object.entries(settings).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]);
  await buildGoProgram(
    {
      module: source,
      package: '.',
      announcement: `building etcd, kube-apiserver, kube-controller-manager and kubectl from their sources, once:
6 to 10 minutes on 2 cores, less on more, and the download of the sources (300 MB) before it ...`,
      variables: Object.fromEntries(variables) as Record<string, string>,
    },
    join(directory, 'regionplane'),
    signal,
  );
}
