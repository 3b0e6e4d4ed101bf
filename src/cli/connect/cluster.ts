import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../edges/clock.ts';
import { isAllowed, type Right } from '../../kube/access-review.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type ClusterContext, ContextError, loadContexts, parseKubeconfig } from '../../kube/contexts.ts';
import { createKubeClient } from '../../kube/http-client.ts';
import { UndiciTransport } from '../../kube/undici-transport.ts';
import { readFileSync } from 'node:fs';
import { identify } from '../../regions/connected-region.ts';
import { UsageError } from '../usage-error.ts';

const requestDeadlineMs = 15_000;

/** A cluster, with the rights of whoever runs the command. */
export interface AdminCluster extends AsyncDisposable {
  readonly context: ClusterContext;
  readonly client: KubeClient;
  /** uid of kube-system. */
  readonly uid: string;
  /** Kubernetes' own, such as v1.36.3. */
  readonly version: string;
  /** Whether the person, or another `user`, has this right. */
  isAllowed(right: Right, user?: string): Promise<boolean>;
}

/** The kubeconfig files that kubectl would read. */
export function kubeconfigFiles(given: readonly string[], env: NodeJS.ProcessEnv): string[] {
  if (given.length > 0) return [...given];
  const fromEnvironment = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '' && existsSync(file));
  return fromEnvironment.length > 0 ? fromEnvironment : [join(homedir(), '.kube', 'config')];
}

/** @throws UsageError naming what is wrong with the kubeconfig, or which contexts there are. */
export function findContext(files: readonly string[], name: string): ClusterContext {
  try {
    const [context] = loadContexts(files, [name]);
    if (context) return context;
  } catch (error) {
    if (error instanceof ContextError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  throw new UsageError(`unknown context "${name}"`);
}

/** The context that kubectl uses where none is named. @throws UsageError when there is none. */
export function currentContext(files: readonly string[]): string {
  for (const file of files) {
    try {
      const current = parseKubeconfig(readFileSync(file, 'utf8'), file)['current-context'];
      if (current) return current;
    } catch {
      // Whoever looks for the context in it says what is wrong with it.
    }
  }
  throw new UsageError(`${files.join(', ')}: there is no current-context to be the hub; name it with --hub-context`);
}

/** Connects to a cluster and asks who it is. @throws UsageError when it does not answer, or not to this person. */
export async function openCluster(
  context: ClusterContext,
  userAgent: string,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<AdminCluster> {
  const transport = new UndiciTransport(context, clock);
  const client = createKubeClient({
    transport,
    clock,
    fieldManager: 'ringmaster-connect',
    userAgent,
    requestDeadlineMs,
  });
  try {
    const uid = await identify(client, clock, signal);
    const { body } = await client.getPath('/version', signal);
    return {
      context,
      client,
      uid,
      version: versionIn(body),
      isAllowed: (right, user) => isAllowed(transport, right, clock, signal, user),
      [Symbol.asyncDispose]: () => transport.close(),
    };
  } catch (cause) {
    await transport.close();
    if (signal.aborted) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`context ${context.name} (${context.server}): ${why}`, { cause });
  }
}

function versionIn(body: string): string {
  try {
    const { gitVersion } = JSON.parse(body) as { gitVersion?: unknown };
    return typeof gitVersion === 'string' ? gitVersion : 'unknown';
  } catch {
    return 'unknown';
  }
}
