import {
  type ClusterContext,
  contextFrom,
  type ContextParts,
  fingerprintOf,
  parseKubeconfig,
  partsOf,
} from '../kube/contexts.ts';

/** A kubeconfig in a Secret asks for something that only the machine's own files may. */
export class KubeconfigRefusedError extends Error {
  override readonly name = 'KubeconfigRefusedError';
  readonly code = 'KubeconfigRefused';
}

/** What a kubeconfig from a Secret may say; everything else is refused, known or not. */
const allowed = {
  cluster: ['server', 'certificate-authority-data', 'tls-server-name', 'disable-compression', 'extensions'],
  user: ['token', 'client-certificate-data', 'client-key-data', 'username', 'password', 'as', 'extensions'],
} as const;

const reasons: Readonly<Record<string, string>> = {
  exec: 'it would run a program',
  'auth-provider': 'it would run a program or read files',
  tokenFile: 'it would read a file of the controller; put the token itself in token',
  'token-file': 'it would read a file of the controller; put the token itself in token',
  'certificate-authority': 'it would read a file of the controller; use certificate-authority-data',
  'client-certificate': 'it would read a file of the controller; use client-certificate-data',
  'client-key': 'it would read a file of the controller; use client-key-data',
  'insecure-skip-tls-verify': 'the region could not be told from an impostor; use certificate-authority-data',
  'proxy-url': 'it would lead the connection through another host',
};

/**
 * The current context of a kubeconfig that comes from a Secret. Whoever may write Secrets must not get at the
 * controller's files, programs or network that way.
 * @throws KubeconfigRefusedError naming the field; ContextError for what is wrong with it as a kubeconfig.
 */
export function readSecretKubeconfig(text: string, origin: string): { context: ClusterContext; fingerprint: string } {
  const parts = partsOf(parseKubeconfig(text, origin), undefined, origin);
  refuse(parts, origin);
  // There is no folder: no path is left that could count from it.
  return { context: contextFrom(parts, origin, '/'), fingerprint: fingerprintOf(parts, '/') };
}

function refuse({ cluster, user }: ContextParts, origin: string): void {
  for (const [part, fields] of [
    ['cluster', cluster],
    ['user', user],
  ] as const) {
    const known: readonly string[] = allowed[part];
    for (const [field, value] of Object.entries(fields)) {
      const absent = value === undefined || value === null || (field === 'insecure-skip-tls-verify' && value === false);
      if (absent || known.includes(field)) continue;
      const why = reasons[field] ?? 'it is not known';
      throw new KubeconfigRefusedError(`${origin}: ${part}.${field} is not allowed in a Secret's kubeconfig: ${why}`);
    }
  }
  const protocol = URL.canParse(cluster.server) ? new URL(cluster.server).protocol : '';
  if (protocol !== 'https:') {
    throw new KubeconfigRefusedError(
      `${origin}: cluster.server is not allowed in a Secret's kubeconfig unless it is an https URL`,
    );
  }
}
