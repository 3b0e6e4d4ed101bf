import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contextFrom, ContextError, fingerprintOf } from '../kube/contexts.ts';
import type { Registration } from './registration.ts';
import type { Tenancy } from './tenancy.ts';

/** Where Kubernetes puts a pod's ServiceAccount. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster this process runs in, by its pod's ServiceAccount. Token and authority are read again from their files for
 * as long as the process runs, so there is nothing to rotate.
 * @throws ContextError when the process runs in no pod.
 */
export function inClusterRegistration(
  name: string,
  tenancy: Tenancy,
  env: NodeJS.ProcessEnv,
  folder: string = serviceAccountFolder,
): Registration {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const origin = 'the cluster of this pod';
  if (!host) {
    throw new ContextError('ServerMissing', `${origin}: KUBERNETES_SERVICE_HOST is not set, so this is no pod`);
  }
  const parts = {
    name,
    namespace: namespaceOf(folder, origin),
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port ?? '443'}`,
      'certificate-authority': 'ca.crt',
    },
    user: { tokenFile: 'token' },
  };
  return {
    name,
    origin,
    context: contextFrom(parts, origin, folder),
    tenancy,
    fingerprint: fingerprintOf(parts, folder),
  };
}

function namespaceOf(folder: string, origin: string): string {
  const file = join(folder, 'namespace');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ContextError('FileUnreadable', `${origin}: ${file} cannot be read, so there is no ServiceAccount`, {
      cause,
    });
  }
}
