import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { credentialLife, type CredentialLife } from './credential-life.ts';
import { KubeconfigCredentials, type Credentials } from './credentials.ts';

/** One cluster as a kubeconfig context names it. It holds the credentials of this context and of no other. */
export interface ClusterContext {
  readonly name: string;
  /** Where it came from, for messages: the kubeconfig file, or the Secret. */
  readonly file: string;
  /** The API server's URL, without a slash at the end; it may carry a path prefix. */
  readonly server: string;
  /** The context's namespace; `default` when it names none. */
  readonly namespace: string;
  /** How long its credentials hold, if they stand in the kubeconfig and say so. */
  readonly life?: CredentialLife;
  /**
   * What to present to the server now. Cheap enough for every request: files are read again, so that rotated
   * certificates count, while a credential plugin runs once, however many ask at the same time.
   * @throws ContextError `CredentialsUnavailable`
   */
  credentials(): Promise<Credentials>;
  /** Forgets what a credential plugin or token file gave, after the server answered 401 to it. */
  dropCredentials(): void;
}

export type ContextErrorCode =
  | 'FileMissing'
  | 'FileUnreadable'
  | 'NotYaml'
  | 'NotKubeconfig'
  | 'NoContexts'
  | 'UnknownContext'
  | 'DuplicateContext'
  | 'NoCurrentContext'
  | 'ClusterMissing'
  | 'UserMissing'
  | 'ServerMissing'
  | 'ServerInvalid'
  | 'Unsupported'
  | 'CredentialsUnavailable';

/** A kubeconfig cannot be used as it is; the message says which file, what is wrong, and what there is instead. */
export class ContextError extends Error {
  override readonly name = 'ContextError';
  readonly code: ContextErrorCode;

  constructor(code: ContextErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

const named = z.looseObject({ name: z.string() });
const kubeconfigSchema = z.looseObject({
  'current-context': z.string().nullish(),
  contexts: z
    .array(
      named.extend({
        context: z.looseObject({
          cluster: z.string().nullish(),
          user: z.string().nullish(),
          namespace: z.string().nullish(),
        }),
      }),
    )
    .nullish(),
  clusters: z.array(named.extend({ cluster: z.looseObject({ server: z.string().nullish() }).nullish() })).nullish(),
  users: z.array(named.extend({ user: z.looseObject({}).nullish() })).nullish(),
});
/** A kubeconfig as it stands in its file. */
export type Kubeconfig = z.infer<typeof kubeconfigSchema>;
type ContextEntry = NonNullable<Kubeconfig['contexts']>[number];

/** One context with the cluster and the user it names, as they stand in the kubeconfig. */
export interface ContextParts {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: Readonly<Record<string, unknown>> & { readonly server: string };
  readonly user: Readonly<Record<string, unknown>>;
}

interface Found {
  file: string;
  config: Kubeconfig;
  entry: ContextEntry;
}

/**
 * Loads contexts from kubeconfig files. Each file stands on its own: nothing is merged, so two files may both call
 * their cluster `kubernetes` and their user `admin`. A context is known by its name alone.
 *
 * With `names`, exactly these are returned, in this order, and what is wrong with other contexts in the files does not
 * matter. Without, all contexts of all files are returned.
 * @throws ContextError when a file cannot be used, a name is unknown or found in two files, or a context is incomplete.
 */
export function loadContexts(files: readonly string[], names?: readonly string[]): ClusterContext[] {
  const found = files.flatMap(readContexts);
  const known = new Map<string, Found[]>();
  for (const each of found) known.set(each.entry.name, [...(known.get(each.entry.name) ?? []), each]);
  return (names ?? [...known.keys()]).map((name) => {
    const [first, second] = known.get(name) ?? [];
    if (!first) {
      throw new ContextError(
        'UnknownContext',
        `unknown context "${name}"; ${files.join(', ')} define: ${[...known.keys()].sort().join(', ')}`,
      );
    }
    if (second) {
      throw new ContextError(
        'DuplicateContext',
        first.file === second.file
          ? `context "${name}" is defined twice in ${first.file}`
          : `context "${name}" is defined in both ${first.file} and ${second.file}; rename one of them`,
      );
    }
    return contextFrom(partsOf(first.config, name, first.file), first.file, dirname(resolve(first.file)));
  });
}

function readContexts(file: string): Found[] {
  const config = readKubeconfig(file);
  const contexts = config.contexts ?? [];
  if (contexts.length === 0) throw new ContextError('NoContexts', `${file}: defines no contexts`);
  return contexts.map((entry) => ({ file, config, entry }));
}

function readKubeconfig(file: string): Kubeconfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
  return parseKubeconfig(text, file);
}

/** The error for a file that could not be read; `cause` is what the file system said. */
export function unreadable(file: string, cause: unknown): ContextError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new ContextError('FileMissing', `${file}: there is no such file`, { cause });
  return new ContextError('FileUnreadable', `${file}: cannot be read (${code})`, { cause });
}

/**
 * Parses a kubeconfig. `origin` names it in messages, which never quote its text.
 * @throws ContextError `NotYaml` or `NotKubeconfig`
 */
