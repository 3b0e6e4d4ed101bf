import * as z from 'zod';
import { duration } from '../terminal.ts';
import { type Answer, type Cluster, messageIn } from './cluster.ts';
import { type Finding, type Tell } from './finding.ts';

/** What an API server says of itself. */
export interface Server {
  readonly version: string;
  /** Between which values its clock is ahead of this machine's, milliseconds; undefined if it did not say. */
  readonly ahead: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly tookMs: number;
}

const versionSchema = z.looseObject({ gitVersion: z.string() });

/** The schema of the MultiCassandraCluster has rules (CEL) that older servers do not know. */
const oldestHub = [1, 25] as const;

/** Clocks that differ by less are as good as any. Milliseconds. */
const skewMs = { warning: 2_000, failure: 60_000 } as const;

/** Asks who the server is; a sentence says why it cannot be told. */
export async function askServer(cluster: Cluster, signal: AbortSignal): Promise<Server | string> {
  try {
    const answer = await cluster.ask('/version', signal);
    const parsed = versionSchema.safeParse(answer.body);
    if (answer.status !== 200 || !parsed.success) return `${answer.status} ${messageIn(answer.body)}`.trim();
    return { version: parsed.data.gitVersion, ahead: aheadOf(answer), tookMs: answer.receivedMs - answer.sentMs };
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** The header Date tells whole seconds, of some moment between question and answer. */
export function aheadOf({ serverMs, sentMs, receivedMs }: Omit<Answer, 'status' | 'body'>): Server['ahead'] {
  return serverMs === undefined ? undefined : { fromMs: serverMs - receivedMs, toMs: serverMs + 1000 - sentMs };
}

/** Whether it answers, and is new enough. */
export function serverFinding(tell: Tell, server: Server | string, isHub: boolean, context: string): Finding {
  if (typeof server === 'string') {
    return tell(
      'server',
      'failure',
      `its API server does not answer: ${server}`,
      `kubectl --context ${context} version`,
    );
  }
  const { version, tookMs } = server;
  const [major = 0, minor = 0] = (/^v?(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  const isOld = major < oldestHub[0] || (major === oldestHub[0] && minor < oldestHub[1]);
  if (isHub && isOld) {
    const message = `its API server is ${version}, and the CRD of MultiCassandraCluster needs ${oldestHub.join('.')} or newer`;
    return tell('server', 'failure', message, 'upgrade the cluster, or take another one as the hub');
  }
  return tell('server', 'ok', `its API server is ${version} and answers in ${Math.round(tookMs)} ms`);
}

/** Of a region beside the hub; of the hub, and where the hub has no clock, beside this machine. */
export function clockFinding(tell: Tell, own: Server, hub: Server | undefined): Finding {
  if (!own.ahead) return tell('clock', 'unseen', 'its answers carry no date');
  const other = hub?.ahead ?? { fromMs: 0, toMs: 0 };
  const whose = hub?.ahead ? "the hub's" : "this machine's";
  const fromMs = own.ahead.fromMs - other.toMs;
  const toMs = own.ahead.toMs - other.fromMs;
  // What is certain: the value nearest to zero of those that are possible.
  const certain = fromMs > 0 ? fromMs : toMs < 0 ? toMs : 0;
  const apart = Math.abs(certain);
  if (apart < skewMs.warning) return tell('clock', 'ok', `its clock and ${whose} agree to about a second`);
  const message = `its clock is ${duration(apart)} ${certain > 0 ? 'ahead of' : 'behind'} ${whose}: tokens and leases run out at the wrong time, and if its nodes' clocks are off as well, Cassandra keeps older writes over newer ones`;
  return tell('clock', apart < skewMs.failure ? 'warning' : 'failure', message, 'see to NTP there: chronyc tracking');
}
