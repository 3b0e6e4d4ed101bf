import type { KubeObject } from '../../kube/objects.ts';
import { readLease } from '../../kube/lease.ts';
import { duration } from '../terminal.ts';
import type { Cluster } from './cluster.ts';
import type { Finding, Tell } from './finding.ts';

/** A Lease that was looked at, by the clock of the server that holds it. */
export interface LeaseSeen {
  readonly namespace: string;
  readonly lease: KubeObject;
  /** Milliseconds since 1970; undefined if the server did not say. */
  readonly serverMs: number | undefined;
}

/** The Lease of this name in the first of the namespaces that has it; a sentence says why none was seen. */
export async function seeLease(
  hub: Cluster,
  name: string,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<LeaseSeen | string> {
  let why = '';
  for (const namespace of namespaces) {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
    try {
      const { status, body, serverMs } = await hub.ask(path, signal);
      if (status === 200) return { namespace, lease: body as KubeObject, serverMs };
      if (status !== 404) why = ` (${namespace}: ${status})`;
    } catch (error) {
      if (signal.aborted) throw error;
      why = ` (${error instanceof Error ? error.message : String(error)})`;
    }
  }
  return `there is no Lease ${name} in ${namespaces.join(' or ')}${why}`;
}

/** Whether a controller leads. Pure. */
export function leaderFinding(tell: Tell, seen: LeaseSeen | string, context: string): Finding {
  if (typeof seen === 'string') {
    const message = `${seen}: no controller has ever led here, or it runs with --leader-elect=false, or its Lease is elsewhere`;
    return tell('leader', 'warning', message, 'name its place: --lease-namespace NAMESPACE --lease-name NAME');
  }
  const { namespace, lease, serverMs } = seen;
  const { holder, durationMs, renewedAt, transitions } = readLease(lease);
  const logs = `kubectl --context ${context} -n ${namespace} get pods; then their logs`;
  const where = `Lease ${namespace}/${lease.metadata.name}`;
  if (holder === '') return tell('leader', 'failure', `nobody holds ${where}: no controller runs`, logs);
  if (renewedAt === undefined || serverMs === undefined) {
    return tell('leader', 'unseen', `${holder} holds ${where}, and it cannot be told since when it was not renewed`);
  }
  const ageMs = Math.max(0, serverMs - renewedAt);
  if (ageMs > durationMs) {
    const message = `${holder} holds ${where} and has not renewed it for ${duration(ageMs)}: no controller runs`;
    return tell('leader', 'failure', message, logs);
  }
  return tell(
    'leader',
    'ok',
    `${holder} leads by ${where}, renewed ${duration(ageMs)} ago, after ${transitions} changes of hands`,
  );
}