export function parseKubeconfig(text: string, origin: string): Kubeconfig {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) {
    // The message goes on to quote the lines around the fault, which may hold somebody's token: its first line only.
    const [where] = fault.message.split('\n');
    throw new ContextError('NotYaml', `${origin}: is not YAML: ${where?.replace(/:$/, '')}`);
  }
  let content: unknown;
  try {
    content = document.toJS() ?? {};
  } catch {
    // Aliases that multiply without end, or lead nowhere.
    throw new ContextError('NotYaml', `${origin}: is not YAML: its aliases cannot be resolved`);
  }
  const config = kubeconfigSchema.safeParse(content);
  if (config.success) return config.data;
  const issue = config.error.issues[0];
  throw new ContextError(
    'NotKubeconfig',
    `${origin}: is not a kubeconfig: ${issue?.path.join('.') || 'the document'}: ${issue?.message}`,
  );
}

/**
 * A context of a kubeconfig, with its cluster and user; without a name, the kubeconfig's current one.
 * @throws ContextError when there is none of that name, it is there twice, or it is incomplete.
 */
export function partsOf(config: Kubeconfig, name: string | undefined, origin: string): ContextParts {
  const wanted = name ?? config['current-context'] ?? '';
  if (wanted === '') throw new ContextError('NoCurrentContext', `${origin}: names no current-context`);
  const [entry, second] = (config.contexts ?? []).filter((each) => each.name === wanted);
  if (!entry) throw new ContextError('UnknownContext', `${origin}: there is no context "${wanted}"`);
  if (second) throw new ContextError('DuplicateContext', `context "${wanted}" is defined twice in ${origin}`);
  const where = `${origin}: context "${wanted}"`;
  const cluster = config.clusters?.find((each) => each.name === entry.context.cluster);
  if (!cluster?.cluster) {
    const what = entry.context.cluster ? `there is no cluster "${entry.context.cluster}"` : 'it names no cluster';
    throw new ContextError('ClusterMissing', `${where}: ${what}`);
  }
  const user = config.users?.find((each) => each.name === entry.context.user);
  if (!user) {
    const what = entry.context.user ? `there is no user "${entry.context.user}"` : 'it names no user';
    throw new ContextError('UserMissing', `${where}: ${what}`);
  }
  const { server } = cluster.cluster;
  if (!server) throw new ContextError('ServerMissing', `${where}: cluster "${cluster.name}" has no server`);
  return {
    name: wanted,
    namespace: entry.context.namespace || 'default',
    cluster: { ...cluster.cluster, server },
    user: user.user ?? {},
  };
}

/**
 * Puts a context to use. Relative paths in it count from `folder`.
 * @throws ContextError `ServerInvalid` or `Unsupported`
 */
export function contextFrom(parts: ContextParts, origin: string, folder: string): ClusterContext {
  const { name, cluster, user } = parts;
  const where = `${origin}: context "${name}"`;
  checkServer(where, cluster.server, cluster['insecure-skip-tls-verify'] === true);
  checkSupported(where, cluster, user);
  const life = credentialLife(user);
  const credentials = new KubeconfigCredentials({ name, cluster, user }, folder);
  return {
    name,
    file: origin,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: parts.namespace,
    ...(life && { life }),
    async credentials() {
      try {
        return await credentials.get();
      } catch (cause) {
        const message = cause instanceof Error ? cause.message.trim() : String(cause);
        throw new ContextError('CredentialsUnavailable', `${where}: no credentials: ${message}`, { cause });
      }
    },
    dropCredentials: () => credentials.drop(),
  };
}

/** Differs between two contexts that lead elsewhere or present something else; tells nothing of either. */
export function fingerprintOf({ cluster, user }: ContextParts, folder: string): string {
  return createHash('sha256')
    .update(JSON.stringify([cluster, user, folder]))
    .digest('hex');
}

function checkServer(where: string, server: string, insecure: boolean): void {
  if (!URL.canParse(server)) throw new ContextError('ServerInvalid', `${where}: server "${server}" is not a URL`);
  const { protocol, username } = new URL(server);
  if (username !== '') throw new ContextError('ServerInvalid', `${where}: the server's URL must not carry credentials`);
  if (protocol === 'https:' || (protocol === 'http:' && insecure)) return;
  throw new ContextError(
    'ServerInvalid',
    protocol === 'http:'
      ? `${where}: server "${server}" would get credentials in clear text; use https, or set insecure-skip-tls-verify`
      : `${where}: server "${server}" is neither https nor http`,
  );
}

/**
 * Refuses what the credentials library would silently leave out: a request without its groups, or around its proxy, is
 * another request than the user meant.
 */
function checkSupported(where: string, cluster: Record<string, unknown>, user: Record<string, unknown>): void {
  const exec = (user['exec'] ?? {}) as Record<string, unknown>;
  const present = [
    ...['proxy-url'].filter((field) => cluster[field]),
    ...['as-groups', 'as-uid', 'as-user-extra'].filter((field) => user[field]),
    ...['provideClusterInfo'].filter((field) => exec[field]),
  ];
  if (present.length > 0) throw new ContextError('Unsupported', `${where}: ${present.join(', ')} is not supported`);
}
