import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../edges/clock.ts';
import { inClusterRegistration } from '../regions/in-cluster.ts';
import { KubeconfigFiles } from '../regions/kubeconfig-files.ts';
import { isRefused, type RegistrationSource, type Registration } from '../regions/registration.ts';
import { defaultTenancy, parseAllow, type Tenancy } from '../regions/tenancy.ts';
import { UsageError } from './usage-error.ts';

/** The flags that say where regions come from. */
export interface RegionFlags {
  kubeconfig: string[];
  context: string[];
  hub?: string;
  inCluster?: boolean;
  secretsNamespace?: string;
  allow: string[];
}

/** What the flags come to. */
export interface RegionSources {
  readonly hub: Registration;
  /** The pod's own cluster and the kubeconfig files; not the Secrets, which the hub is asked for. */
  readonly sources: readonly RegistrationSource[];
  /** The namespace of the hub whose Secrets register regions. */
  readonly secretsNamespace: string;
}

/** Contexts without a flag of their own. */
const everyOther = '*';

/**
 * Reads what the flags name. Only the hub has to be there and in order; regions may follow.
 * @throws UsageError naming the flag.
 */
export async function openRegionSources(
  flags: RegionFlags,
  env: NodeJS.ProcessEnv,
  clock: Clock,
): Promise<RegionSources> {
  const tenancyOf = tenancies(flags.allow);
  const fromEnvironment = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '');
  const given = flags.kubeconfig.length > 0 ? flags.kubeconfig : fromEnvironment;
  const inCluster = flags.inCluster ?? (given.length === 0 && Boolean(env['KUBERNETES_SERVICE_HOST']));
  const paths = given.length === 0 && !inCluster ? [join(homedir(), '.kube', 'config')] : given;

  const own = inCluster ? ownCluster(flags.hub ?? 'hub', tenancyOf, env) : undefined;
  const wanted = flags.context.length > 0 ? new Set([...flags.context, ...(flags.hub ? [flags.hub] : [])]) : undefined;
  const files = await KubeconfigFiles.open({ paths, ...(wanted && { contexts: wanted }), tenancyOf, clock });
  const hub = own ?? hubAmong(files, flags);
  for (const name of flags.context) if (name !== own?.name) checkContext(name, files, paths);
  const secretsNamespace = flags.secretsNamespace ?? hub.context.namespace;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(secretsNamespace)) {
    throw new UsageError(`--secrets-namespace ${JSON.stringify(secretsNamespace)} is no name of a namespace`);
  }
  return { hub, sources: [...(own ? [fixed(own)] : []), files], secretsNamespace };
}

function tenancies(allow: readonly string[]): (context: string) => Tenancy {
  const byName = new Map<string, Tenancy>();
  for (const text of allow) {
    try {
      const { name, tenancy } = parseAllow(text);
      if (byName.has(name)) throw new UsageError(`--allow ${text}: there is another --allow for ${name}`);
      byName.set(name, tenancy);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`--allow ${text}: ${messageOf(error)}`, { cause: error });
    }
  }
  return (context) => byName.get(context) ?? byName.get(everyOther) ?? defaultTenancy;
}

function ownCluster(name: string, tenancyOf: (context: string) => Tenancy, env: NodeJS.ProcessEnv): Registration {
  try {
    return inClusterRegistration(name, tenancyOf(name), env);
  } catch (error) {
    throw new UsageError(`--in-cluster: ${messageOf(error)}`, { cause: error });
  }
}

function hubAmong(files: KubeconfigFiles, flags: RegionFlags): Registration {
  const all = files.read();
  const problems = all.filter(isRefused);
  const usable = all.filter((each): each is Registration => !isRefused(each));
  const name = flags.hub ?? flags.context[0] ?? all.find((each) => each.name !== undefined)?.name;
  const hub = usable.find((each) => each.name === name);
  if (hub) return hub;
  const why = problems.find((each) => each.name === name) ?? problems[0];
  if (why) throw new UsageError(why.problem);
  const known = files.contextNames;
  const where = [...flags.kubeconfig].join(', ') || 'the kubeconfig';
  throw new UsageError(
    name === undefined
      ? `--kubeconfig ${where}: there is no context to be the hub`
      : `unknown context "${name}" for the hub; ${where} define: ${known.join(', ')}`,
  );
}

/** A context that files name which are all there and in order is a slip of the pen; any other may still come. */
function checkContext(name: string, files: KubeconfigFiles, paths: readonly string[]): void {
  const all = files.read();
  if (files.mayGrow || all.some((each) => each.name === name || each.name === undefined)) return;
  const known = files.contextNames.join(', ');
  throw new UsageError(`--context: unknown context "${name}"; ${paths.join(', ')} define: ${known}`);
}

function fixed(registration: Registration): RegistrationSource {
  return {
    pending: undefined,
    read: () => [registration],
    run: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
