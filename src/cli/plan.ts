import { readFileSync } from 'node:fs';
import { isOurs, parseMultiCassandraCluster } from '../api/parse.ts';
import { kind, type MultiCassandraCluster, multiCassandraClusters } from '../api/schema.ts';
import { isSameJson } from '../api/json.ts';
import { systemClock, withDeadline } from '../edges/clock.ts';
import { systemRandom } from '../edges/random.ts';
import { changesAnything, preview, type Preview, type RegionPreview } from '../federation/preview.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { casskop } from '../operators/casskop/casskop.ts';
import { look } from '../runtime/look.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { openRegistry } from './open-registry.ts';
import type { Output } from './output.ts';
import { readOnly } from './read-only.ts';
import { openRegionSources, type RegionFlags } from './region-flags.ts';
import { UsageError } from './usage-error.ts';
import { readYaml } from './yaml-file.ts';

export interface PlanFlags extends RegionFlags {
  filename: string;
  output: 'text' | 'json';
  /** Seconds. */
  timeout: number;
}

/**
 * `ringmaster plan -f FILE`: what a MultiCassandraCluster would do to its regions as they are now, by the code that would do it, without
 * writing anything. Returns the exit code. 0: nothing to do. 2: changes. 1: refused, or a region cannot be seen.
 * @throws UsageError for a file or flags that cannot be used.
 */
export async function runPlan(flags: PlanFlags, userAgent: string, out: Output, signal: AbortSignal): Promise<number> {
  const wanted = readFile(flags.filename);
  const clock = systemClock;
  const random = systemRandom;
  const logger = createLogger({ level: 'error', clock });
  const sources = await openRegionSources(flags, process.env, clock);
  const metrics = new Metrics();
  const regions = openRegistry({ sources, fence: readOnly('plan'), clock, random, logger, metrics, userAgent });
  const end = new AbortController();
  const running = regions.run(end.signal);
  try {
    const patienceMs = flags.timeout * 1000;
    const mcc = await withWhatIsThere(wanted, regions.hub.client, patienceMs, signal);
    const snapshot = await look(mcc, { regions, operator: casskop, clock, random, logger, patienceMs }, signal);
    const found = preview(snapshot, casskop);
    out.write(flags.output === 'json' ? `${JSON.stringify(found, undefined, 2)}\n` : describe(found));
    if (found.refused.length > 0 || found.regions.some(({ outcome }) => outcome === 'unknown')) return 1;
    return changesAnything(found) ? 2 : 0;
  } finally {
    end.abort();
    await running;
  }
}

function readFile(file: string): MultiCassandraCluster {
  let text: string;
  try {
    text = readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
  } catch (error) {
    throw new UsageError(`--filename ${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const documents = readYaml(text);
  const [broken] = documents.flatMap(({ errors }) => errors);
  if (broken) throw new UsageError(`${file}:${broken.line}:${broken.column}: ${broken.message}`);
  const ours = documents.map(({ value }) => value).filter(isOurs);
  if (ours.length !== 1) throw new UsageError(`--filename ${file}: expected one ${kind}, found ${ours.length}`);
  const { mcc, problems } = parseMultiCassandraCluster(ours[0], { unknownFields: 'refuse' });
  if (!mcc) throw new UsageError(problems.map(({ path, message }) => `${file}: ${path}: ${message}`).join('\n'));
  return mcc;
}

/** The object as it would be after it was applied: what the hub holds of it, with the spec of the file. */
async function withWhatIsThere(
  wanted: MultiCassandraCluster,
  hub: KubeClient,
  patienceMs: number,
  signal: AbortSignal,
): Promise<MultiCassandraCluster> {
  const { namespace, name } = wanted.metadata;
  try {
    using deadline = withDeadline(systemClock, patienceMs, signal);
    const raw = await hub.get(multiCassandraClusters, { namespace, name }, deadline.signal);
    const { mcc } = parseMultiCassandraCluster(raw);
    if (!mcc) return wanted;
    const generation = (mcc.metadata.generation ?? 0) + (isSameJson(mcc.spec, wanted.spec) ? 0 : 1);
    return { ...wanted, metadata: { ...mcc.metadata, generation }, ...(mcc.status && { status: mcc.status }) };
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return wanted;
    if (signal.aborted) throw error;
    throw new UsageError(`the hub cannot be asked what it holds of ${namespace}/${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const marks = {
  unchanged: '=',
  created: '+',
  changed: '~',
  adopted: '>',
  unknown: '?',
  leaves: '-',
  gone: ' ',
  untouched: '!',
} as const;

function describe({ refused, regions, next, waits }: Preview): string {
  const lines = [
    ...refused.map(({ path, message }) => `refused: ${path}: ${message}`),
    ...regions.flatMap(describeRegion),
    ...(next.length > 0 ? ['first:', ...next.map((each) => `  ${each}`)] : []),
    ...(waits.length > 0 ? ['then, in turn:', ...waits.map((each) => `  ${each}`)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function describeRegion({ region, outcome, cost, changes }: RegionPreview): string[] {
  return [
    `${marks[outcome]} region ${region}: ${cost}`,
    ...changes.map(({ path, kind: cls, from, to }) => `    ${path}: ${inWords(from)} -> ${inWords(to)} (${cls})`),
  ];
}

function inWords(value: unknown): string {
  return value === undefined ? '(absent)' : JSON.stringify(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
