import { stringify } from 'yaml';
import { type Clock, sleep, systemClock } from '../../edges/clock.ts';
import { dnsNames } from '../../edges/names.ts';
import { systemRandom } from '../../edges/random.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { RegionRegistry } from '../../regions/registry.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { listFederations } from '../hub.ts';
import { openRegistry } from '../open-registry.ts';
import { defaultServiceAccount } from '../rbac.ts';
import { readOnly } from '../read-only.ts';
import { openRegionSources, type RegionFlags } from '../region-flags.ts';
import { styleFor, type TerminalOutput } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { Checkup } from './checkup.ts';
import { Cluster, reviewPaths } from './cluster.ts';
import { countsOf, type Finding } from './finding.ts';
import { findingLines } from './text.ts';

export interface DoctorFlags extends RegionFlags {
  namespace?: string;
  allNamespaces?: boolean;
  output: 'text' | 'json' | 'yaml';
  /** `namespace/name`. */
  serviceAccount?: string;
  /** `address` or `region=address`. */
  dns: string[];
  leaseName: string;
  leaseNamespace?: string;
  /** Seconds. */
  timeout: number;
}

const dnsTimeoutMs = 2_000;
const againMs = 50;

/**
 * `ringmaster doctor [NAME]`: the checks of somebody who is called for help, of the hub, every registered cluster, and one or all
 * MultiCassandraClusters of a namespace. It only reads; reviews of rights are questions that the server does not store.
 *
 * Returns the exit code. 0: no check failed. 1: one did, or there is no MultiCassandraCluster of that name.
 * @throws UsageError for flags that cannot be used.
 */
export async function runDoctor(
  name: string | undefined,
  flags: DoctorFlags,
  userAgent: string,
  out: TerminalOutput,
  complain: (sentence: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const clock = systemClock;
  const random = systemRandom;
  const logger = createLogger({ level: 'error', clock });
  const sources = await openRegionSources(flags, process.env, clock);
  const patienceMs = flags.timeout * 1000;
  const clusters = new Map<string, Cluster>();
  const regions = openRegistry({
    sources,
    fence: readOnly('doctor', Object.values(reviewPaths)),
    clock,
    random,
    logger,
    metrics: new Metrics(),
    userAgent,
    onConnected: (region, transport) => clusters.set(region, new Cluster(region, transport, clock, patienceMs)),
  });
  const own = sources.hub.context.namespace;
  const [accountNamespace = '', accountName = ''] = flags.serviceAccount?.split('/') ?? [];
  const end = new AbortController();
  const running = regions.run(end.signal);
  try {
    await untilRegistered(regions, clock, patienceMs, signal);
    const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? own);
    const federations = await federationsOf(regions, namespace, name, signal);
    if (name !== undefined && federations.length === 0) {
      complain(
        `there is no MultiCassandraCluster ${name} in ${namespace ?? 'any namespace'} of the hub, or it cannot be read`,
      );
    }
    const checkup = new Checkup({
      regions,
      cluster: (region) => clusters.get(region),
      names:
        flags.dns.length === 0
          ? [{ whence: 'from here', isRegions: false, names: dnsNames([], dnsTimeoutMs) }]
          : flags.dns.map((each) => {
              const [, region, address = each] = /^([^=]+)=(.*)$/.exec(each) ?? [];
              const whence = region === undefined ? `of ${address}` : `in region ${region} (${address})`;
              return { whence, isRegions: region !== undefined, names: dnsNames([address], dnsTimeoutMs) };
            }),
      account: flags.serviceAccount === undefined ? undefined : { namespace: accountNamespace, name: accountName },
      lease: {
        name: flags.leaseName,
        namespaces:
          flags.leaseNamespace === undefined
            ? [...new Set([own, defaultServiceAccount.namespace])]
            : [flags.leaseNamespace],
      },
      clock,
      random,
      logger,
      patienceMs,
    });
    const findings = await checkup.run(federations, signal);
    out.write(printed(findings, flags.output, out));
    const isMissing = name !== undefined && federations.length === 0;
    return isMissing || countsOf(findings).failure > 0 ? 1 : 0;
  } finally {
    end.abort();
    await running;
  }
}

function printed(findings: readonly Finding[], output: DoctorFlags['output'], out: TerminalOutput): string {
  const document = { summary: countsOf(findings), findings };
  if (output === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  if (output === 'yaml') return stringify(document, { lineWidth: 0 });
  return `${findingLines(findings, styleFor(out, process.env)).join('\n')}\n`;
}

/** What registers regions is read one after the other, Secrets of the hub last. */
async function untilRegistered(
  regions: RegionRegistry,
  clock: Clock,
  patienceMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + patienceMs;
  while (regions.pending !== undefined && clock.monotonic() < until) await sleep(clock, againMs, signal);
}

/** None where the hub does not answer, or does not know the kind: the checks of the hub say so. */
async function federationsOf(
  { hub }: RegionRegistry,
  namespace: string | undefined,
  name: string | undefined,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const selection = {
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { fieldSelector: `metadata.name=${name}` }),
  };
  try {
    return await listFederations(hub, selection, signal);
  } catch (error) {
    if (!isKubeError(error) && !(error instanceof UsageError)) throw error;
    return [];
  }
}
