import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ContextSource, Credentials, TlsOptions } from './credentials.ts';

const clusterFields = new Set([
  'server',
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
  'tls-server-name',
]);
const userFields = new Set([
  'token',
  'tokenFile',
  'username',
  'password',
  'client-certificate',
  'client-certificate-data',
  'client-key',
  'client-key-data',
]);

/**
 * Credentials that stand in the kubeconfig itself or in files beside it, which is all that most kubeconfigs have, and a
 * pod's own ServiceAccount. Files are read at each call, so that what was rotated counts. Undefined for a context
 * that has anything else: such need the Kubernetes client library, which takes 80 MB of memory and most of a second.
 * @throws what reading a file throws, from the function it returns
 */
export function plainCredentials({ cluster, user }: ContextSource, folder: string): (() => Credentials) | undefined {
  const hasOnly = (entry: Record<string, unknown>, fields: ReadonlySet<string>): boolean =>
    Object.entries(entry).every(
      ([field, value]) => fields.has(field) && (typeof value === 'string' || typeof value === 'boolean'),
    );
  if (!hasOnly(cluster, clusterFields) || !hasOnly(user, userFields)) return undefined;
  const text = (entry: Record<string, unknown>, field: string): string | undefined =>
    typeof entry[field] === 'string' && entry[field] !== '' ? entry[field] : undefined;
  /** Inlined data wins over a file of the same purpose, as in kubectl. */
  const content = (entry: Record<string, unknown>, field: string): (() => Buffer) | undefined => {
    const data = text(entry, `${field}-data`);
    const file = text(entry, field);
    if (data !== undefined) {
      const decoded = Buffer.from(data, 'base64');
      return () => decoded;
    }
    return file === undefined ? undefined : () => readFileSync(resolve(folder, file));
  };
  const parts = {
    ca: content(cluster, 'certificate-authority'),
    cert: content(user, 'client-certificate'),
    key: content(user, 'client-key'),
  };
  const settings: TlsOptions = {
    ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    ...(text(cluster, 'tls-server-name') !== undefined && { servername: String(cluster['tls-server-name']) }),
  };
  const tokenFile = text(user, 'tokenFile');
  const authorization = (): string | undefined => {
    const username = text(user, 'username');
    if (username !== undefined) {
      return `Basic ${Buffer.from(`${username}:${text(user, 'password') ?? ''}`).toString('base64')}`;
    }
    const token = tokenFile === undefined ? text(user, 'token') : readFileSync(resolve(folder, tokenFile), 'utf8');
    // A token file may end in a newline, which no header can hold.
    return token === undefined ? undefined : `Bearer ${token.trim()}`;
  };
  return () => {
    const tls = { ...settings };
    for (const [name, read] of Object.entries(parts)) if (read) tls[name as keyof typeof parts] = read();
    const value = authorization();
    return { headers: value === undefined ? {} : { authorization: value }, tls };
  };
}
