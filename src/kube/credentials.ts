import type { RequestOptions } from 'node:https';
import { isAbsolute, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { plainCredentials } from './plain-credentials.ts';

/** What a request presents to the API server. */
export interface Credentials {
  /** Authorization and impersonation headers. */
  headers: Record<string, string>;
  tls: TlsOptions;
}

/** The fields of node:tls that a kubeconfig can set. */
export interface TlsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  rejectUnauthorized?: boolean;
  servername?: string;
}

/** One context's own cluster and user, as they stand in the file. */
export interface ContextSource {
  name: string;
  cluster: Record<string, unknown>;
  user: Record<string, unknown>;
}

/**
 * Credentials of a context: plain ones as they stand there (plain-credentials.ts), all others by way of the Kubernetes
 * client library, which knows exec plugins and OIDC. The library caches some of them per KubeConfig without regard to cluster and user, so
 * each instance has a KubeConfig that holds one cluster and one user: there is nothing that could be mixed up.
 */
export class KubeconfigCredentials {
  readonly #source: ContextSource;
  readonly #folder: string;
  readonly #plain: (() => Credentials) | undefined;
  #kubeConfig: Promise<KubeConfig> | undefined;
  #underWay: Promise<Credentials> | undefined;

  /** Relative paths in `source` count from `folder`, the kubeconfig's own. */
  constructor(source: ContextSource, folder: string) {
    this.#source = source;
    this.#folder = folder;
    this.#plain = plainCredentials(source, folder);
  }

  /** All who ask while a plugin runs share its one answer. */
  async get(): Promise<Credentials> {
    if (this.#plain) return this.#plain();
    if (this.#underWay) return this.#underWay;
    this.#kubeConfig ??= load(this.#source, this.#folder);
    const underWay = this.#kubeConfig.then(read).finally(() => {
      if (this.#underWay === underWay) this.#underWay = undefined;
    });
    this.#underWay = underWay;
    return underWay;
  }

  /** Starts over with empty caches; a plugin that still runs is no longer waited for. */
  drop(): void {
    this.#kubeConfig = undefined;
    this.#underWay = undefined;
  }
}

async function load(source: ContextSource, folder: string): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  const { name } = source;
  kubeConfig.loadFromString(
    JSON.stringify({
      clusters: [{ name, cluster: preferData(source.cluster, 'certificate-authority') }],
      users: [{ name, user: normalizeUser(source.user, folder) }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    }),
  );
  kubeConfig.makePathsAbsolute(folder);
  return kubeConfig;
}

/** Where kubectl and the library differ, kubectl's reading is put in terms the library understands. */
function normalizeUser(given: Record<string, unknown>, folder: string): Record<string, unknown> {
  let user = preferData(preferData(given, 'client-certificate'), 'client-key');
  const tokenFile = user['tokenFile'];
  if (typeof tokenFile === 'string') {
    const { token: _, ...rest } = user;
    user = { ...rest, 'auth-provider': { name: 'tokenFile', config: { tokenFile: resolve(folder, tokenFile) } } };
  }
  const exec = user['exec'] as { command?: string; apiVersion?: string; env?: { name: string; value: string }[] };
  if (exec?.command === undefined) return user;
  const relative = exec.command.includes('/') && !isAbsolute(exec.command);
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  return {
    ...user,
    exec: {
      ...exec,
      command: relative ? resolve(folder, exec.command) : exec.command,
      env: [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }],
    },
  };
}

/** Inlined data wins over a file of the same purpose, as in kubectl. */
function preferData(entry: Record<string, unknown>, field: string): Record<string, unknown> {
  return entry[`${field}-data`] ? { ...entry, [field]: undefined } : entry;
}

async function read(kubeConfig: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await kubeConfig.applyToHTTPSOptions(options);
  } catch (error) {
    // A plugin's output that is not JSON is quoted in the parser's message, and may be a bare token.
    throw error instanceof SyntaxError ? new Error('the exec plugin did not print an ExecCredential') : error;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a newline, which no header can hold.
    if (value !== undefined && value !== null) headers[name.toLowerCase()] = String(value).trim();
  }
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const tls: TlsOptions = {};
  if (options.ca) tls.ca = options.ca as string | Buffer;
  if (options.cert) tls.cert = options.cert as string | Buffer;
  if (options.key) tls.key = options.key as string | Buffer;
  if (options.rejectUnauthorized !== undefined) tls.rejectUnauthorized = options.rejectUnauthorized;
  if (options.servername) tls.servername = options.servername;
  return { headers, tls };
}
